/** `--files0-from FILE`: names with a NUL behind each, as find -print0 and sort -z write them. */
import { isUtf8 } from 'node:buffer';
import { closeSync, openSync, readSync } from 'node:fs';
import { systemError } from '../../base/bytes/source.js';
import { waitABit } from '../../base/bytes/wait.js';
import { fail } from '../../base/errors/patch-error.js';
import { STDIN_NAME } from '../input.js';
import { ANOTHER_NAME } from '../lost-bytes.js';

/** Some hundred thousand names. */
const LIMIT = 0x4000000;
const CHUNK = 0x10000;

/**
 * The names of a list. Errors: `read.open`; `usage.bad` for an empty name, one that is not UTF-8, a list without an end to
 * its last name, and one above 64 MiB.
 */
export function namesFrom(file: string): readonly string[] {
  const option = `--files0-from ${file}`;
  const bytes = contentOf(file);
  if (bytes.length === 0) return [];
  if (!isUtf8(bytes)) {
    fail('usage.bad', {}, { what: `${option}: found bytes that are not UTF-8`, hint: ANOTHER_NAME });
  }
  const names = bytes.toString('utf8').split('\0');
  const last = names.pop() ?? '';
  if (names.length === 0) {
    const hint = 'find -print0 and printf "%s\\0" write such lists';
    fail('usage.bad', {}, { what: `${option}: found no NUL, wanted one behind each name`, hint });
  }
  // As sort and wc take it, the last name may lack its NUL.
  if (last !== '') names.push(last);
  const empty = names.indexOf('');
  if (empty >= 0) fail('usage.bad', {}, { what: `${option}: name ${empty + 1} is empty, wanted the name of a file` });
  return names;
}

function contentOf(file: string): Buffer {
  const name = file === '-' ? STDIN_NAME : file;
  let fd = 0;
  try {
    if (file !== '-') fd = openSync(file, 'r');
    const chunks: Buffer[] = [];
    for (let size = 0; ; ) {
      const chunk = Buffer.allocUnsafe(CHUNK);
      const got = readChunk(fd, chunk);
      if (got === 0) return Buffer.concat(chunks);
      size += got;
      if (size > LIMIT) {
        fail('usage.bad', {}, { what: `--files0-from ${file}: found more than ${LIMIT} bytes, wanted names of files` });
      }
      chunks.push(chunk.subarray(0, got));
    }
  } catch (error) {
    throw systemError(error, name, 'read the list of images');
  } finally {
    if (fd > 0) closeSync(fd);
  }
}

/** A pipe that another program made non-blocking is waited for. */
function readChunk(fd: number, chunk: Buffer): number {
  for (;;) {
    try {
      return readSync(fd, chunk, 0, chunk.length, null);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
      waitABit();
    }
  }
}
