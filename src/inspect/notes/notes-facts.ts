/** Everything `notes` has to say about an image, as plain data; notes-report.ts turns it into text and JSON. */
import { compare, type Range } from '../../base/bytes/range.js';
import { PatchError } from '../../base/errors/patch-error.js';
import type { ContainerFacts } from '../../formats/container/facts.js';
import type { ElfImage } from '../../formats/elf/image.js';
import { type NoteArea, noteAreas } from '../../formats/note/areas.js';
import { type NoteRecord, type NoteWalk, ownerOf } from '../../formats/note/record.js';
import { type LegacyString, readLegacy } from '../../loaders/read/legacy.js';
import { walkAsXen, type XenView } from '../../loaders/read/loader-walks.js';
import { meaningOf, type NoteMeaning } from './note-meanings.js';
import { judgeLegacy, type XenVerdict, xenJudge } from './xen-verdicts.js';

/** A header that names a range of notes. */
export interface NotePlace {
  readonly kind: 'segment' | 'section';
  readonly index: number;
  readonly name: string;
}

/** A range of the file that holds notes, with every header that names exactly it. */
export interface AreaFact {
  readonly range: Range;
  readonly padding: 4 | 8;
  readonly places: readonly NotePlace[];
  /** Where it stands in memory; undefined when no PT_LOAD brings it there. */
  readonly memory: { readonly vaddr: bigint; readonly paddr: bigint } | undefined;
  /** Why its records could not be read to the end. */
  readonly problem: string | undefined;
}

/** A note with what it means and what Xen does with it. */
export interface NoteFact extends NoteMeaning {
  readonly owner: string;
  readonly record: NoteRecord;
  /** Indices into NotesFacts.areas, ascending; empty for a record that only Xen's loose walk finds. */
  readonly areas: readonly number[];
  readonly xen: XenVerdict;
}

/** The string of the `__xen_guest` section. */
export interface LegacyFact extends LegacyString {
  readonly xen: XenVerdict;
}

/** Everything that `notes` shows of an image. */
export interface NotesFacts {
  readonly image: ElfImage;
  readonly areas: readonly AreaFact[];
  /** By file offset. */
  readonly notes: readonly NoteFact[];
  readonly legacy: LegacyFact | undefined;
  /** Why the `__xen_guest` string cannot be shown although the section is there. */
  readonly legacyProblem: PatchError | undefined;
  readonly xen: XenView;
  /** What the image was unpacked from. */
  readonly container?: ContainerFacts | undefined;
}

/**
 * Reads all notes of an image and what Xen makes of them. A record that several headers show is one note.
 * Errors: those of noteAreas.
 */
export function notesFacts(image: ElfImage): NotesFacts {
  // Headers that name the same bytes share one walk, so nothing below is done once per header.
  const byWalk = new Map<NoteWalk, NoteArea[]>();
  for (const area of noteAreas(image)) {
    const known = byWalk.get(area.walk);
    if (known === undefined) byWalk.set(area.walk, [area]);
    else known.push(area);
  }
  const groups = [...byWalk].sort(([, [a]], [, [b]]) => compareAreas(a, b));
  const xen = walkAsXen(image);

  const found = new Map<bigint, { record: NoteRecord; areas: number[] }>();
  for (const [index, [walk]] of groups.entries()) {
    for (const record of walk.records) {
      const known = found.get(record.offset);
      if (known === undefined) found.set(record.offset, { record, areas: [index] });
      else known.areas.push(index);
    }
  }
  // GRUB's i386 images end in a record that claims more than its segment has: readable for Xen, not for a strict walk.
  for (const { record } of xen.notes) {
    if (!found.has(record.offset)) found.set(record.offset, { record, areas: [] });
  }
  const sorted = [...found.values()].sort((a, b) => compare(a.record.offset, b.record.offset));
  const areas = groups.map(([walk, members]) => areaFact(walk, members));
  const inSegment = areas.map(({ places }) => places.some(({ kind }) => kind === 'segment'));
  const judge = xenJudge(xen);
  const notes = sorted.map(({ record, areas: held }): NoteFact => {
    const owner = ownerOf(record.name);
    const { name, meaning } = meaningOf(owner, record.type, record.desc, image.encoding);
    const verdict = judge({ owner, record, meaning, inSegment: held.some((index) => inSegment[index] === true) });
    return { owner, record, areas: held, name, meaning, xen: verdict };
  });
  return { image, areas, notes, ...legacyFact(image, xen), xen };
}

function legacyFact(image: ElfImage, view: XenView): Pick<NotesFacts, 'legacy' | 'legacyProblem'> {
  try {
    const legacy = readLegacy(image);
    const fact = legacy === undefined ? undefined : { ...legacy, xen: judgeLegacy(legacy.section, view) };
    return { legacy: fact, legacyProblem: undefined };
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    return { legacy: undefined, legacyProblem: error };
  }
}

function compareAreas(a: NoteArea | undefined, b: NoteArea | undefined): number {
  if (a === undefined || b === undefined) return 0;
  return compare(a.range.start, b.range.start) || compare(b.range.end, a.range.end);
}

function areaFact(walk: NoteWalk, areas: readonly NoteArea[]): AreaFact {
  const [first] = areas;
  const range = first?.range ?? { start: walk.end, end: walk.end };
  const load = first?.loaded;
  const shift = load === undefined ? 0n : range.start - load.p_offset;
  return {
    range,
    padding: walk.unit,
    places: areas.map(({ kind, index, name }) => ({ kind, index, name })),
    memory: load === undefined ? undefined : { vaddr: load.p_vaddr + shift, paddr: load.p_paddr + shift },
    problem: walk.problem,
  };
}
