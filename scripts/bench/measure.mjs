// Paired measurements: two commands in turn, A B A B …, so that a machine whose speed drifts slows both alike. Ratios are
// medians of the pairs; single times are never quoted alone.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PEAK = fileURLToPath(new URL('./peak.cjs', import.meta.url));

/** Milliseconds of one whole process, given as words or as a function that makes them; it must end with status 0. */
export function timed(command) {
  const [program, ...args] = typeof command === 'function' ? command() : command;
  const start = process.hrtime.bigint();
  const { status, stderr, error } = spawnSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const taken = Number(process.hrtime.bigint() - start) / 1e6;
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}: ${stderr}`);
  return taken;
}

export function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/**
 * Runs A and B in turn and prints their medians and the median of the ratios A/B. `before` runs ahead of each command,
 * untimed: a fresh copy, a removed target.
 */
export function compare(title, a, b, { runs = 7, before = () => {}, target } = {}) {
  const [times, others, ratios] = [[], [], []];
  before();
  timed(a);
  before();
  timed(b);
  for (let run = 0; run < runs; run++) {
    before();
    const first = timed(a);
    before();
    const second = timed(b);
    times.push(first);
    others.push(second);
    ratios.push(first / second);
  }
  const ratio = median(ratios);
  const goal = target === undefined ? '' : `   (target ${target})`;
  console.log(
    `${title.padEnd(58)} ${ratio.toFixed(2)}   ${median(times).toFixed(0)} ms over ${median(others).toFixed(0)} ms, ${runs} pairs${goal}`,
  );
  return ratio;
}

/** Peak memory of one run of the command in MiB, as the operating system accounts it; `ends`: how it may end. */
export function peakMemory(args, ends = [0]) {
  const run = spawnSync(process.execPath, ['-r', PEAK, ...args], { encoding: 'utf8', maxBuffer: 1 << 28 });
  const kib = /peak=(\d+)/.exec(run.stderr)?.[1];
  if (!ends.includes(run.status) || kib === undefined)
    throw new Error(`${args.join(' ')} ended with ${run.status}: ${run.stderr}`);
  return Number(kib) / 1024;
}

/** Prints how far the peak memory of a command is above that of a Node that does nothing. */
export function printPeak(title, args, target, ends) {
  const over = peakMemory(args, ends) - peakMemory(['-e', '0']);
  const goal = target === undefined ? '' : `   (target ${target})`;
  console.log(`${`peak memory over node -e 0, MiB: ${title}`.padEnd(82)} ${over.toFixed(0)}${goal}`);
}

export function has(program) {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
}
