/** Do two images load to the same memory, but for planned bytes? By virtual and by physical address. */
import { type Range, subtractSorted } from '../bytes/range.js';
import { hexRange } from '../errors/hex.js';
import { type Blocks, newBlocks, type Stretch, sameStretch, ZEROS } from './byte-comparison.js';
import type { Flaw } from './check.js';
import { type Filled, type Meeting, meetings, memoryImage } from './memory-image.js';
import { movedRange, type Pair } from './pair.js';

/** Bytes that may be compared once more because a LOAD reads them from elsewhere; no sane edit comes near. */
const BUDGET = 0x40000000n;

/** Addresses told; behind them there is no doubt left. */
const LIMIT = 16;

/**
 * Bytes that a LOAD takes from where they stood before (or from there plus the shift) need no second look: comparing the
 * files has settled them. Only where the source changed are bytes read here.
 */
export function* memoryDifferences(pair: Pair): Generator<Flaw> {
  const reader: Reader = { blocks: undefined, left: BUDGET };
  for (const [kind, address] of [
    ['virtual', 'p_vaddr'],
    ['physical', 'p_paddr'],
  ] as const) {
    const old = memoryImage(
      pair.before.loads.map(({ segment }) => segment),
      address,
    );
    const now = memoryImage(
      pair.after.loads.map(({ segment }) => segment),
      address,
    );
    let told = 0;
    for (const meeting of meetings(old, now)) {
      const what = breach(pair, meeting, reader);
      if (what === undefined) continue;
      const text = `memory at ${kind} ${hexRange(meeting.start, meeting.end)} ${what}`;
      yield { offset: offsetAt(meeting.after, meeting.start), part: 'memory image', text };
      told += 1;
      if (told >= LIMIT) break;
    }
  }
}

interface Reader {
  blocks: Blocks | undefined;
  left: bigint;
}

function breach(pair: Pair, meeting: Meeting, reader: Reader): string | undefined {
  const { before, after, start, end } = meeting;
  if (before === undefined && after === undefined) return undefined;
  if (after === undefined) return 'is no longer loaded';
  const length = end - start;
  const now = offsetAt(after, start);
  // Of the bytes that come from the file now, those outside planned ranges.
  const unplanned = now === undefined ? [{ start: 0n, end: length }] : unplannedPart(pair, now, length);
  if (unplanned.length === 0) return undefined;
  if (before === undefined) return 'was not loaded before';
  const old = offsetAt(before, start);
  if (old === undefined && now === undefined) return undefined;
  if (old !== undefined && now !== undefined && standsWhereExpected(pair, old, now, length)) return undefined;
  return rereading(pair, unplanned, stretch(pair.before, old), stretch(pair.after, now), reader);
}

function offsetAt(filled: Filled | undefined, address: bigint): bigint | undefined {
  return filled?.offset === undefined ? undefined : filled.offset + (address - filled.start);
}

/** Ranges relative to `offset`. */
function unplannedPart({ planned }: Pair, offset: bigint, length: bigint): Range[] {
  return subtractSorted({ start: offset, end: offset + length }, planned).map((range) => ({
    start: range.start - offset,
    end: range.end - offset,
  }));
}

function standsWhereExpected({ shift }: Pair, old: bigint, now: bigint, length: bigint): boolean {
  const moved = movedRange(shift, { start: old, end: old + length });
  return moved.length === 1 && moved[0]?.start === now;
}

function stretch(side: Pair['before'], offset: bigint | undefined): Stretch {
  return offset === undefined ? { source: ZEROS, offset: 0n } : { source: side.image.source, offset };
}

function rereading(
  pair: Pair,
  ranges: readonly Range[],
  old: Stretch,
  now: Stretch,
  reader: Reader,
): string | undefined {
  for (const { start, end } of ranges) {
    const length = end - start;
    reader.left -= length;
    if (reader.left < 0n) return 'comes from elsewhere in the file, too much of it to be compared';
    const sizes = pair.before.fileSize > pair.after.fileSize ? pair.before.fileSize : pair.after.fileSize;
    reader.blocks ??= newBlocks(sizes);
    const a = { source: old.source, offset: old.offset + start };
    const b = { source: now.source, offset: now.offset + start };
    if (!inside(a, length) || !inside(b, length)) return 'comes from behind the end of the file';
    if (!sameStretch(a, b, length, reader.blocks)) return 'holds other bytes than before';
  }
  return undefined;
}

function inside({ source, offset }: Stretch, length: bigint): boolean {
  return offset <= source.size && length <= source.size - offset;
}
