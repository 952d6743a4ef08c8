/** The in-place law of Linux's decompressor (arch/x86/boot/header.S, "init_size"; lib/decompress_unxz.c, "Worst case"). */
import { alignUp } from '../../base/bytes/align.js';

/**
 * Linux unpacks over itself: the packed data stands at the end of init_size bytes, the result grows from their start. A
 * stream that ends earlier, or more data, brings the writer closer to the reader; init_size makes up for it.
 */
export function growth(shorterBy: number, longerBy: number): bigint {
  return alignUp(BigInt(Math.max(0, shorterBy) + Math.max(0, longerBy)), 0x1000n);
}
