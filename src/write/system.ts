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

/** Is the file behind `path` still the one that was opened, untouched? Errors: `read.changed`, `write.failed` where none is. */
export function refuseChanged(path: string, source: FileSource): void {
  const now = refuseReplaced(path, source);
  const was = source.stats;
  const what =
    now.size !== was.size ? 'its size is another' : now.mtimeMs !== was.mtimeMs ? 'it was written to' : undefined;
  if (what !== undefined) fail('read.changed', { file: source.name }, { what });
}

/**
 * Is it still that file, whatever was written to it? Bytes that go to a file that has lost its name are lost with it. Answers
 * what the system says of it. Errors: `read.changed`, `write.failed` where no file has the name.
 */
export function refuseReplaced(path: string, source: FileSource): Stats {
  const now = attempt(source.name, 'look at the file', () => statSync(path));
  const { ino, dev } = source.stats;
  if (now.ino !== ino || now.dev !== dev) fail('read.changed', { file: source.name }, { what: 'it was replaced' });
  return now;
}

const SETUID = 0o4000;
const SETGID = 0o2000;

/**
 * Gives a new file the owner of another where that is allowed, and its permission bits, but for set-id bits that would
 * speak for another owner. The bits it has then. Errors: `write.failed`.
 */
export function takeAfter(path: string, { uid, gid, mode }: Stats, name: string): number {
  try {
    chownSync(path, uid, gid);
  } catch {
    // Only root may give files away; a file of one's own is what every tool leaves then.
  }
  const now = attempt(name, 'look at the file', () => statSync(path));
  const foreign = (now.uid === uid ? 0 : SETUID) | (now.gid === gid ? 0 : SETGID);
  const bits = mode & 0o7777 & ~foreign;
  attempt(name, 'set the permissions', () => chmodSync(path, bits));
  return bits;
}

/** What a file that took another's place no longer has of these bits, as a sentence; none where nothing is lost. */
export function lostSetId(was: number, is: number): readonly string[] {
  const lost = was & ~is & (SETUID | SETGID);
  const words = [(lost & SETUID) === 0 ? [] : ['set-user-ID'], (lost & SETGID) === 0 ? [] : ['set-group-ID']].flat();
  if (words.length === 0) return [];
  return [`the ${words.join(' and ')} bit is dropped: the new file has another owner`];
}
