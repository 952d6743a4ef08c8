/**
 * `append`: a merged copy of the notes goes into the header slack or to the end of the file, and one PT_NOTE points at it.
 * Loads, sections and symbols stay exactly where they are; old notes inside a PT_LOAD stay in memory, unused.
 */
import { alignDown } from '../../../base/bytes/align.js';
import { overlaps, type Range, rangeOf } from '../../../base/bytes/range.js';
import { compose, type Merged, mergeFor } from './compose.js';
import { refusedBy } from './conditions.js';
import type { Blob, Layout, Refusal } from './layout.js';
import { bytesText, type PlacementInput } from './placement-input.js';
import { findSlot, phdrSize, type Slot } from './program-headers.js';
import { roomOf, take } from './room.js';

/** Header entries left free behind the table when notes take the rest of the slack. */
const SPARE_ENTRIES = 2n;
/** Some readers take 8 bytes of a 4-byte value; a few zero bytes behind notes that end the file keep them inside it. */
const TAIL_PADDING = 8n;

/** The layout of `append`, or why this image cannot have one. */
export function append(input: PlacementInput): Layout | Refusal {
  const refuse = (reason: string): Refusal => ({ placement: 'append', reason });
  const refused = refusedBy('append', input);
  if (refused !== undefined) return refused;
  const merged = mergeFor(input);
  if ('reason' in merged) return refuse(merged.reason);
  const found = findSlot(input);
  if ('reason' in found) return { placement: 'append', ...found };
  const place = noteSpace(input, merged, found.slot);
  return compose(input, merged, {
    placement: 'append',
    summary: `notes put ${place.words}, ${slotWords(found.slot)}`,
    slot: found.slot,
    range: place.range,
    loadedAt: undefined,
    end: place.end,
    blobs: place.blobs,
    warnings: slotWarnings(found.slot),
  });
}

/** How the header entry was come by, in words. */
export function slotWords(slot: Slot): string {
  switch (slot.kind) {
    case 'merged':
      return `PT_NOTE ${slot.index} redirected to them`;
    case 'null':
      return `PT_NULL ${slot.index} turned into their PT_NOTE`;
    case 'empty-load':
      return `PT_LOAD ${slot.index}, which loads nothing, turned into their PT_NOTE`;
    case 'stack':
      return `PT_GNU_STACK ${slot.index} replaced by their PT_NOTE`;
    case 'slack':
      return slot.evict.length > 0
        ? 'a new PT_NOTE in the header slack, out of which sections moved to the end of the file'
        : 'a new PT_NOTE in the slack behind the program headers';
    case 'grown':
      return 'a new PT_NOTE in the table';
  }
}

/** What to warn of when this entry of the program headers is used. */
export function slotWarnings(slot: Slot): string[] {
  return slot.kind === 'slack' && slot.loadedBytes
    ? ['the program headers are part of a PT_LOAD: the new one changes loaded bytes that were zero']
    : [];
}

/** Where notes go that need not be in memory. */
export interface NoteSpace {
  readonly range: Range;
  readonly end: bigint;
  readonly words: string;
  readonly blobs: readonly Blob[];
}

/**
 * The far end of the header slack when it is free, not loaded and large enough: the file does not grow, and what follows
 * the notes is the first segment rather than zeros, into which QEMU's walk would run on. Else the end of the file.
 */
export function noteSpace(input: PlacementInput, merged: Merged, slot: Slot): NoteSpace {
  const { analysis } = input;
  const { slack } = analysis;
  const reserved = analysis.tableEnd + phdrSize(analysis) * ((slot.kind === 'slack' ? 1n : 0n) + SPARE_ENTRIES);
  const start = alignDown(slack.end - merged.size, merged.align);
  const range = rangeOf(start, merged.size);
  const loaded = analysis.tableLoad !== undefined && overlaps(analysis.tableLoad.file, range);
  const usable = !loaded && slack.end < analysis.fileSize && start >= reserved && analysis.isZero(range);
  if (usable) {
    return { range, end: analysis.fileSize, words: `into the header slack (${bytesText(merged.size)})`, blobs: [] };
  }
  return behindEverything(input, merged);
}

/** At the end of the file, or in what an earlier edit left there. */
export function behindEverything(input: PlacementInput, merged: Merged): NoteSpace {
  const { analysis } = input;
  const bare = analysis.image.sections.length === 0;
  const room = roomOf(analysis.spare(), [], analysis.fileSize);
  const own = ownLastPlace(input, merged);
  const wanted = merged.size + (bare ? TAIL_PADDING : 0n);
  const found = take(room, wanted, merged.align);
  const start = own !== undefined && found + wanted > analysis.fileSize ? own : found;
  const range = rangeOf(start, merged.size);
  if (start === own) room.end = start + wanted > analysis.fileSize ? start + wanted : analysis.fileSize;
  const place = range.end > analysis.fileSize ? 'at the end of the file' : 'where an earlier edit left room';
  const words = `${place} (${bytesText(merged.size)})`;
  if (!bare) return { range, end: room.end, words, blobs: [] };
  const tail = { offset: range.end, bytes: new Uint8Array(Number(TAIL_PADDING)), what: 'padding behind the notes' };
  return { range, end: room.end, words, blobs: [tail] };
}

/**
 * Where the notes stand that are rewritten, if nothing but zeros is behind them, in a file without section headers that holds
 * bytes of others: among those nothing would tell what an edit left, and the file would grow with each one.
 */
function ownLastPlace({ analysis, target }: PlacementInput, merged: Merged): bigint | undefined {
  const area = target.only;
  if (analysis.image.sections.length > 0 || area?.kind !== 'segment' || area.loaded !== undefined) return undefined;
  const { start, end } = area.range;
  const isLast =
    end === analysis.usedEnd && end === area.declared.end && analysis.isZero({ start: end, end: analysis.fileSize });
  return isLast && start % merged.align === 0n ? start : undefined;
}
