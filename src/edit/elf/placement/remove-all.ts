/**
 * The last of Xen's notes go, and they stand in several places. Nothing has to be merged then: segments that held nothing
 * else become PT_NULL (an empty PT_NOTE makes some loaders forget an earlier one), sections keep their index and lose their
 * size. Where only sections show the notes, each record gets a neutral owner and every header stays as it is.
 */
import { normalize } from '../../../base/bytes/range.js';
import type { Shdr } from '../../../formats/elf/headers.js';
import { sectionName } from '../../../formats/elf/section-names.js';
import { relocationsInto, sectionsIn } from '../plan/analyze.js';
import { headerFor } from './header.js';
import type { Layout } from './layout.js';
import { joined, mergedNotes, overwriteParts, type PlacementInput, zeroParts } from './placement-input.js';
import { buildTable } from './program-headers.js';
import { fitSections } from './section-headers.js';

/** The layout, why it does not work, or undefined when notes are left that have to stand somewhere. */
export function removeAll(input: PlacementInput): Layout | { readonly reason: string } | undefined {
  const { target, otherOwners, wanted, options } = input;
  if (wanted.length > 0 || options.loaded !== undefined) return undefined;
  if (target.segments.length === 0) {
    const kept = otherOwners.changed.size === 0 && otherOwners.added.length === 0;
    // The notes themselves are hidden by hideStaleNotes(), as always when no segment has one.
    return kept ? unchanged(input, 'notes given no owner where they are') : undefined;
  }
  return mergedNotes(input).length > 0 ? undefined : emptied(input);
}

function unchanged(input: PlacementInput, summary: string): Layout {
  const { image, fileSize } = input.analysis;
  return {
    placement: 'in-place',
    summary,
    header: headerFor(image, { segments: image.segments.length, sections: image.sections.length }),
    segments: image.segments,
    sections: image.sections,
    ...overwriteParts(input),
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

function emptied(input: PlacementInput): Layout | { readonly reason: string } {
  const { analysis, target } = input;
  const fitted = new Map<number, Shdr>();
  // PT_NOTEs over the same or overlapping bytes are one place.
  const places = normalize(target.areas.map(({ range }) => range));
  for (const range of places) {
    const inside = sectionsIn(analysis, range);
    const [relocation] = relocationsInto(analysis, inside);
    if (relocation !== undefined) {
      return {
        reason: `section ${relocation} ${sectionName(analysis.image, relocation)} keeps relocations into the notes`,
      };
    }
    const fit = fitSections(analysis, range, range.start, range.start);
    if ('reason' in fit) return fit;
    for (const [index, section] of fit) fitted.set(index, section);
  }
  const layout = unchanged(input, places.length === 1 ? 'notes removed' : `notes removed from ${places.length} places`);
  const last = target.segments.at(-1) ?? 0;
  return {
    ...layout,
    segments: buildTable(analysis, target, { kind: 'merged', index: last }, undefined),
    sections: layout.sections.map((section, index) => fitted.get(index) ?? section),
    // Zeros: no walker shall find remains.
    ...joined([
      ...places.map((range) => zeroParts(range, 'notes')),
      { blobs: layout.blobs, copies: layout.copies ?? [] },
    ]),
    replacedSegments: target.segments,
    touchedSections: [...fitted.keys()],
  };
}
