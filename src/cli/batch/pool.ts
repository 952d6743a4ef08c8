/** Who works on a batch: threads, or where that is not worth their start, this one. */
import { Worker } from 'node:worker_threads';
import { PatchError } from '../../base/errors/patch-error.js';
import type { Command } from '../command.js';
import type { RawOptions } from '../option-table.js';
import { WORKER_WORD } from '../worker-word.js';
import { collector, YOUNG_MIB } from './collect.js';
import { failed, type Ran, runTask, type Task } from './one.js';
import type { WorkerStart } from './worker.js';

/** Works on one task at a time. */
export interface Hand {
  run(task: Task): Promise<Ran>;
  end(): Promise<void>;
}

/** This thread. */
export function ownHand(command: Command, options: RawOptions): Hand {
  const afterOne = collector();
  return {
    async run(task) {
      const ran = await runTask(command, options, task);
      afterOne();
      return ran;
    },
    end: () => Promise.resolve(),
  };
}

/** A thread of its own, begun with the first task. One that dies takes its task with it, and the next one gets another. */
export function threadHand(entry: string, start: WorkerStart): Hand {
  let worker: Worker | undefined;
  return {
    run: (task) =>
      new Promise((resolve) => {
        worker ??= new Worker(entry, {
          argv: [start.command, WORKER_WORD],
          workerData: start,
          resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MIB },
        });
        const current = worker;
        const done = (ran: Ran) => {
          current.off('message', done).off('error', broke).off('exit', left);
          resolve(ran);
        };
        const died = (why: string) => {
          worker = undefined;
          const message = `a thread ended: ${why}`;
          void failed(PatchError.of('internal.bug', { file: task.name }, { message }), start.options).then(done);
        };
        const broke = (error: Error) => died(error.message);
        const left = (code: number) => died(`status ${code}`);
        current.on('message', done).on('error', broke).on('exit', left);
        current.postMessage(task);
      }),
    async end() {
      worker?.postMessage('end');
      await worker?.terminate();
    },
  };
}
