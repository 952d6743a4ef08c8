/**
 * How a file gets its new contents whole or not at all: they are made in a temporary file beside it, which then takes its
 * name. Whatever ends the process in between, the old file is as it was.
 */
import { closeSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { forget, remember } from './cleanup.js';
import { ownName, removeLeftovers } from './leftovers.js';
import { attempt } from './system.js';

/** A file name may have 255 bytes; the temporary one needs some for itself. */
const NAME_KEPT = 50;

/** A temporary file that is to take a name. */
export interface Beside {
  /** Where it is to be made; nothing is there. */
  readonly temporary: string;
  /** Gives it the name. Errors: `write.failed`, and it is gone. */
  take(): void;
  /** Removes it. */
  drop(): void;
}

/** A place for what is to become `target` (links resolved; messages call it `targetName`). Errors: `write.failed`. */
export function beside(target: string, targetName: string, doing = 'put the result in place'): Beside {
  const prefix = `.${basename(target).slice(0, NAME_KEPT)}.xen-elfpatch`;
  removeLeftovers(dirname(target), prefix);
  const temporary = join(dirname(target), `${prefix}.${ownName()}.tmp`);
  remember(temporary);
  const drop = () => {
    rmSync(temporary, { force: true });
    forget(temporary);
  };
  return {
    temporary,
    drop,
    take() {
      try {
        attempt(targetName, doing, () => renameSync(temporary, target));
      } catch (error) {
        drop();
        throw error;
      }
      forget(temporary);
      syncFolder(dirname(target));
    },
  };
}

/** Lets `fill` make the temporary file, then gives it the name. On any error it is gone and the target untouched. */
export async function replaceWhole(
  target: string,
  targetName: string,
  fill: (temporary: string) => Promise<void>,
): Promise<void> {
  const { temporary, take, drop } = beside(target, targetName);
  try {
    await fill(temporary);
  } catch (error) {
    drop();
    throw error;
  }
  take();
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
