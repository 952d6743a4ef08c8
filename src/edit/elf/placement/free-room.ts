/**
 * Room that an edit knows to be free, and whose proof would go with it: a part of the remains of earlier edits is notes again, a
 * table that stood next to zeros moves away. A note of nobody's over it says so from then on. Otherwise no later edit would take
 * that room, and a file that is edited again and again would grow for ever.
 */
import { alignDown, alignUp } from '../../../base/bytes/align.js';
import {
  holderOf,
  intersect,
  normalize,
  overlaps,
  type Range,
  rangeOf,
  subtractSorted,
} from '../../../base/bytes/range.js';
import { allZero } from '../../../base/bytes/zeros.js';
import { rangesInUse } from '../../../formats/elf/image.js';
import { freeNoteHead, LEAST_FREE_NOTE, loadedEnd } from '../../../formats/note/dead-notes.js';
import { type Analysis, spareOf } from '../plan/analyze.js';
import type { Blob, Layout } from './layout.js';
import { joined, type Parts, type PlacementInput, zeroParts } from './placement-input.js';
import { resultOf } from './survival.js';

const UNIT = 4n;

/**
 * The layout, and those notes with it. Nothing of the image looks at such bytes now, so they may change before the edit is
 * committed. What is left of older remains becomes zeros, that all room next to each other is one; but where an edit is undone
 * (`keeps`), for the next undo goes by them. A layout that moves everything is as it was.
 */
export function withFreeRoom(input: PlacementInput, layout: Layout, keeps: boolean): Layout {
  const { analysis } = input;
  if (layout.shift !== undefined) return layout;
  const { image } = analysis;
  const end = layout.fileSize < analysis.fileSize ? layout.fileSize : analysis.fileSize;
  const behind = { start: loadedEnd(image), end };
  const spare = normalize(analysis.spare().flatMap((range) => within(range, { start: 0n, end })));
  const own = keeps ? [] : amongForeign(input);
  const emptied = emptiedBy(input, layout).flatMap((range) => within(range, behind));
  if (spare.length === 0 && own.length === 0 && emptied.length === 0) return layout;
  const inUse = normalize(rangesInUse(resultOf(image, layout)));
  const left = spare.flatMap((range) => subtractSorted(range, inUse)).filter((range) => !analysis.isZero(range));
  const cleared = keeps ? [] : left;
  const result = resultOf(image, withParts(layout, cleared.map(zeros)));
  const known = normalize([...inUse, ...spareOf(result)]);
  // Nothing but zeros stays that: a PT_LOAD may grow over them, and they are known as soon as notes or tables are next to them.
  const unknown = subtractSorted({ start: 0n, end: layout.fileSize }, known).filter(
    (range) => !allZero(result.source, range, 'free bytes'),
  );
  const lost = normalize([
    ...intersect(normalize([...spare, ...own]), unknown),
    ...intersect(normalize(emptied), unknown).filter((range) => allZero(result.source, range, 'free bytes')),
  ]);
  const asNotes = (noted: readonly Range[]): Layout => {
    const apart = { ...layout, blobs: layout.blobs.flatMap((blob) => without(blob, noted)) };
    // In front of what is loaded zeros are room of themselves.
    const rest = normalize([...cleared, ...lost]).flatMap((range) => subtractSorted(range, written(apart, noted)));
    return withParts(apart, [...rest.map(zeros), ...noted.flatMap((range) => freed(analysis, range))]);
  };
  const noted = normalize(lost.flatMap((range) => within(range, behind)));
  const noticed = asNotes(noted);
  if (noted.length === 0) return noticed;
  // A note that no later look would find, in a gap too large to be searched, would be bytes of unknown owner.
  const found = holderOf(spareOf(resultOf(image, noticed)));
  const kept = noted.filter((range) => found(noteIn(range)) !== undefined);
  return kept.length === noted.length ? noticed : asNotes(kept);
}

/** The parts of a blob outside these ranges: zeros over notes that go are written as the note that takes their place. */
function without(blob: Blob, ranges: readonly Range[]): Blob[] {
  const whole = rangeOf(blob.offset, BigInt(blob.bytes.length));
  if (!ranges.some((range) => overlaps(range, whole))) return [blob];
  return subtractSorted(whole, ranges).map(({ start, end }) => ({
    ...blob,
    offset: start,
    bytes: blob.bytes.subarray(Number(start - whole.start), Number(end - whole.start)),
  }));
}

/** What a layout writes, and these ranges, sorted. */
function written({ blobs, copies = [] }: Layout, ranges: readonly Range[]): readonly Range[] {
  return normalize([
    ...ranges,
    ...blobs.map(({ offset, bytes }) => rangeOf(offset, BigInt(bytes.length))),
    ...copies.map(({ to, size }) => rangeOf(to, size)),
  ]);
}

function withParts(layout: Layout, parts: readonly Parts[]): Layout {
  const { blobs, copies = [] } = layout;
  return parts.length === 0 ? layout : { ...layout, ...joined([{ blobs, copies }, ...parts]) };
}

const WHAT = 'room that earlier edits left';
const zeros = (range: Range) => zeroParts(range, WHAT);

/**
 * Notes that are rewritten, behind bytes of others in a file without section headers: once they stand elsewhere, nothing would tell
 * them from those. They are in use until the edit is committed, so that such a file is written anew.
 */
function amongForeign({ analysis, target }: PlacementInput): Range[] {
  const { image, usedRanges } = analysis;
  if (image.sections.length > 0) return [];
  return target.areas.flatMap(({ kind, loaded, range }) => {
    if (kind !== 'segment' || loaded !== undefined || range.start < loadedEnd(image)) return [];
    const between = subtractSorted({ start: loadedEnd(image), end: range.start }, usedRanges);
    return between.every(analysis.isZero) ? [] : [range];
  });
}

/** What of a file with section headers the layout may clear: next to bytes of others zeros tell nothing. */
function emptiedBy({ analysis, target }: PlacementInput, { freed = [] }: Layout): readonly Range[] {
  if (analysis.image.sections.length === 0) return [];
  return [...target.areas.flatMap(({ loaded, range }) => (loaded === undefined ? [range] : [])), ...freed];
}

function within({ start, end }: Range, room: Range): Range[] {
  const inside = { start: start > room.start ? start : room.start, end: end < room.end ? end : room.end };
  return inside.start < inside.end ? [inside] : [];
}

/** What is written over room that stays free: a note, and zeros where it is too short for one. */
function freed({ image, isZero }: Analysis, range: Range): Parts[] {
  const note = noteIn(range);
  const size = note.end - note.start;
  if (size < LEAST_FREE_NOTE) return isZero(range) ? [] : [zeros(range)];
  const bytes = freeNoteHead(size, image.encoding);
  return [
    zeros({ start: range.start, end: note.start }),
    { blobs: [{ offset: note.start, bytes, what: WHAT }], copies: [] },
    zeros({ start: note.start + BigInt(bytes.length), end: range.end }),
  ];
}

/** The part of a range that a note can have. */
function noteIn({ start, end }: Range): Range {
  return { start: alignUp(start, UNIT), end: alignDown(end, UNIT) };
}
