/**
 * Where new bytes go: into what an earlier edit left behind when they fit there, else to the end of the file. That
 * bounds the growth of a file that is edited again and again, and costs no safety: no reader looks at those bytes
 * before the edit is committed, so a file that is patched where it is stays the old image until then. Taking the tables
 * in use and writing over them would save their size once, at the price of a copy of the file for every edit.
 */
import { alignUp } from '../../../base/bytes/align.js';
import { overlaps, type Range, rangeOf, subtract } from '../../../base/bytes/range.js';

/** Where new bytes may go, while a layout is made: free ranges of the file, then its end. */
export interface Room {
  free: readonly Range[];
  /** End of the file so far. */
  end: bigint;
}

/** The room of a file that ends at `end`, with free ranges inside it but for those in `used`. */
export function roomOf(free: readonly Range[], used: readonly Range[], end: bigint): Room {
  const taken = used.filter((range) => range.start < range.end);
  return { free: free.flatMap((range) => subtract(range, taken)), end };
}

/** Takes `size` bytes at a multiple of `align` and answers where: in the smallest room that holds them, else at the end. */
export function take(room: Room, size: bigint, align: bigint): bigint {
  const start = best(room, size, align) ?? outgrown(room, align);
  const used = rangeOf(start, size);
  room.free = room.free.flatMap((r) => (overlaps(r, used) ? subtract(r, [used]) : [r]));
  if (used.end > room.end) room.end = used.end;
  return start;
}

function best({ free }: Room, size: bigint, align: bigint): bigint | undefined {
  const fitting = free.filter(({ start, end }) => alignUp(start, align) + size <= end);
  const smallest = fitting.reduce<Range | undefined>(
    (a, b) => (a !== undefined && sizeOf(a) <= sizeOf(b) ? a : b),
    undefined,
  );
  return smallest && alignUp(smallest.start, align);
}

/** Free bytes that reach the end of the file may be outgrown. */
function outgrown({ free, end }: Room, align: bigint): bigint {
  const last = free.find((range) => range.end >= end && alignUp(range.start, align) <= range.end);
  return alignUp(last?.start ?? end, align);
}

function sizeOf({ start, end }: Range): bigint {
  return end - start;
}
