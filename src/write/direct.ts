/**
 * Patching a file where it is. Possible when everything new goes to bytes that no reader of the old image looks at, and one
 * small write then makes it visible: the old image is whole before that write, the new one after it.
 */
import { closeSync, constants, fdatasyncSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import type { FileSource } from '../base/bytes/file-source.js';
import { overlaps, type Range, rangeOf } from '../base/bytes/range.js';
import type { Changed } from '../base/bytes/shifted.js';
import type { Write } from '../base/bytes/source.js';
import { fail, PatchError } from '../base/errors/patch-error.js';
import { undoAtEnd } from './cleanup.js';
import { attempt, refuseChanged, refuseReplaced } from './system.js';

/** A write inside one block of this size reaches the disk whole or not at all. */
const SECTOR = 512n;

/** An edit in place, in two steps. */
export interface DirectPlan {
  /** Writes into unclaimed bytes and behind the end, outside the sector of the commit; invisible until the commit. */
  readonly early: readonly Write[];
  /** The one write that makes the new image. */
  readonly commit: Write;
}

/** Sorts the writes into invisible ones and the commit; undefined when the edit cannot be committed by one small write. */
export function planDirect(source: FileSource, claims: readonly Range[], rendered: Changed): DirectPlan | undefined {
  if (rendered.shift !== undefined || rendered.fileSize < source.size) return undefined;
  // What is too large for a write is no small edit.
  if (rendered.copies !== undefined && rendered.copies.length > 0) return undefined;
  const visible = (write: Write) => {
    const range = rangeOf(write.offset, BigInt(write.bytes.length));
    return claims.some((claim) => overlaps(claim, range));
  };
  const seen = rendered.writes.filter(visible);
  const [first] = seen;
  const last = seen.at(-1);
  if (first === undefined || last === undefined) return undefined;
  const sector = first.offset / SECTOR;
  const isInSector = ({ offset, bytes }: Write) =>
    offset / SECTOR === sector && (offset + BigInt(bytes.length) - 1n) / SECTOR === sector;
  if (!isInSector(first) || !isInSector(last)) return undefined;
  // Whatever else goes into that sector goes with the commit: a run that is killed before it leaves nothing there, such as
  // the remains of a program header in the slack, that would be in the way of the next one.
  const late = rendered.writes.filter((write) => isInSector(write) && endOf(write) <= source.size);
  const early = rendered.writes.filter((write) => !late.includes(write));
  const start = late[0]?.offset ?? first.offset;
  const end = endOf(late.at(-1) ?? last);
  const bytes = source.read(start, end - start, 'bytes to be changed');
  for (const write of late) bytes.set(write.bytes, Number(write.offset - start));
  return { early, commit: { offset: start, bytes } };
}

function endOf({ offset, bytes }: Write): bigint {
  return offset + BigInt(bytes.length);
}

/**
 * Carries a direct plan out: new bytes, sync, the caller's check of what is now on disk, the commit, sync. If anything
 * fails, the file has lost its name to another, or a signal ends the process before the commit, the bytes and the length of the
 * file are put back. `check` is given what the new bytes replaced.
 */
export async function writeDirect(
  path: string,
  source: FileSource,
  plan: DirectPlan,
  fileSize: bigint,
  check: (before: readonly Write[]) => Promise<void>,
): Promise<void> {
  const name = source.name;
  const fd = attempt(name, 'open the file for writing', () => openSync(path, constants.O_RDWR | constants.O_NOFOLLOW));
  try {
    refuseChanged(path, source);
    const before = plan.early.flatMap((write) => oldBytes(source, write));
    const started: Write[] = [];
    const write = (part: Write) => {
      started.unshift(...oldBytes(source, part));
      put(fd, part, name);
    };
    const undo = () => {
      // Last in, first out: the old header is there again before what it needs is gone.
      for (const part of started) if (!holds(fd, part)) put(fd, part, name);
      setLength(fd, source.size);
    };
    const keep = undoAtEnd(undo);
    try {
      for (const part of plan.early) write(part);
      attempt(name, 'set the length of the file', () => setLength(fd, fileSize));
      attempt(name, 'sync the file', () => fdatasyncSync(fd));
      await check(before);
      // From here to the end no signal is looked at: the commit is one call that follows in the same breath.
      write(plan.commit);
      attempt(name, 'sync the file', () => fdatasyncSync(fd));
      // A result under this name waits for no lock: where one came, the edit is in a file that nobody sees.
      refuseReplaced(path, source);
    } catch (error) {
      restore(undo, name, error);
      throw error;
    } finally {
      keep();
    }
  } finally {
    closeSync(fd);
  }
}

/** Errors: `write.not-restored`, when the disk refuses that as well. */
function restore(undo: () => void, name: string, cause: unknown): void {
  try {
    undo();
  } catch (error) {
    const reason = error instanceof PatchError ? error.detail : String(error);
    fail('write.not-restored', { file: name }, { reason }, cause);
  }
}

/** What an invisible write covers inside the old file: free bytes, but they are put back all the same. */
function oldBytes(source: FileSource, { offset, bytes }: Write): Write[] {
  if (offset >= source.size) return [];
  const rest = source.size - offset;
  const length = BigInt(bytes.length) < rest ? BigInt(bytes.length) : rest;
  return [{ offset, bytes: source.read(offset, length, 'free bytes') }];
}

function put(fd: number, { offset, bytes }: Write, name: string): void {
  let done = 0;
  while (done < bytes.length) {
    done += attempt(name, 'write', () => writeSync(fd, bytes, done, bytes.length - done, Number(offset) + done));
  }
}

/** Are these bytes there already? A disk that refused to take new ones need not be asked to take the old ones again. */
function holds(fd: number, { offset, bytes }: Write): boolean {
  const now = new Uint8Array(bytes.length);
  const got = readSync(fd, now, 0, now.length, Number(offset));
  return got === bytes.length && Buffer.compare(now, bytes) === 0;
}

function setLength(fd: number, size: bigint): void {
  if (BigInt(fstatSync(fd).size) !== size) ftruncateSync(fd, Number(size));
}
