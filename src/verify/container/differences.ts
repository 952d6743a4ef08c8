/** Where two files differ, read in pieces. */
import { compare, type Range, subtractSorted } from '../../base/bytes/range.js';
import type { ByteSource } from '../../base/bytes/source.js';
import { equalBytes } from '../../base/bytes/text.js';
import { hex, hexRange } from '../../base/errors/hex.js';
import type { Violation } from '../check.js';

const CHUNK = 0x100000n;

/** Where two files differ within `range`, but for `except` (sorted, disjoint): the first place. */
export function* differences(
  a: ByteSource,
  b: ByteSource,
  range: Range,
  except: readonly Range[],
): Generator<Violation> {
  if (b.size < range.end) {
    yield { text: `the file ends at ${hex(b.size)}, wanted it to reach ${hex(range.end)}` };
    return;
  }
  for (const { start, end } of subtractSorted(
    range,
    [...except].sort((x, y) => compare(x.start, y.start)),
  )) {
    for (let at = start; at < end; at += CHUNK) {
      const length = end - at < CHUNK ? end - at : CHUNK;
      const difference = firstDifference(a.read(at, length, 'input'), b.read(at, length, 'result'));
      if (difference === undefined) continue;
      yield { text: `the byte at ${hex(at + BigInt(difference))} changed, in ${hexRange(start, end)} none may` };
      return;
    }
  }
}

/** Offset of the first byte that differs; undefined: equal, and equally long. */
export function differenceAt(a: ByteSource, b: ByteSource): bigint | undefined {
  const most = a.size < b.size ? a.size : b.size;
  for (let at = 0n; at < most; at += CHUNK) {
    const length = most - at < CHUNK ? most - at : CHUNK;
    const difference = firstDifference(a.read(at, length, 'result'), b.read(at, length, 'wanted data'));
    if (difference !== undefined) return at + BigInt(difference);
  }
  return a.size === b.size ? undefined : most;
}

/** Are the two files alike, byte for byte? */
export function sameBytes(a: ByteSource, b: ByteSource): boolean {
  return a.size === b.size && differenceAt(a, b) === undefined;
}

/** Index of the first byte that differs; undefined: equal, and equally long. */
export function firstDifference(a: Uint8Array, b: Uint8Array): number | undefined {
  if (equalBytes(a, b)) return undefined;
  const most = Math.min(a.length, b.length);
  for (let at = 0; at < most; at++) if (a[at] !== b[at]) return at;
  return most;
}
