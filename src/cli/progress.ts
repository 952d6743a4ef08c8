/** A line of progress on a terminal, and only when the work takes long enough to wonder about. */
import { driveErr, isTerminal } from './output.js';

/** Work shorter than this shows nothing. */
const PATIENCE_MS = 500;
const BETWEEN_MS = 100;

/** Milliseconds. `performance` is a module that Node loads when it is first named. */
const now = () => process.uptime() * 1000;

/** Told how many bytes are done, and how many there are. */
export type Progress = (done: bigint, total: bigint) => void;

/** Starts counting time. `end` wipes the line; call it before anything else is printed. */
export function startProgress(doing: string): { report: Progress; end(): void } {
  if (!isTerminal(2)) return { report: () => undefined, end: () => undefined };
  let next = now() + PATIENCE_MS;
  let shown = false;
  return {
    report(done, total) {
      if (now() < next || total === 0n) return;
      next = now() + BETWEEN_MS;
      shown = true;
      driveErr(`\r${doing} ${(done * 100n) / total} %`);
    },
    end() {
      if (shown) driveErr('\r\x1b[K');
      shown = false;
    },
  };
}

/** Gives each step of the work that takes long a line of progress of its own. */
export type Steps = (doing: string) => Progress;

/** The lines of one piece of work. `end` wipes what is shown of them. */
export function startSteps(): { readonly steps: Steps; end(): void } {
  const started = new Map<string, ReturnType<typeof startProgress>>();
  return {
    steps(doing) {
      const progress = started.get(doing) ?? startProgress(doing);
      started.set(doing, progress);
      return progress.report;
    },
    end() {
      for (const progress of started.values()) progress.end();
    },
  };
}
