/** How the command is told that it is to work for a batch, and where it was started from. */

/** The argument of a worker behind its command. Nobody types it: outside a thread it is an option that nobody knows. */
export const WORKER_WORD = '--batch-worker';

let entry: string | undefined;

/** Says which file a thread is to begin with: the one that began this process. */
export function startedFrom(path: string | undefined): void {
  entry = path;
}

/** The file that a thread begins with; undefined: there is none, as in tests of the sources. */
export function workerEntry(): string | undefined {
  return entry;
}
