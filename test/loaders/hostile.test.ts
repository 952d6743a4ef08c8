/** Images that were made to hurt get a verdict from every loader, in bounded time and memory. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/bytes/source.js';
import { judgeLoaders, LOADERS } from '../../src/loaders/loaders.js';
import { cstr, elf, num } from '../support/elf-builder.js';

const encoding = { bits: 64, endian: 'little' } as const;
const judge = (bytes: Uint8Array) => judgeLoaders(new BufferSource(bytes));

describe('hostile images', () => {
  it('70,000 notes: Xen stops at 65,536, and says so', () => {
    const many = Array.from({ length: 70_000 }, () => ({ name: 'x', type: 1, desc: new Uint8Array(0) }));
    const bytes = elf(encoding).header({ e_machine: 62 }).load(0x100000n, new Uint8Array(64)).noteSegment(many).build();
    const [xenPv] = judge(bytes);
    expect(xenPv?.reason).toContain("(Not '' and '')");
  });

  it('a string of 4,097 characters is no string; one of 4,096 is', () => {
    const kernel = (length: number) =>
      elf(encoding)
        .header({ e_machine: 62, e_entry: 0x100000n })
        .load(0x100000n, new Uint8Array(64))
        .noteSegment([
          { type: 8, desc: cstr(`generic${'x'.repeat(length - 7)}`) },
          { type: 5, desc: cstr('xen-3.0') },
        ])
        .build();
    const [good] = judge(kernel(4096));
    const [bad] = judge(kernel(4097));
    expect([good?.outcome, bad?.outcome]).toEqual(['accepted', 'refused']);
  });

  it('65,535 program headers over and over the same notes end', () => {
    const bytes = elf(encoding)
      .load(0x100000n, new Uint8Array(0x100))
      .noteSegment([{ type: 18, desc: num(0x100000n, 4, encoding) }])
      .build();
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    view.setUint16(54, 0, true);
    view.setUint16(56, 0xffff, true);
    expect(judge(bytes).map(({ loader }) => loader)).toEqual(LOADERS.map(({ name }) => name));
  });

  it('any bytes at all get ten verdicts', () => {
    const image = fc.tuple(fc.uint8Array({ maxLength: 300 }), fc.boolean()).map(([bytes, magic]) => {
      if (magic && bytes.length > 16) bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
      return bytes;
    });
    fc.assert(
      fc.property(image, (bytes) => {
        expect(judge(bytes)).toHaveLength(LOADERS.length);
      }),
      { numRuns: 500 },
    );
  });
});
