/** An image and the one it was made from: which entry became which, which bytes moved, which bytes may differ. */

import { lazy } from '../../base/bytes/lazy.js';
import { intersect, normalize, type Range, rangeOf, subtractSorted } from '../../base/bytes/range.js';
import { movedOffset, type Shift } from '../../base/bytes/shifted.js';
import type { Phdr, Shdr } from '../../formats/elf/headers.js';
import { PT_GNU_STACK, PT_LOAD, PT_NOTE, PT_NULL, PT_PHDR, SHT_NOTE } from '../../formats/elf/names.js';
import { remainsOf } from '../../formats/note/dead-notes.js';
import type { Expectation, VerifyInput } from '../finding.js';
import { headerAndNoteRanges, type Subject, subjectOf } from './subject.js';
import { compareUntouched, type Difference } from './untouched.js';

/** Two images held against each other, before and after an edit. */
export interface Pair {
  readonly before: Subject;
  readonly after: Subject;
  readonly expectation: Expectation | undefined;
  readonly shift: Shift | undefined;
  /** For each program header of `before`, its index in `after`; undefined where it is gone. */
  readonly counterparts: readonly (number | undefined)[];
  /** Ranges of `after` that may differ, sorted and disjoint. */
  readonly planned: readonly Range[];
  /** Unplanned differences of the two files; reads both of them through, once. */
  differences(): readonly Difference[];
}

/** Pairs an image with its baseline; undefined without one. Errors: `note.too-large`. */
export function pairOf(
  after: Subject,
  { baseline, expectation, onProgress }: Pick<VerifyInput, 'baseline' | 'expectation' | 'onProgress'>,
): Pair | undefined {
  if (baseline === undefined) return undefined;
  const before = subjectOf(baseline);
  const counterparts = matchSegments(before, after);
  const shift = expectation === undefined ? inferShift(before, after, counterparts) : expectation.shift;
  const planned = normalize(expectation?.planned ?? mayDiffer(before, after, counterparts, shift));
  const differences = lazy(() =>
    compareUntouched({ before: baseline.source, after: after.image.source, planned, shift, onProgress }),
  );
  return { before, after, expectation, shift, counterparts, planned, differences };
}

/** Where a range of `before` stands in `after`; two ranges when the gap opened inside it. */
export function movedRange(shift: Shift | undefined, { start, end }: Range): Range[] {
  if (shift === undefined || end <= shift.at) return [{ start, end }];
  const { at, by } = shift;
  if (start >= at) return [{ start: start + by, end: end + by }];
  return [
    { start, end: at },
    { start: at + by, end: end + by },
  ];
}

/** The other way round: what of a range of `after` came from `before`. */
export function originOf({ before, shift }: Pair, { start, end }: Range): Range[] {
  const { at, by } = shift ?? { at: before.fileSize, by: 0n };
  const pieces = [
    { start, end: min(end, min(at, before.fileSize)) },
    { start: max(start, at + by) - by, end: min(end - by, before.fileSize) },
  ];
  return normalize(pieces);
}

/** Was this section header meant to change? Without an expectation: those of notes and of the name table. */
export function isTouched({ before, expectation }: Pair, index: number): boolean {
  if (expectation !== undefined) return expectation.touchedSections.includes(index);
  const { sections, shstrndx } = before.image;
  const section = sections[index];
  if (section?.sh_type === SHT_NOTE || (index === shstrndx && index !== 0)) return true;
  return section !== undefined && coversNotes(before, section);
}

/** GRUB describes its notes by a section of another type, over exactly the bytes of the PT_NOTE. */
function coversNotes({ notePlaces }: Subject, { sh_offset, sh_size }: Shdr): boolean {
  return sh_size !== 0n && notePlaces().has(`${sh_offset} ${sh_size}`);
}

/**
 * Which entry of `after` each entry of `before` has become. Entries that say where something is loaded or linked must
 * stand in the same order; PT_NOTE, PT_NULL and PT_GNU_STACK may change places, for an edit puts the PT_NOTE of Xen last.
 * If the others do not follow one another, each is held against its own index.
 */
function matchSegments(before: Subject, after: Subject): (number | undefined)[] {
  const old = before.image.segments;
  const now = after.image.segments;
  const matches: (number | undefined)[] = old.map(() => undefined);
  const taken = new Set<number>();
  const find = placeIndex(now);
  let next = 0;
  for (const [index, segment] of old.entries()) {
    if (isMovable(segment) || wasEmptied(segment, now[index])) continue;
    const found = find(segment, next);
    if (found === undefined && (holdsOnlyAdded(before, segment) || isEmptyLoad(segment))) continue;
    if (found === undefined) return old.map((s, i) => (now[i]?.p_type === s.p_type ? i : undefined));
    next = found;
    matches[index] = next;
    taken.add(next);
    next += 1;
  }
  for (const [index, segment] of old.entries()) {
    if (matches[index] !== undefined || !wasEmptied(segment, now[index])) continue;
    matches[index] = index;
    taken.add(index);
  }
  matchMovable(old, now, matches, taken);
  return matches;
}

/**
 * Is there nothing in this PT_LOAD but the program header table, notes and zeros? Then an edit may have added it, and an undo
 * takes it away.
 */
export function holdsOnlyAdded(before: Subject, { p_type, p_offset, p_filesz, p_memsz }: Phdr): boolean {
  if (p_type !== PT_LOAD || p_filesz === 0n || p_filesz !== p_memsz) return false;
  return isOnlyAdded(before, rangeOf(p_offset, p_filesz));
}

/** Are these bytes headers, notes, what edits left (`remains`), and zeros between them? More zeros than edits leave are somebody's. */
export function isOnlyAdded(before: Subject, range: Range, remains: readonly Range[] = []): boolean {
  const { image, fileSize } = before;
  const own = remains.length === 0 ? before.ownRanges() : normalize([...headerAndNoteRanges(before), ...remains]);
  if (intersect([range], own).length === 0) return false;
  const others = subtractSorted(range, own);
  if (range.end > fileSize || others.reduce((sum, { start, end }) => sum + end - start, 0n) > ZEROS_LIMIT) return false;
  return others.every(({ start, end }) =>
    image.source.read(start, end - start, 'bytes between notes').every((b) => b === 0),
  );
}

const ZEROS_LIMIT = 0x1010000n;

/** A PT_LOAD without a byte loads nothing; that it became a PT_NULL in its place, with its other fields kept, is a repair. */
function wasEmptied(old: Phdr, now: Phdr | undefined): boolean {
  if (!isEmptyLoad(old) || now?.p_type !== PT_NULL) return false;
  return now.p_vaddr === old.p_vaddr && now.p_paddr === old.p_paddr;
}

function isMovable({ p_type }: Phdr): boolean {
  return p_type === PT_NOTE || p_type === PT_NULL || p_type === PT_GNU_STACK;
}

function isEmptyLoad({ p_type, p_filesz, p_memsz }: Phdr): boolean {
  return p_type === PT_LOAD && p_filesz === 0n && p_memsz === 0n;
}

/** What says where an entry belongs. One that loads nothing may have the addresses of its neighbour; the PT_PHDR goes where the table goes. */
function placeKey(segment: Phdr): string {
  const { p_type, p_vaddr, p_paddr } = segment;
  return p_type === PT_PHDR ? 'table' : `${p_type} ${p_vaddr} ${p_paddr} ${isEmptyLoad(segment)}`;
}

/** Finds the first entry of the same place at or behind an index; the indices that are asked for never go back. */
function placeIndex(segments: readonly Phdr[]): (segment: Phdr, from: number) => number | undefined {
  const places = new Map<string, { readonly indices: number[]; at: number }>();
  for (const [index, segment] of segments.entries()) {
    const key = placeKey(segment);
    const place = places.get(key);
    if (place === undefined) places.set(key, { indices: [index], at: 0 });
    else place.indices.push(index);
  }
  return (segment, from) => {
    const place = places.get(placeKey(segment));
    if (place === undefined) return undefined;
    while ((place.indices[place.at] ?? from) < from) place.at += 1;
    return place.indices[place.at];
  };
}

/** First entries that are the same in every field, then those of a type that the old one may have become. */
function matchMovable(
  old: readonly Phdr[],
  now: readonly Phdr[],
  matches: (number | undefined)[],
  taken: Set<number>,
): void {
  const keyOf = (s: Phdr) => Object.values(s).join(' ');
  const free = new Map<string, number[]>();
  for (let index = now.length - 1; index >= 0; index--) {
    const segment = now[index];
    if (segment === undefined || taken.has(index) || !isMovable(segment)) continue;
    for (const key of [keyOf(segment), `type ${segment.p_type}`]) {
      const same = free.get(key);
      if (same === undefined) free.set(key, [index]);
      else same.push(index);
    }
  }
  const take = (key: string): number | undefined => {
    const candidates = free.get(key) ?? [];
    let index = candidates.pop();
    while (index !== undefined && taken.has(index)) index = candidates.pop();
    if (index !== undefined) taken.add(index);
    return index;
  };
  const mayMove = (segment: Phdr, index: number) =>
    isMovable(segment) || (matches[index] === undefined && isEmptyLoad(segment));
  const rest = old.flatMap((segment, index) => (mayMove(segment, index) ? [{ segment, index }] : []));
  for (const { segment, index } of rest) matches[index] = take(keyOf(segment));
  for (const { segment, index } of rest) {
    for (const p_type of mayBecome(segment)) matches[index] ??= take(`type ${p_type}`);
  }
}

function mayBecome({ p_type }: Phdr): readonly number[] {
  switch (p_type) {
    case PT_NOTE:
      return [PT_NOTE, PT_NULL];
    case PT_GNU_STACK:
      return [PT_GNU_STACK, PT_NOTE];
    default:
      return [PT_NULL, PT_NOTE];
  }
}

/** Everything behind the program header table may stand later by one amount; the first moved segment tells which. */
function inferShift(before: Subject, after: Subject, counterparts: Pair['counterparts']): Shift | undefined {
  for (const [index, segment] of before.image.segments.entries()) {
    const now = after.image.segments[counterparts[index] ?? -1];
    if (now === undefined || now.p_type !== segment.p_type || segment.p_filesz === 0n) continue;
    if (segment.p_type === PT_NOTE || segment.p_type === PT_PHDR || segment.p_offset < before.phdrs.end) continue;
    const by = now.p_offset - segment.p_offset;
    if (by > 0n) return { at: before.phdrs.end, by };
  }
  return undefined;
}

/**
 * What may differ when no expectation is given: headers and notes of both images, the gap of a shift, what a LOAD
 * grew by, and the bytes behind the original end. That the new places were free is a check of its own.
 */
function mayDiffer(
  before: Subject,
  after: Subject,
  counterparts: Pair['counterparts'],
  shift: Shift | undefined,
): Range[] {
  const old = headerAndNoteRanges(before).flatMap((range) => movedRange(shift, range));
  const gap = shift === undefined ? [] : [rangeOf(shift.at, shift.by)];
  const appended = { start: before.fileSize + (shift?.by ?? 0n), end: after.fileSize };
  const grown = before.loads.map(({ index, segment }) => {
    const start = movedOffset(shift, segment.p_offset) + segment.p_filesz;
    const now = after.image.segments[counterparts[index] ?? -1];
    return { start, end: now === undefined ? start : now.p_offset + now.p_filesz };
  });
  // Edits before this one may have come and gone: what they left is in neither image's tables any more.
  const remains = shift === undefined ? [...remainsOf(before.image), ...remainsOf(after.image)] : [];
  const cut = { start: after.fileSize, end: before.fileSize };
  const cutOff = cut.start < cut.end && isOnlyAdded(before, cut, remains) ? [cut] : [];
  return [...old, ...headerAndNoteRanges(after), ...gap, appended, ...grown, ...remains, ...cutOff];
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
