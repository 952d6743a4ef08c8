/** From entries to tasks, one at a time: what an archive holds is taken out of it when its turn has come. */
import { closeSync, constants, openSync } from 'node:fs';
import { join } from 'node:path';
import { PatchError } from '../../base/errors/patch-error.js';
import { ANOTHER_NAME } from '../lost-bytes.js';
import { argsOf, type RawOptions } from '../option-table.js';
import { LIMIT_OPTION } from '../options.js';
import { imagesIn } from './archive.js';
import type { Entry } from './images.js';
import { isImage, isModuleName, type Sought } from './is-image.js';
import { failed, PASSED_OVER, type Ran, type Task } from './one.js';

/** A task, and what belongs to it. */
export interface Item {
  readonly task: Task;
  /** Has it a block of text of its own? */
  readonly shown: boolean;
  /** It is over already. */
  readonly ran?: Ran;
  /** To be done when it is over. */
  after?(): void;
}

/** All tasks of a batch. */
export async function* itemsOf(command: string, entries: readonly Entry[], options: RawOptions): AsyncGenerator<Item> {
  const before = options['baseline-dir'];
  for (const entry of entries) {
    if (entry.kind === 'archive') yield* inArchive(command, entry.path, options);
    else if (entry.bytes !== undefined) {
      const { path, found, shown } = entry;
      yield { task: { words: [], name: path, found }, shown, ran: await lostName(path, entry.bytes, found, options) };
    } else {
      const { path, place, found, shown } = entry;
      const words = typeof before === 'string' ? [join(before, place), path] : [path];
      yield { task: { words, name: path, found }, shown };
    }
  }
}

/** A file that no name of ours leads to: an error with what to do where it is an image, or a folder. */
async function lostName(path: string, bytes: Buffer, found: Sought | undefined, options: RawOptions): Promise<Ran> {
  if (found !== undefined && (isModuleName(path) || !(await isImageAt(bytes, found)))) return PASSED_OVER;
  const what = 'found bytes that are not UTF-8 in its name';
  return failed(PatchError.of('usage.bad', { file: path }, { what, hint: ANOTHER_NAME }), options);
}

/** By its bytes as a path. What cannot be opened counts as an image, as everywhere. */
async function isImageAt(path: Buffer, found: Sought): Promise<boolean> {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return true;
  }
  try {
    return await isImage(`/proc/self/fd/${fd}`, found);
  } finally {
    closeSync(fd);
  }
}

async function* inArchive(command: string, archive: string, options: RawOptions): AsyncGenerator<Item> {
  const { limit } = argsOf(command, LIMIT_OPTION, options);
  for await (const found of imagesIn(archive, limit)) {
    const none = { words: [], name: archive, found: undefined };
    switch (found.kind) {
      case 'passed-over':
        yield { task: none, shown: false, ran: PASSED_OVER };
        break;
      case 'error':
        yield { task: { ...none, name: found.name }, shown: false, ran: await failed(found.error, options) };
        break;
      case 'image':
        yield {
          task: { words: [found.path], name: found.name, found: 'kernel' },
          shown: false,
          after: () => found.remove(),
        };
    }
  }
}
