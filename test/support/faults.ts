/**
 * The command with a library laid under it that counts what it asks the system about the files of one folder, makes one of
 * those calls fail and writes down what the others did (faults.c). Unlike strace it sees nothing of Node itself, whose calls
 * are others from run to run.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CliResult } from './cli.js';
import { requireTools } from './tools.js';

/** What happens to one call. */
export const FAULTS = ['kill', 'EIO', 'ENOSPC', 'EINTR', 'short'] as const;
export type Fault = (typeof FAULTS)[number];

/** A call of a run, by its number from 1; reads are counted by themselves. */
export interface Call {
  readonly name: string;
  readonly number: number;
  readonly isRead: boolean;
}

/** What a run did to the folder, in order, besides the calls themselves: see `said` in faults.c. */
export interface Watched extends CliResult {
  readonly calls: readonly Call[];
  /** `wrote 7 0 7f45…`, `synced 7`, `renamed a\tb` … */
  readonly events: readonly string[];
}

/** Builds the library into a folder. Errors: gcc is missing, or does not take it. */
export function buildFaults(folder: string): string {
  requireTools('gcc');
  const library = join(folder, 'faults.so');
  const words = ['-O2', '-fno-builtin', '-Wall', '-fPIC', '-shared', '-o', library, 'test/support/faults.c', '-ldl'];
  const { status, stderr } = spawnSync('gcc', words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return library;
}

/** Runs a program of ours in a folder, with one call that fails, or none. */
export function runWatched(
  library: string,
  words: readonly string[],
  folder: string,
  failing?: { readonly call: Call; readonly fault: Fault },
): Watched {
  const log = `${folder}.log`;
  rmSync(log, { force: true });
  const at = failing && { [failing.call.isRead ? 'FAULT_READ' : 'FAULT_AT']: String(failing.call.number) };
  const kind = failing && { FAULT_KIND: failing.fault };
  // Calls through io_uring would not be seen.
  const env = { ...process.env, LD_PRELOAD: library, FAULT_FOLDER: folder, FAULT_LOG: log, UV_USE_IO_URING: '0' };
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, words, {
    cwd: folder,
    env: { ...env, ...at, ...kind },
    encoding: 'utf8',
    input: '',
    maxBuffer: 1 << 28,
  });
  const lines = readFileSync(log, 'latin1').split('\n').slice(0, -1);
  rmSync(log);
  const calls = lines.flatMap((line): Call[] => {
    const [, what, number, name = ''] = /^(call|read) (\d+) (.*)$/.exec(line) ?? [];
    return what === undefined ? [] : [{ name, number: Number(number), isRead: what === 'read' }];
  });
  return { status, signal, stdout, stderr, calls, events: lines.filter((line) => !/^(call|read) \d/.test(line)) };
}
