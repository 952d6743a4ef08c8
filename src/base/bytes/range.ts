/** Half-open ranges of file offsets or addresses, `[start, end)`. Exact at any width. */

import { countWhile } from './sorted.js';

/** The bytes from `start` up to `end`, which is not among them. */
export interface Range {
  readonly start: bigint;
  readonly end: bigint;
}

/** The range of `size` bytes from `start`. */
export function rangeOf(start: bigint, size: bigint): Range {
  return { start, end: start + size };
}

/** Do they share at least one byte? An empty range shares none. */
export function overlaps(a: Range, b: Range): boolean {
  return a.start < b.end && b.start < a.end && a.start < a.end && b.start < b.end;
}

/** Is every byte of `inner` in `outer`? An empty inner range counts when its place lies within or at the end. */
export function contains(outer: Range, inner: Range): boolean {
  return outer.start <= inner.start && inner.end <= outer.end;
}

/** The same set of bytes as sorted, disjoint, non-touching ranges. */
export function normalize(ranges: Iterable<Range>): Range[] {
  const sorted = [...ranges].filter((r) => r.start < r.end).sort((a, b) => compare(a.start, b.start));
  const merged: { start: bigint; end: bigint }[] = [];
  for (const { start, end } of sorted) {
    const last = merged.at(-1);
    if (last !== undefined && start <= last.end) {
      if (end > last.end) last.end = end;
    } else merged.push({ start, end });
  }
  return merged;
}

/** What is left of `whole` when `holes` are taken out, sorted. */
export function subtract(whole: Range, holes: Iterable<Range>): Range[] {
  return subtractSorted(whole, normalize(holes));
}

/** What is left of `whole` without these sorted, disjoint holes; only those that `whole` meets cost anything. */
export function subtractSorted(whole: Range, holes: readonly Range[]): Range[] {
  const rest: Range[] = [];
  let at = whole.start;
  for (let i = firstEndingAfter(holes, at); i < holes.length; i += 1) {
    const hole = holes[i];
    if (hole === undefined || hole.start >= whole.end) break;
    if (hole.start > at) rest.push({ start: at, end: hole.start });
    at = hole.end;
  }
  if (at < whole.end) rest.push({ start: at, end: whole.end });
  return rest;
}

/** What two lists of sorted, disjoint ranges have in common. */
export function intersect(a: readonly Range[], b: readonly Range[]): Range[] {
  const common: Range[] = [];
  for (const range of a) {
    for (let i = firstEndingAfter(b, range.start); i < b.length; i += 1) {
      const other = b[i];
      if (other === undefined || other.start >= range.end) break;
      const start = other.start > range.start ? other.start : range.start;
      const end = other.end < range.end ? other.end : range.end;
      if (start < end) common.push({ start, end });
    }
  }
  return common;
}

/** The range that holds `point`, out of sorted, disjoint ranges. */
export function rangeAt(sorted: readonly Range[], point: bigint): Range | undefined {
  const range = sorted[firstEndingAfter(sorted, point)];
  return range !== undefined && range.start <= point ? range : undefined;
}

/** Index of the first of sorted, disjoint ranges that ends behind `point`; logarithmic. */
function firstEndingAfter(sorted: readonly Range[], point: bigint): number {
  return countWhile(sorted, (range) => range.end <= point);
}

/**
 * Which of these ranges, which may overlap, holds another whole: where several do, the one that reaches farthest. Logarithmic:
 * tens of thousands may be asked about as many. Among those that start at or before it, the one that reaches farthest decides.
 */
export function holderOf<Holder extends Range>(ranges: Iterable<Holder>): (inner: Range) => Holder | undefined {
  const sorted = [...ranges].sort((a, b) => compare(a.start, b.start));
  // farthest[i]: among sorted[0..i], the one that reaches farthest.
  const farthest: Holder[] = [];
  for (const range of sorted) {
    const best = farthest.at(-1);
    farthest.push(best === undefined || range.end > best.end ? range : best);
  }
  return ({ start, end }) => {
    const holder = farthest[countWhile(sorted, (range) => range.start <= start) - 1];
    return holder !== undefined && end <= holder.end ? holder : undefined;
  };
}

/** Three-way comparison for sorting; bigint differences do not fit a sort callback. */
export function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
