/** A file written from a source: blocks of zeros become holes where the file system has them. */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import type { ByteSource } from '../base/bytes/source.js';
import { attempt } from './system.js';

const CHUNK = 0x40000n;
/** Holes are multiples of the block size of the file system, which is rarely another one. */
const BLOCK = 4096;

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
    for (let offset = 0n; offset < source.size; offset += CHUNK) {
      const length = source.size - offset < CHUNK ? source.size - offset : CHUNK;
      const bytes = buffer.subarray(0, Number(length));
      source.readInto(offset, bytes, 'bytes to write');
      for (const { from, to } of runsOfData(bytes)) {
        for (let at = from; at < to; ) {
          const place = Number(offset) + at;
          at += attempt(name, 'write', () => writeSync(fd, bytes, at, to - at, place));
        }
      }
      onProgress?.(offset + length, source.size);
      // Lets progress be shown and signals be handled.
      await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    closeSync(fd);
  }
}

const ZEROS = new Uint8Array(BLOCK);

/** The stretches of blocks that are not all zero. */
export function* runsOfData(bytes: Uint8Array): Generator<{ from: number; to: number }> {
  let from = -1;
  for (let at = 0; at < bytes.length; at += BLOCK) {
    const block = bytes.subarray(at, at + BLOCK);
    const zero = Buffer.compare(block, ZEROS.subarray(0, block.length)) === 0;
    if (zero && from >= 0) {
      yield { from, to: at };
      from = -1;
    } else if (!zero && from < 0) from = at;
  }
  if (from >= 0) yield { from, to: bytes.length };
}
