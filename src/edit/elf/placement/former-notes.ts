/**
 * Where notes stood before an edit pointed their header elsewhere: the same bytes, in a section of their own that no PT_NOTE
 * shows, or among bytes that no header speaks of. The first place is the oldest: edits put their copies behind it.
 */
import { normalize, overlaps, type Range, rangeOf, subtractSorted } from '../../../base/bytes/range.js';
import { equalBytes, findBytes, joinBytes } from '../../../base/bytes/text.js';
import { fileRange } from '../../../formats/elf/address.js';
import { Nhdr, type Phdr } from '../../../formats/elf/headers.js';
import {
  type ElfImage,
  loadAtOffset,
  loads,
  rangesInUse,
  sectionFileRange,
  segmentFileRange,
} from '../../../formats/elf/image.js';
import { PT_GNU_PROPERTY, PT_NOTE, SHT_NOTE, SHT_PROGBITS } from '../../../formats/elf/names.js';
import type { Encoding } from '../../../formats/elf/struct.js';
import type { NoteArea } from '../../../formats/note/areas.js';
import { placeNotes } from '../../../formats/note/large-notes.js';
import { NHDR_SIZE, type NoteContent } from '../../../formats/note/record.js';
import type { Analysis } from '../plan/analyze.js';

/** A place in which notes stood. */
export interface NotePlace {
  readonly range: Range;
  /** What the header that shows them there says. */
  readonly fields: Pick<Phdr, 'p_offset' | 'p_vaddr' | 'p_paddr' | 'p_filesz' | 'p_memsz'> &
    Partial<Pick<Phdr, 'p_align'>>;
  readonly isLoaded: boolean;
  /** Does no header speak of these bytes? Then an edit left them there. */
  readonly isUnclaimed: boolean;
}

/** Types of sections that describe notes, or did before an edit. */
const DESCRIBES: ReadonlySet<number> = new Set([SHT_NOTE, SHT_PROGBITS]);

/** Notes longer than this are not looked for. */
const LONGEST = 0x10000n;
/** So many bytes are searched, from the start of the file. */
const SEARCHED = 0x800000n;

/** The records as they stand in a file; undefined where they are too many to be held. */
export function bytesOfNotes({ image }: Analysis, notes: readonly NoteContent[]): Uint8Array | undefined {
  const { writes, copies } = placeNotes(notes, image.encoding.endian, 0n);
  return copies.length > 0 ? undefined : joinBytes(writes.map(({ bytes }) => bytes));
}

/** Where these notes of the area stood before; undefined where nothing shows it. */
export function formerNotes(analysis: Analysis, area: NoteArea, notes: readonly NoteContent[]): NotePlace | undefined {
  const bytes = bytesOfNotes(analysis, notes);
  if (bytes === undefined || bytes.length === 0 || BigInt(bytes.length) > LONGEST) return undefined;
  const inSection = sectionWith(analysis, area, bytes);
  if (inSection !== undefined) return placeAt(analysis, inSection, false);
  const { image } = analysis;
  const inUse = rangesInUse(image);
  const unclaimed = subtractSorted({ start: 0n, end: image.source.size }, normalize(inUse));
  // Without section headers, nothing but PT_LOADs speaks of what is in memory.
  const isBare = image.sections.length === 0;
  const left = firstWith(image, isBare ? [...loadedBytes(analysis, area), ...unclaimed] : unclaimed, bytes);
  if (left !== undefined) return placeAt(analysis, left, true);
  const inside = firstWith(image, loadedBytes(analysis, area), bytes);
  return inside && placeAt(analysis, inside, false);
}

/** What PT_LOADs hold and no PT_NOTE shows. */
function loadedBytes({ image }: Analysis, area: NoteArea): Range[] {
  const shown = image.segments.filter(({ p_type }) => p_type === PT_NOTE).map(segmentFileRange);
  const holes = normalize([...shown, area.range]);
  return normalize(loads(image).map(({ segment }) => segmentFileRange(segment)))
    .filter(({ end }) => end <= image.source.size)
    .flatMap((range) => subtractSorted(range, holes));
}

function sectionWith({ image }: Analysis, area: NoteArea, bytes: Uint8Array): Range | undefined {
  const shown = image.segments.filter(({ p_type }) => p_type === PT_NOTE).map(segmentFileRange);
  const size = BigInt(bytes.length);
  for (const section of image.sections) {
    if (!DESCRIBES.has(section.sh_type) || section.sh_size !== size || section.sh_offset + size > image.source.size)
      continue;
    const range = sectionFileRange(section);
    if (overlaps(range, area.range) || shown.some((one) => overlaps(one, range))) continue;
    if (equalBytes(image.source.read(range.start, size, 'notes of before'), bytes)) return range;
  }
  return undefined;
}

/**
 * The first of these ranges, as far as they are searched, that holds the bytes at an address of a note; where one is, a copy that
 * no other note follows: behind what an edit left, the notes that it added stand as well.
 */
function firstWith({ source, encoding }: ElfImage, ranges: readonly Range[], bytes: Uint8Array): Range | undefined {
  let left = SEARCHED;
  let first: Range | undefined;
  for (const range of ranges) {
    const size = range.end - range.start < left ? range.end - range.start : left;
    left -= size;
    if (size < BigInt(bytes.length)) continue;
    const there = source.read(range.start, size, 'notes of before');
    for (let from = findBytes(there, bytes); from >= 0; from = findBytes(there, bytes, from + 1)) {
      const start = range.start + BigInt(from);
      if (start % 4n !== 0n) continue;
      first ??= rangeOf(start, BigInt(bytes.length));
      if (!startsNote(there.subarray(from + bytes.length), encoding)) return rangeOf(start, BigInt(bytes.length));
    }
  }
  return first;
}

/** Is there a header with an owner, as a short word? */
function startsNote(bytes: Uint8Array, encoding: Encoding): boolean {
  if (bytes.length < NHDR_SIZE) return false;
  const { n_namesz } = Nhdr.decode(bytes, 0, encoding);
  return n_namesz > 0 && n_namesz <= LONGEST_OWNER && bytes.indexOf(0, NHDR_SIZE) === NHDR_SIZE + n_namesz - 1;
}

const LONGEST_OWNER = 64;

function placeAt({ image }: Analysis, range: Range, isUnclaimed: boolean): NotePlace {
  const size = range.end - range.start;
  const load = loadAtOffset(image, fileRange(range.start, size));
  const distance = load === undefined ? 0n : range.start - load.p_offset;
  return {
    range,
    fields: {
      p_offset: range.start,
      p_vaddr: load === undefined ? 0n : load.p_vaddr + distance,
      p_paddr: load === undefined ? 0n : load.p_paddr + distance,
      p_filesz: size,
      p_memsz: size,
      ...alignmentOf(image, range),
    },
    isLoaded: load !== undefined,
    isUnclaimed,
  };
}

/**
 * The alignment that the header had: a linker gives it that of its section, which an edit leaves as it is; GNU's properties have
 * a second header over the same bytes.
 */
function alignmentOf({ sections, segments }: ElfImage, { start, end }: Range): Partial<Pick<Phdr, 'p_align'>> {
  const isSame = (offset: bigint, size: bigint) => offset === start && (size === end - start || size === 0n);
  const section = sections.find((s) => DESCRIBES.has(s.sh_type) && isSame(s.sh_offset, s.sh_size));
  if (section !== undefined && section.sh_addralign > 0n) return { p_align: section.sh_addralign };
  const twin = segments.find((s) => s.p_type === PT_GNU_PROPERTY && isSame(s.p_offset, s.p_filesz));
  return twin === undefined ? {} : { p_align: twin.p_align };
}
