/**
 * `move-table`: as `append`, and the program header table moves to the end of the file. For images whose every consumer
 * reads the table from where e_phoff says.
 */
import { Phdr } from '../../../formats/elf/headers.js';
import { multibootWindow } from '../../../formats/multiboot/windows.js';
import { behindEverything } from './append.js';
import { compose, mergeFor } from './compose.js';
import type { Layout, Refusal } from './layout.js';
import type { PlacementInput } from './placement-input.js';
import { tableMustStay } from './program.js';
import { countable } from './program-headers.js';

/** The layout of `move-table`, or why this image cannot have one. */
export function moveTable(input: PlacementInput): Layout | Refusal {
  const refuse = (reason: string): Refusal => ({ placement: 'move-table', reason });
  const { analysis, target } = input;
  if (input.options.loaded === true) return refuse('the notes would be outside every PT_LOAD');
  const stays = tableMustStay(input);
  if (stays !== undefined) return { placement: 'move-table', reason: stays, sparesProgram: true };
  if (analysis.hasPhdrSegment) return refuse('PT_PHDR says that the program needs the table where it is');
  const kernelByWord = input.kind.by === 'asked' && input.kind.kind === 'kernel';
  if (analysis.hasInterpreter && !kernelByWord)
    return refuse('the image is started by execve, which looks for the table in the first PT_LOAD');
  const merged = mergeFor(input);
  if ('reason' in merged) return refuse(merged.reason);
  const counted = countable(analysis, target.segments.length > 0 ? 0 : 1);
  if (counted !== undefined) return refuse(counted);
  const place = behindEverything(input, merged);
  const entries = analysis.image.segments.length + (target.segments.length > 0 ? 0 : 1);
  const tableEnd = place.end + BigInt(entries * Phdr.size(analysis.image.encoding));
  const narrow = analysis.multiboot.find((header) => tableEnd > multibootWindow(header));
  if (narrow !== undefined) {
    return refuse(
      `it has a Multiboot ${narrow.version} header, and GRUB wants the program headers within the first ${multibootWindow(narrow)} bytes`,
    );
  }
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
