/**
 * What killed runs left beside a target: temporary files as large as an image, and halves of locks. No other program
 * knows them, so the next run that writes there takes them away.
 */
import { readdirSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Not touched while younger than this: a process of another machine, or of another container, on a shared folder has a
 * number that means nothing here.
 */
export const OLD_MS = 600_000;

/** The process number near the end of our own names: `.vmlinux.xen-elfpatch.123-5f.tmp`, `.vmlinux.xen-elfpatch.9.lock.123-5f`. */
const OURS = /^\.(?:(\d+)(?:-[0-9a-f]+)?\.tmp|\d+\.lock\.(\d+)(?:-[0-9a-f]+)?(?:\.stale)?)$/;

/**
 * A name that no other process takes, of this container or of another one where it has the same number. It is no secret:
 * what is made under it is made with O_EXCL, so that a link or a file put there before is an error and never written to.
 */
export function ownName(): string {
  return `${process.pid}-${Math.floor(Math.random() * 2 ** 48).toString(16)}`;
}

/** Removes old files in `folder` that begin with `prefix`, are named like ours, and whose process is gone. Never fails. */
export function removeLeftovers(folder: string, prefix: string): void {
  for (const name of namesIn(folder)) {
    if (!name.startsWith(prefix)) continue;
    const [, temporary, lock] = OURS.exec(name.slice(prefix.length)) ?? [];
    const pid = Number(temporary ?? lock);
    if (Number.isSafeInteger(pid) && pid > 0 && !isRunning(pid)) removeOld(join(folder, name));
  }
}

/** Is there a process of this number? No permission to signal it means that there is. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** The names in a folder; none where it cannot be listed. */
export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    // A folder that may be written but not listed: leftovers are no reason to stop.
    return [];
  }
}

function removeOld(path: string): void {
  try {
    if (Date.now() - statSync(path).mtimeMs > OLD_MS) unlinkSync(path);
  } catch {
    // Gone already, or not ours to remove.
  }
}
