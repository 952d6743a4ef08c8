/**
 * The bytes of a file that is named as a value: `--note X:1=file:PATH`. A pipe of a shell's `<(command)` is one, and ends; a named
 * pipe that nobody writes would be waited for, and a device need not end.
 */
import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { kindOf } from '../bytes/file-source.js';
import { waitABit } from '../bytes/wait.js';
import { fail } from '../errors/patch-error.js';

const CHUNK = 0x10000;

/** The bytes, at most `limit` and one more, which says that there are more. Throws what the system says; errors: `read.not-a-file`. */
export function readValue(path: string, limit: number): Uint8Array {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = fstatSync(fd);
    if (!stats.isFile() && !stats.isDirectory() && !(stats.isFIFO() && !hasName(path))) {
      fail('read.not-a-file', { file: path }, { kind: kindOf(stats) });
    }
    const chunks: Uint8Array[] = [];
    for (let left = limit + 1; left > 0; ) {
      const chunk = new Uint8Array(Math.min(CHUNK, left));
      const got = readSome(fd, chunk);
      if (got === 0) break;
      chunks.push(chunk.subarray(0, got));
      left -= got;
    }
    return Uint8Array.from(Buffer.concat(chunks));
  } finally {
    closeSync(fd);
  }
}

/** Is it a pipe that anybody may open? One of a shell leads to no place in any folder. */
function hasName(path: string): boolean {
  try {
    realpathSync.native(path);
    return true;
  } catch {
    return false;
  }
}

/** 0 at the end. The writer of a pipe may take its time. */
function readSome(fd: number, chunk: Uint8Array): number {
  for (;;) {
    try {
      return readSync(fd, chunk);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      waitABit();
    }
  }
}
