/**
 * What an image offers to an edit: which file bytes are used and by what, where the free and zero stretches are, and
 * where its notes stand. The survey reads; nothing behind it in the pipeline needs the file again.
 */
import { alignDown } from '../../../base/bytes/align.js';
import { lazy } from '../../../base/bytes/lazy.js';
import { compare, normalize, overlaps, type Range } from '../../../base/bytes/range.js';
import { allZero } from '../../../base/bytes/zeros.js';
import {
  type ElfImage,
  ehdrSize,
  hasFileBytes,
  loads,
  phdrTable,
  rangesInUse,
  sectionFileRange,
  segmentFileRange,
  shdrTable,
} from '../../../formats/elf/image.js';
import { PT_DYNAMIC, PT_INTERP, PT_NOTE, PT_PHDR, SHT_NOTE, SHT_REL, SHT_RELA } from '../../../formats/elf/names.js';
import { type MultibootHeader, multibootHeaders } from '../../../formats/multiboot/headers.js';
import { type NoteArea, noteAreas } from '../../../formats/note/areas.js';
import { loadedEnd, remainsOf } from '../../../formats/note/dead-notes.js';
import { walkAsXen, type XenView } from '../../../loaders/read/loader-walks.js';

/** What planning has to know about an image; read once for all placements. */
export interface Analysis {
  readonly image: ElfImage;
  readonly fileSize: bigint;
  readonly areas: readonly NoteArea[];
  readonly xen: XenView;
  /** Claimed file bytes, sorted and merged (headers, tables, sections with bytes, segments with bytes). */
  readonly usedRanges: readonly Range[];
  /** End of the last used range; bytes behind it belong to a format outside ELF. */
  readonly usedEnd: bigint;
  /** First byte behind the program header table (behind the ELF header when there is none). */
  readonly tableEnd: bigint;
  /** The gap behind the program header table; empty when the next used range follows directly. */
  readonly slack: Range;
  /** The PT_LOAD whose file bytes meet the program header table: the table, and slack behind it, are loaded bytes then. */
  readonly tableLoad: { readonly index: number; readonly file: Range } | undefined;
  readonly multiboot: readonly MultibootHeader[];
  readonly hasPhdrSegment: boolean;
  readonly hasInterpreter: boolean;
  readonly isDynamic: boolean;
  /** Unclaimed bytes that are known to hold nothing of use, sorted: what earlier edits left, a tail of zeros. */
  spare(): readonly Range[];
  /** Are these file bytes all zero? Bytes behind the end of the file count as zero. */
  isZero(range: Range): boolean;
}

/** Headers in front of the first load are looked at this far; more free room is of no use to notes. */
const SLACK_LIMIT = 0x400000n;

/** Looks at an image once. Errors: those of noteAreas. */
export function analyze(image: ElfImage): Analysis {
  const fileSize = image.source.size;
  const isZero = (range: Range) => allZero(image.source, range, 'free bytes');
  const usedRanges = normalize(rangesInUse(image));
  const table = phdrTable(image);
  const tableEnd = image.segments.length > 0 ? table.end : ehdrSize(image.encoding);
  const types = new Set(image.segments.map((s) => s.p_type));
  const slackEnd = nextClaim(image, tableEnd);
  return {
    image,
    fileSize,
    areas: noteAreas(image),
    xen: walkAsXen(image),
    usedRanges,
    usedEnd: usedRanges.at(-1)?.end ?? 0n,
    tableEnd,
    slack: { start: tableEnd, end: slackEnd - tableEnd > SLACK_LIMIT ? tableEnd + SLACK_LIMIT : slackEnd },
    tableLoad: loadOfTable(image, { start: table.start, end: tableEnd }),
    multiboot: multibootHeaders(image.source),
    hasPhdrSegment: types.has(PT_PHDR),
    hasInterpreter: types.has(PT_INTERP),
    isDynamic: types.has(PT_DYNAMIC),
    spare: lazy(() => spareRanges(image, usedRanges, isZero)),
    isZero,
  };
}

/** Zeros behind everything are looked at up to this many; more may be a disk image's, or a sparse file's. */
const TAIL_LIMIT = 0x10000n;

/** The spare bytes of an image, as `analyze` has them. */
export function spareOf(image: ElfImage): readonly Range[] {
  return spareRanges(image, normalize(rangesInUse(image)), (range) => allZero(image.source, range, 'free bytes'));
}

function spareRanges(image: ElfImage, usedRanges: readonly Range[], isZero: Analysis['isZero']): readonly Range[] {
  const tail = { start: usedRanges.at(-1)?.end ?? image.source.size, end: image.source.size };
  const isFree = tail.start < tail.end && tail.end - tail.start <= TAIL_LIMIT && isZero(tail);
  const remains = remainsOf(image);
  const cleared = clearedGaps(image, { usedRanges, remains }, isZero);
  return normalize([...remains, ...cleared, ...(isFree ? [tail] : [])]);
}

/**
 * Zeros behind everything that is loaded, next to what edits put there: the rest of remains that a later edit took a part of.
 * Zeros elsewhere may be the page that a PT_LOAD ends in, or a hole that somebody fills.
 */
function clearedGaps(
  image: ElfImage,
  { usedRanges, remains }: { readonly usedRanges: readonly Range[]; readonly remains: readonly Range[] },
  isZero: Analysis['isZero'],
): Range[] {
  const { sections, shstrndx } = image;
  const loaded = loadedEnd(image);
  const names = sections[shstrndx];
  const ours = [
    shdrTable(image),
    ...(names === undefined ? [] : [sectionFileRange(names)]),
    ...image.segments.filter(({ p_type }) => p_type === PT_NOTE).map(segmentFileRange),
    ...sections.filter(({ sh_type }) => sh_type === SHT_NOTE).map(sectionFileRange),
    ...remains,
  ];
  const edges = new Set<bigint>(ours.filter(({ start, end }) => start < end).flatMap(({ start, end }) => [start, end]));
  const taken = normalize([...usedRanges, ...remains]);
  return taken.flatMap(({ end: start }, index) => {
    const end = taken[index + 1]?.start ?? image.source.size;
    const isNext = edges.has(start) || edges.has(end);
    if (start < loaded || end <= start || end - start > TAIL_LIMIT || !isNext) return [];
    return isZero({ start, end }) ? [{ start, end }] : [];
  });
}

function loadOfTable(image: ElfImage, table: Range): Analysis['tableLoad'] {
  const found = loads(image).find(({ segment }) => overlaps(segmentFileRange(segment), table));
  return found === undefined ? undefined : { index: found.index, file: segmentFileRange(found.segment) };
}

/** The lowest used range that starts at or behind `from`; the end of the file when there is none. */
export function nextClaim(image: ElfImage, from: bigint): bigint {
  let next = image.source.size > from ? image.source.size : from;
  for (const { start, end } of rangesInUse(image)) if (start < end && start >= from && start < next) next = start;
  return next;
}

/** Indices of the sections with bytes in this file range. */
export function sectionsIn({ image }: Analysis, range: Range): number[] {
  return image.sections.flatMap((s, i) => (hasFileBytes(s) && overlaps(sectionFileRange(s), range) ? [i] : []));
}

/** Relocation sections that apply to one of these sections: moving bytes under them would misdirect them. */
export function relocationsInto({ image }: Analysis, sections: readonly number[]): number[] {
  const targets = new Set(sections);
  return image.sections.flatMap((s, i) =>
    (s.sh_type === SHT_REL || s.sh_type === SHT_RELA) && targets.has(s.sh_info) ? [i] : [],
  );
}

/** The largest 4-aligned start at which `size` bytes still end at or before `end`. */
export function lastFit(end: bigint, size: bigint): bigint {
  return alignDown(end - size, 4n);
}

/** The first of `ranges` that meets `range`, for a message. */
export function firstOverlap(ranges: readonly Range[], range: Range): Range | undefined {
  return [...ranges].sort((a, b) => compare(a.start, b.start)).find((r) => overlaps(r, range));
}
