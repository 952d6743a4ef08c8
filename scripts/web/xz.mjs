// The decoders of xz-compat that are used, without its streams and its search for native ones.
import { Buffer } from 'buffer';
import { decodeLzma as lzma } from 'xz-compat/lzma/sync/LzmaDecoder.js';
import { decodeXZ } from 'xz-compat/xz/Decoder.js';

const bufferOf = (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

/** One whole xz stream. */
export function decodeXz(packed) {
  let result;
  // Its callback is called at once where there is no native decoder.
  decodeXZ(bufferOf(packed), (error, value) => {
    if (error) throw error;
    result = value;
  });
  return 'toBuffer' in result ? result.toBuffer() : result;
}

/** Raw lzma data that becomes `size` bytes. */
export function decodeLzma(packed, properties, size) {
  return lzma(bufferOf(packed), bufferOf(properties), size);
}
