/** What must not outlive the process: undone when it ends, by itself or by a signal it can catch. */
import { unlinkSync } from 'node:fs';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const files = new Set<string>();
const undos = new Set<() => void>();
let watching = false;

/** Removes `path` when the process ends before `forget(path)`. */
export function remember(path: string): void {
  files.add(path);
  watch();
}

/** The file may stay. */
export function forget(path: string): void {
  files.delete(path);
}

/** Runs `undo` when the process ends before the function that is returned is called. */
export function undoAtEnd(undo: () => void): () => void {
  undos.add(undo);
  watch();
  return () => undos.delete(undo);
}

function watch(): void {
  if (watching) return;
  watching = true;
  process.on('exit', undoAll);
  for (const signal of SIGNALS) {
    process.once(signal, () => {
      undoAll();
      // The default action, so that a shell or make sees what ended the process.
      process.kill(process.pid, signal);
    });
  }
}

function undoAll(): void {
  // The lock goes last: until then no other process may work on the file that is being put back.
  for (const undo of undos) quietly(undo);
  for (const path of files) quietly(() => unlinkSync(path));
  undos.clear();
  files.clear();
}

function quietly(run: () => void): void {
  try {
    run();
  } catch {
    // Gone already, or never made; nothing is left to clean up.
  }
}
