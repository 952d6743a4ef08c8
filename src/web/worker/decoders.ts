/** Decoders that stand for programs of the host, by the program's name; each gives all that a stream holds, or throws. */
import { decode as decodeBzip2 } from 'seek-bzip';
import { decodeLzma, decodeXz } from 'xz-compat';
import { wordAt } from '../../formats/container/limits.js';
import { crc32 } from './crc32.js';

type Decode = (packed: Uint8Array, limit: number) => Uint8Array;

/** lzma_alone: properties, dictionary size, unpacked size in 64 bits, all ones where it is not told. */
const LZMA_HEADER = 13;
/** The check of an xz stream, by its flags: CRC-32. */
const XZ_CRC32 = 1;

/** By the name in formats/container/unpackers.ts. */
export const DECODERS: ReadonlyMap<string, Decode> = new Map<string, Decode>([
  ['bzip2', (packed) => decodeBzip2(packed)],
  ['xz', (packed, limit) => (packed[0] === 0xfd ? xz(packed) : lzma(packed, limit))],
]);

/** The decoder does not look at the check behind a block, so it is looked at here, where the stream is one block. */
function xz(packed: Uint8Array): Uint8Array {
  const bytes = decodeXz(packed);
  const indexSize = (wordAt(packed, packed.length - 8) + 1) * 4;
  const index = packed.length - 12 - indexSize;
  const oneBlock = packed[index + 1] === 1;
  if (packed[7] === XZ_CRC32 && oneBlock && wordAt(packed, index - 4) !== crc32(bytes, 0)) {
    throw new Error('Compressed data is corrupt');
  }
  return bytes;
}

function lzma(packed: Uint8Array, limit: number): Uint8Array {
  const [low, high] = [wordAt(packed, 5), wordAt(packed, 9)];
  const told = high === 0 ? low : limit;
  return decodeLzma(packed.subarray(LZMA_HEADER), packed.subarray(0, 5), Math.min(told, limit));
}
