/**
 * How a file gets its new contents whole or not at all: they are made in a temporary file beside it, which then takes its
 * name. Whatever ends the process in between, the old file is as it was.
 */
import { closeSync, fsyncSync, lstatSync, openSync, readlinkSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { forget, remember } from './cleanup.js';
import { removeLeftovers } from './leftovers.js';
import { attempt } from './system.js';

/** A file name may have 255 bytes; the temporary one needs some for itself. */
const NAME_KEPT = 50;
/** Linux gives up after as many links. */
const LINKS_LIMIT = 40;

/**
 * Lets `fill` make `temporary`, then renames it to `target` (links resolved; messages call it `targetName`) and syncs the
 * folder. On any error the temporary file is gone and the target untouched.
 */
export async function replaceWhole(
  target: string,
  targetName: string,
  fill: (temporary: string) => Promise<void>,
): Promise<void> {
  const prefix = `.${basename(target).slice(0, NAME_KEPT)}.xen-elfpatch`;
  removeLeftovers(dirname(target), prefix);
  const temporary = join(dirname(target), `${prefix}.${process.pid}.tmp`);
  // Left over only where an earlier process of the same number was killed outright.
  attempt(targetName, 'remove an old temporary file', () => rmSync(temporary, { force: true }));
  remember(temporary);
  try {
    await fill(temporary);
    attempt(targetName, 'put the result in place', () => renameSync(temporary, target));
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  } finally {
    forget(temporary);
  }
  syncFolder(dirname(target));
}

/** The file that a path leads to, also where that does not exist yet: a link to a new name is followed as open() does. */
export function resolveTarget(path: string): string {
  return attempt(path, 'look at the output', () => followLinks(path));
}

function followLinks(path: string): string {
  let target = path;
  for (let links = 0; links < LINKS_LIMIT; links++) {
    try {
      return realpathSync(target);
    } catch {
      if (lstatSync(target, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return target;
      target = resolve(dirname(target), readlinkSync(target));
    }
  }
  return target;
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
