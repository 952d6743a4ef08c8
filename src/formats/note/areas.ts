/**
 * Every place of an image that holds notes: PT_NOTE segments and SHT_NOTE sections. The two are independent views; tools
 * disagree on which they show, so both are kept (gABI, "Note Section").
 */
import { holderOf } from '../../base/bytes/range.js';
import { fail } from '../../base/errors/patch-error.js';
import { type FileOffset, type FileRange, fileOffset, fileRange } from '../elf/address.js';
import type { Phdr } from '../elf/headers.js';
import { type ElfImage, loads, segmentFileRange } from '../elf/image.js';
import { PT_NOTE, SHT_NOTE } from '../elf/names.js';
import { sectionName } from '../elf/section-names.js';
import { windowedArea } from './large-notes.js';
import { type AreaBytes, type NoteWalk, RECORD_LIMIT, walkArea } from './record.js';

/** One segment or section of notes. */
export interface NoteArea {
  readonly kind: 'segment' | 'section';
  /** Program header or section index. */
  readonly index: number;
  /** `PT_NOTE 4`, or the section's name. */
  readonly name: string;
  /** File range, cut to the file. */
  readonly range: FileRange;
  /** The file range as the header states it; may lie behind the end of the file. */
  readonly declared: FileRange;
  readonly walk: NoteWalk;
  /** The PT_LOAD whose file bytes hold all of it; when several do, the one that reaches farthest. */
  readonly loaded: Phdr | undefined;
}

/** A note area above this is read through a window, and its long descriptors stay where they are. */
const READ_WHOLE = 0x100000n;
/** The most bytes that are kept of one note area, and the most of all distinct areas of an image. */
export const AREA_LIMIT = 0x1000000n;
export const AREAS_LIMIT = 0x4000000n;

/**
 * All note areas: PT_NOTE segments in table order, then SHT_NOTE sections by index.
 * Errors: `note.too-large` for an area above AREA_LIMIT, areas above AREAS_LIMIT together, or too many records together.
 */
export function noteAreas(image: ElfImage): NoteArea[] {
  const read = areaReader(image);
  const loadedBy = loadFinder(image);
  const area = (kind: NoteArea['kind'], index: number, name: string, start: bigint, size: bigint, align: bigint) => {
    const declared = fileRange(start, size);
    const range = cut(declared, fileOffset(image.source.size));
    const loaded = size > 0n ? loadedBy(declared) : undefined;
    return { kind, index, name, range, declared, walk: read(range, align, name), loaded };
  };
  const segments = image.segments.flatMap((s, index) =>
    s.p_type === PT_NOTE ? [area('segment', index, `PT_NOTE ${index}`, s.p_offset, s.p_filesz, s.p_align)] : [],
  );
  const sections = image.sections.flatMap((s, index) =>
    s.sh_type === SHT_NOTE && index > 0
      ? [area('section', index, sectionName(image, index), s.sh_offset, s.sh_size, s.sh_addralign)]
      : [],
  );
  return [...segments, ...sections];
}

/**
 * The first area of each walk, in their order, of one kind or of both. Thousands of headers may lead to the same bytes, which
 * noteAreas() walks once: code that goes through records goes through these.
 */
export function distinctAreas(areas: readonly NoteArea[], wanted?: NoteArea['kind']): NoteArea[] {
  const first = new Map<NoteWalk, NoteArea>();
  for (const area of areas) {
    if ((wanted === undefined || area.kind === wanted) && !first.has(area.walk)) first.set(area.walk, area);
  }
  return [...first.values()];
}

function cut({ start, end }: FileRange, size: FileOffset): FileRange {
  return { start: start < size ? start : size, end: end < size ? end : size };
}

/** Reads and walks areas; the same bytes under the same padding are read once, so 65,535 equal headers cost one read. */
function areaReader(image: ElfImage): (range: FileRange, align: bigint, name: string) => NoteWalk {
  const walks = new Map<string, NoteWalk>();
  const { source, encoding } = image;
  let bytesLeft = AREAS_LIMIT;
  let recordsLeft = RECORD_LIMIT;
  return ({ start, end }, align, name) => {
    const key = `${start} ${end} ${align === 8n}`;
    const known = walks.get(key);
    if (known !== undefined) return known;

    const size = end - start;
    const place = { file: source.name, offset: start, part: name };
    const whole = size <= READ_WHOLE;
    const area = whole
      ? wholeArea(source.read(start, size, name))
      : windowedArea(source, start, Number(size), AREA_LIMIT, name);
    const walk = walkArea(area, start, encoding.endian, align);
    bytesLeft -= whole ? size : keptBytes(walk);
    if (bytesLeft < 0n) {
      fail('note.too-large', place, {
        what: 'note areas together',
        found: AREAS_LIMIT - bytesLeft,
        limit: AREAS_LIMIT,
      });
    }
    // A section and the segment around it show the same records, so twice the limit is still one image's worth.
    recordsLeft -= walk.records.length;
    if (recordsLeft < -RECORD_LIMIT) {
      const found = BigInt(2 * RECORD_LIMIT - recordsLeft - RECORD_LIMIT);
      fail('note.too-large', place, { what: 'note records together', found, limit: BigInt(2 * RECORD_LIMIT) });
    }
    walks.set(key, walk);
    return walk;
  };
}

function wholeArea(bytes: Uint8Array): AreaBytes {
  return { size: bytes.length, bytes: (from, to) => bytes.subarray(from, to) };
}

function keptBytes({ records }: NoteWalk): bigint {
  return BigInt(records.reduce((sum, { name, desc }) => sum + name.length + desc.length, 0));
}

/** Finds the PT_LOAD around a file range: thousands of areas may ask among thousands of segments. */
function loadFinder(image: ElfImage): (range: FileRange) => Phdr | undefined {
  const holds = holderOf(
    loads(image)
      .filter(({ segment }) => segment.p_filesz > 0n)
      .map(({ segment }) => ({ ...segmentFileRange(segment), segment })),
  );
  return (range) => holds(range)?.segment;
}
