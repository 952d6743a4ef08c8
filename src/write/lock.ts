/**
 * One edit in place at a time. The lock is a file beside the target that names the process holding it; a lock whose process
 * is gone is taken over, so a killed run blocks no later one. A process of another container or machine that shares the folder
 * cannot be looked at from here: its lock counts for as long as an edit may take.
 */
import {
  closeSync,
  constants,
  fstatSync,
  linkSync,
  openSync,
  readFileSync,
  readlinkSync,
  readSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describeSystemError } from '../base/bytes/source.js';
import { waitABit } from '../base/bytes/wait.js';
import { fail, PatchError } from '../base/errors/patch-error.js';
import { forget, remember } from './cleanup.js';
import { isRunning, namesIn, OLD_MS, ownName, removeLeftovers } from './leftovers.js';

/** A file name may have 255 bytes; those of the lock files need some for themselves. */
const NAME_KEPT = 50;
const ATTEMPTS = 4;
/** Read of a lock, or of what the system says of a process: both are a line. */
const MOST = 4096;

/** Locks of this process; a lock that names it and is none of these was left by an earlier one of the same number. */
const held = new Set<string>();

/** Locks that were taken for a whole run, from before the file was opened: the edit in that run takes no other. */
const forRun = new Set<string>();

/** Files that could not be locked so, and why: a run that finds nothing to write need not know, an edit fails by it. */
const unlockable = new Map<string, PatchError>();

/**
 * Takes the lock of a file before it is opened, so that what is planned is planned on what nobody else is changing: times of
 * files tell changes apart by milliseconds only. Answers how to give it back; undefined where there is nothing to lock.
 * Errors: `write.locked`.
 */
export function lockForRun(file: string): (() => void) | undefined {
  let path: string;
  try {
    path = realpathSync.native(file);
    if (!statSync(path).isFile()) return undefined;
  } catch {
    return undefined;
  }
  try {
    for (let attempt = 1; ; attempt++) {
      const lockPath = lockPathOf(path, file);
      if (forRun.has(lockPath)) refuse({ pid: process.pid, start: undefined, place: undefined }, file);
      const unlock = lock(path, file);
      // Another file may have taken its place since it was looked at, and have a lock of its own.
      if (attempt === ATTEMPTS || lockPathOf(path, file) === lockPath) return asForRun(lockPath, unlock);
      unlock();
    }
  } catch (error) {
    if (!(error instanceof PatchError) || error.id === 'write.locked') throw error;
    unlockable.set(path, error);
    return () => unlockable.delete(path);
  }
}

function asForRun(lockPath: string, unlock: () => void): () => void {
  forRun.add(lockPath);
  return () => {
    forRun.delete(lockPath);
    unlock();
  };
}

/** The inode number is in the name: hard links are one file, and long names are cut. */
function lockPathOf(path: string, name: string): string {
  return join(dirname(path), `${prefixOf(path)}.${inode(path, name)}.lock`);
}

function prefixOf(path: string): string {
  return `.${basename(path).slice(0, NAME_KEPT)}.xen-elfpatch`;
}

/** Takes the lock of a file and answers how to give it back. Errors: `write.locked`, `write.failed`. */
export function lock(path: string, name: string): () => void {
  const lockPath = lockPathOf(path, name);
  if (forRun.has(lockPath)) return () => undefined;
  const trouble = unlockable.get(path);
  if (trouble !== undefined) throw trouble;
  const mine = `${lockPath}.${ownName()}`;
  const content = `${process.pid} ${startOf(process.pid) ?? '-'} ${place() ?? ''}\n`;
  try {
    writeFileSync(mine, content, { flag: 'wx' });
  } catch (error) {
    // A full disk still has room for the name.
    remove(mine);
    fail('write.failed', { file: name }, { action: 'lock the file', reason: describeSystemError(error) }, error);
  }
  try {
    for (let attempt = 1; !made(mine, lockPath, content, name); attempt++) {
      const text = contentOf(lockPath);
      const holder = holderOf(text);
      if (holder !== undefined && isAlive(lockPath, holder)) refuse(holder, name);
      if (attempt === ATTEMPTS) refuse(holder, name);
      if (text !== undefined) takeAway(lockPath, text, `${mine}.stale`);
    }
  } finally {
    remove(mine);
  }
  held.add(lockPath);
  remember(lockPath);
  clearOld(path, lockPath);
  return () => {
    remove(lockPath);
    forget(lockPath);
    held.delete(lockPath);
  };
}

/**
 * Takes away what killed runs left of their locks: halves of them, and locks whole that nobody asks for any more, because a new
 * file has taken the place of the one that they were of.
 */
function clearOld(path: string, mine: string): void {
  const folder = dirname(path);
  const prefix = prefixOf(path);
  removeLeftovers(folder, prefix);
  for (const name of namesIn(folder)) {
    if (!name.startsWith(prefix) || !/^\.\d+\.lock$/.test(name.slice(prefix.length))) continue;
    const other = join(folder, name);
    const text = other === mine ? undefined : contentOf(other);
    const holder = holderOf(text);
    if (text === undefined || holder === undefined || isAlive(other, holder)) continue;
    takeAway(other, text, `${other}.${ownName()}.stale`);
  }
}

function refuse(holder: Holder | undefined, name: string): never {
  return fail('write.locked', { file: name }, { pid: holder?.pid ?? 0, elsewhere: isElsewhere(holder) });
}

function inode(path: string, name: string): number {
  try {
    return statSync(path).ino;
  } catch (error) {
    return fail('write.failed', { file: name }, { action: 'lock the file', reason: describeSystemError(error) }, error);
  }
}

/**
 * Makes the lock; false when there is one. A link appears with its content in one step, so no process reads a
 * half-written lock. File systems without hard links (FAT, some network ones) get a file of their own instead.
 */
function made(mine: string, path: string, content: string, name: string): boolean {
  try {
    linkSync(mine, path);
    return true;
  } catch (error) {
    if (isThere(error)) return false;
  }
  try {
    writeFileSync(path, content, { flag: 'wx' });
    return true;
  } catch (error) {
    if (isThere(error)) return false;
    remove(path);
    return fail('write.failed', { file: name }, { action: 'lock the file', reason: describeSystemError(error) }, error);
  }
}

function isThere(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}

/**
 * Removes a stale lock, and only that one: of several processes that found it stale, one may have put a lock of its own
 * there since. A rename has one winner; what was moved by mistake is put back.
 */
function takeAway(path: string, stale: string, aside: string): void {
  try {
    renameSync(path, aside);
    if (contentOf(aside) !== stale) linkSync(aside, path);
  } catch {
    // Another process was faster.
  }
  remove(aside);
}

/**
 * A lock as text; one that is empty is being written just now, and is given a moment. Undefined for what cannot be read, and for
 * what nobody who locks makes there: a pipe would be waited for, a link may lead anywhere.
 */
function contentOf(path: string): string | undefined {
  try {
    for (let attempt = 1; attempt < ATTEMPTS; attempt++) {
      const text = beginningOf(path);
      if (text !== '') return text;
      waitABit();
    }
    return '';
  } catch {
    return undefined;
  }
}

function beginningOf(path: string): string | undefined {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  try {
    if (!fstatSync(fd).isFile()) return undefined;
    const bytes = Buffer.alloc(MOST);
    return bytes.toString('latin1', 0, readSync(fd, bytes, 0, MOST, 0));
  } finally {
    closeSync(fd);
  }
}

interface Holder {
  readonly pid: number;
  /** When that process began, where the system tells. */
  readonly start: string | undefined;
  /** Where its number means something; undefined: here, as far as is known. */
  readonly place: string | undefined;
}

function holderOf(text: string | undefined): Holder | undefined {
  const [, digits = '', start, where] = /^(\d+)(?: (?:(\d+)|-))?(?: (\S+))?/.exec(text ?? '') ?? [];
  const pid = Number.parseInt(digits, 10);
  return Number.isSafeInteger(pid) && pid > 0 ? { pid, start, place: where } : undefined;
}

function isAlive(lockPath: string, holder: Holder): boolean {
  const { pid, start } = holder;
  if (isElsewhere(holder)) return isYoung(lockPath);
  if (pid === process.pid) return held.has(lockPath);
  if (!isRunning(pid)) return false;
  // Numbers are used again: a process that began at another time is another one.
  const now = startOf(pid);
  return start === undefined || now === undefined || now === start;
}

/** Is the holder's number one of another container or machine? */
function isElsewhere(holder: Holder | undefined): boolean {
  return holder?.place !== undefined && holder.place !== place();
}

/** Younger than any edit lasts? What cannot be looked at counts as young. */
function isYoung(path: string): boolean {
  try {
    return Date.now() - statSync(path).mtimeMs <= OLD_MS;
  } catch {
    return true;
  }
}

/**
 * Where process numbers are what they are here: this start of this machine, this pid namespace (namespaces(7)). The first
 * namespace has the same number everywhere, so it is not enough by itself. Undefined where the system does not tell.
 */
function place(): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    const [, namespace] = /^pid:\[(\d+)\]$/.exec(readlinkSync('/proc/self/ns/pid')) ?? [];
    return namespace === undefined ? undefined : `${boot}/${namespace}`;
  } catch {
    return undefined;
  }
}

/** Does /proc number processes as this one is numbered? Not where it is another container's. */
function isOwnProc(): boolean {
  try {
    return readlinkSync('/proc/self') === String(process.pid);
  } catch {
    return false;
  }
}

/** When a process began, in ticks since the system did (proc(5), /proc/PID/stat, the 22nd field). */
function startOf(pid: number): string | undefined {
  if (!isOwnProc()) return undefined;
  const text = contentOf(`/proc/${pid}/stat`);
  // The second field, the name, is in parentheses and may hold anything.
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')[19];
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Already gone: that is what was wanted.
  }
}
