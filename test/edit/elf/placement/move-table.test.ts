/** `move-table`: notes and program headers at the end of the file, as long as every reader of the headers goes there. */
import { describe, expect, it } from 'vitest';
import { moveTable } from '../../../../src/edit/elf/placement/move-table.js';
import type { Encoding } from '../../../../src/formats/elf/struct.js';
import { elf, num } from '../../../support/elf-builder.js';
import { inputFor, kernel, osEdit, osNote, perClass, placed, refused } from '../../../support/placing.js';

/** A PT_LOAD right behind the table ends the file at `file`; the notes, 8 zeros and the table follow. */
const CLASSES = perClass({
  32: { file: 148, phdr: 32, table: 176n, end: 240n, ehdr: 52 },
  64: { file: 184, phdr: 56, table: 216n, end: 328n, ehdr: 64 },
});

/** A Multiboot 1 header in a file of `size` bytes; `version` 2 has an end tag alone. */
function multiboot(encoding: Encoding, size: number, version: 1 | 2) {
  const little = { endian: 'little', bits: 32 } as const;
  const words =
    version === 1
      ? [0x1badb002n, 0n, 0x100000000n - 0x1badb002n]
      : [0xe85250d6n, 0n, 24n, 0x100000000n - 0xe85250d6n - 24n, 0n, 8n];
  const start = encoding.bits === 64 ? 120 : 84;
  const bytes = new Uint8Array(size - start).fill(0x90);
  for (const [i, word] of words.entries()) bytes.set(num(word, 4, little), 256 - start + 4 * i);
  return elf(encoding).load(0x100000n, bytes, { align: 1n });
}

describe.each(CLASSES)('move-table, ELF$encoding.bits $encoding.endian', ({ encoding, file, phdr, table, end }) => {
  it('puts the notes, then the table, behind the file', () => {
    const layout = placed(moveTable(inputFor(kernel(encoding, 0))));
    expect(layout).toMatchObject({
      noteRange: { start: BigInt(file), end: BigInt(file) + 20n },
      header: { e_phoff: table, e_phnum: 2 },
      fileSize: end,
      loaded: false,
    });
  });

  it('needs no new entry where there is a PT_NOTE', () => {
    const layout = placed(moveTable(inputFor(kernel(encoding, 0).noteSegment([osNote(20)]), osEdit(24))));
    expect(layout.header.e_phnum).toBe(2);
    expect(layout.segments[1]).toMatchObject({ p_type: 4, p_offset: layout.noteRange?.start, p_filesz: 24n });
  });

  it('covers notes and table by sections where eu-strip is to be survived', () => {
    const image = kernel(encoding, 0).section('.text', { inside: { load: 0, at: 0, size: 64 } });
    const { sections, header } = placed(moveTable(inputFor(image, osEdit(), { mustSurvive: ['eu-strip'] })));
    // The table's section stands in front of the one of the notes, as the two do in memory.
    expect(sections.at(-2)).toMatchObject({ sh_offset: header.e_phoff, sh_size: BigInt(2 * phdr), sh_flags: 2n });
  });

  // Notes of 20 bytes, 8 zeros, two entries; the table starts at a multiple of its words.
  it.each([
    [1, 8192],
    [2, 32768],
  ] as const)('keeps the table in what GRUB reads of a Multiboot %i kernel: %i bytes', (version, window) => {
    const fits = window - 2 * phdr - 28;
    const layout = placed(moveTable(inputFor(multiboot(encoding, fits, version))));
    expect(layout.fileSize).toBe(BigInt(window));
    for (const size of [fits + 1, fits + 4]) {
      expect(refused(moveTable(inputFor(multiboot(encoding, size, version))))).toBe(
        `it has a Multiboot ${version} header, and GRUB wants the program headers within the first ${window} bytes`,
      );
    }
  });

  it.each([
    ['PT_PHDR', 6, 'PT_PHDR says that the program needs the table where it is'],
    ['PT_INTERP', 3, 'the image is started by execve, which looks for the table in the first PT_LOAD'],
  ])('refuses an image with %s', (_, type, why) => {
    expect(refused(moveTable(inputFor(kernel(encoding, 0).segment(type))))).toBe(why);
  });

  it('refuses notes that have to be in memory', () => {
    expect(refused(moveTable(inputFor(kernel(encoding, 0), osEdit(), { loaded: true })))).toBe(
      'the notes would be outside every PT_LOAD',
    );
  });
});
