/**
 * Questions to the worker, as promises; progress goes to whoever listens. Work that is stopped ends with its worker: a new one
 * gets the open file again before its next question.
 */
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

/** The answer of a question that was stopped. */
export class Stopped extends Error {}

type Question = Request extends infer One ? (One extends Request ? Omit<One, 'id'> : never) : never;

interface Waiting {
  resolve(value: Answer): void;
  reject(error: unknown): void;
}

/** A worker and what is asked of it. */
export interface WorkerClient {
  /** The caller says of what kind the answer is: each question has one kind. Errors: WorkerTrouble, Stopped. */
  ask(question: Question): Promise<Answer>;
  /** Ends what is being done; every question that waits is answered by Stopped. */
  stop(): void;
}

/** Starts the worker. */
export function startWorker(url: string, onProgress: (step: string, done: number) => void): WorkerClient {
  const waiting = new Map<number, Waiting>();
  let next = 0;
  let worker = start();
  /** The file that a new worker has to open before it can be asked about it. */
  let file: Extract<Question, { kind: 'open' }> | undefined;
  let isOpen = false;

  function start(): Worker {
    const made = new Worker(url, { type: 'module' });
    made.onmessage = ({ data }: MessageEvent<Reply>) => {
      if (data.kind === 'progress') {
        onProgress(data.step, data.done);
        return;
      }
      const one = waiting.get(data.id);
      waiting.delete(data.id);
      if (data.kind === 'answer') one?.resolve(data.value);
      else one?.reject(new WorkerTrouble(data.trouble));
    };
    made.onerror = (event) => endAll(new Error(event.message || 'the worker could not be started'));
    return made;
  }

  function endAll(error: Error): void {
    const all = [...waiting.values()];
    waiting.clear();
    for (const { reject } of all) reject(error);
  }

  const send = (question: Question): Promise<Answer> =>
    new Promise((resolve, reject) => {
      next += 1;
      waiting.set(next, { resolve, reject });
      const request = { ...question, id: next };
      worker.postMessage(request);
    });

  return {
    async ask(question) {
      if (question.kind === 'open') {
        [file, isOpen] = [undefined, false];
        const answer = await send(question);
        [file, isOpen] = [question, true];
        return answer;
      }
      if (file !== undefined && !isOpen && question.kind !== 'explain') {
        await send(file);
        isOpen = true;
      }
      return send(question);
    },
    stop() {
      worker.terminate();
      worker = start();
      isOpen = false;
      endAll(new Stopped());
    },
  };
}
