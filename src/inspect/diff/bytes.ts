/** Every byte range in which two files differ, block by block, with memory that does not depend on their size. */
import { differingRanges, newBlocks } from '../../base/bytes/byte-comparison.js';
import type { Shift } from '../../base/bytes/shifted.js';
import type { ByteSource } from '../../base/bytes/source.js';
import type { FilePlace } from './places.js';

/** A stretch of the second file that differs from the first one, or that only one of them has. */
export interface ByteDifference {
  readonly kind: 'changed' | 'only in the first' | 'only in the second';
  /** In the second file; in the first for what only that has. */
  readonly start: bigint;
  readonly end: bigint;
  readonly place: FilePlace;
}

/** All differences of one part of the file together. */
export interface ByteGroup {
  readonly place: FilePlace;
  readonly kind: ByteDifference['kind'];
  ranges: number;
  bytes: bigint;
  readonly first: bigint;
}

/** Every byte that differs between two files. Counts are of ranges, sizes in bytes. */
export interface ByteComparison {
  /** The first ones, in file order. */
  readonly ranges: readonly ByteDifference[];
  /** All of them, by the part of the file they are in. */
  readonly groups: readonly ByteGroup[];
  readonly count: number;
  readonly bytes: bigint;
}

/** Ranges that are listed one by one. */
export const RANGES_KEPT = 1000;

/** Two files to be compared, and the words for their bytes. */
export interface ByteInput {
  readonly a: ByteSource;
  readonly b: ByteSource;
  /** Bytes of the first file at or behind `at` are held against those `by` later in the second. */
  readonly shift: Shift | undefined;
  placeInA(offset: bigint): FilePlace;
  placeInB(offset: bigint): FilePlace;
  onProgress?: ((done: bigint, total: bigint) => void) | undefined;
}

/** Compares two files byte by byte; what stands behind the end of the shorter one differs, too. */
export function compareBytes({ a, b, shift, placeInA, placeInB, onProgress }: ByteInput): ByteComparison {
  const ranges: ByteDifference[] = [];
  const groups = new Map<string, ByteGroup>();
  let count = 0;
  let total = 0n;
  const add = (kind: ByteDifference['kind'], start: bigint, end: bigint) => {
    const place = kind === 'only in the first' ? placeInA(start) : placeInB(start);
    const group = groups.get(`${kind} ${place.name}`) ?? { place, kind, ranges: 0, bytes: 0n, first: start };
    group.ranges += 1;
    group.bytes += end - start;
    groups.set(`${kind} ${place.name}`, group);
    count += 1;
    total += end - start;
    if (ranges.length < RANGES_KEPT) ranges.push({ kind, start, end, place });
  };

  const { at, by } = shift ?? { at: a.size, by: 0n };
  let done = 0n;
  const compare = (from: bigint, to: bigint, moved: bigint) => {
    const end = least(to, least(a.size, b.size > moved ? b.size - moved : 0n));
    if (from >= end) return;
    const blocks = newBlocks(end - from);
    const left = { source: a, offset: from };
    const right = { source: b, offset: from + moved };
    const onBlock = (bytes: bigint) => {
      done += bytes;
      onProgress?.(done, b.size);
    };
    for (const range of differingRanges(left, right, end - from, blocks, onBlock)) {
      add('changed', right.offset + range.start, right.offset + range.end);
    }
  };
  compare(0n, at, 0n);
  if (shift !== undefined) {
    add('only in the second', at, at + by);
    compare(at, a.size, by);
  }
  const reach = a.size + (shift?.by ?? 0n);
  if (b.size > reach) add('only in the second', reach, b.size);
  if (b.size < reach) add('only in the first', b.size - (shift?.by ?? 0n), a.size);
  return { ranges, groups: [...groups.values()], count, bytes: total };
}

function least(x: bigint, y: bigint): bigint {
  return x < y ? x : y;
}
