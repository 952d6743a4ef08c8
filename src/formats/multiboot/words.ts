/** What both Multiboot headers are made of: little-endian 32-bit words whose sum over the head is 0. */
import type { Encoding } from '../../base/bytes/struct.js';

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
