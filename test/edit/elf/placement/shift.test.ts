/** `shift`: what is behind the table moves by a multiple of the largest alignment, and by no more than is needed. */
import { describe, expect, it } from 'vitest';
import { shift } from '../../../../src/edit/elf/placement/shift.js';
import type { Encoding } from '../../../../src/formats/elf/struct.js';
import { elf, num } from '../../../support/elf-builder.js';
import { inputFor, kernel, osEdit, osNote, perClass, placed, refused } from '../../../support/placing.js';

/**
 * One PT_LOAD right behind the table, which ends at `at`. A new entry and a record of `size` bytes fill `by` bytes exactly;
 * `file` is the size of the image.
 */
const CLASSES = perClass({
  32: { at: 84n, notesAt: 116n, size: 32, by: 64n, file: 148n },
  64: { at: 120n, notesAt: 176n, size: 24, by: 80n, file: 184n },
});

/** A Multiboot 1 header without address fields, `at` bytes into the file. */
function multiboot(encoding: Encoding, start: bigint, at: bigint) {
  const bytes = new Uint8Array(0x4000);
  const little = { endian: 'little', bits: 32 } as const;
  const header = [num(0x1badb002, 4, little), num(0, 4, little), num(0x100000000n - 0x1badb002n, 4, little)];
  for (const [i, word] of header.entries()) bytes.set(word, Number(at - start) + 4 * i);
  return elf(encoding).load(0x100000n, bytes, { align: 1n });
}

describe.each(CLASSES)('shift, ELF$encoding.bits $encoding.endian', ({ encoding, at, notesAt, size, by, file }) => {
  it('moves everything behind the table by what an entry and the notes need', () => {
    const layout = placed(shift(inputFor(kernel(encoding, 0), osEdit(size))));
    expect(layout).toMatchObject({
      shift: { at, by },
      noteRange: { start: notesAt, end: notesAt + BigInt(size) },
      fileSize: file + by,
      loaded: false,
    });
    expect(layout.segments.map(({ p_type, p_offset }) => [p_type, p_offset])).toEqual([
      [1, at + by],
      [4, notesAt],
    ]);
    expect(layout.header.e_phoff).toBe(BigInt(encoding.bits === 64 ? 64 : 52));
  });

  it('moves by 16 bytes more for 4 bytes more of notes, and not for 4 less', () => {
    expect(placed(shift(inputFor(kernel(encoding, 0), osEdit(size + 4)))).shift).toEqual({ at, by: by + 16n });
    expect(placed(shift(inputFor(kernel(encoding, 0), osEdit(size - 4)))).shift).toEqual({ at, by });
  });

  it.each([
    [0x10n, 'as'],
    [0x20n, 'more'],
    [0x1000n, 'more'],
  ])('moves by a multiple of p_align %s', (align) => {
    // Address and offset agree by no more than p_align: nothing could map it by larger pages.
    const image = elf(encoding).load(0x100000n + at + align, new Uint8Array(64), { align, offset: at });
    const { shift: moved } = placed(shift(inputFor(image, osEdit(size))));
    expect(moved?.by).toBe(align > by ? align : ((by + align - 1n) / align) * align);
  });

  it.each([1n, 8n, 0x20n, 0x1000n])(
    'moves by a page where execve could map the file, whatever p_align says: %s',
    (align) => {
      const first = at + BigInt(encoding.bits === 64 ? 56 : 32);
      const distances = [0x100000n, 0x101000n, 0x400000n].map((distance) => {
        const image = elf(encoding)
          .load(distance + first, new Uint8Array(64), { align, offset: first })
          .load(distance + 0x200000n + first + 64n, new Uint8Array(64), { align, offset: first + 64n });
        const { shift: moved, segments } = placed(shift(inputFor(image, osEdit(size))));
        const isMapped = segments
          .filter(({ p_type }) => p_type === 1)
          .every(({ p_vaddr, p_offset }) => (p_vaddr - p_offset) % 0x1000n === 0n);
        return { isMapped, isPage: [0x1000n, 0x10000n].some((page) => moved?.by === page) };
      });
      expect(distances).toEqual(distances.map(() => ({ isMapped: true, isPage: true })));
    },
  );

  it('needs no new entry where there is a PT_NOTE, and the notes follow the table', () => {
    const tableEnd = at + BigInt(encoding.bits === 64 ? 56 : 32);
    const layout = placed(shift(inputFor(kernel(encoding, 0).noteSegment([osNote(20)]), osEdit(32))));
    expect(layout).toMatchObject({ shift: { at: tableEnd, by: 32n }, noteRange: { start: tableEnd } });
    expect(layout.segments[1]).toMatchObject({ p_type: 4, p_offset: tableEnd, p_filesz: 32n });
  });

  it('moves section headers along', () => {
    const image = kernel(encoding, 0).section('.text', { inside: { load: 0, at: 0, size: 64 } });
    expect(placed(shift(inputFor(image, osEdit(size)))).sections[1]).toMatchObject({ sh_offset: at + by });
  });

  it('refuses what it would tear apart, by one byte', () => {
    const end = (entries: bigint) => at + (entries - 1n) * BigInt(encoding.bits === 64 ? 56 : 32);
    const section = (bytes: bigint) => inputFor(kernel(encoding, 0).section('.x', { offset: at - 1n, size: bytes }));
    expect(placed(shift(section(1n))).shift?.at).toBe(at);
    expect(refused(shift(section(2n)))).toBe(
      `section 1 starts before the end of the program headers at 0x${at.toString(16)} and ends behind it`,
    );
    const segment = (filesz: bigint) =>
      inputFor(kernel(encoding, 0).segment(0x60000000, undefined, { offset: end(2n) - 1n, filesz, memsz: filesz }));
    expect(placed(shift(segment(1n))).shift?.at).toBe(end(2n));
    expect(refused(shift(segment(2n)))).toMatch(/^program header 1 starts before the end of the program headers/);
  });

  it('refuses a table that is in memory when it has to grow', () => {
    const load = { offset: 0n, filesz: at, memsz: at, align: 1n };
    expect(refused(shift(inputFor(elf(encoding).load(0x100000n, new Uint8Array(0), load))))).toBe(
      'PT_LOAD 0 holds the program headers and would have to grow with them',
    );
    // From one byte behind the table on, it does not hold it.
    const behind = { ...load, offset: at, filesz: 1n, memsz: 1n };
    const image = elf(encoding).load(0x100000n, new Uint8Array(1), behind);
    expect(placed(shift(inputFor(image))).shift?.at).toBe(at);
  });

  it('keeps a Multiboot header where all loaders find it: 8140 is the last such offset', () => {
    expect(placed(shift(inputFor(multiboot(encoding, at, 8140n - by), osEdit(size)))).shift).toEqual({ at, by });
    expect(refused(shift(inputFor(multiboot(encoding, at, 8144n - by), osEdit(size))))).toBe(
      `the Multiboot 1 header at 0x${(8144n - by).toString(16)} would move to 0x1fd0, too near the end of the first 8192 bytes`,
    );
  });

  it('refuses notes that have to be in memory', () => {
    expect(refused(shift(inputFor(kernel(encoding, 0), osEdit(), { loaded: true })))).toBe(
      'the notes would be outside every PT_LOAD',
    );
  });
});

describe('shift of a large file', () => {
  it('keeps offsets of ELF32 below 4 GiB', () => {
    const { analysis, ...rest } = inputFor(kernel({ bits: 32, endian: 'little' }, 0), osEdit(32));
    const grown = (fileSize: bigint) => shift({ ...rest, analysis: { ...analysis, fileSize } });
    expect(placed(grown(0xffffffbfn)).fileSize).toBe(0xffffffffn);
    expect(refused(grown(0xffffffc0n))).toBe('offsets would exceed 32 bits');
  });
});
