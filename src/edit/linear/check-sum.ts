/** The checksum of a PE image: over everything else, so it is the last that is decided. */
import type { PiecedSource } from '../../base/bytes/pieces.js';
import { normalize, type Range, rangeOf } from '../../base/bytes/range.js';
import { type ByteSource, OverlaySource, type Write } from '../../base/bytes/source.js';
import { OptionalHeader, PE } from '../../formats/pe/headers.js';
import { optionalHeaderOffset } from '../../formats/pe/image.js';

/**
 * The checksum of pieces with these edits over them, as an edit of its own. Only pieces and edits are read; between them a
 * PiecedSource holds zeros.
 */
export function checkSumWrite(
  image: { readonly peOffset: bigint },
  pieced: PiecedSource,
  edits: readonly Write[],
): Write {
  const data = normalize([
    ...pieced.pieces,
    ...edits.map(({ offset, bytes }) => rangeOf(offset, BigInt(bytes.length))),
  ]);
  const offset = checkSumOffset(image);
  const bytes = new Uint8Array(4);
  const sum = peCheckSum(new OverlaySource(pieced, edits, pieced.size), offset, data);
  new DataView(bytes.buffer).setUint32(0, sum, true);
  return { offset, bytes };
}

const CHUNK = 0x40000n;

function checkSumOffset(image: { readonly peOffset: bigint }): bigint {
  return optionalHeaderOffset(image) + BigInt(OptionalHeader.offsetOf('CheckSum', PE));
}

/**
 * The PE checksum: all 16-bit words added with the carry brought round, plus the size of the file. The field itself
 * counts as zero. Only the given ranges are read, sorted and disjoint; everything else must be zeros.
 */
function peCheckSum(source: ByteSource, fieldAt: bigint, ranges: readonly Range[]): number {
  let sum = 0;
  // One buffer for all: what a checksum takes must not depend on the size of the file.
  const buffer = new Uint8Array(Number(source.size < CHUNK ? source.size : CHUNK));
  for (const { start, end } of ranges) {
    for (let at = start; at < end; ) {
      const length = end - at < CHUNK ? end - at : CHUNK;
      const bytes = buffer.subarray(0, Number(length));
      source.readInto(at, bytes, 'bytes of the checksum');
      const from = Number(fieldAt - at);
      for (let i = 0; i < 4; i++) if (from + i >= 0 && from + i < bytes.length) bytes[from + i] = 0;
      // A chunk holds 65,536 words of 32 bits: their plain sum stays exact, and the carries are brought round once.
      // From an odd offset on every byte is the other half of its word, and so of the sum.
      const words = folded(sumOfWords(bytes));
      sum = folded(sum + (at % 2n === 1n ? words * 256 : words));
      at += length;
    }
  }
  return (sum + Number(source.size)) % 2 ** 32;
}

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Carries brought round: 16 bits of a sum of any length that a number holds exactly. */
function folded(sum: number): number {
  let rest = sum;
  while (rest > 0xffff) rest = (rest % 0x10000) + Math.floor(rest / 0x10000);
  return rest;
}

/**
 * The sum of little-endian words. Two at a time where the machine reads them as they stand: the upper one counts 65,536 times, which
 * is the same once carries are brought round.
 */
function sumOfWords(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let sum = 0;
  let at = 0;
  if (LITTLE_ENDIAN && bytes.byteOffset % 4 === 0) {
    const pairs = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
    for (let index = 0; index < pairs.length; index += 1) sum += pairs[index] ?? 0;
    at = pairs.length * 4;
  }
  for (; at + 1 < bytes.length; at += 2) sum += view.getUint16(at, true);
  if (at < bytes.length) sum += bytes[at] ?? 0;
  return sum;
}
