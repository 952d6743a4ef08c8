/**
 * A small text and its place on disk: a picture, a dependency file. The rules for its target are those of every result, but
 * that it is written through a terminal, a pipe or a device. It is on disk before it gets its name, so that a caller may
 * learn that it cannot be written while nothing else has been.
 */
import { closeSync, fsyncSync, openSync, writeFileSync } from 'node:fs';
import { beside } from './beside.js';
import { attempt, takeAfter } from './system.js';
import { otherNames, targetAt } from './target.js';

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
  if (target.stream) {
    const through = () => {
      attempt(name, doing, () => writeFileSync(path, text));
      return [];
    };
    return { keep: through, discard: () => undefined };
  }
  const { temporary, take, drop } = beside(path, name, doing);
  try {
    attempt(name, doing, () => writeNew(temporary, text));
    if (existing !== undefined) takeAfter(temporary, existing, name);
  } catch (error) {
    drop();
    throw error;
  }
  return {
    keep() {
      take();
      return otherNames(existing);
    },
    discard: drop,
  };
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
