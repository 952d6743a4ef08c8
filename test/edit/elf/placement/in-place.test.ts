/** `in-place` and `grow`: notes rewritten where they stand, as far as room and sections allow. */
import { describe, expect, it } from 'vitest';
import { grow, inPlace } from '../../../../src/edit/elf/placement/in-place.js';
import type { Encoding } from '../../../../src/formats/elf/struct.js';
import { elf, noteBytes, type SectionOptions } from '../../../support/elf-builder.js';
import { inputFor, kernel, osEdit, osNote, patched, perClass, placed, refused } from '../../../support/placing.js';

/** A PT_NOTE right behind a table of two entries, at `at`; a record behind 64 bytes of a PT_LOAD there, at `inside`. */
const CLASSES = perClass({ 32: { at: 116n, inside: '0xb4' }, 64: { at: 176n, inside: '0xf0' } });

/** A PT_NOTE of 24 bytes outside memory, `behind` zero bytes, then a PT_LOAD of 64 bytes. */
function noted(encoding: Encoding, behind = 0, code = 0x90) {
  const bytes = new Uint8Array(24 + behind);
  bytes.set(noteBytes([osNote(24)], encoding));
  return elf(encoding)
    .noteSegment(bytes, { filesz: 24n, memsz: 24n })
    .load(0x100000n, new Uint8Array(64).fill(code), { align: 1n })
    .with({ fileAlign: 1 });
}

/** A PT_LOAD of 64 bytes of code, a record of 24 bytes and `behind` zeros; sections over them as given. */
function loaded(encoding: Encoding, behind: number, sections: readonly SectionOptions[], padding = 0) {
  const bytes = new Uint8Array(88 + behind + padding);
  bytes.fill(0x90, 0, 64);
  const image = elf(encoding)
    .load(0x100000n, bytes, { align: 1n, filesz: BigInt(88 + behind), memsz: BigInt(88 + behind) })
    .noteSegment([osNote(24)], { inside: { load: 0, at: 64 } });
  for (const [i, section] of sections.entries()) image.section(`.s${i}`, section);
  return image;
}

const over = (at: number, size: number, type = 1): SectionOptions => ({ type, inside: { load: 0, at, size } });

describe.each(CLASSES)('in-place, ELF$encoding.bits $encoding.endian', ({ encoding, at, inside }) => {
  it.each([
    [24, 'notes rewritten where they are'],
    [20, 'notes rewritten where they are, 4 bytes freed'],
  ])('%i bytes fit a PT_NOTE of 24', (size, summary) => {
    const edit = [{ kind: 'rewrite' } as const, ...osEdit(size)];
    const layout = placed(inPlace(inputFor(noted(encoding), edit)));
    expect(layout).toMatchObject({
      summary,
      noteRange: { start: at, end: at + BigInt(size) },
      fileSize: at + 88n,
      replacedSegments: [0],
    });
    // What is freed is zeroed.
    expect(layout.blobs.map(({ offset, bytes }) => [offset, bytes.length])).toEqual([[at, 24]]);
    expect(layout.segments.at(-1)).toMatchObject({ p_type: 4, p_offset: at, p_filesz: BigInt(size) });
  });

  it('refuses 4 bytes more than there are', () => {
    expect(refused(inPlace(inputFor(noted(encoding, 4), osEdit(28))))).toBe('28 bytes needed, 24 in PT_NOTE 0');
  });

  it('turns an entry without notes into PT_NULL', () => {
    const layout = placed(inPlace(inputFor(noted(encoding), [{ kind: 'clear' }])));
    expect(layout.segments[0]).toMatchObject({ p_type: 0, p_filesz: 0n });
    expect(layout.noteRange).toBeUndefined();
    expect(layout.blobs[0]?.bytes).toEqual(new Uint8Array(24));
  });

  it('refuses an image without notes, and notes in several places', () => {
    expect(refused(inPlace(inputFor(kernel(encoding, 64))))).toBe('the image has no notes to rewrite');
    const two = noted(encoding).noteSegment([{ type: 5, desc: new Uint8Array(4) }]);
    expect(refused(inPlace(inputFor(two)))).toBe('the notes stand in 2 places');
  });

  it.each([
    [true, 'the notes are outside every PT_LOAD now', () => noted(encoding)],
    [false, 'the notes are inside a PT_LOAD now', () => loaded(encoding, 0, [])],
  ])('refuses --loaded %s where they are not', (wanted, why, image) => {
    expect(refused(inPlace(inputFor(image(), osEdit(24), { loaded: wanted })))).toBe(why);
    expect(placed(inPlace(inputFor(image(), osEdit(24), { loaded: !wanted }))).loaded).toBe(!wanted);
  });

  it.each([1, 2, 3])('refuses a PT_NOTE %i bytes off', (off) => {
    const bytes = noteBytes([osNote(24)], encoding);
    const image = elf(encoding)
      .noteSegment(new Uint8Array([...new Uint8Array(off), ...bytes]), { offset: at + BigInt(off), filesz: 24n })
      .load(0x100000n, new Uint8Array(64), { align: 1n })
      .with({ fileAlign: 1 });
    expect(refused(inPlace(inputFor(image, osEdit(24))))).toMatch(
      /^PT_NOTE 0 starts at 0x[0-9a-f]+, which loaders skip or read misaligned$/,
    );
  });

  it('moves the end of a section that ends with the notes, and refuses one that would be cut', () => {
    const layout = placed(inPlace(inputFor(loaded(encoding, 0, [over(64, 24, 7)]), osEdit(20))));
    expect(layout.sections[1]).toMatchObject({ sh_size: 20n });
    expect(layout).toMatchObject({ touchedSections: [1], cover: 'allocated', loaded: true });
    const cut = loaded(encoding, 0, [over(64, 20, 7), over(84, 4)]);
    expect(refused(inPlace(inputFor(cut, osEdit(20))))).toContain(`record boundaries from ${inside} on would move`);
  });

  it('neutralizes a note under a section that holds its place', () => {
    const image = loaded(encoding, 0, [over(64, 20, 7)]);
    const layout = placed(inPlace(inputFor(image, [{ kind: 'clear' }])));
    // Owner and type are other ones; the record is as long as it was.
    expect(layout.blobs[0]?.bytes).toHaveLength(24);
    expect(layout.blobs[0]?.bytes).not.toEqual(noteBytes([osNote(24)], encoding));
    expect(layout.noteRange).toBeDefined();
  });
});

describe.each(CLASSES)('grow, ELF$encoding.bits $encoding.endian', ({ encoding, at }) => {
  it('takes zeros behind a PT_NOTE outside memory to the last byte, and refuses one less', () => {
    const layout = placed(grow(inputFor(noted(encoding, 4), osEdit(28))));
    expect(layout.noteRange).toEqual({ start: at, end: at + 28n });
    expect(layout.summary).toBe('notes rewritten where they are, 4 bytes of zero padding taken');
    expect(refused(grow(inputFor(noted(encoding, 3, 0), osEdit(28))))).toBe(
      '28 bytes needed, 24 in PT_NOTE 0, and program header 1 covers the bytes behind them',
    );
  });

  it('wants them zero', () => {
    const bytes = noted(encoding, 8).build();
    const taken = patched(bytes, Number(at) + 27, 1);
    expect(refused(grow(inputFor(taken, osEdit(28))))).toContain('the 4 bytes behind them are not zero');
    expect(placed(grow(inputFor(patched(bytes, Number(at) + 28, 1), osEdit(28)))).noteRange?.end).toBe(at + 28n);
  });

  it('has nothing to do where the notes fit', () => {
    expect(refused(grow(inputFor(noted(encoding), osEdit(24))))).toBe('the notes fit the room they have (24 bytes)');
  });

  it('stops at the end of the file', () => {
    const end = elf(encoding)
      .load(0x100000n, new Uint8Array(64).fill(0x90), { align: 1n })
      .noteSegment([osNote(24)])
      .with({ fileAlign: 4 });
    expect(refused(grow(inputFor(end.with({ trailing: new Uint8Array(3) }), osEdit(28))))).toContain(
      'the file ends 3 bytes behind them',
    );
    expect(placed(grow(inputFor(end.with({ trailing: new Uint8Array(4) }), osEdit(28)))).placement).toBe('grow');
  });

  it('grows inside a PT_LOAD up to its last byte, where sections tell what the zeros are', () => {
    const text = over(0, 64);
    expect(placed(grow(inputFor(loaded(encoding, 4, [text]), osEdit(28))))).toMatchObject({ loaded: true });
    expect(refused(grow(inputFor(loaded(encoding, 3, [text], 4), osEdit(28))))).toContain(
      'their PT_LOAD ends 3 bytes behind them',
    );
    expect(refused(grow(inputFor(loaded(encoding, 4, []), osEdit(28))))).toContain(
      'no section headers tell that the zero bytes behind them are padding',
    );
  });

  it('stops at the next section, and at a symbol', () => {
    const next = (start: number) => loaded(encoding, 8, [over(64, 24, 7), over(start, 1)]);
    expect(placed(grow(inputFor(next(92), osEdit(28)))).noteRange?.end).toBeDefined();
    expect(refused(grow(inputFor(next(91), osEdit(28))))).toContain('.s1 starts 3 bytes behind them');
    const symbol = (value: bigint) => loaded(encoding, 8, [over(0, 64)]).symbol('end', value, { size: 1n, section: 1 });
    expect(placed(grow(inputFor(symbol(0x10005cn), osEdit(28)))).placement).toBe('grow');
    expect(refused(grow(inputFor(symbol(0x10005bn), osEdit(28))))).toContain(
      'the symbol at 0x10005b covers the bytes behind them',
    );
  });
});
