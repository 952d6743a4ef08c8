/** Images that were made to hurt get a verdict from every loader, in bounded time and memory. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/base/bytes/source.js';
import { PatchError } from '../../src/base/errors/patch-error.js';
import { planPatch } from '../../src/edit/elf/pipeline.js';
import { DEFAULT_PLACEMENT } from '../../src/edit/elf/plan/placement-options.js';
import { findFix } from '../../src/edit/fix/fix.js';
import { planStamp } from '../../src/edit/stamp/stamp.js';
import type { ElfImage } from '../../src/formats/elf/image.js';
import { readElf } from '../../src/formats/elf/read.js';
import { parseSetting } from '../../src/formats/note/value.js';
import { judgeLoaders, LOADERS } from '../../src/loaders/loaders.js';
import { cstr, elf, num } from '../support/elf-builder.js';

const encoding = { bits: 64, endian: 'little' } as const;
const judge = (bytes: Uint8Array) => judgeLoaders(new BufferSource(bytes));

const nothing = new Uint8Array(0);
const NO_STAMPS = { metadata: undefined, members: {}, buildId: undefined, notes: [], remove: [], placement: {} };

/** The file with a new table behind it: its first program header, then its last one over and over. */
function tableOf(bytes: Uint8Array, count: number): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const [at, entries] = [Number(view.getBigUint64(32, true)), view.getUint16(56, true)];
  const entry = (index: number) => bytes.subarray(at + 56 * index, at + 56 * (index + 1));
  const out = new Uint8Array(bytes.length + 56 * count);
  out.set(bytes);
  for (let index = 0; index < count; index++) out.set(entry(index === 0 ? 0 : entries - 1), bytes.length + 56 * index);
  const header = new DataView(out.buffer);
  header.setBigUint64(32, BigInt(bytes.length), true);
  header.setUint16(56, count, true);
  return out;
}

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

  /** Steps and bytes that a walk over each header anew would cost: 65,535 times what one walk costs. */
  it.each([
    ['4,000 notes of nobody', () => Array.from({ length: 4000 }, () => ({ name: 'x', type: 1, desc: nothing }))],
    ['60,000 strings of Xen', () => Array.from({ length: 60_000 }, () => ({ type: 10, desc: cstr('dom0') }))],
    ['one note of 15 MiB', () => [{ name: 'x', type: 1, desc: new Uint8Array(15 << 20) }]],
    ['one string without an end', () => [{ type: 10, desc: new Uint8Array(5000).fill(0x61) }]],
  ] as const)('65,535 PT_NOTEs over %s', (_, notes) => {
    const bytes = tableOf(elf(encoding).load(0x100000n, new Uint8Array(64)).noteSegment(notes()).build(), 65_535);
    expect(judge(bytes).map(({ outcome }) => outcome)).not.toContain('undecided');
  });

  // A hundred seconds and more where records were gone through once for each header.
  it.each([
    [
      'patch',
      (image) => planPatch(image, [{ kind: 'set', setting: parseSetting('PHYS32_ENTRY=0x100000') }], DEFAULT_PLACEMENT),
    ],
    ['stamp', (image) => planStamp(image, { ...NO_STAMPS, members: { name: 'x' } })],
    ['fix', ({ source }) => findFix(source, ['qemu-pvh'])],
  ] as const satisfies readonly (readonly [string, (image: ElfImage) => unknown])[])(
    '65,534 PT_NOTEs over 4,000 notes: %s ends, in a plan or in a refusal',
    (_, edit) => {
      const notes = Array.from({ length: 4000 }, () => ({ name: 'x', type: 1, desc: nothing }));
      const bytes = tableOf(elf(encoding).load(0x100000n, new Uint8Array(64)).noteSegment(notes).build(), 65_534);
      const image = readElf(new BufferSource(bytes, 'many'));
      try {
        expect(edit(image)).toBeDefined();
      } catch (error) {
        expect(error).toBeInstanceOf(PatchError);
        expect(error).toMatchObject({ id: expect.stringMatching(/^plan\./) });
      }
    },
  );

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
