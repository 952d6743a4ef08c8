/** Notes with descriptors that are not in memory: walked, compared and written as if they were. */
import { describe, expect, it } from 'vitest';
import { BufferSource, CopiedSource, OverlaySource } from '../../../src/base/bytes/source.js';
import { KEPT, notesSize, placeNotes, windowedArea } from '../../../src/formats/note/large-notes.js';
import {
  encodeNotes,
  type NoteContent,
  nameOf,
  sameNote,
  walkArea,
  walkNotes,
} from '../../../src/formats/note/record.js';
import { noteKey } from '../../../src/verify/elf/note-facts.js';

/** Bytes that never repeat within a window. */
const bytesOf = (length: number, seed = 1) =>
  Uint8Array.from({ length }, (_, i) => (Math.imul(i + seed, 2654435761) >>> 13) & 0xff);

const small = (size: number): NoteContent => ({ name: nameOf('Small'), type: 1, desc: bytesOf(size) });

/** The same note twice: in memory, and with all but its start in a source. */
function large(size: number, start = KEPT): readonly [whole: NoteContent, apart: NoteContent] {
  const note = { name: nameOf('Large'), type: 7 };
  const bytes = bytesOf(size, 99);
  const source = new BufferSource(bytes);
  const rest = { source, offset: BigInt(start), size: BigInt(size - start) };
  return [
    { ...note, desc: bytes },
    { ...note, desc: bytes.slice(0, start), rest },
  ];
}

/** Around the start that is kept, the window of 64 KiB, and every padding. */
const SIZES = [KEPT + 1, KEPT + 2, KEPT + 3, KEPT + 4, 0xfff0, 0x10000, 0x10001, 0x20003];

describe.each(['little', 'big'] as const)('%s-endian', (endian) => {
  it.each(SIZES)(
    'a descriptor of %i bytes is placed as encodeNotes() has it, wherever it stands in the list',
    (size) => {
      const [whole, apart] = large(size);
      for (const [before, behind] of [
        [[], []],
        [[small(5)], [small(8)]],
        [[apart], [apart]],
      ] as const) {
        const notes = [...before, apart, ...behind];
        const wanted = encodeNotes(
          notes.map((note) => (note === apart ? whole : note)),
          endian,
        );
        expect(notesSize(notes)).toBe(BigInt(wanted.length));
        expect(Buffer.compare(encodeNotes(notes, endian), wanted)).toBe(0);
        const { writes, copies } = placeNotes(notes, endian, 16n);
        const total = BigInt(wanted.length) + 16n;
        const file = new OverlaySource(
          new CopiedSource(new BufferSource(new Uint8Array(Number(total))), copies),
          writes,
        );
        expect(file.size).toBe(total);
        expect(Buffer.compare(file.read(16n, total - 16n, 'notes'), wanted)).toBe(0);
      }
    },
  );

  it.each([4n, 8n])('a walk through a window, padded to %i, finds what a walk over the whole finds', (align) => {
    const notes = [small(5), ...SIZES.map((size) => large(size)[0]), small(0), small(70_000)];
    const bytes = encodeNotes(notes, endian);
    const source = new BufferSource(bytes);
    const whole = walkNotes(bytes, 0n, endian, align);
    const windowed = walkArea(windowedArea(source, 0n, bytes.length, 0x100000n, 'notes'), 0n, endian, align);
    expect({ ...windowed, records: [] }).toEqual({ ...whole, records: [] });
    expect(windowed.records.length).toBe(whole.records.length);
    for (const [i, record] of windowed.records.entries()) {
      const other = whole.records[i];
      if (other === undefined) throw new Error('no such record');
      expect(record.desc.length).toBe(Math.min(KEPT, other.desc.length));
      expect(record).toMatchObject({ offset: other.offset, descOffset: other.descOffset, size: other.size });
      expect(sameNote(record, other)).toBe(true);
      expect(noteKey(record)).toBe(noteKey(other));
    }
  });
});

describe('sameNote() and noteKey()', () => {
  it.each(SIZES)('see one changed byte of %i wherever it is, and nothing else', (size) => {
    const [whole, apart] = large(size);
    const [, elsewhere] = large(size, 17);
    for (const same of [whole, apart, elsewhere]) {
      expect(sameNote(whole, same)).toBe(true);
      expect(sameNote(elsewhere, same)).toBe(true);
      expect(noteKey(same)).toBe(noteKey(whole));
    }
    for (const at of [0, 16, 17, KEPT - 1, KEPT, size - 1]) {
      const desc = whole.desc.slice();
      desc[at] = (desc[at] ?? 0) ^ 1;
      const other = { ...whole, desc };
      for (const note of [apart, elsewhere]) expect(sameNote(note, other)).toBe(false);
      expect(noteKey(other)).not.toBe(noteKey(apart));
    }
    expect(sameNote(apart, { ...whole, desc: whole.desc.subarray(1) })).toBe(false);
  });
});
