// Runs host programs. A program that is missing or fails becomes one Error with what it printed.
import { spawnSync } from 'node:child_process';

const ENOUGH = 512 * 1024 * 1024;

/** Runs a program and returns its stdout as bytes; throws when it cannot be run or does not end with status 0. */
export function run(program, args, { env, input, cwd } = {}) {
  const done = spawnSync(program, args, {
    cwd,
    input,
    maxBuffer: ENOUGH,
    env: { ...process.env, LC_ALL: 'C', ...env },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  if (done.error?.code === 'ENOENT') {
    throw new Error(`no program ${program}; run: scripts/install-debian-packages.sh tools`);
  }
  if (done.error) throw new Error(`${program}: ${done.error.message}`);
  if (done.status !== 0) {
    const said = `${done.stderr}`.trim().split('\n').slice(-4).join('\n  ');
    throw new Error(`${[program, ...args].join(' ').slice(0, 300)}: status ${done.status ?? done.signal}\n  ${said}`);
  }
  return done.stdout;
}

/** One line on stderr: stdout is for results. */
export function say(text) {
  process.stderr.write(`fetch-images: ${text}\n`);
}
