/**
 * Unpacks the legacy format of lz4, the one that kernels use: the magic, then chunks of a 32-bit length and an LZ4 block
 * that unpacks to 8 MiB, the last one to less (lz4 doc/lz4_Frame_format.md, "Legacy frame"; doc/lz4_Block_format.md).
 */
import { wordAt } from './limits.js';

const MAGIC = 0x184c2102;
const CHUNK = 0x800000;

/** Up to here a loop is faster than a call; most copies are shorter. */
const SHORT = 32;

/** An unpacked lz4 stream. */
export interface Lz4Data {
  readonly bytes: Uint8Array;
  /** Further magics in front of chunks, which all readers step over. */
  readonly extraMagics: number;
  /** Bytes behind the last chunk: zeros or magics, which not all readers take. */
  readonly spare: number;
}

/** An unpacked lz4 stream, or why it cannot be unpacked; `tooLong`: to no more than it may. */
export type Lz4Result = Lz4Data | { readonly problem: string; readonly tooLong: boolean };

const TOO_LONG = 'a chunk that unpacks to more than it may';

/** What the first chunk unpacks to; undefined: it is damaged. */
export function unpackLz4Chunk(packed: Uint8Array): Uint8Array | undefined {
  if (packed.length < 8) return undefined;
  const chunk = packed.subarray(8, 8 + wordAt(packed, 4));
  const out = new Uint8Array(CHUNK);
  const reached = unpackBlock(chunk, out, 0, CHUNK);
  return typeof reached === 'string' ? undefined : out.subarray(0, reached);
}

/** Unpacks one whole stream that must become exactly `size` bytes, so nothing beyond them is ever held. */
export function unpackLz4(packed: Uint8Array, size: number): Lz4Result {
  const out = new Uint8Array(size);
  let written = 0;
  let extraMagics = 0;
  let at = 4;
  let end = at;
  while (at < packed.length) {
    if (isZero(packed, at)) break;
    if (packed.length - at < 4) return bad(`${packed.length - at} bytes left where a chunk should start`);
    const length = wordAt(packed, at);
    at += 4;
    if (length === MAGIC) {
      extraMagics += 1;
      continue;
    }
    if (length === 0) return bad('an empty chunk with data behind it');
    if (end > 4 && written % CHUNK !== 0) return bad('a chunk in the middle is shorter than 8 MiB');
    if (length > packed.length - at) return bad(`a chunk of ${length} bytes where ${packed.length - at} are left`);
    const most = Math.min(written + CHUNK, size);
    const reached = unpackBlock(packed.subarray(at, at + length), out, written, most);
    if (typeof reached === 'string') return { problem: reached, tooLong: reached === TOO_LONG && most === size };
    written = reached;
    at += length;
    end = at;
  }
  return { bytes: out.subarray(0, written), extraMagics, spare: packed.length - end };
}

function bad(problem: string): Lz4Result {
  return { problem, tooLong: false };
}

/** Looked at only where a chunk should start, and until the first byte that is none. */
function isZero(bytes: Uint8Array, from: number): boolean {
  for (let at = from; at < bytes.length; at++) if (bytes[at] !== 0) return false;
  return true;
}

/** One LZ4 block into `out[from, end)`; the place reached, or what is wrong. Matches stay within the block. */
function unpackBlock(block: Uint8Array, out: Uint8Array, from: number, end: number): number | string {
  let at = 0;
  let to = from;
  const longLength = (start: number): number => {
    let length = start;
    for (let byte = 255; byte === 255 && at < block.length; length += byte) byte = block[at++] ?? 0;
    return length;
  };
  while (at < block.length) {
    const token = block[at++] ?? 0;
    const literals = token >> 4 === 15 ? longLength(15) : token >> 4;
    if (literals > block.length - at) return 'literals behind the end of a chunk';
    if (literals > end - to) return TOO_LONG;
    if (literals > SHORT) {
      out.set(block.subarray(at, at + literals), to);
      at += literals;
      to += literals;
    } else for (const stop = at + literals; at < stop; ) out[to++] = block[at++] ?? 0;
    if (at === block.length) return to;
    if (block.length - at < 2) return 'a match cut short';
    const distance = (block[at] ?? 0) | ((block[at + 1] ?? 0) << 8);
    at += 2;
    const length = ((token & 15) === 15 ? longLength(15) : token & 15) + 4;
    if (distance === 0 || distance > to - from) return 'a match that begins before its chunk';
    if (length > end - to) return TOO_LONG;
    if (length > SHORT && distance >= length) {
      out.copyWithin(to, to - distance, to - distance + length);
      to += length;
      // Where the source overlaps what is being written, byte by byte it repeats.
    } else for (const stop = to + length; to < stop; to++) out[to] = out[to - distance] ?? 0;
  }
  return 'a chunk that ends with a match';
}
