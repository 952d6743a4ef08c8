/**
 * One edit in place at a time. The lock is a file beside the target that names the process holding it; a lock whose process
 * is gone is taken over, so a killed run blocks nobody.
 */
import { linkSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describeSystemError } from '../bytes/source.js';
import { fail } from '../errors/patch-error.js';
import { forget, remember } from './cleanup.js';

/** Takes the lock of a file and answers how to give it back. Errors: `write.locked`, `write.failed`. */
export function lock(path: string, name: string): () => void {
  const lockPath = join(dirname(path), `.${basename(path)}.xen-elfpatch.lock`);
  const mine = `${lockPath}.${process.pid}`;
  try {
    writeFileSync(mine, `${process.pid}\n`);
  } catch (error) {
    fail('write.failed', { file: name }, { action: 'lock the file', reason: describeSystemError(error) }, error);
  }
  try {
    // A link appears with its content in one step, so nobody ever reads a half-written lock.
    for (let attempt = 0; !linked(mine, lockPath); attempt++) {
      const holder = holderOf(lockPath);
      if (holder !== undefined && isAlive(holder)) fail('write.locked', { file: name }, { pid: holder });
      if (attempt === 3) fail('write.locked', { file: name }, { pid: holder ?? 0 });
      remove(lockPath);
    }
  } finally {
    remove(mine);
  }
  remember(lockPath);
  return () => {
    remove(lockPath);
    forget(lockPath);
  };
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch {
    return false;
  }
}

function holderOf(path: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(path, 'latin1'), 10);
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // No permission to signal it means that it is there.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Already gone: that is what was wanted.
  }
}
