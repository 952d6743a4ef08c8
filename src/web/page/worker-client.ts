/** Questions to the worker, as promises; progress goes to whoever listens. */
import type { Trouble } from '../work/page-data.js';
import type { Answer, Reply, Request } from '../worker/protocol.js';

/** What the worker could not do, with the id of the problem. */
export class WorkerTrouble extends Error {
  readonly trouble: Trouble;

  constructor(trouble: Trouble) {
    super(trouble.message);
    this.trouble = trouble;
  }
}

type Question = Request extends infer One ? (One extends Request ? Omit<One, 'id'> : never) : never;

interface Waiting {
  resolve(value: Answer): void;
  reject(error: unknown): void;
}

/** Starts the worker. The caller says of what kind the answer is: each question has one kind. */
export function startWorker(url: string, onProgress: (step: string, done: number) => void) {
  const worker = new Worker(url, { type: 'module' });
  const waiting = new Map<number, Waiting>();
  let next = 0;
  worker.onmessage = ({ data }: MessageEvent<Reply>) => {
    if (data.kind === 'progress') {
      onProgress(data.step, data.done);
      return;
    }
    const one = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.kind === 'answer') one?.resolve(data.value);
    else one?.reject(new WorkerTrouble(data.trouble));
  };
  worker.onerror = (event) => {
    for (const { reject } of waiting.values()) reject(new Error(event.message || 'the worker could not be started'));
    waiting.clear();
  };
  return (question: Question): Promise<Answer> =>
    new Promise((resolve, reject) => {
      next += 1;
      waiting.set(next, { resolve, reject });
      const request = { ...question, id: next };
      worker.postMessage(request);
    });
}
