/**
 * A container to a file: front to back through one buffer, so that memory does not depend on the image. A file appears
 * whole or not at all; a device or a pipe is written as it is.
 */
import {
  accessSync,
  chownSync,
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  openSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import type { FileSource } from '../bytes/file-source.js';
import type { ByteSource } from '../bytes/source.js';
import { fail, PatchError } from '../errors/patch-error.js';
import { replaceWhole, resolveTarget } from '../write/beside.js';
import { refuseChanged } from '../write/system.js';
import { type Container, type Part, partSize } from './container.js';
import { systemWords } from './errno.js';

const CHUNK = 0x100000;
/** rwxrwxr-x, less what the umask takes: the original's. */
const NEW_MODE = 0o775;

export interface Paths {
  /** Where the input can be looked at again. */
  readonly input: string;
  readonly output: string;
  /** Judges the finished file before it takes the name of the output; throws to refuse. */
  readonly check?: ((path: string) => void) | undefined;
}

/**
 * Writes the output. An existing file keeps its permission bits, and its owner where that is allowed.
 * Errors: `mkelf32.same-file`, `mkelf32.open-output`, `mkelf32.write-output`, `read.changed`; the output is as it was.
 */
export async function writeMkelf32(source: FileSource, container: Container, paths: Paths): Promise<void> {
  const { input, output } = paths;
  const existing = opening(output, () => statSync(output, { throwIfNoEntry: false }));
  if (existing !== undefined && existing.ino === source.stats.ino && existing.dev === source.stats.dev) {
    fail('mkelf32.same-file', {}, { file: output });
  }
  if (existing !== undefined && !existing.isFile()) return await writeStream(source, container, output);
  if (existing !== undefined) opening(output, () => accessSync(output, constants.W_OK));
  // Names that no file can have: the system refuses them, and has made nothing by then.
  else if (output === '' || output.endsWith('/')) opening(output, () => closeSync(openSync(output, 'w')));
  await replaceWhole(resolveTarget(output), output, async (temporary) => {
    const fd = opening(output, () => openSync(temporary, 'wx', NEW_MODE));
    try {
      await writeParts(fd, source, container.parts);
      if (existing !== undefined) keepOwnerAndMode(fd, temporary, existing);
      writing(() => fsyncSync(fd));
    } finally {
      closeSync(fd);
    }
    paths.check?.(temporary);
    refuseChanged(input, source);
  });
}

/** To a device or a pipe; a directory is refused by the system. */
async function writeStream(source: FileSource, { parts }: Container, output: string): Promise<void> {
  const fd = opening(output, () => openSync(output, 'w'));
  try {
    await writeParts(fd, source, parts);
  } finally {
    closeSync(fd);
  }
}

/** Writes the parts to an open file, one behind the other. Errors: `mkelf32.write-output`, those of reading. */
export async function writeParts(fd: number, source: ByteSource, parts: readonly Part[]): Promise<void> {
  const buffer = new Uint8Array(CHUNK);
  for (const part of parts) {
    if (part.kind === 'bytes') writeAll(fd, part.bytes);
    else if (part.kind === 'made') for (const bytes of part.chunks()) writeAll(fd, bytes);
    else await writeLong(fd, source, part, buffer);
  }
}

async function writeLong(
  fd: number,
  source: ByteSource,
  part: Exclude<Part, { kind: 'bytes' | 'made' }>,
  buffer: Uint8Array,
): Promise<void> {
  const size = partSize(part);
  if (part.kind === 'zeros') buffer.fill(0);
  for (let done = 0n; done < size; ) {
    const rest = size - done;
    const piece = rest < BigInt(CHUNK) ? buffer.subarray(0, Number(rest)) : buffer;
    if (part.kind === 'copy') source.readInto(part.from + done, piece, part.what);
    writeAll(fd, piece);
    done += BigInt(piece.length);
    // Lets signals be handled; a small image is done in a few pieces.
    if (done < size) await new Promise((resolve) => setImmediate(resolve));
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) {
    done += writing(() => writeSync(fd, bytes, done, bytes.length - done));
  }
}

function keepOwnerAndMode(fd: number, path: string, { uid, gid, mode }: Stats): void {
  try {
    chownSync(path, uid, gid);
  } catch {
    // Only root may give files away.
  }
  writing(() => fchmodSync(fd, mode & 0o7777));
}

function opening<T>(file: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const words = systemWords(error);
    if (error instanceof PatchError || words === undefined) throw error;
    return fail('mkelf32.open-output', {}, { file, ...words }, error);
  }
}

function writing<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    const words = systemWords(error);
    if (words === undefined) throw error;
    return fail('mkelf32.write-output', {}, words, error);
  }
}
