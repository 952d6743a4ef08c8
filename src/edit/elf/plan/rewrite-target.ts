/**
 * Where an image's Xen notes are now, and what has to be carried along when they are rewritten: the other owners' notes
 * that stand in the same PT_NOTE.
 */
import { equalBytes } from '../../../base/bytes/text.js';
import type { Phdr } from '../../../formats/elf/headers.js';
import type { ElfImage } from '../../../formats/elf/image.js';
import { PT_GNU_PROPERTY } from '../../../formats/elf/names.js';
import { distinctAreas, type NoteArea } from '../../../formats/note/areas.js';
import { GNU, NT_GNU_BUILD_ID, NT_GNU_PROPERTY_TYPE_0 } from '../../../formats/note/note-types.js';
import { isXens, type NoteRecord, ownerOf } from '../../../formats/note/record.js';
import type { Analysis } from './analyze.js';
import type { ImageKind } from './placement-options.js';

/** The records that an edit rewrites, and the headers that show them. */
export interface RewriteTarget {
  /** Program header indices of the PT_NOTEs whose records go into the one that will hold Xen's notes, in table order. */
  readonly segments: readonly number[];
  /** The areas that hold what is to be rewritten, segments or, without any, sections. */
  readonly areas: readonly NoteArea[];
  /** Every record of those areas, in order. */
  readonly records: readonly NoteRecord[];
  /** Xen's among them, those that Xen itself would miss behind a gap included. */
  readonly xen: readonly NoteRecord[];
  /** The one area, when there is one: then notes may be rewritten where they are. */
  readonly only: NoteArea | undefined;
  /** The PT_LOAD that holds Xen's notes now. */
  readonly loaded: Phdr | undefined;
  /** A record that cannot be read whole; it must be replaced or dropped before its area can be rewritten. */
  readonly damaged:
    | { readonly area: NoteArea; readonly record: NoteRecord | undefined; readonly why: string }
    | undefined;
}

/** Nothing is rewritten: the notes wanted are all new, and get an entry of their own. */
export const NO_TARGET: RewriteTarget = {
  segments: [],
  areas: [],
  records: [],
  xen: [],
  only: undefined,
  loaded: undefined,
  damaged: undefined,
};

/**
 * Decides which note areas an edit is about. PT_NOTEs with Xen notes first; without any, note sections with Xen notes,
 * because Xen then reads those; without any, the one PT_NOTE there is, so that the notes end up merged in one segment.
 * Several PT_NOTEs of other owners stay apart: readers of theirs may look at the first record only. In a program, whose
 * table has no room as a rule, the last of those that may be pointed elsewhere is the one.
 */
export function findRewriteTarget(analysis: Analysis, kind: ImageKind = 'kernel'): RewriteTarget {
  return target(analysis, xenByArea(analysis), targetAreas(analysis, kind));
}

/** One note area as a rewrite target, for an edit that is about notes of other owners which stand there. */
export function targetAt(analysis: Analysis, area: NoteArea): RewriteTarget {
  return target(analysis, xenByArea(analysis), [area]);
}

/** Every PT_NOTE with records as one rewrite target, each record once. */
export function targetOfAll(analysis: Analysis): RewriteTarget {
  const seen = new Set<bigint>();
  const areas = analysis.areas.filter(({ kind, walk }) => {
    const fresh =
      kind === 'segment' && walk.records.length > 0 && walk.records.every(({ offset }) => !seen.has(offset));
    if (fresh) for (const { offset } of walk.records) seen.add(offset);
    return fresh;
  });
  return target(analysis, xenByArea(analysis), areas);
}

function targetAreas(analysis: Analysis, kind: ImageKind): readonly NoteArea[] {
  const seen = xenByArea(analysis);
  const xens = new Set(distinctAreas(analysis.areas).flatMap(({ walk }) => (walk.records.some(isXens) ? [walk] : [])));
  const holdsXen = (area: NoteArea) => xens.has(area.walk) || seen.has(keyOf(area));
  const segments = analysis.areas.filter(({ kind }) => kind === 'segment');
  const holders = segments.filter(holdsXen);
  if (holders.length > 0) return holders;
  const sections = analysis.areas.filter((area) => area.kind === 'section' && holdsXen(area));
  if (sections.length > 0) return sections;
  if (kind === 'program') return segments.filter((area) => isRedirectable(analysis, area)).slice(-1);
  const [only] = segments;
  const mergeable = segments.length === 1 && only !== undefined && only.walk.problem === undefined;
  return mergeable && only.walk.records.length > 0 ? [only] : [];
}

/**
 * May the PT_NOTE of a program be pointed at a copy of its notes? Readers in memory take any PT_NOTE padded to 4 bytes. Not so
 * GNU's properties: ld.so reads them from a PT_NOTE with the alignment of a word, and the kernel from the PT_GNU_PROPERTY over
 * the same bytes (Linux extensions to gABI, ".note.gnu.property"). One outside memory has no address that could be kept.
 */
function isRedirectable({ image }: Analysis, { index, loaded, walk }: NoteArea): boolean {
  const hasProperty = walk.records.some(isProperty);
  const p_align = image.segments[index]?.p_align ?? 0n;
  return loaded !== undefined && walk.problem === undefined && walk.records.length > 0 && !hasProperty && p_align <= 4n;
}

/**
 * The PT_NOTE of GNU's properties, where a PT_GNU_PROPERTY shows the same record. The kernel and ld.so (glibc since 2.32) go by
 * that one, so this PT_NOTE may be pointed at a copy with other notes behind it; the PT_NOTE of the build-id then stays in the
 * first page, which core files hold. Undefined: there is none that could be spared so.
 */
export function spareForBuildId(analysis: Analysis): RewriteTarget | undefined {
  const { image, areas } = analysis;
  const properties = image.segments.filter(({ p_type, p_filesz }) => p_type === PT_GNU_PROPERTY && p_filesz > 0n);
  const spare = areas.find(({ kind, loaded, walk }) => {
    const [first, ...others] = walk.records;
    if (kind !== 'segment' || loaded === undefined || walk.problem !== undefined || first === undefined) return false;
    return isProperty(first) && !others.some(isBuildId) && properties.some((s) => shows(image, s, first));
  });
  return spare && targetAt(analysis, spare);
}

function isProperty({ name, type }: NoteRecord): boolean {
  return type === NT_GNU_PROPERTY_TYPE_0 && ownerOf(name) === GNU;
}

function isBuildId({ name, type }: NoteRecord): boolean {
  return type === NT_GNU_BUILD_ID && ownerOf(name) === GNU;
}

/** Does this segment have the bytes of the record, and no others? Errors: those of the image's source. */
function shows({ source }: ElfImage, { p_offset, p_filesz }: Phdr, record: NoteRecord): boolean {
  if (p_filesz !== record.size || p_offset + p_filesz > source.size) return false;
  const [there, here] = [p_offset, record.offset].map((offset) => source.read(offset, record.size, 'PT_GNU_PROPERTY'));
  return there !== undefined && here !== undefined && equalBytes(there, here);
}

type XenByArea = ReadonlyMap<string, readonly NoteRecord[]>;

function keyOf({ kind, index }: { readonly kind: string; readonly index: number }): string {
  return `${kind} ${index}`;
}

/** The records that Xen's walk finds, by area. */
function xenByArea({ xen }: Analysis): XenByArea {
  const areas = new Map<string, NoteRecord[]>();
  for (const note of xen.notes) {
    const records = areas.get(keyOf(note));
    if (records === undefined) areas.set(keyOf(note), [note.record]);
    else records.push(note.record);
  }
  return areas;
}

function target(analysis: Analysis, seen: XenByArea, areas: readonly NoteArea[]): RewriteTarget {
  const records: NoteRecord[] = [];
  // Several PT_NOTEs may show the same bytes, or one a part of another: each record is rewritten once.
  const taken = new Set<bigint>();
  let damaged: RewriteTarget['damaged'];
  const distinct = new Set(distinctAreas(areas));
  for (const area of areas) {
    for (const record of distinct.has(area) ? area.walk.records : []) {
      if (!taken.has(record.offset)) records.push(record);
      taken.add(record.offset);
    }
    if (area.walk.problem === undefined) continue;
    // Xen reads a last record that is longer than its segment all the same.
    const rest = (seen.get(keyOf(area)) ?? []).filter(({ offset }) => offset >= area.walk.end);
    for (const record of rest) {
      if (!taken.has(record.offset)) records.push(record);
      taken.add(record.offset);
    }
    const harmless = rest.length === 0 && analysis.isZero({ start: area.walk.end, end: area.range.end });
    if (!harmless) damaged ??= { area, record: rest.at(-1), why: area.walk.problem };
  }
  const [first] = areas;
  return {
    segments: areas.filter(({ kind }) => kind === 'segment').map(({ index }) => index),
    areas,
    records,
    xen: records.filter(isXens),
    only: areas.length === 1 ? first : undefined,
    loaded: areas.every(({ loaded }) => loaded !== undefined) ? first?.loaded : undefined,
    damaged,
  };
}
