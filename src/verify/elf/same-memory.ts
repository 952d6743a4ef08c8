/** Do two images load to the same memory, but for planned bytes? By virtual and by physical address. */

import { type Blocks, newBlocks, type Stretch, sameStretch, ZEROS } from '../../base/bytes/byte-comparison.js';
import { normalize, subtractSorted } from '../../base/bytes/range.js';
import { hexRange } from '../../base/errors/hex.js';
import type { Violation } from '../check.js';
import { type Filled, type Meeting, meetings, memoryImage } from './memory-image.js';
import { isOnlyAdded, movedRange, type Pair } from './pair.js';

/** Bytes that may be compared once more because a LOAD reads them from elsewhere; no sane edit comes near. */
const BUDGET = 0x40000000n;

/** Addresses told; behind them there is no doubt left. */
const LIMIT = 16;

/**
 * Bytes that a LOAD takes from where they stood before (or from there plus the shift) need no second look: comparing the
 * files has settled them. Only where the source changed are bytes read here.
 */
export function* memoryDifferences(pair: Pair): Generator<Violation> {
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
      const what = difference(pair, meeting, reader);
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

function difference(pair: Pair, { before, after, start, end }: Meeting, reader: Reader): string | undefined {
  if (before === undefined && after === undefined) return undefined;
  const length = end - start;
  if (after === undefined)
    return leftAsMeant(pair, offsetAt(before, start), length) ? undefined : 'is no longer loaded';
  const now = offsetAt(after, start);
  if (before === undefined) {
    // A LOAD that grew or was added: only with bytes that were planned.
    const meant = now !== undefined && subtractSorted({ start: now, end: now + length }, pair.planned).length === 0;
    return meant ? undefined : 'was not loaded before';
  }
  const old = offsetAt(before, start);
  if (old === undefined && now === undefined) return undefined;
  if (old !== undefined && now !== undefined && standsWhereExpected(pair, old, now, length)) return undefined;
  // The same address, filled from elsewhere: that the bytes there were planned does not make them the right ones.
  return reread(stretch(pair.before, old), stretch(pair.after, now), length, reader);
}

/** Did nothing leave memory but what an edit had put there, headers and notes? With a plan, only what it says. */
function leftAsMeant({ before, expectation }: Pair, offset: bigint | undefined, length: bigint): boolean {
  if (offset === undefined) return false;
  const range = { start: offset, end: offset + length };
  if (expectation !== undefined) return subtractSorted(range, normalize(expectation.freed ?? [])).length === 0;
  return isOnlyAdded(before, range);
}

function offsetAt(filled: Filled | undefined, address: bigint): bigint | undefined {
  return filled?.offset === undefined ? undefined : filled.offset + (address - filled.start);
}

function standsWhereExpected({ shift }: Pair, old: bigint, now: bigint, length: bigint): boolean {
  const moved = movedRange(shift, { start: old, end: old + length });
  return moved.length === 1 && moved[0]?.start === now;
}

function stretch(side: Pair['before'], offset: bigint | undefined): Stretch {
  return offset === undefined ? { source: ZEROS, offset: 0n } : { source: side.image.source, offset };
}

function reread(old: Stretch, now: Stretch, length: bigint, reader: Reader): string | undefined {
  reader.left -= length;
  if (reader.left < 0n) return 'comes from elsewhere in the file, too much of it to be compared';
  if (!inside(old, length) || !inside(now, length)) return 'comes from behind the end of the file';
  reader.blocks ??= newBlocks(BUDGET);
  return sameStretch(old, now, length, reader.blocks) ? undefined : 'holds other bytes than before';
}

function inside({ source, offset }: Stretch, length: bigint): boolean {
  return offset <= source.size && length <= source.size - offset;
}
