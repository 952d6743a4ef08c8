/**
 * A small text and its place on disk: a picture, a dependency file. The rules for its target are those of every result, but
 * that it is written through a terminal, a pipe or a device. It is on disk before it gets its name, so that a caller may
 * learn that it cannot be written while nothing else has been.
 */
import { closeSync, constants, fsyncSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { waitABit } from '../base/bytes/wait.js';
import { keepAttributes } from './attributes.js';
import { beside } from './beside.js';
import { attempt, lostSetId, takeAfter } from './system.js';
import { otherNames, type Target, targetAt } from './target.js';

/** How long a reader may take for what a pipe does not hold at once. */
const READER_MS = 60_000;

/** A text that waits for its name. */
export interface Staged {
  /** Gives it its name; what that means for others. Errors: `write.failed`. */
  keep(): readonly string[];
  discard(): void;
}

/** Puts a text beside its place. `doing` completes "cannot …". Errors: `write.failed`, `write.not-a-file`. */
export function stageText(name: string, text: string, doing: string): Staged {
  const target = targetAt(name, 'text', doing);
  const { path, existing } = target;
  if (target.stream)
    return existing?.isFIFO() === true ? throughPipe(target, text, doing) : through(target, text, doing);
  const { temporary, take, drop } = beside(path, name, doing);
  const warnings = [...otherNames(existing)];
  try {
    attempt(name, doing, () => writeNew(temporary, text));
    if (existing !== undefined) {
      warnings.push(...keepAttributes(path, temporary));
      warnings.push(...lostSetId(existing.mode, takeAfter(temporary, existing, name)));
    }
  } catch (error) {
    drop();
    throw error;
  }
  return {
    keep() {
      take();
      return warnings;
    },
    discard: drop,
  };
}

function through({ path, name }: Target, text: string, doing: string): Staged {
  return {
    keep() {
      attempt(name, doing, () => writeFileSync(path, text));
      return [];
    },
    discard: () => undefined,
  };
}

/**
 * A pipe that nobody reads would be waited for without an end, signals unheard: it is an error, known in time. A reader that
 * is slow is waited for.
 */
function throughPipe({ path, name }: Target, text: string, doing: string): Staged {
  const fd = attempt(name, doing, () => openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
  return {
    keep() {
      try {
        attempt(name, doing, () => writeAll(fd, Buffer.from(text)));
      } finally {
        closeSync(fd);
      }
      return [];
    },
    discard: () => closeSync(fd),
  };
}

function writeAll(fd: number, bytes: Buffer): void {
  const end = Date.now() + READER_MS;
  for (let done = 0; done < bytes.length; ) {
    try {
      done += writeSync(fd, bytes, done);
    } catch (error) {
      const full = error instanceof Error && 'code' in error && error.code === 'EAGAIN';
      if (!full || Date.now() > end) throw error;
      waitABit();
    }
  }
}

function writeNew(path: string, text: string): void {
  const fd = openSync(path, 'wx');
  try {
    writeFileSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
