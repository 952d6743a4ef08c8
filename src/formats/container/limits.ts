/** How much memory unpacking may take, and reading more than one range read allows. */
import type { Range } from '../../base/bytes/range.js';
import { type ByteSource, checkInside } from '../../base/bytes/source.js';
import { fail } from '../../base/errors/patch-error.js';

/** What is unpacked may have at most this many bytes: beyond it the tools of Xen leave a file packed. */
export const UNPACKED_LIMIT = 0x40000000n;

/** Told how many bytes are done, and how many there are. */
export type OnProgress = (done: bigint, total: bigint) => void;

/**
 * A range of the file as one buffer: it is there before anything is allocated, and at most UNPACKED_LIMIT long.
 * Errors: `read.truncated`, `read.too-large`.
 */
export function readWhole(source: ByteSource, { start, end }: Range, part: string): Uint8Array {
  checkInside(source, start, end - start, part);
  if (end - start > UNPACKED_LIMIT) {
    fail('read.too-large', { file: source.name, offset: start, part }, { size: end - start, limit: UNPACKED_LIMIT });
  }
  const bytes = new Uint8Array(Number(end - start));
  source.readInto(start, bytes, part);
  return bytes;
}

/** The little-endian word at `at`. */
export function wordAt(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(at, true);
}

/** A number as a little-endian word of 4 bytes; its lower 32 bits. */
export function wordBytes(value: number | bigint): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, Number(value), true);
  return bytes;
}
