/**
 * A file as a clone of another: the input is copied by the kernel (a reflink where the file system has them), then the few
 * changed ranges are written into the copy.
 */
import { closeSync, constants, ftruncateSync, openSync, statSync, writeSync } from 'node:fs';
// fs-extra is CommonJS: its functions hang on the default import.
import fsExtra from 'fs-extra';
import type { FileSource } from '../base/bytes/file-source.js';
import type { Changed, Shift } from '../base/bytes/shifted.js';
import { PatchError } from '../base/errors/patch-error.js';
import { writeCopied } from './copied.js';
import { runsOfData, writeSparse } from './sparse.js';
import { attempt, attemptAsync } from './system.js';

const { COPYFILE_EXCL, COPYFILE_FICLONE, COPYFILE_FICLONE_FORCE } = fsExtra.constants;
const CHUNK = 0x400000;
const POLL_MS = 250;
/** Unit of st_blocks. */
const STAT_BLOCK = 512n;

/** What a result that is made beside its target comes from. */
export interface CloneOptions {
  /** Path of the opened input. */
  readonly inputPath: string;
  /** For messages: the target as the user gave it. */
  readonly name: string;
  readonly onProgress?: ((done: bigint, total: bigint) => void) | undefined;
}

/** Makes `path`, which must not exist, the changed form of the input. Errors: `write.failed`, those of reading. */
export async function writeClone(
  path: string,
  source: FileSource,
  changed: Changed,
  options: CloneOptions,
): Promise<void> {
  await copy(path, source, changed, options);
  await writeRanges(path, source, changed, options.name);
}

async function copy(
  path: string,
  source: FileSource,
  { shift, fileSize, inputEnd = source.size }: Changed,
  { inputPath, name, onProgress }: CloneOptions,
): Promise<void> {
  const timer =
    onProgress === undefined
      ? undefined
      : setInterval(() => {
          const stats = statSync(path, { throwIfNoEntry: false });
          if (stats !== undefined) onProgress(BigInt(stats.size), fileSize);
        }, POLL_MS);
  try {
    if (shift === undefined && isSparse(source)) {
      await copySparse(path, source, inputPath, name);
    } else if (shift === undefined) {
      await attemptAsync(name, 'copy the input', () =>
        fsExtra.copyFile(inputPath, path, COPYFILE_FICLONE | COPYFILE_EXCL),
      );
      attempt(name, 'open the copy', () => fsExtra.chmodSync(path, 0o600));
    } else await copyShifted(source, inputEnd < source.size ? inputEnd : source.size, shift, path, name);
  } finally {
    clearInterval(timer);
  }
}

/** Has the file fewer blocks than bytes? The kernel's copy would write the zeros of its holes. */
function isSparse({ stats, size }: FileSource): boolean {
  return BigInt(stats.blocks) * STAT_BLOCK < size;
}

/** A reflink keeps the holes as they are; where there is none, blocks of zeros are not written. */
async function copySparse(path: string, source: FileSource, inputPath: string, name: string): Promise<void> {
  try {
    await fsExtra.copyFile(inputPath, path, COPYFILE_FICLONE_FORCE | COPYFILE_EXCL);
    attempt(name, 'open the copy', () => fsExtra.chmodSync(path, 0o600));
  } catch (error) {
    if (error instanceof PatchError) throw error;
    await writeSparse(path, source, name);
  }
}

/** Copies with a gap of zeros at `at`; the kernel has no call for that, so the bytes pass through one buffer. */
async function copyShifted(
  source: FileSource,
  size: bigint,
  { at, by }: Shift,
  temporary: string,
  name: string,
): Promise<void> {
  const fd = attempt(name, 'create the file', () => openSync(temporary, 'wx', 0o600));
  try {
    for (let offset = 0n; offset < size; ) {
      const stop = offset < at && at < size ? at : size;
      const length = stop - offset < CHUNK ? stop - offset : BigInt(CHUNK);
      const bytes = source.read(offset, length, 'bytes to copy');
      const to = Number(offset < at ? offset : offset + by);
      for (const run of isSparse(source) ? runsOfData(bytes) : [{ from: 0, to: bytes.length }]) {
        for (let done = run.from; done < run.to; ) {
          done += attempt(name, 'write', () => writeSync(fd, bytes, done, run.to - done, to + done));
        }
      }
      offset += length;
      // Lets progress be shown and signals be handled.
      await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    closeSync(fd);
  }
}

async function writeRanges(
  path: string,
  source: FileSource,
  { writes, copies = [], shift, fileSize, inputEnd }: Changed,
  name: string,
): Promise<void> {
  const fd = attempt(name, 'open the copy', () => openSync(path, constants.O_RDWR | constants.O_NOFOLLOW));
  try {
    // What is cut off must not show through where the result is longer again.
    if (inputEnd !== undefined && shift === undefined && inputEnd < source.size) {
      attempt(name, 'set the length of the file', () => ftruncateSync(fd, Number(inputEnd)));
    }
    for (const { offset, bytes } of writes) {
      for (let done = 0; done < bytes.length; ) {
        done += attempt(name, 'write', () => writeSync(fd, bytes, done, bytes.length - done, Number(offset) + done));
      }
    }
    attempt(name, 'set the length of the file', () => ftruncateSync(fd, Number(fileSize)));
    for (const copied of copies) await writeCopied(fd, copied, source.size + (shift?.by ?? 0n), name);
  } finally {
    closeSync(fd);
  }
}
