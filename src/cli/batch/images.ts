/**
 * The images of a batch, from words, lists and folders: each once, in an order that is the same on every machine. Only names
 * are looked at here; what stands in a file is for whoever works on it.
 */
import { isUtf8 } from 'node:buffer';
import { type BigIntStats, lstatSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fail } from '../../base/errors/patch-error.js';
import { ARCHIVE_NAME } from '../batch-options.js';
import type { Sought } from './is-image.js';

/** One thing to be done. */
export interface Entry {
  readonly path: string;
  /** Below the folder that was named, or its own name: what `--baseline-dir` looks for. */
  readonly place: string;
  /** Set where nobody named it: it is passed over when it is not that. */
  readonly found: Sought | undefined;
  /** Has it a block of its own in front of the table? */
  readonly shown: boolean;
  readonly kind: 'image' | 'archive';
  readonly size: number;
  /** Its name in the bytes that it has, where these are no UTF-8 and `path` leads nowhere. */
  readonly bytes?: Buffer;
}

/** What words stand for. */
export interface Entries {
  readonly entries: readonly Entry[];
  /** Names of files that were there already, by this name or another. */
  readonly duplicates: number;
  /** Links, named pipes, sockets and devices in folders. */
  readonly passedOver: number;
}

/** How words are taken. */
export interface Taking {
  readonly recursive: boolean;
  readonly looksThrough: boolean;
}

/** What a run of this tool has beside a file while it is at work, and what a killed one left. */
const OWN_NAME = /^\..*\.xen-elfpatch\./;

/** All entries. Errors: `usage.bad` for `-` given twice. A word for which there is nothing stays, and fails in its turn. */
export function entriesOf(words: readonly string[], taking: Taking): Entries {
  if (words.filter((word) => word === '-').length > 1) {
    fail('usage.bad', {}, { what: '- was given twice, and standard input can be read once' });
  }
  const taken = new Set<string>();
  const entries: Entry[] = [];
  let duplicates = 0;
  let passedOver = 0;
  for (const entry of named(words, taking)) {
    if (entry === NO_FILE) {
      passedOver++;
      continue;
    }
    const key = keyOf(entry);
    if (taken.has(key)) duplicates++;
    else {
      const { stats: _, ...kept } = entry;
      entries.push(kept);
    }
    taken.add(key);
  }
  return { entries, duplicates, passedOver };
}

/** Nothing that could hold an image. */
const NO_FILE = 'no file';

type Named = Entry & { readonly stats?: BigIntStats | undefined };

/** One file has one key, whatever links lead to it. */
function keyOf({ path, stats, bytes }: Named): string {
  return stats === undefined ? `name ${bytes?.toString('latin1') ?? ''} ${path}` : `${stats.dev}:${stats.ino}`;
}

function* named(words: readonly string[], taking: Taking): Generator<Named | typeof NO_FILE> {
  for (const path of words) {
    const stats = path === '-' ? undefined : statsOf(path);
    const folder = stats?.isDirectory() === true;
    if (folder && taking.recursive) yield* under(path, '', 'image');
    else if (folder && taking.looksThrough) yield* under(path, '', 'kernel');
    else {
      const archive = taking.looksThrough && stats?.isFile() === true && ARCHIVE_NAME.test(path);
      const kind = archive ? ('archive' as const) : ('image' as const);
      yield { path, place: basename(path), found: undefined, shown: true, kind, size: Number(stats?.size ?? 0), stats };
    }
  }
}

function statsOf(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** Files by name within a folder, in the order of the code units of their names. A folder that cannot be read is an entry that fails. */
function* under(folder: string, below: string, found: Sought): Generator<Named | typeof NO_FILE> {
  const shown = found === 'image';
  let names: { readonly name: string; readonly folder: boolean; readonly file: boolean }[];
  try {
    names = readdirSync(folder, { withFileTypes: true }).map((entry) => ({
      name: entry.name,
      folder: entry.isDirectory(),
      file: entry.isFile(),
    }));
  } catch {
    yield { path: folder, place: below, found: undefined, shown, kind: 'image', size: 0 };
    return;
  }
  names.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  for (const { name, folder: isFolder, file } of names) {
    const path = join(folder, name);
    const place = join(below, name);
    // Below.
    if (isFolder && name.includes(LOST) && statsOf(path) === undefined) continue;
    if (isFolder) yield* under(path, place, found);
    else if (!file) {
      if (!name.includes(LOST) || lstatSync(path, { throwIfNoEntry: false }) !== undefined) yield NO_FILE;
    } else if (!OWN_NAME.test(name)) {
      const stats = statsOf(path);
      // What has gone since is no file of the folder any more; a name that is no UTF-8 comes below.
      if (stats !== undefined) yield { path, place, found, shown, kind: 'image', size: Number(stats.size), stats };
    }
  }
  if (names.some(({ name }) => name.includes(LOST))) yield* lostIn(folder, below, found);
}

/** What stands in Node's names for bytes that are no UTF-8. */
const LOST = '\ufffd';

/** Files and folders whose names are no UTF-8, which no name of ours leads to. */
function* lostIn(folder: string, below: string, found: Sought): Generator<Named | typeof NO_FILE> {
  const names = readdirSync(folder, { encoding: 'buffer' }).filter((name) => !isUtf8(name));
  for (const name of names.sort(Buffer.compare)) {
    const bytes = Buffer.concat([Buffer.from(join(folder, '/')), name]);
    const stats = lstatSync(bytes, { throwIfNoEntry: false });
    const entry = {
      path: join(folder, name.toString()),
      place: below,
      shown: found === 'image',
      kind: 'image' as const,
    };
    if (stats?.isDirectory() === true) yield { ...entry, found: undefined, size: 0, bytes };
    else if (stats?.isFile() === true) yield { ...entry, found, size: stats.size, bytes };
    else if (stats !== undefined) yield NO_FILE;
  }
}
