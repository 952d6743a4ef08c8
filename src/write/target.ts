/**
 * What a result may be written over, for every command. Links are followed to the file that they lead to, a dangling one to
 * the name that it gives, as open() does. Nothing but a regular file is ever replaced: what else there is, a text is written
 * through, and an image, which has to be read back before it may be used, is refused.
 */
import { closeSync, openSync, readlinkSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, isAbsolute } from 'node:path';
import { fail } from '../base/errors/patch-error.js';
import { attempt } from './system.js';

/** Linux gives up after as many links. */
const LINKS_LIMIT = 40;

/** Where a result goes. */
export interface Target {
  /** A file takes this name; a stream is opened by it. Links are resolved. */
  readonly path: string;
  /** For messages: as the user gave it. */
  readonly name: string;
  /** What is there; undefined: a new name. */
  readonly existing: Stats | undefined;
  /** A terminal, a pipe, a device: written to, never replaced. */
  readonly stream: boolean;
}

/** May a result go through a terminal, a pipe or a device? `always`: a disk as well, as Xen's own tool does it. */
export type Streams = 'refused' | 'text' | 'always';

/**
 * The target that a path names. `doing` completes "cannot …". Errors: `write.failed` for a loop of links, a folder that is
 * missing, a name that no file can have; `write.not-a-file` for what is no file and may not be written through.
 */
export function targetAt(name: string, streams: Streams, doing = 'look at the output'): Target {
  const look = (path: string) => attempt(name, doing, () => statSync(path, { throwIfNoEntry: false }));
  const existing = look(name);
  if (existing?.isFile() === false) return streamAt(name, existing, streams);
  const path = followLinks(name, doing);
  const there = existing === undefined ? undefined : look(path);
  // Standard output may be a file that has lost its name: nothing can take its place.
  if (existing !== undefined && (there === undefined || !isSameFile(existing, there))) {
    return streamAt(name, existing, streams);
  }
  return { path, name, existing, stream: false };
}

function streamAt(name: string, existing: Stats, streams: Streams): Target {
  const refused = existing.isDirectory() || existing.isSocket() || streams === 'refused';
  if (refused || (existing.isBlockDevice() && streams !== 'always')) {
    fail('write.not-a-file', { file: name }, { kind: kindOf(existing) });
  }
  return { path: name, name, existing, stream: true };
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'folder';
  if (stats.isFIFO()) return 'pipe';
  if (stats.isSocket()) return 'socket';
  if (stats.isFile()) return 'file without a name';
  return stats.isBlockDevice() ? 'disk' : 'device';
}

/** Are two stats those of one file, by whatever names? */
export function isSameFile(a: Stats, b: Stats): boolean {
  return a.ino === b.ino && a.dev === b.dev;
}

/** Do two paths name one file, or would they once one of them is written? Errors: those of looking at them. */
export function nameSameFile(a: string, b: string): boolean {
  if (a === b) return true;
  const [x, y] = [a, b].map((path) =>
    attempt(path, 'look at the file', () => statSync(path, { throwIfNoEntry: false })),
  );
  if (x !== undefined && y !== undefined) return isSameFile(x, y);
  return x === undefined && y === undefined && placeOf(a) === placeOf(b);
}

/** What it means for other names of a file (hard links) that a new one took its place. */
export function otherNames(replaced: Stats | undefined): readonly string[] {
  const others = (replaced?.nlink ?? 1) - 1;
  if (others < 1) return [];
  const names = others === 1 ? 'another name of the file (a hard link) leads' : `${others} other names lead`;
  return [`a new file took its place; ${names} to the file as it was`];
}

/** Where a new file would be; a place that cannot be resolved is no other file's. */
function placeOf(path: string): string | symbol {
  try {
    return followLinks(path, 'look at the file');
  } catch {
    return Symbol(path);
  }
}

/** The file that a path leads to, its folder with all links resolved. */
function followLinks(name: string, doing: string): string {
  let path = name;
  for (let links = 0; links <= LINKS_LIMIT; links++) {
    // Names that no file can have: the system says why, and makes nothing.
    if (path === '' || path.endsWith('/')) attempt(name, doing, () => closeSync(openSync(path, 'wx')));
    const folder = attempt(name, doing, () => realpathSync.native(dirname(path)));
    const place = `${folder === '/' ? '' : folder}/${basename(path)}`;
    const link = attempt(name, doing, () => linkAt(place));
    if (link === undefined) return place;
    // Not joined as text: `..` behind a linked folder is the folder above where the link leads.
    path = isAbsolute(link) ? link : `${folder}/${link}`;
  }
  return fail('write.failed', { file: name }, { action: doing, reason: 'too many symbolic links' });
}

/** What a symbolic link says; undefined for anything else and for nothing. */
function linkAt(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EINVAL' || code === 'ENOENT') return undefined;
    throw error;
  }
}
