/** Which segments meet in physical memory: linear after a sort, for images with tens of thousands of them. */

import { compare } from '../base/bytes/range.js';
import { countWhile } from '../base/bytes/sorted.js';

/** A segment as it lies in memory: program header index, addresses from `start` up to `end`. */
export interface Placed {
  readonly index: number;
  readonly start: bigint;
  readonly end: bigint;
}

/** The first two, by address, that share a byte; empty ones share none. */
export function firstOverlap(placed: readonly Placed[]): readonly [Placed, Placed] | undefined {
  const sorted = placed.filter(({ start, end }) => end > start).sort((a, b) => compare(a.start, b.start));
  let reach: Placed | undefined;
  for (const next of sorted) {
    if (reach !== undefined && next.start < reach.end) return [reach, next];
    if (reach === undefined || next.end > reach.end) reach = next;
  }
  return undefined;
}

/**
 * Answers whether a range meets any of `placed` but one of them, in logarithmic time: one that starts in front of its end and ends
 * behind its start, so an empty one inside counts.
 */
export function overlapFinder(placed: readonly Placed[]): (start: bigint, end: bigint, but: number) => boolean {
  const sorted = [...placed].sort((a, b) => compare(a.start, b.start));
  // Of the first n by start: the one that reaches farthest, and the farthest among the others.
  const best: { first: Placed; second: bigint }[] = [];
  for (const next of sorted) {
    const before = best.at(-1);
    if (before === undefined) best.push({ first: next, second: 0n });
    else if (next.end > before.first.end) best.push({ first: next, second: before.first.end });
    else best.push({ first: before.first, second: next.end > before.second ? next.end : before.second });
  }
  return (start, end, but) => {
    const reach = best[countWhile(sorted, (range) => range.start < end) - 1];
    if (reach === undefined) return false;
    return (reach.first.index === but ? reach.second : reach.first.end) > start;
  };
}
