/**
 * What an earlier edit left behind. The section header table and the name table go to the end of the file when they
 * grow (nothing but the ELF header and one entry refer to them), and no header claims their old bytes then. Such bytes
 * may be used again, but only where there is proof that they are that: they have to be this very image's own table,
 * entry by entry, in an earlier state. Anything less is data of an unknown owner.
 */
import { compare, contains, normalize, type Range, rangeOf, subtractSorted } from '../../base/bytes/range.js';
import { fits } from '../../base/bytes/source.js';
import { equalBytes, findBytes } from '../../base/bytes/text.js';
import { Shdr } from './headers.js';
import {
  type ElfImage,
  hasFileBytes,
  isAllocated,
  phdrTable,
  rangesInUse,
  sectionFileRange,
  shdrTable,
} from './image.js';
import { ELF_MAGIC, SHT_NOTE, SHT_NULL, SHT_PROGBITS, SHT_STRTAB } from './names.js';
import { nameTable, sectionName } from './section-names.js';

/** Unclaimed bytes that are searched, from the end of the file back: edits append, so remains are there. */
const SEARCHED = 0x800000n;
/** Entries that are held against a candidate in all; a file made to fit everywhere gives up its remains. */
const COMPARISONS = 0x100000;
/** Entries that a later edit may have added behind the ones that were there. */
const ADDED = 4;
/** How every ELF file begins. Edits leave tables and notes behind, never a header. */
const MAGIC = Uint8Array.from(ELF_MAGIC);
/** Zero bytes between two remains that are their alignment. */
const PADDING = 16n;

/** File ranges, sorted and disjoint, that held this image's section headers, section names or notes and hold nothing now. */
export function deadRanges(image: ElfImage): readonly Range[] {
  const search = searchOf(image);
  if (search === undefined) return [];
  const found = remains(search).flatMap((table) => [table, ...witnessed(search, bytesOf(image, table))]);
  return withPadding(image, normalize(found), search.gaps);
}

/** A section header table that no header speaks of any more. */
export interface DeadTable {
  readonly offset: bigint;
  readonly sections: readonly Shdr[];
}

/** Section header tables of earlier states of this image that still stand in its file, the first in the file first. */
export function deadTables(image: ElfImage): readonly DeadTable[] {
  const search = searchOf(image);
  if (search === undefined) return [];
  const { entry } = search;
  return remains(search)
    .sort((a, b) => compare(a.start, b.start))
    .map((table) => {
      const bytes = bytesOf(image, table);
      const length = bytes.length / entry;
      const sections = Array.from({ length }, (_, i) => Shdr.decode(bytes, i * entry, image.encoding));
      return { offset: table.start, sections };
    });
}

function bytesOf({ source }: ElfImage, { start, end }: Range): Uint8Array {
  return source.read(start, end - start, 'unclaimed bytes');
}

/** Where old tables stand, in all unclaimed bytes that are searched. */
function remains(search: Search): Range[] {
  const found: Range[] = [];
  let left = SEARCHED;
  for (const gap of search.gaps.toReversed()) {
    const size = gap.end - gap.start;
    if (size < BigInt(search.entry * search.kept) || size > left) continue;
    left -= size;
    for (const range of remainsIn(search, gap)) found.push(range);
  }
  return found;
}

interface Search {
  readonly image: ElfImage;
  readonly gaps: readonly Range[];
  /** The section header table as it is now. */
  readonly table: Uint8Array;
  /** Bytes of an entry, and how many of them no edit adds or changes. */
  readonly entry: number;
  readonly kept: number;
  /** An entry that no edit changes, to look for. */
  readonly anchor: number;
  comparisons: number;
}

function searchOf(image: ElfImage): Search | undefined {
  const { sections, source, shstrndx } = image;
  const range = shdrTable(image);
  const size = range.end - range.start;
  if (size === 0n || size > SEARCHED || !fits(range.start, size, source.size)) return undefined;
  const gaps = subtractSorted({ start: 0n, end: source.size }, normalize(rangesInUse(image)));
  if (gaps.length === 0) return undefined;
  const anchor = sections.findIndex((s, i) => {
    const isNotes = s.sh_type === SHT_NOTE || sectionName(image, i).startsWith('.note');
    return i > 0 && i !== shstrndx && hasFileBytes(s) && !isNotes;
  });
  if (anchor < 0) return undefined;
  const entry = Shdr.size(image.encoding);
  const table = source.read(range.start, size, 'section header table');
  const kept = sections.findLastIndex((_, i) => !isOfEdits(image, i)) + 1;
  return { image, gaps, table, entry, kept, anchor, comparisons: 0 };
}

/** A section that an edit may have added: notes, or the cover of a moved program header table, outside every section's own. */
function isOfEdits(image: ElfImage, index: number): boolean {
  const { sections, shstrndx } = image;
  const section = sections[index];
  if (section === undefined || index === 0 || index === shstrndx) return false;
  if (section.sh_type === SHT_NOTE || (isAllocated(section) && section.sh_addr === 0n)) return true;
  const table = phdrTable(image);
  const coversTable = section.sh_offset === table.start && section.sh_size === table.end - table.start;
  return index > shstrndx && section.sh_type === SHT_PROGBITS && (coversTable || section.sh_size === 0n);
}

/** The old tables in one gap. */
function* remainsIn(search: Search, gap: Range): Generator<Range> {
  const { image, table, entry, anchor } = search;
  const bytes = image.source.read(gap.start, gap.end - gap.start, 'unclaimed bytes');
  // Another image stands there, perhaps a copy of this one, and its tables look the same.
  if (findBytes(bytes, MAGIC) >= 0) return;
  const wanted = table.subarray(anchor * entry, (anchor + 1) * entry);
  for (let from = 0; ; ) {
    const at = findBytes(bytes, wanted, from);
    if (at < 0) return;
    from = at + 1;
    const start = at - anchor * entry;
    const count = start < 0 ? 0 : entriesAt(search, bytes.subarray(start));
    if (count === 0) continue;
    from = start + count * entry;
    yield rangeOf(gap.start + BigInt(start), BigInt(count * entry));
  }
}

/** How many entries of an old state of the table stand here; 0 when it is none. */
function entriesAt(search: Search, bytes: Uint8Array): number {
  const { image, table, entry, kept } = search;
  const { sections, encoding } = image;
  let index = 0;
  for (; (index + 1) * entry <= bytes.length && index < sections.length + ADDED; index += 1) {
    search.comparisons += 1;
    if (search.comparisons > COMPARISONS) return 0;
    const at = index * entry;
    if (index < sections.length && equalBytes(bytes.subarray(at, at + entry), table.subarray(at, at + entry))) continue;
    if (!isEarlierState(image, Shdr.decode(bytes, at, encoding), index)) break;
  }
  return index >= kept ? index : 0;
}

/** Is `old` what the section header of this index may have been before, or after an edit that was not finished? */
function isEarlierState({ sections, shstrndx }: ElfImage, old: Shdr, index: number): boolean {
  const now = sections[index];
  if (now === undefined) return old.sh_type === SHT_NOTE;
  if (index === 0) return sameBut(old, now, ['sh_size', 'sh_link', 'sh_info']);
  if (index === shstrndx) return old.sh_type === SHT_STRTAB && sameBut(old, now, ['sh_offset', 'sh_size']);
  if (now.sh_type === SHT_NOTE) return old.sh_type === SHT_NOTE && old.sh_name === now.sh_name;
  // Notes that stand elsewhere now: an edit made data of them, in the same place.
  if (old.sh_type === SHT_NOTE && now.sh_type === SHT_PROGBITS) return sameBut(old, now, ['sh_type']);
  // A section that made room for a program header.
  return now.sh_type !== SHT_NULL && !isAllocated(now) && sameBut(old, now, ['sh_offset']);
}

function sameBut(a: Shdr, b: Shdr, free: readonly (keyof Shdr)[]): boolean {
  return Object.entries(a).every(([key, value]) => {
    const field = key as keyof Shdr;
    return free.includes(field) || value === b[field];
  });
}

/** What an old table says of its names and notes, where those bytes are free as well. */
function* witnessed({ image, gaps, entry }: Search, old: Uint8Array): Generator<Range> {
  for (let index = 1; (index + 1) * entry <= old.length; index += 1) {
    const section = Shdr.decode(old, index * entry, image.encoding);
    const range = sectionFileRange(section);
    if (isAllocated(section) || range.start >= range.end || !gaps.some((gap) => contains(gap, range))) continue;
    if (section.sh_type === SHT_NOTE || (index === image.shstrndx && areOldNames(image, range))) yield range;
  }
}

/** Were these the section names of the image before? Names are only ever added: one table begins with the other. */
export function areOldNames(image: ElfImage, { start, end }: Range): boolean {
  const now = nameTable(image);
  if (now === undefined || end - start > SEARCHED) return false;
  const old = image.source.read(start, end - start, 'unclaimed bytes');
  const common = Math.min(old.length, now.length);
  return equalBytes(old.subarray(0, common), now.subarray(0, common));
}

/** Two remains with nothing but alignment between them are one. */
function withPadding({ source }: ElfImage, ranges: readonly Range[], gaps: readonly Range[]): readonly Range[] {
  const between = ranges.flatMap(({ end }, i) => {
    const next = ranges[i + 1];
    if (next === undefined || next.start - end > PADDING) return [];
    const padding = { start: end, end: next.start };
    const free = gaps.some((gap) => contains(gap, padding));
    return free && source.read(end, next.start - end, 'padding').every((byte) => byte === 0) ? [padding] : [];
  });
  return normalize([...ranges, ...between]);
}
