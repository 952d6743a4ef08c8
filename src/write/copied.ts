/** Bytes of another source written into a file block by block: memory does not depend on how many they are. */
import { writeSync } from 'node:fs';
import type { Copied } from '../base/bytes/source.js';
import { runsOfData } from './sparse.js';
import { attempt } from './system.js';

const CHUNK = 0x100000n;

/**
 * Writes the bytes to where they go in an open file. Blocks of zeros from `end` on, behind what the file had, stay holes.
 * Errors: `write.failed`, those of reading.
 */
export async function writeCopied(fd: number, copied: Copied, end: bigint, name: string): Promise<void> {
  const { source, offset, size, to } = copied;
  const buffer = new Uint8Array(Number(size < CHUNK ? size : CHUNK));
  for (let at = 0n; at < size; at += CHUNK) {
    const bytes = size - at < CHUNK ? buffer.subarray(0, Number(size - at)) : buffer;
    source.readInto(offset + at, bytes, 'bytes to copy');
    const runs = to + at >= end ? runsOfData(bytes) : [{ from: 0, to: bytes.length }];
    for (const run of runs) {
      for (let done = run.from; done < run.to; ) {
        const place = Number(to + at) + done;
        done += attempt(name, 'write', () => writeSync(fd, bytes, done, run.to - done, place));
      }
    }
    // Lets signals be handled.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
