/**
 * Where a machine or a guest has memory, and how much of it an image needs: what verdicts that hang on it share. Sizes are
 * in bytes.
 */

const MIB = 0x100000n;
const GIB4 = 0x1_0000_0000n;
const PAGE = 0x1000n;

/** Memory of the machine or guest where nothing is said: 4 GiB. */
export const DEFAULT_MEMORY = 0x1_0000_0000n;

/** Memory in front of the hole for devices below 4 GiB; the rest stands at 4 GiB and above. */
export interface MemoryMap {
  /** Where the hole begins in a machine that has more. */
  readonly holeStart: bigint;
}

/** Is all of `size` bytes from `start` memory of a machine that has so much? */
export function isMemory({ holeStart }: MemoryMap, memory: bigint, start: bigint, size: bigint): boolean {
  const low = memory < holeStart ? memory : holeStart;
  const high = memory > holeStart ? GIB4 + memory - holeStart : GIB4;
  return start + size <= low || (start >= GIB4 && start + size <= high);
}

/** The least memory with which these bytes are memory; undefined: no amount will do, they are in the hole. */
export function leastMemory({ holeStart }: MemoryMap, start: bigint, size: bigint): bigint | undefined {
  const end = start + size;
  if (end <= holeStart) return end;
  return start >= GIB4 && end < 1n << 52n ? holeStart + end - GIB4 : undefined;
}

/** The most that any of these needs; undefined where one can never be. */
export function mostOf(needs: readonly (bigint | undefined)[]): bigint | undefined {
  return needs.reduce<bigint | undefined>(
    (most, each) => (most === undefined || each === undefined ? undefined : each > most ? each : most),
    0n,
  );
}

/** The next power of two that is no less, in pages: how Xen takes memory for a dom0. */
export function orderOf(bytes: bigint): bigint {
  const pages = (bytes + PAGE - 1n) / PAGE;
  return pages <= 1n ? 1n : 1n << BigInt((pages - 1n).toString(2).length);
}

/** A size in MiB, rounded up: `257 MiB`. */
export function mebibytes(bytes: bigint): string {
  return `${(bytes + MIB - 1n) / MIB} MiB`;
}
