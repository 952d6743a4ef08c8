/** The options of every command that takes several images, and which lines are about several. */
import { statSync } from 'node:fs';
import { fail } from '../base/errors/patch-error.js';
import type { BatchShape } from './command.js';
import { group, type OptionTable, type RawOptions } from './option-table.js';

/** More would only wait for each other. */
const MOST_JOBS = 256;

/** For commands that take several images. */
export const BATCH_OPTIONS = group('Several images:', {
  recursive: {
    kind: 'flag',
    help: 'look through folders; links in them are not followed, what is no image is passed over',
  },
  'files0-from': {
    kind: 'value',
    metavar: 'FILE',
    help: 'images from a list with a NUL behind each name, as find -print0 makes it; - is standard input',
  },
  jobs: {
    kind: 'value',
    metavar: 'N',
    help: 'work on that many at once (as many as there are processors)',
    read: readJobs,
    complete: ['1', '2', '4', '8'],
  },
  'json-lines': {
    kind: 'flag',
    help: 'a JSON document on a line for each image, as each is ready',
    conflicts: 'json',
  },
});

/** Counts of words of a command that takes several. */
export const SEVERAL = {
  min: 1,
  max: Number.POSITIVE_INFINITY,
  with: { 'files0-from': { min: 0, max: Number.POSITIVE_INFINITY } },
} as const;

function readJobs(text: string): number {
  const jobs = /^[0-9]{1,4}$/.test(text) ? Number(text) : 0;
  if (jobs >= 1 && jobs <= MOST_JOBS) return jobs;
  return fail('usage.bad', {}, { what: `--jobs is ${text}, wanted a number from 1 to ${MOST_JOBS}` });
}

/** What is looked through for kernels when it is named: told by its name, as its programs do. */
export const ARCHIVE_NAME =
  /\.(?:[ud]?deb|ddeb|rpm|t(?:ar|gz|xz|bz2?|zst|lz4|lzma)|tar\.(?:gz|xz|bz2|zst|lz4|lzma|lzo))$/i;

interface BatchCommand {
  readonly batch?: BatchShape;
  readonly options: OptionTable;
}

/** Is a line about several images, or about what holds several? One image is none, whatever the number of jobs. */
export function isBatch({ batch }: BatchCommand, options: RawOptions, words: readonly string[]): boolean {
  if (batch === undefined) return false;
  // Two images are compared with each other, unless the others are in a folder.
  if (batch.images === 2) return options['baseline-dir'] !== undefined;
  const asked = ['recursive', 'files0-from', 'json-lines'].some((name) => options[name] !== undefined);
  if (asked || words.length !== 1) return true;
  const [word = ''] = words;
  return batch.looksThrough && (ARCHIVE_NAME.test(word) || isFolder(word));
}

function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    // What cannot be looked at is no folder; opening it tells why.
    return false;
  }
}
