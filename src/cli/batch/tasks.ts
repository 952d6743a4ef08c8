/** From entries to tasks, one at a time: what an archive holds is taken out of it when its turn has come. */
import { join } from 'node:path';
import { argsOf, type RawOptions } from '../option-table.js';
import { LIMIT_OPTION } from '../options.js';
import { imagesIn } from './archive.js';
import type { Entry } from './images.js';
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
    else {
      const { path, place, found, shown } = entry;
      const words = typeof before === 'string' ? [join(before, place), path] : [path];
      yield { task: { words, name: path, found }, shown };
    }
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
