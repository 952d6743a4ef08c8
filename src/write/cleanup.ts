/** Files that must not outlive the process: removed when it ends, by itself or by a signal it can catch. */
import { unlinkSync } from 'node:fs';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const files = new Set<string>();
let watching = false;

/** Removes `path` when the process ends before `forget(path)`. */
export function remember(path: string): void {
  files.add(path);
  if (watching) return;
  watching = true;
  process.on('exit', removeAll);
  for (const signal of SIGNALS) {
    process.once(signal, () => {
      removeAll();
      // The default action, so that a shell or make sees what ended the process.
      process.kill(process.pid, signal);
    });
  }
}

/** The file may stay. */
export function forget(path: string): void {
  files.delete(path);
}

function removeAll(): void {
  for (const path of files) {
    try {
      unlinkSync(path);
    } catch {
      // Gone already, or never made.
    }
  }
  files.clear();
}
