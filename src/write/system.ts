/** File operations with located errors, and the watch over an input that must not change under the tool. */

import { chmodSync, chownSync, type Stats, statSync } from 'node:fs';
import type { FileSource } from '../base/bytes/file-source.js';
import { describeSystemError } from '../base/bytes/source.js';
import { fail } from '../base/errors/patch-error.js';

/** Runs a file operation; what the system refuses becomes `write.failed`. `action` completes "cannot …". */
export function attempt<T>(file: string, action: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    return fail('write.failed', { file }, { action, reason: describeSystemError(error) }, error);
  }
}

/** Waits for a file operation; what the system refuses becomes `write.failed`. `action` completes "cannot …". */
export async function attemptAsync<T>(file: string, action: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    return fail('write.failed', { file }, { action, reason: describeSystemError(error) }, error);
  }
}

/** Is the file behind `path` still the one that was opened, untouched? Errors: `read.changed`. */
export function refuseChanged(path: string, source: FileSource): void {
  const now = attempt(source.name, 'look at the file', () => statSync(path));
  const was = source.stats;
  const what =
    now.ino !== was.ino || now.dev !== was.dev
      ? 'it was replaced'
      : now.size !== was.size
        ? 'its size is another'
        : now.mtimeMs !== was.mtimeMs
          ? 'it was written to'
          : undefined;
  if (what !== undefined) fail('read.changed', { file: source.name }, { what });
}

/** Gives a file the permission bits of another, and its owner where that is allowed. Errors: `write.failed`. */
export function takeAfter(path: string, { uid, gid, mode }: Stats, name: string): void {
  try {
    chownSync(path, uid, gid);
  } catch {
    // Only root may give files away; a file of one's own is what every tool leaves then.
  }
  attempt(name, 'set the permissions', () => chmodSync(path, mode & 0o7777));
}
