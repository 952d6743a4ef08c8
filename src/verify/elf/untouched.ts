/**
 * The proof that an edit changed nothing else: every byte of the output outside the planned ranges is the byte of the
 * input that it was, in its place or in its place plus the shift. Never sampled.
 */

import { type Blocks, differingRanges, newBlocks, type Stretch, ZEROS } from '../../base/bytes/byte-comparison.js';
import { type Range, subtract } from '../../base/bytes/range.js';
import { movedOffset, type Shift, ShiftedSource } from '../../base/bytes/shifted.js';
import { type ByteSource, OverlaySource } from '../../base/bytes/source.js';

/** Two files of which only planned ranges may differ. */
export interface Comparison {
  readonly before: ByteSource;
  readonly after: ByteSource;
  /** Ranges of `after` that may differ; sorted and disjoint. */
  readonly planned: readonly Range[];
  readonly shift?: Shift | undefined;
  readonly onProgress?: ((done: bigint, total: bigint) => void) | undefined;
}

/**
 * Bytes that differ and were not planned to. `added` ones have no counterpart in the input and are not zero; `lost`
 * ones have none in the output, their range is where they would stand.
 */
export interface Difference {
  readonly kind: 'changed' | 'added' | 'lost';
  readonly range: Range;
}

/** After this many differing ranges there is no doubt left, and the comparison ends. */
export const DIFFERENCE_LIMIT = 16;

/** A part of `after` and what it must equal. */
interface Part {
  readonly kind: 'changed' | 'added';
  readonly range: Range;
  readonly counterpart: Stretch;
}

/** All differences outside the planned ranges, at most DIFFERENCE_LIMIT, in file order. Errors: those of the sources. */
export function compareUntouched({ before, after, planned, shift, onProgress }: Comparison): Difference[] {
  const parts = partsOf(before, after, shift).flatMap((part) => {
    const settled = [...planned, ...provenRanges(part, before, after)];
    return subtract(part.range, settled).map((range) => narrow(part, range));
  });
  const total = parts.reduce((sum, { range }) => sum + range.end - range.start, 0n);
  const longest = parts.reduce((most, { range }) => max(most, range.end - range.start), 0n);
  let done = 0n;
  const onBlock = (bytes: bigint) => {
    done += bytes;
    onProgress?.(done, total);
  };

  const found: Difference[] = lostBytes(before, after, planned, shift);
  const blocks: Blocks = newBlocks(longest);
  for (const { kind, range, counterpart } of parts) {
    const here = { source: after, offset: range.start };
    for (const { start, end } of differingRanges(counterpart, here, range.end - range.start, blocks, onBlock)) {
      found.push({ kind, range: { start: range.start + start, end: range.start + end } });
      if (found.length >= DIFFERENCE_LIMIT) return found;
    }
  }
  return found;
}

/** Cuts `after` where its counterpart changes: before the shift, the gap, behind it, behind the input's end. */
function partsOf(before: ByteSource, after: ByteSource, shift: Shift | undefined): Part[] {
  const { at, by } = shift ?? { at: before.size, by: 0n };
  const inputEnd = before.size + by;
  const part = (kind: Part['kind'], start: bigint, end: bigint, source: ByteSource, moved: bigint): Part => {
    const range = { start, end: min(end, after.size) };
    return { kind, range, counterpart: { source, offset: start - moved } };
  };
  return [
    part('changed', 0n, min(at, before.size), before, 0n),
    part('added', at, at + by, ZEROS, 0n),
    part('changed', at + by, inputEnd, before, by),
    part('added', inputEnd, after.size, ZEROS, 0n),
  ].filter(({ range }) => range.start < range.end);
}

function narrow({ kind, range, counterpart }: Part, to: Range): Part {
  const offset = counterpart.offset + (to.start - range.start);
  return { kind, range: to, counterpart: { source: counterpart.source, offset } };
}

/**
 * Where `after` is `before` with writes laid over it, perhaps with a gap in it, only the writes can differ: the bytes between
 * them are the same bytes of the same file. That keeps the proof of an edit in place, or of a plan, independent of the file's size.
 */
function provenRanges({ range, counterpart }: Part, before: ByteSource, after: ByteSource): Range[] {
  if (!(after instanceof OverlaySource) || counterpart.source !== before) return [];
  const { base } = after;
  const shift = base instanceof ShiftedSource && base.base === before ? base.shift : undefined;
  if (base !== before && shift === undefined) return [];
  const last = counterpart.offset + (range.end - range.start) - 1n;
  // Its first and its last byte came from where the part says: then all of it lies on one side of the gap.
  if (movedOffset(shift, counterpart.offset) !== range.start || movedOffset(shift, last) !== range.end - 1n) return [];
  return subtract(
    range,
    after.writes.map((w) => ({ start: w.offset, end: w.offset + BigInt(w.bytes.length) })),
  );
}

/** Bytes of the input that would stand behind the output's end. */
function lostBytes(
  before: ByteSource,
  after: ByteSource,
  planned: readonly Range[],
  shift: Shift | undefined,
): Difference[] {
  const inputEnd = before.size + (shift?.by ?? 0n);
  const gap = shift === undefined ? [] : [{ start: shift.at, end: shift.at + shift.by }];
  const lost = subtract({ start: after.size, end: inputEnd }, [...planned, ...gap]);
  return lost.slice(0, DIFFERENCE_LIMIT).map((range) => ({ kind: 'lost' as const, range }));
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
