/** One line on a terminal that is redrawn, and only when the work has lasted for a while. */
import { hex } from '../errors/hex.js';
import { isTerminal, writeErr } from './output.js';

const QUIET_MS = 500;

export interface Progress {
  show(stage: 'copying' | 'comparing', done: bigint, total: bigint): void;
  clear(): void;
}

/** Undefined where nobody watches. */
export function progressLine({ json }: { readonly json: boolean }): Progress | undefined {
  if (json || !isTerminal(2)) return undefined;
  const start = performance.now();
  let shown = 0;
  return {
    show(stage, done, total) {
      const now = performance.now();
      if (now - start < QUIET_MS || now - shown < 100) return;
      shown = now;
      const percent = total === 0n ? 100n : (done * 100n) / total;
      writeErr(`\r${stage} ${percent}% of ${hex(total)} bytes\x1b[K`);
    },
    clear() {
      if (shown > 0) writeErr('\r\x1b[K');
    },
  };
}
