/** Note areas by the ten thousand, and areas larger than any: what they cost, and where they are refused. */
import { describe, expect, it } from 'vitest';
import { BufferSource, type ByteSource } from '../../../src/base/bytes/source.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { noteAreas } from '../../../src/formats/note/areas.js';
import { concat, cstr, elf, num } from '../../support/elf-builder.js';

describe('noteAreas() within bounds', () => {
  const encoding = { bits: 64, endian: 'little' } as const;

  /** A source of zeros with some bytes at the front: large without being large. */
  const sparse = (front: Uint8Array, size: bigint): ByteSource & { total: bigint } => ({
    name: 'sparse',
    size,
    total: 0n,
    read(offset, length, part) {
      const bytes = new Uint8Array(Number(length));
      this.readInto(offset, bytes, part);
      return bytes;
    },
    readInto(offset, target) {
      this.total += BigInt(target.length);
      const end = Number(offset) + target.length;
      if (offset < BigInt(front.length)) target.set(front.subarray(Number(offset), Math.min(end, front.length)));
    },
  });

  it('walks an area of a gigabyte through a window: a long descriptor costs as much as its start', () => {
    const front = elf(encoding).noteSegment([], { offset: 0x1000n, filesz: 0x40000014n }).build();
    const record = concat([num(4n, 4, encoding), num(0x40000000n, 4, encoding), num(1n, 4, encoding), cstr('Big')]);
    const source = sparse(concat([front, new Uint8Array(0x1000 - front.length), record]), 0x80000000n);
    const [area] = noteAreas(readElf(source));
    expect(area?.walk.problem).toMatch(/more than|hold no record/);
    expect(area?.walk.records[0]).toMatchObject({ type: 1, rest: { source, size: 0x3ffff000n } });
    expect(area?.walk.records[0]?.desc.length).toBe(0x1000);
    expect(source.total).toBeLessThan(0x20000n);
  });

  it('refuses an area of whose records more than 16 MiB would be kept, however they are spread', () => {
    const record = concat([num(4n, 4, encoding), num(0x1000n, 4, encoding), num(1n, 4, encoding), cstr('Big')]);
    const records = concat(Array.from({ length: 4200 }, () => concat([record, new Uint8Array(0x1000)])));
    const image = elf(encoding)
      .noteSegment([], { offset: 0x1000n, filesz: BigInt(records.length) })
      .build();
    const source = new BufferSource(concat([image, new Uint8Array(0x1000 - image.length), records]));
    expect(() => noteAreas(readElf(source))).toThrow(/what stays in memory of a note area.*\[note\.too-large\]/);
  });

  it('reads equal headers once: 60,000 of them over one megabyte', () => {
    const builder = elf(encoding);
    for (let i = 0; i < 60_000; i++) builder.noteSegment([], { offset: 0x800000n, filesz: 0x100000n });
    const source = sparse(builder.build(), 0x2000000n);
    const image = readElf(source);
    source.total = 0n;
    expect(noteAreas(image)).toHaveLength(60_000);
    expect(source.total).toBe(0x100000n);
  });

  it('refuses many different areas whose records are too many together', () => {
    const builder = elf(encoding);
    for (let i = 0; i < 40; i++) builder.noteSegment([], { offset: 0x800000n + BigInt(i), filesz: 0x100000n });
    expect(() => noteAreas(readElf(sparse(builder.build(), 0x2000000n)))).toThrow(/\[note\.too-large\]/);
  });

  it('finds the LOAD among tens of thousands in reasonable time', () => {
    const builder = elf(encoding);
    const body = concat([
      num(4n, 4, encoding),
      num(4n, 4, encoding),
      num(18n, 4, encoding),
      cstr('Xen'),
      new Uint8Array(4),
    ]);
    for (let i = 0; i < 30_000; i++)
      builder.segment(1, new Uint8Array(0), { offset: BigInt(16 * i), filesz: 16n, memsz: 16n, vaddr: BigInt(i) });
    for (let i = 0; i < 30_000; i++) builder.segment(4, new Uint8Array(0), { offset: BigInt(16 * i), filesz: 8n });
    const areas = noteAreas(readElf(new BufferSource(builder.with({ trailing: body }).build())));
    expect(areas.every((area, i) => area.loaded?.p_vaddr === BigInt(i))).toBe(true);
  });
});
