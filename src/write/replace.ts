/**
 * How a result takes its target's place: written beside it under another name, synced, judged, renamed, folder synced.
 * Whatever ends the process before the rename leaves the target as it was.
 */
import { closeSync, fsyncSync, openSync, renameSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
// fs-extra is CommonJS: its functions hang on the default import.
import fsExtra from 'fs-extra';
import type { FileSource } from '../bytes/source.js';
import { forget, remember } from './cleanup.js';
import { attempt, refuseChanged } from './system.js';

export interface ReplaceOptions {
  /** Path of the opened input. */
  readonly inputPath: string;
  /** Path that the result shall have; links resolved. */
  readonly target: string;
  /** For messages: the target as the user gave it. */
  readonly targetName: string;
  /** Judges the finished file before it takes the target's name; throws to refuse. */
  check(path: string): Promise<void>;
}

/**
 * Lets `fill` make the file and sync it, gives it the input's permissions, has it judged, and renames it. On any error the
 * temporary file is gone and the target untouched. Errors: `write.failed`, `read.changed`, those of `fill` and `check`.
 */
export async function replaceFile(
  source: FileSource,
  { inputPath, target, targetName, check }: ReplaceOptions,
  fill: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = join(dirname(target), `.${basename(target)}.xen-elfpatch.${process.pid}.tmp`);
  attempt(targetName, `write into the folder ${dirname(target)}`, () => statSync(dirname(target)));
  remember(temporary);
  try {
    await fill(temporary);
    keepOwnerAndMode(temporary, source, targetName);
    await check(temporary);
    refuseChanged(inputPath, source);
    attempt(targetName, 'put the result in place', () => renameSync(temporary, target));
  } catch (error) {
    await fsExtra.remove(temporary);
    throw error;
  } finally {
    forget(temporary);
  }
  syncFolder(dirname(target));
}

/** The result has the input's permission bits, and its owner where that is allowed. */
function keepOwnerAndMode(path: string, source: FileSource, name: string): void {
  const { uid, gid, mode } = source.stats;
  try {
    fsExtra.chownSync(path, uid, gid);
  } catch {
    // Only root may give files away; a file of one's own is what every tool leaves then.
  }
  attempt(name, 'set the permissions', () => fsExtra.chmodSync(path, mode & 0o7777));
}

/** Makes the rename last; file systems that cannot sync a folder do not need to. */
function syncFolder(folder: string): void {
  let fd: number | undefined;
  try {
    fd = openSync(folder, 'r');
    fsyncSync(fd);
  } catch {
    // EINVAL on some file systems: the rename itself has succeeded.
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
