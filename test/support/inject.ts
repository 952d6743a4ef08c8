/**
 * Runs the command under strace: to learn which system calls change a file, and to kill it, or fail one of them, at a chosen
 * one (strace(1), "Tampering").
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { BIN, type CliResult } from './cli.js';

/** System calls that change what others can see of a file. */
const CHANGING = [
  ...['pwrite64', 'pwritev', 'write', 'writev', 'ftruncate', 'fallocate', 'copy_file_range', 'sendfile', 'ioctl'],
  ...['fsync', 'fdatasync', 'chmod', 'fchmod', 'chown', 'fchown', 'utimensat'],
  ...['openat', 'rename', 'renameat2', 'link', 'symlink', 'unlink', 'rmdir', 'mkdir'],
];

/** One system call of a run: the `when`-th of its name in its thread. */
export interface Step {
  readonly call: string;
  readonly when: number;
}

/** The system calls of a run that change something in a folder, in order. */
export function stepsOf(args: readonly string[], folder: string, program = BIN): readonly Step[] {
  const log = join(folder, '..', 'strace.log');
  strace(['-y', '-o', log, '-e', `trace=${CHANGING.join(',')}`], args, folder, program);
  const counts = new Map<string, number>();
  const steps: Step[] = [];
  for (const line of readFileSync(log, 'latin1').split('\n')) {
    const [, thread, call = ''] = /^(\d+) +(\w+)\(/.exec(line) ?? [];
    if (thread === undefined) continue;
    const key = `${thread} ${call}`;
    const when = (counts.get(key) ?? 0) + 1;
    counts.set(key, when);
    const reads = (call === 'openat' && !line.includes('O_CREAT')) || (call === 'ioctl' && !line.includes('CLONE'));
    // Counted by thread: the second of the same number would be tampered with where the first is.
    const known = steps.some((step) => step.call === call && step.when === when);
    if (line.includes(folder) && !reads && !known) steps.push({ call, when });
  }
  rmSync(log);
  return steps;
}

/**
 * One run with a step tampered with. A signal comes as the call is entered, which then does not happen. `missed`: the call of
 * that number had nothing to do with the folder; on a busy machine Node itself makes one more or one less.
 */
export function runTampered(
  args: readonly string[],
  { call, when }: Step,
  what: 'kill' | 'ENOSPC' | 'EIO',
  folder: string,
  program = BIN,
): CliResult & { readonly missed: boolean } {
  const log = join(folder, '..', 'strace.log');
  const action = what === 'kill' ? 'signal=KILL' : `error=${what}`;
  const inject = ['-e', `trace=${call}`, '-e', `inject=${call}:${action}:when=${when}`];
  const run = strace(['-y', '-o', log, ...inject], args, folder, program);
  const hits = readFileSync(log, 'latin1')
    .split('\n')
    .filter((line) => line.includes('(INJECTED)'));
  rmSync(log);
  // Where the command runs is no place of the call.
  const missed = what !== 'kill' && !hits.some((line) => line.replace(/AT_FDCWD<[^>]*>/g, '').includes(folder));
  return { ...run, missed };
}

function strace(options: readonly string[], args: readonly string[], cwd: string, program: string): CliResult {
  const words = ['-f', '-qq', ...options, process.execPath, program, ...args];
  const { status, signal, stdout, stderr, error } = spawnSync('strace', words, { cwd, encoding: 'utf8', input: '' });
  if (error !== undefined) throw error;
  return { status, signal, stdout, stderr };
}
