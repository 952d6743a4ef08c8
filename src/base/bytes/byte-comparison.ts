/** Two stretches of bytes compared block by block: every byte, with memory that does not depend on their length. */
import type { Range } from './range.js';
import type { ByteSource } from './source.js';
import { compareBytes } from './text.js';

/**
 * Bytes per block; two of them are all the memory a comparison takes. Both stay in a core's own cache between being
 * read and being compared: blocks of 256 KiB take four times as long.
 */
export const BLOCK = 0x10000;

/** Differences closer together than this are reported as one range: a changed field, not its changed bytes. */
const NEAR = 64;

/** In a block that differs, whole pieces of this size are compared before single bytes. */
const PIECE = 4096;

/** Where a comparison begins in one of the two files: a byte offset into its source. */
export interface Stretch {
  readonly source: ByteSource;
  readonly offset: bigint;
}

/** The two buffers of a comparison; used again for the next one. */
export interface Blocks {
  readonly a: Uint8Array;
  readonly b: Uint8Array;
}

/** Buffers for comparing stretches of `length` bytes; no longer than a block, whatever the length. */
export function newBlocks(length: bigint): Blocks {
  const size = length < BigInt(BLOCK) ? Number(length) : BLOCK;
  return { a: new Uint8Array(size), b: new Uint8Array(size) };
}

/** A source of nothing but zeros, for bytes that ought to be unused. */
export const ZEROS: ByteSource = {
  name: 'zeros',
  size: 1n << 64n,
  read: (_offset, length) => new Uint8Array(Number(length)),
  readInto: (_offset, target) => {
    target.fill(0);
  },
};

/**
 * Where `length` bytes of two stretches differ, as ranges counted from their start, in order. Reads on only as long as
 * the caller asks for more. `onBlock` hears how many bytes each step went through.
 */
export function* differingRanges(
  a: Stretch,
  b: Stretch,
  length: bigint,
  blocks: Blocks,
  onBlock?: (bytes: bigint) => void,
): Generator<Range> {
  let open: { start: bigint; end: bigint } | undefined;
  let at = 0n;
  while (at < length) {
    const rest = length - at;
    const size = rest < BigInt(blocks.a.length) ? Number(rest) : blocks.a.length;
    const left = blocks.a.subarray(0, size);
    const right = blocks.b.subarray(0, size);
    a.source.readInto(a.offset + at, left, 'bytes compared');
    b.source.readInto(b.offset + at, right, 'bytes compared');
    if (compareBytes(left, right) !== 0) {
      for (const index of differingBytes(left, right)) {
        const place = at + BigInt(index);
        if (open !== undefined && place < open.end + BigInt(NEAR)) open.end = place + 1n;
        else {
          if (open !== undefined) yield open;
          open = { start: place, end: place + 1n };
        }
      }
    }
    at += BigInt(size);
    onBlock?.(BigInt(size));
  }
  if (open !== undefined) yield open;
}

function* differingBytes(a: Uint8Array, b: Uint8Array): Generator<number> {
  for (let piece = 0; piece < a.length; piece += PIECE) {
    const end = Math.min(piece + PIECE, a.length);
    if (compareBytes(a.subarray(piece, end), b.subarray(piece, end)) === 0) continue;
    for (let i = piece; i < end; i += 1) if (a[i] !== b[i]) yield i;
  }
}

/** Are `length` bytes of the two stretches the same? */
export function sameStretch(a: Stretch, b: Stretch, length: bigint, blocks: Blocks): boolean {
  return differingRanges(a, b, length, blocks).next().done === true;
}
