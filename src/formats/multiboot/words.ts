/** What both Multiboot headers are made of: little-endian 32-bit words whose sum over the head is 0. */
import type { Encoding } from '../../base/bytes/struct.js';
import { findBytes } from '../../base/bytes/text.js';

/** Multiboot headers are little-endian whatever the file's own byte order. */
export const MULTIBOOT: Encoding = { bits: 32, endian: 'little' };

/** The rule of every Multiboot checksum: the words add up to 0 modulo 2^32. */
export function sumsToZero(...words: readonly number[]): boolean {
  return checksumFor(...words) === 0;
}

/** The word that makes the sum 0. */
export function checksumFor(...words: readonly number[]): number {
  return words.reduce((rest, word) => (rest - word) >>> 0, 0);
}

/** Where a magic word stands among the places that are multiples of `align` up to `last`, in order. */
export function* placesOf(magic: number, bytes: Uint8Array, align: bigint, last: bigint): Generator<number> {
  const wanted = Uint8Array.from([0, 8, 16, 24], (shift) => magic >>> shift);
  // A loop over every place takes longer than all other rules of all loaders on a small image.
  for (let at = findBytes(bytes, wanted); at >= 0 && at <= last; at = findBytes(bytes, wanted, at + 1)) {
    if (at % Number(align) === 0) yield at;
  }
}
