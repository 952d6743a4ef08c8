// The ELF inside an x86 bzImage (Linux Documentation/arch/x86/boot.rst: setup_sects, payload_offset, payload_length).
import { gunzipSync } from 'node:zlib';
import { run } from './run.mjs';

const UNPACKERS = [
  { magic: 'fd377a585a00', program: 'xz' },
  { magic: '28b52ffd', program: 'zstd' },
  { magic: '02214c18', program: 'lz4' },
  { magic: '425a68', program: 'bzip2' },
];

/**
 * Unpacks the payload and holds its length against the one the image states, in the last 4 bytes of the payload.
 * What Linux appends to its ELF, the relocation list, stays.
 */
export function bzimagePayload(image) {
  if (image.toString('latin1', 0x202, 0x206) !== 'HdrS') throw new Error('not a bzImage: no HdrS at 0x202');
  const setupSectors = image[0x1f1] || 4;
  const start = (setupSectors + 1) * 512 + image.readUInt32LE(0x248);
  const packed = image.subarray(start, start + image.readUInt32LE(0x24c));
  const stated = packed.readUInt32LE(packed.length - 4);
  const unpacked = unpack(packed);
  if (unpacked.length !== stated) throw new Error(`payload unpacks to ${unpacked.length} bytes, ${stated} stated`);
  return unpacked;
}

function unpack(packed) {
  // A gzip stream ends with its length anyway; behind any other stream the kernel build appends one.
  if (packed.readUInt16BE(0) === 0x1f8b) return gunzipSync(packed);
  const magic = packed.toString('hex', 0, 6);
  const unpacker = UNPACKERS.find((candidate) => magic.startsWith(candidate.magic));
  if (unpacker === undefined) throw new Error(`payload compressed by something unknown, it begins with ${magic}`);
  return run(unpacker.program, ['-dc'], { input: packed.subarray(0, -4) });
}
