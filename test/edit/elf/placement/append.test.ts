/** `append`: into the header slack as long as it fits there, else to the end; the offsets of both classes typed by hand. */
import { describe, expect, it } from 'vitest';
import { append } from '../../../../src/edit/elf/placement/append.js';
import { inputFor, kernel, osEdit, osNote, patched, perClass, placed, refused } from '../../../support/placing.js';

/**
 * The table ends at `tableEnd`; notes in the slack start behind the new entry and two spare ones, at `notesAt` at the
 * lowest. `least` bytes of slack hold that and a record of 20 bytes; `file` is the size of the image then.
 */
const CLASSES = perClass({
  32: { tableEnd: 84, entry: 32, least: 116, notesAt: 180n, file: 264n, behind: 264n, end: 292n },
  64: { tableEnd: 120, entry: 56, least: 188, notesAt: 288n, file: 372n, behind: 372n, end: 400n },
});

describe.each(CLASSES)('append, ELF$encoding.bits $encoding.endian', (row) => {
  const { encoding, tableEnd, entry, least, notesAt, file, behind, end } = row;

  it('puts notes that exactly fit into the far end of the slack', () => {
    const layout = placed(append(inputFor(kernel(encoding, least))));
    expect(layout).toMatchObject({
      noteRange: { start: notesAt, end: notesAt + 20n },
      fileSize: file,
      loaded: false,
      cover: 'none',
      warnings: [],
    });
    expect(layout.segments.at(-1)).toEqual({
      p_type: 4,
      p_flags: 4,
      p_offset: notesAt,
      p_vaddr: 0n,
      p_paddr: 0n,
      p_filesz: 20n,
      p_memsz: 20n,
      p_align: 4n,
    });
    expect(layout.header).toMatchObject({ e_phoff: BigInt(encoding.bits === 64 ? 64 : 52), e_phnum: 2 });
    expect(layout.summary).toContain('into the header slack (20 bytes), a new PT_NOTE in the slack');
  });

  it('goes to the end of the file where one byte is missing, with 8 zeros behind the notes', () => {
    // One byte less of slack, one byte less of file, and the notes aligned up again.
    const layout = placed(append(inputFor(kernel(encoding, least - 1))));
    expect(layout.noteRange).toEqual({ start: behind, end: behind + 20n });
    expect(layout.fileSize).toBe(end);
    expect(layout.blobs.map(({ offset, bytes }) => [offset, bytes.length])).toEqual([
      [behind, 20],
      [behind + 20n, 8],
    ]);
  });

  it('goes to the end where a larger record does not fit, and where a byte of its place is taken', () => {
    expect(placed(append(inputFor(kernel(encoding, least), osEdit(24)))).noteRange?.start).toBe(file);
    const taken = patched(kernel(encoding, least).build(), Number(notesAt) + 19, 1);
    expect(placed(append(inputFor(taken))).noteRange?.start).toBe(file);
    const free = patched(kernel(encoding, least).build(), Number(notesAt) - 1, 1);
    expect(placed(append(inputFor(free))).noteRange?.start).toBe(notesAt);
  });

  it('takes an entry that exactly fits, and refuses one byte less', () => {
    const fits = placed(append(inputFor(kernel(encoding, entry))));
    expect(fits.segments).toHaveLength(2);
    expect(fits.noteRange?.start).toBe(BigInt(tableEnd + entry + 64));
    const at = `0x${tableEnd.toString(16)}`;
    expect(refused(append(inputFor(kernel(encoding, entry - 1))))).toBe(
      `no program header can be had: ${entry} bytes needed behind the table at ${at}, ${entry - 1} free`,
    );
  });

  it('puts no zeros behind the notes of an image with sections; its tables follow them', () => {
    const layout = placed(append(inputFor(kernel(encoding, entry).section('.text'))));
    const { noteRange, header, fileSize, blobs } = layout;
    expect(blobs.map(({ what }) => what)).toEqual(['notes', 'section names']);
    expect(noteRange?.start).toBe(blobs[0]?.offset);
    // ".text", ".shstrtab" and ".note.Xen" behind one NUL: 1 + 6 + 10 + 10.
    expect(blobs[1]).toMatchObject({ offset: noteRange?.end });
    expect(blobs[1]?.bytes).toHaveLength(27);
    const word = BigInt(encoding.bits / 8);
    const table = (((noteRange?.end ?? 0n) + 27n + word - 1n) / word) * word;
    expect(header.e_shoff).toBe(table);
    expect(fileSize).toBe(table + 4n * BigInt(encoding.bits === 64 ? 64 : 40));
    expect(layout.cover).toBe('plain');
  });

  it('redirects the PT_NOTE that is there and needs no room behind the table', () => {
    const image = kernel(encoding, 0).noteSegment([osNote(20)]);
    const layout = placed(append(inputFor(image, osEdit(24))));
    expect(layout.segments).toHaveLength(2);
    expect(layout).toMatchObject({ replacedSegments: [1], summary: expect.stringContaining('PT_NOTE 1 redirected') });
  });

  it('refuses notes that have to be in memory, and an edit that leaves none', () => {
    expect(refused(append(inputFor(kernel(encoding, 256), osEdit(), { loaded: true })))).toBe(
      'the notes would be outside every PT_LOAD',
    );
    expect(refused(append(inputFor(kernel(encoding, 256), [{ kind: 'clear' }])))).toBe('no note is left to place');
  });
});
