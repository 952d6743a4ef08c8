/** A file written from a source: blocks of zeros become holes where the file system has them. */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import type { ByteSource } from '../base/bytes/source.js';
import { attempt } from './system.js';

const CHUNK = 0x40000n;
/** Chunks between two looks at signals: a look costs as much as a small chunk. */
const CHUNKS_AT_ONCE = 8n;
/** Holes are multiples of the block size of the file system, which is rarely another one. */
const BLOCK = 4096;
/** Odd, so that fields of a table do not all miss it. */
const PROBE = 509;

/** Creates `path`, which must not exist, with the bytes of the source. Errors: `write.failed`, `read.*`. */
export async function writeSparse(
  path: string,
  source: ByteSource,
  name: string,
  onProgress?: (done: bigint, total: bigint) => void,
): Promise<void> {
  const fd = attempt(name, 'create the file', () => openSync(path, 'wx', 0o600));
  try {
    attempt(name, 'set the length of the file', () => ftruncateSync(fd, Number(source.size)));
    // One buffer for all: a fresh one for each chunk would be garbage as large as the file.
    const buffer = new Uint8Array(Number(source.size < CHUNK ? source.size : CHUNK));
    let done = 0n;
    for (const offset of frontLast(source.size)) {
      const length = source.size - offset < CHUNK ? source.size - offset : CHUNK;
      const bytes = buffer.subarray(0, Number(length));
      source.readInto(offset, bytes, 'bytes to write');
      for (const { from, to } of runsOfData(bytes)) {
        for (let at = from; at < to; ) {
          const place = Number(offset) + at;
          at += attempt(name, 'write', () => writeSync(fd, bytes, at, to - at, place));
        }
      }
      done += length;
      onProgress?.(done, source.size);
      // Lets progress be shown and signals be handled.
      if ((offset / CHUNK) % CHUNKS_AT_ONCE === 0n) await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    closeSync(fd);
  }
}

/** The offsets of all chunks. A front may hold a checksum of the rest, which is known for nothing when the rest was read. */
function* frontLast(size: bigint): Generator<bigint> {
  for (let offset = CHUNK; offset < size; offset += CHUNK) yield offset;
  if (size > 0n) yield 0n;
}

const ZEROS = new Uint8Array(BLOCK);

/** Is the block at `at` all zeros? Most that are not show it in one of a few bytes, without an object made for each. */
function isZero(bytes: Uint8Array, at: number): boolean {
  const end = Math.min(at + BLOCK, bytes.length);
  for (let probe = at; probe < end; probe += PROBE) if (bytes[probe] !== 0) return false;
  return Buffer.compare(bytes.subarray(at, end), ZEROS.subarray(0, end - at)) === 0;
}

/** The stretches of blocks that are not all zero. */
export function* runsOfData(bytes: Uint8Array): Generator<{ from: number; to: number }> {
  let from = -1;
  for (let at = 0; at < bytes.length; at += BLOCK) {
    const zero = isZero(bytes, at);
    if (zero && from >= 0) {
      yield { from, to: at };
      from = -1;
    } else if (!zero && from < 0) from = at;
  }
  if (from >= 0) yield { from, to: bytes.length };
}
