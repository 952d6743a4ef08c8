/**
 * Writing through a clone: the input is copied by the kernel beside the target (a reflink where the file system has them),
 * the few changed ranges are written into the copy, and when it is synced and verified it takes the target's name.
 */
import { closeSync, ftruncateSync, openSync, statSync, writeSync } from 'node:fs';
// fs-extra is CommonJS: its functions hang on the default import.
import fsExtra from 'fs-extra';
import type { Changed } from '../bytes/shifted.js';
import type { FileSource } from '../bytes/source.js';
import { type ReplaceOptions, replaceFile } from './replace.js';
import { attempt, attemptAsync } from './system.js';

const CHUNK = 0x400000;
const POLL_MS = 250;

export interface CloneOptions extends ReplaceOptions {
  onProgress?: ((done: bigint, total: bigint) => void) | undefined;
}

/** Writes the result. On any error the temporary file is gone and the target untouched. */
export async function writeClone(source: FileSource, rendered: Changed, options: CloneOptions): Promise<void> {
  await replaceFile(source, options, async (temporary) => {
    await copy(source, rendered, temporary, options);
    writeRanges(temporary, rendered, options.targetName);
  });
}

async function copy(source: FileSource, rendered: Changed, temporary: string, options: CloneOptions): Promise<void> {
  const { targetName, onProgress } = options;
  const timer =
    onProgress === undefined
      ? undefined
      : setInterval(() => {
          const stats = statSync(temporary, { throwIfNoEntry: false });
          if (stats !== undefined) onProgress(BigInt(stats.size), rendered.fileSize);
        }, POLL_MS);
  try {
    if (rendered.shift === undefined) {
      await attemptAsync(targetName, 'copy the input', () =>
        fsExtra.copyFile(options.inputPath, temporary, fsExtra.constants.COPYFILE_FICLONE),
      );
      attempt(targetName, 'open the copy', () => fsExtra.chmodSync(temporary, 0o600));
    } else {
      await copyShifted(source, rendered.shift, temporary, targetName);
    }
  } finally {
    clearInterval(timer);
  }
}

/** Copies with a gap of zeros at `at`; the kernel has no call for that, so the bytes pass through one buffer. */
async function copyShifted(
  source: FileSource,
  { at, by }: { readonly at: bigint; readonly by: bigint },
  temporary: string,
  name: string,
): Promise<void> {
  const fd = attempt(name, 'create the file', () => openSync(temporary, 'wx', 0o600));
  try {
    for (let offset = 0n; offset < source.size; ) {
      const stop = offset < at && at < source.size ? at : source.size;
      const length = stop - offset < CHUNK ? stop - offset : BigInt(CHUNK);
      const bytes = source.read(offset, length, 'bytes to copy');
      const to = Number(offset < at ? offset : offset + by);
      for (let done = 0; done < bytes.length; ) {
        done += attempt(name, 'write', () => writeSync(fd, bytes, done, bytes.length - done, to + done));
      }
      offset += length;
      // Lets progress be shown and signals be handled.
      await new Promise((resolve) => setImmediate(resolve));
    }
  } finally {
    closeSync(fd);
  }
}

function writeRanges(path: string, rendered: Changed, name: string): void {
  const fd = attempt(name, 'open the copy', () => openSync(path, 'r+'));
  try {
    for (const { offset, bytes } of rendered.writes) {
      for (let done = 0; done < bytes.length; ) {
        done += attempt(name, 'write', () => writeSync(fd, bytes, done, bytes.length - done, Number(offset) + done));
      }
    }
    attempt(name, 'set the length of the file', () => ftruncateSync(fd, Number(rendered.fileSize)));
  } finally {
    closeSync(fd);
  }
}
