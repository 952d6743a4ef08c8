/**
 * The last of Xen's notes go, and they stand in several places. Nothing has to be merged then: segments that held nothing
 * else become PT_NULL (an empty PT_NOTE makes some loaders forget an earlier one), sections keep their index and lose their
 * size. Where only sections show the notes, they are made nobody's one by one and every header stays as it is.
 */
import type { Shdr } from '../../../formats/elf/headers.js';
import { sectionName } from '../../../formats/elf/section-names.js';
import { relocationsInto, sectionsIn } from '../plan/analyze.js';
import { headerFor } from './header.js';
import type { Layout } from './layout.js';
import { type Job, mergedNotes, overwriteBlobs } from './placement-input.js';
import { buildTable } from './program-headers.js';
import { fitSections } from './section-headers.js';

/** The layout, why it does not work, or undefined when notes are left that have to stand somewhere. */
export function removeAll(job: Job): Layout | { readonly reason: string } | undefined {
  const { home, foreign, wanted, wish } = job;
  if (wanted.length > 0 || wish.loaded !== undefined) return undefined;
  if (home.segments.length === 0) {
    const kept = foreign.changed.size === 0 && foreign.added.length === 0;
    // The notes themselves are hidden by hideStaleNotes(), as always when no segment has one.
    return kept ? unchanged(job, 'notes made nobody’s where they are') : undefined;
  }
  return mergedNotes(job).length > 0 ? undefined : emptied(job);
}

function unchanged(job: Job, summary: string): Layout {
  const { image, fileSize } = job.facts;
  return {
    placement: 'in-place',
    summary,
    header: headerFor(image, { segments: image.segments.length, sections: image.sections.length }),
    segments: image.segments,
    sections: image.sections,
    blobs: overwriteBlobs(job),
    shift: undefined,
    fileSize,
    xenNotes: [],
    noteRange: undefined,
    loaded: false,
    cover: 'none',
    extendedLoad: undefined,
    addedLoads: 0,
    replacedSegments: [],
    touchedSections: [],
    warnings: [],
  };
}

function emptied(job: Job): Layout | { readonly reason: string } {
  const { facts, home } = job;
  const fitted = new Map<number, Shdr>();
  for (const { range } of home.areas) {
    const inside = sectionsIn(facts, range);
    const [relocation] = relocationsInto(facts, inside);
    if (relocation !== undefined) {
      return {
        reason: `section ${relocation} ${sectionName(facts.image, relocation)} keeps relocations into the notes`,
      };
    }
    const fit = fitSections(facts, range, range.start, range.start);
    if ('reason' in fit) return fit;
    for (const [index, section] of fit) fitted.set(index, section);
  }
  const layout = unchanged(job, `notes removed from ${home.areas.length} places`);
  const last = home.segments.at(-1) ?? 0;
  return {
    ...layout,
    segments: buildTable(facts, home, { kind: 'merged', index: last }, undefined),
    sections: layout.sections.map((section, index) => fitted.get(index) ?? section),
    // Zeros: no walker shall find remains.
    blobs: [
      ...home.areas.map(({ range }) => ({
        offset: range.start,
        bytes: new Uint8Array(Number(range.end - range.start)),
        what: 'notes',
      })),
      ...layout.blobs,
    ],
    replacedSegments: home.segments,
    touchedSections: [...fitted.keys()],
  };
}
