/** Runs the bundled command the way a user does, through bin/. */
import { type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';

/** The stand-alone program, where that is to be tested in place of what Node runs (make test-binary). */
const PROGRAM = process.env['XEN_ELFPATCH_PROGRAM'];

/** What Node is given to run the command. */
export const BIN = resolve(PROGRAM === undefined ? 'bin/xen-elfpatch.js' : 'test/support/program.cjs');

export interface CliResult {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly input?: Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** One run, to its end. The environment is this process's without NO_COLOR and XEN_ELFPATCH_DEBUG. */
export function runCli(args: readonly string[], options: CliOptions = {}): CliResult {
  const { NO_COLOR: _1, XEN_ELFPATCH_DEBUG: _2, FORCE_COLOR: _3, ...env } = process.env;
  const [ownCommand, ...first] = PROGRAM === undefined ? [process.execPath, BIN] : [PROGRAM];
  const { status, signal, stdout, stderr } = spawnSync(ownCommand, [...first, ...args], {
    env: { ...env, ...options.env },
    cwd: options.cwd,
    // Without an input, standard input is empty rather than the terminal of whoever runs the tests.
    input: options.input ?? new Uint8Array(0),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return { status, signal, stdout, stderr };
}

/** A run that goes on while the test does; its messages go nowhere. */
export function startCli(args: readonly string[], cwd: string): ChildProcessByStdio<null, Readable, null> {
  const [ownCommand = '', ...first] = PROGRAM === undefined ? [process.execPath, BIN] : [PROGRAM];
  return spawn(ownCommand, [...first, ...args], { cwd, stdio: ['ignore', 'pipe', 'ignore'] });
}

/** A folder for one test file, and files in it. */
export function workFolder(): {
  path: string;
  write(name: string, bytes: Uint8Array): string;
  empty(): void;
  remove(): void;
} {
  const path = mkdtempSync(join(tmpdir(), 'cli-test-'));
  return {
    path,
    write(name, bytes) {
      const file = join(path, name);
      writeFileSync(file, bytes);
      return file;
    },
    empty() {
      for (const name of readdirSync(path)) rmSync(join(path, name), { recursive: true });
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}
