/** How the edited form of a file takes its target's place: with the input's owner and permissions, judged, and whole. */
import { closeSync, fsync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
// fs-extra is CommonJS: its functions hang on the default import.
import fsExtra from 'fs-extra';
import type { FileSource } from '../bytes/file-source.js';
import { replaceWhole } from './beside.js';
import { attempt, attemptAsync, refuseChanged } from './system.js';

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
 * Lets `fill` make the file, gives it the input's permissions, has it synced and judged, and renames it. On any error the
 * temporary file is gone and the target untouched. Errors: `write.failed`, `read.changed`, those of `fill` and `check`.
 */
export async function replaceFile(
  source: FileSource,
  { inputPath, target, targetName, check }: ReplaceOptions,
  fill: (temporary: string) => Promise<void>,
): Promise<void> {
  attempt(targetName, `write into the folder ${dirname(target)}`, () => statSync(dirname(target)));
  await replaceWhole(target, targetName, async (temporary) => {
    await fill(temporary);
    keepOwnerAndMode(temporary, source, targetName);
    // The disk is busy with one while this process is with the other; nothing is renamed before both are done.
    const synced = sync(temporary, targetName);
    try {
      await check(temporary);
    } catch (error) {
      await synced.catch(() => {});
      throw error;
    }
    await synced;
    refuseChanged(inputPath, source);
  });
}

/** Contents and permissions to the disk. Another thread is at it when this returns: the judging ahead does not wait. */
async function sync(path: string, name: string): Promise<void> {
  // Reading is enough, and all that a read-only file allows.
  const fd = attempt(name, 'open the file', () => openSync(path, 'r'));
  try {
    await attemptAsync(name, 'sync the file', () => syncFile(fd));
  } finally {
    closeSync(fd);
  }
}

const syncFile = promisify(fsync);

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
