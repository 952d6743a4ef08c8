/**
 * The images of a batch, from words, lists and folders: each once, in an order that is the same on every machine. Only names
 * are looked at here; what stands in a file is for whoever works on it.
 */
import { type BigIntStats, readdirSync, statSync } from 'node:fs';
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
}

/** What words stand for. */
export interface Entries {
  readonly entries: readonly Entry[];
  /** Names of files that were there already, by this name or another. */
  readonly duplicates: number;
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
  for (const entry of named(words, taking)) {
    const key = keyOf(entry);
    if (taken.has(key)) duplicates++;
    else {
      const { stats: _, ...kept } = entry;
      entries.push(kept);
    }
    taken.add(key);
  }
  return { entries, duplicates };
}

/** One file has one key, whatever links lead to it. */
function keyOf({ path, stats }: Entry & { readonly stats?: BigIntStats | undefined }): string {
  return stats === undefined ? `name ${path}` : `${stats.dev}:${stats.ino}`;
}

function* named(words: readonly string[], taking: Taking) {
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
function* under(
  folder: string,
  below: string,
  found: Sought,
): Generator<Entry & { readonly stats?: BigIntStats | undefined }> {
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
    if (isFolder) yield* under(path, place, found);
    else if (file && !OWN_NAME.test(name)) {
      const stats = statsOf(path);
      // What has gone since is no file of the folder any more; a name that is not UTF-8 leads nowhere, and that is to be told.
      if (stats !== undefined || name.includes('\ufffd'))
        yield { path, place, found, shown, kind: 'image', size: Number(stats?.size ?? 0), stats };
    }
  }
}
