/** A worker of a batch: the command once more, in a thread, that gets one task after the other. */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { COMMANDS } from '../commands.js';
import type { RawOptions } from '../option-table.js';
import { type ColorMode, colorErr } from '../output.js';
import { collector } from './collect.js';
import { runTask, type Task } from './one.js';

/** What a worker is started with. */
export interface WorkerStart {
  readonly command: string;
  readonly options: RawOptions;
  /** Standard error is no terminal to a thread: whether it has colours is told. */
  readonly colorErr: ColorMode;
}

/** Does what it is sent, until nothing comes any more; undefined where this is no worker. */
export function startWorker(): Promise<void> | undefined {
  return parentPort === null ? undefined : work(parentPort, workerData as WorkerStart);
}

function work(port: MessagePort, start: WorkerStart): Promise<void> {
  const command = COMMANDS.find(({ shape }) => shape.name === start.command);
  if (command === undefined) throw new TypeError(`no command ${start.command}`);
  colorErr(start.colorErr);
  const afterOne = collector();
  return new Promise((resolve) => {
    port.on('message', (task: Task | 'end') => {
      if (task === 'end') return resolve();
      void runTask(command, start.options, task).then((ran) => {
        port.postMessage(ran);
        afterOne();
      });
    });
  });
}
