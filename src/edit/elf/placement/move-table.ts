/**
 * `move-table`: as `append`, and the program header table moves to the end of the file. For images whose every consumer
 * reads the table from where e_phoff says.
 */
import { Phdr } from '../../../formats/elf/headers.js';
import { multibootWindow } from '../../../formats/multiboot/windows.js';
import { behindEverything } from './append.js';
import { compose, mergeFor } from './compose.js';
import { multibootNeedsTable, refusedBy } from './conditions.js';
import type { Layout, Refusal } from './layout.js';
import type { PlacementInput } from './placement-input.js';

/** The layout of `move-table`, or why this image cannot have one. */
export function moveTable(input: PlacementInput): Layout | Refusal {
  const refuse = (reason: string): Refusal => ({ placement: 'move-table', reason });
  const { analysis, target } = input;
  const refused = refusedBy('move-table', input);
  if (refused !== undefined) return refused;
  const merged = mergeFor(input);
  if ('reason' in merged) return refuse(merged.reason);
  const place = behindEverything(input, merged);
  const entries = analysis.image.segments.length + (target.segments.length > 0 ? 0 : 1);
  const tableEnd = place.end + BigInt(entries * Phdr.size(analysis.image.encoding));
  const narrow = multibootNeedsTable(analysis.multiboot.find((header) => tableEnd > multibootWindow(header)));
  if (narrow !== undefined) return refuse(narrow);
  const index = target.segments.at(-1);
  return compose(input, merged, {
    placement: 'move-table',
    summary: 'notes and program header table put at the end of the file',
    slot: index === undefined ? { kind: 'grown' } : { kind: 'merged', index },
    range: place.range,
    loadedAt: undefined,
    end: place.end,
    blobs: place.blobs,
    table: 'end',
  });
}
