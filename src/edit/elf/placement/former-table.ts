/**
 * The program header table of before, where an edit put the table elsewhere: behind the ELF header, as linkers place it, or at
 * another place, entry by entry what the table is now but for what the edit added. Nothing writes there after the table has moved.
 */
import { contains, overlaps, rangeOf } from '../../../base/bytes/range.js';
import { fits } from '../../../base/bytes/source.js';
import { equalBytes, findBytes, joinBytes } from '../../../base/bytes/text.js';
import { Phdr } from '../../../formats/elf/headers.js';
import { type ElfImage, ehdrSize, phdrTable, segmentFileRange } from '../../../formats/elf/image.js';
import { PT_LOAD, PT_NOTE, PT_NULL, PT_PHDR } from '../../../formats/elf/names.js';
import type { NoteArea } from '../../../formats/note/areas.js';
import type { NoteContent } from '../../../formats/note/record.js';
import { type Analysis, sectionsIn } from '../plan/analyze.js';
import { bytesOfNotes, type NotePlace } from './former-notes.js';

/** A table that stands where no header speaks of one any more. */
export interface FormerTable {
  readonly phoff: bigint;
  readonly segments: readonly Phdr[];
  /** Entries of the table of now that were added: PT_LOADs that hold the table and the notes alone. */
  readonly added: readonly number[];
  readonly notes: NotePlace | undefined;
}

/** Entries that one edit adds: a PT_LOAD and a PT_NOTE. Several edits may have followed one another. */
const MOST_ADDED = 8;

/** The table of before, in which PT_NOTEs show `rest` where `area` shows more now; undefined where there is none. */
export function formerTable(analysis: Analysis, area: NoteArea, rest: readonly NoteContent[]): FormerTable | undefined {
  const { image } = analysis;
  if (image.header.e_phoff === ehdrSize(image.encoding) || image.segments.length === 0) return undefined;
  const added = addedLoads(analysis, area);
  for (const phoff of places(image)) {
    const found = tableAt(analysis, area, rest, phoff, added);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** So much of a file is searched for a table that stood elsewhere than behind the ELF header. */
const SEARCHED = 0x800000n;

/** Where a table may have stood: behind the ELF header, or around a copy of the first PT_LOAD's entry. */
function* places({ source, encoding, segments, header }: ElfImage): Generator<bigint> {
  yield ehdrSize(encoding);
  const index = segments.findIndex(({ p_type }) => p_type === PT_LOAD);
  const anchor = segments[index];
  if (anchor === undefined) return;
  const wanted = Phdr.encode(anchor, encoding);
  const bytes = source.read(0n, source.size < SEARCHED ? source.size : SEARCHED, 'program headers of before');
  for (let at = findBytes(bytes, wanted); at >= 0; at = findBytes(bytes, wanted, at + 1)) {
    const phoff = BigInt(at - index * wanted.length);
    if (phoff > 0n && phoff !== header.e_phoff) yield phoff;
  }
}

function tableAt(
  analysis: Analysis,
  area: NoteArea,
  rest: readonly NoteContent[],
  phoff: bigint,
  added: readonly number[],
): FormerTable | undefined {
  const { image } = analysis;
  const now = phdrTable(image);
  const entry = Phdr.size(image.encoding);
  const most = image.segments.length;
  for (let count = most; count > 0 && count >= most - MOST_ADDED; count -= 1) {
    const size = BigInt(count * entry);
    const range = rangeOf(phoff, size);
    if (!fits(phoff, size, image.source.size) || overlaps(range, now) || sectionsIn(analysis, range).length > 0)
      continue;
    const bytes = image.source.read(phoff, size, 'program headers of before');
    const old = Array.from({ length: count }, (_, index) => Phdr.decode(bytes, index * entry, image.encoding));
    const addedSet = new Set(added);
    const shown = shownBefore(image, old, addedSet, area, false) ?? shownBefore(image, old, addedSet, area, true);
    if (shown === undefined) continue;
    const notes = placeOf(analysis, shown, rest);
    if (notes === 'other') continue;
    return { phoff, segments: old, added, notes };
  }
  return undefined;
}

/** PT_LOADs with nothing in them but the table, the notes and zeros. */
function addedLoads(analysis: Analysis, area: NoteArea): number[] {
  const { image } = analysis;
  const own = [phdrTable(image), area.range];
  return image.segments.flatMap((segment, index) => {
    if (segment.p_type !== PT_LOAD || segment.p_filesz === 0n || segment.p_filesz !== segment.p_memsz) return [];
    const file = segmentFileRange(segment);
    const inside = own.filter((range) => contains(file, range)).sort((a, b) => (a.start < b.start ? -1 : 1));
    if (inside.length === 0) return [];
    let at = file.start;
    for (const range of [...inside, { start: file.end, end: file.end }]) {
      if (!analysis.isZero({ start: at, end: range.start })) return [];
      at = range.end;
    }
    return [index];
  });
}

/** The PT_NOTEs of before that are none now; undefined where the tables differ in anything but what edits add. */
function shownBefore(
  { segments: now }: ElfImage,
  old: readonly Phdr[],
  added: ReadonlySet<number>,
  area: NoteArea,
  /** One of several over the same bytes became PT_NULL. */
  hasEmptied: boolean,
): readonly Phdr[] | undefined {
  const shown: Phdr[] = [];
  const isNew = (index: number) => index === area.index || added.has(index);
  let next = 0;
  for (const entry of old) {
    while (next < now.length && isNew(next)) next += 1;
    const there = now[next];
    const isSame = there !== undefined && (same(entry, there) || (isPhdr(entry) && isPhdr(there)));
    if (isSame) next += 1;
    else if (entry.p_type === PT_NOTE && entry.p_filesz > 0n) {
      shown.push(entry);
      if (hasEmptied && there?.p_type === PT_NULL) next += 1;
    } else return undefined;
  }
  while (next < now.length && isNew(next)) next += 1;
  return next === now.length ? shown : undefined;
}

function isPhdr({ p_type }: Phdr): boolean {
  return p_type === PT_PHDR;
}

function same(a: Phdr, b: Phdr): boolean {
  return Object.entries(a).every(([key, value]) => value === b[key as keyof Phdr]);
}

/** Where those PT_NOTEs show these notes; `other`: they show something else. */
function placeOf(
  analysis: Analysis,
  shown: readonly Phdr[],
  rest: readonly NoteContent[],
): NotePlace | undefined | 'other' {
  const { source } = analysis.image;
  // What another one shows as well is one place.
  const apart = shown.filter(
    (s, i) =>
      !shown.some((t, j) => contains(segmentFileRange(t), segmentFileRange(s)) && (!same(s, t) ? i !== j : j < i)),
  );
  const [first] = apart;
  if (first === undefined) return rest.length === 0 ? undefined : 'other';
  const wanted = bytesOfNotes(analysis, rest);
  const size = apart.reduce((sum, { p_filesz }) => sum + p_filesz, 0n);
  if (wanted === undefined || size !== BigInt(wanted.length)) return 'other';
  if (apart.some(({ p_offset, p_filesz }) => !fits(p_offset, p_filesz, source.size))) return 'other';
  const there = joinBytes(apart.map(({ p_offset, p_filesz }) => source.read(p_offset, p_filesz, 'notes of before')));
  if (!equalBytes(there, wanted)) return 'other';
  const { p_offset, p_vaddr, p_paddr, p_filesz, p_memsz } = first;
  const range = segmentFileRange(first);
  const isLoaded = analysis.image.segments.some((s) => s.p_type === PT_LOAD && contains(segmentFileRange(s), range));
  return { range, fields: { p_offset, p_vaddr, p_paddr, p_filesz, p_memsz }, isLoaded, isUnclaimed: false };
}
