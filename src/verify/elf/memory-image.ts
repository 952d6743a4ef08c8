/**
 * What memory holds once every PT_LOAD is in place: address to byte, as intervals. Where LOADs overlap the later entry
 * wins, as it does for a loader that goes through the table (gABI, "Program Loading", leaves it open).
 */

import { compare, type Range } from '../../base/bytes/range.js';
import { countWhile } from '../../base/bytes/sorted.js';
import type { Phdr } from '../../formats/elf/headers.js';

/** Addresses that one LOAD fills, from the file or with zeros. */
export interface Filled {
  readonly start: bigint;
  readonly end: bigint;
  /** File offset of the byte at `start`; undefined for zeros (p_memsz beyond p_filesz). */
  readonly offset: bigint | undefined;
}

/** The memory image by one of the two addresses, sorted and disjoint. n log n in the number of LOADs. */
export function memoryImage(loads: readonly Phdr[], address: 'p_vaddr' | 'p_paddr'): Filled[] {
  const parts = loads.flatMap((segment) => partsOf(segment, segment[address]));
  const points = parts
    .flatMap(({ start, end }) => [start, end])
    .sort(compare)
    .filter((point, index, all) => index === 0 || point !== all[index - 1]);

  // One cell between each two points. From the last LOAD to the first, each cell is filled once; `next` leads over
  // filled ones.
  const filledBy: (Filled | undefined)[] = points.map(() => undefined);
  const next = points.map((_, index) => index);
  for (const part of parts.toReversed()) {
    const end = indexOf(points, part.end);
    let cell = findFree(next, indexOf(points, part.start));
    while (cell < end) {
      filledBy[cell] = part;
      next[cell] = cell + 1;
      cell = findFree(next, cell);
    }
  }
  return joined(points, filledBy);
}

function partsOf({ p_offset, p_filesz, p_memsz }: Phdr, start: bigint): Filled[] {
  const fromFile = p_filesz < p_memsz ? p_filesz : p_memsz;
  return [
    { start, end: start + fromFile, offset: p_offset },
    { start: start + fromFile, end: start + p_memsz, offset: undefined },
  ].filter((part) => part.start < part.end);
}

/** Where a point stands among sorted points; a map of as many bigint keys takes several times as long. */
function indexOf(points: readonly bigint[], point: bigint): number {
  return countWhile(points, (one) => one < point);
}

/** The first free cell at or behind this one. Paths are halved on the way, so long runs are walked once. */
function findFree(next: number[], from: number): number {
  let cell = from;
  for (;;) {
    const step = next[cell] ?? cell;
    if (step === cell) return cell;
    const beyond = next[step] ?? step;
    next[cell] = beyond;
    cell = beyond;
  }
}

function joined(points: readonly bigint[], filledBy: readonly (Filled | undefined)[]): Filled[] {
  const image: Filled[] = [];
  let open: { part: Filled; filled: { start: bigint; end: bigint; offset: bigint | undefined } } | undefined;
  for (const [cell, part] of filledBy.entries()) {
    const start = points[cell] ?? 0n;
    const end = points[cell + 1] ?? start;
    if (part !== undefined && open?.part === part && open.filled.end === start) {
      open.filled.end = end;
      continue;
    }
    open = undefined;
    if (part === undefined) continue;
    const offset = part.offset === undefined ? undefined : part.offset + (start - part.start);
    open = { part, filled: { start, end, offset } };
    image.push(open.filled);
  }
  return image;
}

/** Addresses at which two memory images have one source each; `undefined` where nothing is loaded. */
export interface Meeting extends Range {
  readonly before: Filled | undefined;
  readonly after: Filled | undefined;
}

/** Walks two memory images side by side. */
export function* meetings(before: readonly Filled[], after: readonly Filled[]): Generator<Meeting> {
  let i = 0;
  let j = 0;
  let at = 0n;
  for (;;) {
    while ((before[i]?.end ?? at + 1n) <= at) i += 1;
    while ((after[j]?.end ?? at + 1n) <= at) j += 1;
    const a = before[i];
    const b = after[j];
    if (a === undefined && b === undefined) return;
    const start = least([a, b].map((f) => (f === undefined ? undefined : f.start > at ? f.start : at))) ?? at;
    const inA = a !== undefined && a.start <= start ? a : undefined;
    const inB = b !== undefined && b.start <= start ? b : undefined;
    const end = least([a, b].map((f) => (f === undefined ? undefined : f.start > start ? f.start : f.end))) ?? start;
    yield { start, end, before: inA, after: inB };
    at = end;
  }
}

function least(values: readonly (bigint | undefined)[]): bigint | undefined {
  return values.reduce((best, value) => (best === undefined || (value !== undefined && value < best) ? value : best));
}
