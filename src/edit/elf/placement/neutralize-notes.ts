/**
 * Xen's notes in sections, made unfindable for every loader. Xen reads note sections as soon as no PT_NOTE has a note
 * of its own: an edit that leaves none there would bring back what a section still shows, such as the loaded copy of
 * notes that an earlier edit put elsewhere.
 */
import { overlaps, rangeOf } from '../../../base/bytes/range.js';
import { movedOffset } from '../../../base/bytes/shifted.js';
import { distinctAreas } from '../../../formats/note/areas.js';
import { isXens, NHDR_SIZE, type NoteRecord } from '../../../formats/note/record.js';
import type { Layout } from './layout.js';
import { neutralName, type PlacementInput } from './placement-input.js';

/** The layout with those notes neutral where they stand: their bytes stay, but for type and owner. */
export function hideStaleNotes(input: PlacementInput, layout: Layout): Layout {
  if (!input.xenEdited || layout.xenNotes.length > 0) return layout;
  const stale = staleRecords(input, layout);
  if (stale.length === 0) return layout;
  const { shift } = layout;
  const blobs = stale.map((record) => {
    // The header's third word is the type; the name follows.
    const offset = movedOffset(shift, record.offset + BigInt(NHDR_SIZE - 4));
    const bytes = new Uint8Array(4 + record.name.length);
    bytes.set(neutralName(record.name.length), 4);
    return { offset, bytes, what: 'note in a section, given no owner' };
  });
  return { ...layout, blobs: [...layout.blobs, ...blobs] };
}

function staleRecords({ analysis }: PlacementInput, { blobs, shift, freed = [] }: Layout): readonly NoteRecord[] {
  const written = shift === undefined ? blobs.map(({ offset, bytes }) => rangeOf(offset, BigInt(bytes.length))) : [];
  // What an undo frees holds nothing any more, and may be behind the end of the file.
  const rewritten = [...written, ...freed];
  const found = new Map<bigint, NoteRecord>();
  for (const { walk } of distinctAreas(analysis.areas, 'section')) {
    for (const record of walk.records) {
      const range = rangeOf(record.offset, record.size);
      if (isXens(record) && !rewritten.some((blob) => overlaps(blob, range))) {
        found.set(record.offset, record);
      }
    }
  }
  return [...found.values()];
}
