/**
 * Who looks into a program from outside finds after an edit what was there before: the build-id in a core file, lines and
 * threads by gdb and addr2line, the separate debug file of a stripped one.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli, workFolder } from '../support/cli.js';
import { compiled } from '../support/programs.js';
import { requireTools } from '../support/tools.js';

const folder = workFolder();
afterAll(() => folder.remove());

const KINDS: Readonly<Record<string, readonly string[]>> = {
  pie: ['-pie'],
  'no-pie': ['-no-pie'],
  static: ['-static'],
  'static-pie': ['-static-pie'],
  // Without GNU's properties there is one PT_NOTE, and it has the build-id.
  lld: ['-pie', '-B/usr/lib/llvm-14/bin', '-fuse-ld=lld'],
  mold: ['-pie', '-fuse-ld=mold'],
};
const NAMES = Object.keys(KINDS);

/** Every program has the same name in a folder of its own, so that nothing that names it differs. */
const at = (kind: string, state: string, name = 'program') => join(folder.path, kind, state, name);
/** What the command said of each edit. */
const said = new Map<string, string>();

function stamp(kind: string, from: string, to: string, ...options: readonly string[]): void {
  mkdirSync(at(kind, to, ''), { recursive: true });
  const args = ['stamp', at(kind, from), '-o', at(kind, to), '--package-metadata', 'name=x', ...options];
  const { status, stderr } = runCli(args);
  expect({ status, stderr }).toEqual({ status: 0, stderr: expect.not.stringContaining('error') });
  said.set(`${kind} ${to}`, stderr);
}

beforeAll(() => {
  requireTools('gcc', 'gdb', 'addr2line', 'mold', 'nm', 'objcopy', 'eu-strip', 'eu-unstrip');
  for (const [kind, flags] of Object.entries(KINDS)) {
    mkdirSync(at(kind, 'before', ''), { recursive: true });
    compiled(at(kind, 'before'), 'threads.c', 'gcc', ['-g', '-pthread', '-Wl,--build-id', ...flags]);
    stamp(kind, 'before', 'stamped');
    stamp(kind, 'before', 'new-table', '--placement', 'new-table');
  }
});

function output(program: string, args: readonly string[], cwd = folder.path): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', cwd, env: ENV });
  if (error !== undefined || status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error ?? stderr}`);
  return stdout;
}

const ENV = { PATH: process.env['PATH'], LC_ALL: 'C', HOME: folder.path, DEBUGINFOD_URLS: '' };

const buildId = (path: string) => /Build ID: ([0-9a-f]+)/.exec(output('readelf', ['-n', path]))?.[1] ?? 'none';

/**
 * The core file of a program that aborts, as the kernel writes it: of the program's file nothing but the first page. Where the
 * kernel gives it to somebody else, gdb's, which holds more.
 */
function core(kind: string, state: string): string {
  const cwd = at(kind, state, '');
  const path = join(cwd, 'core');
  if (/^[^|/]+$/.test(readFileSync('/proc/sys/kernel/core_pattern', 'utf8').trim())) {
    spawnSync('sh', ['-c', 'ulimit -c unlimited; exec ./program abort'], { cwd });
    const found = readdirSync(cwd).find((name) => name !== 'program');
    if (found !== undefined && found !== 'core') renameSync(join(cwd, found), path);
    return path;
  }
  console.log('the kernel gives core files to a program here: taken from gdb');
  output('gdb', ['-batch', '-ex', 'run abort', '-ex', `generate-core-file ${path}`, './program'], cwd);
  return path;
}

/** Does a core file alone give the build-id? The program itself is away meanwhile. */
function idInCore(kind: string, state: string): boolean {
  const path = core(kind, state);
  const id = buildId(at(kind, state));
  expect(id).toMatch(/^[0-9a-f]{16,}$/);
  renameSync(at(kind, state), at(kind, state, 'hidden'));
  const { stdout } = spawnSync('eu-unstrip', ['-n', `--core=${path}`], { encoding: 'utf8', env: ENV });
  renameSync(at(kind, state, 'hidden'), at(kind, state));
  rmSync(path);
  return stdout.includes(id);
}

it.each(NAMES)('a core file of %s has the build-id that it had, or it was said that it would not', (kind) => {
  const before = idInCore(kind, 'before');
  // mold aligns its PT_NOTE to 8 and pads its notes to 4, so that elfutils does not come to the build-id at all.
  expect(before).toBe(kind !== 'mold');
  for (const state of ['stamped', 'new-table']) {
    const told = /core files/.test(said.get(`${kind} ${state}`) ?? '');
    expect({ state, found: idInCore(kind, state) }).toEqual({ state, found: before && !told });
  }
});

it('a stamp leaves the build-id where core files show it wherever GNU’s properties have a PT_GNU_PROPERTY', () => {
  const lost = NAMES.filter((kind) => /core files/.test(said.get(`${kind} stamped`) ?? ''));
  expect(lost).toEqual(['lld', 'mold']);
});

describe.each(NAMES)('%s', (kind) => {
  it.each(['stamped', 'new-table'])('%s: gdb stops at the line, and shows threads and their variables', (state) => {
    const commands = ['break thread', 'run', 'backtrace', 'print own', 'print names', 'info line'];
    const args = ['-batch', ...commands.flatMap((command) => ['-ex', command]), './program'];
    const shown = (of: string) =>
      output('gdb', args, at(kind, of, ''))
        // Addresses and numbers of threads differ from run to run.
        .replace(/0x[0-9a-f]+|LWP \d+/g, '#');
    const after = shown(state);
    expect(after).toEqual(shown('before'));
    expect(after).toMatch(/= 41\n/);
    expect(after).toMatch(/threads\.c:\d+/);
  });

  it.each(['stamped', 'new-table'])('%s: addr2line gives the line of every function', (state) => {
    const symbols = output('nm', [at(kind, 'before')]).split('\n');
    const addresses = symbols.flatMap(
      (line) => /^([0-9a-f]+) [tT] (?:main|show|thread|rights|notes)$/.exec(line)?.[1] ?? [],
    );
    expect(addresses.length).toBeGreaterThanOrEqual(4);
    const lines = (of: string) => output('addr2line', ['-f', '-e', at(kind, of), ...addresses]);
    const after = lines(state);
    expect(after).toBe(lines('before'));
    expect(after).toMatch(/main\n\S+threads\.c:\d+/);
  });

  it.each([
    ['objcopy', 'strip'],
    ['eu-strip', 'eu-strip'],
  ])('a debug file by %s is still that of the program', (_, by) => {
    const state = `stripped-by-${by}`;
    const debug = at(kind, state, 'program.debug');
    mkdirSync(at(kind, state, ''), { recursive: true });
    if (by === 'strip') {
      output('objcopy', ['--only-keep-debug', at(kind, 'before'), debug]);
      output('objcopy', ['--strip-all', `--add-gnu-debuglink=${debug}`, at(kind, 'before'), at(kind, state)]);
    } else output('eu-strip', ['-f', debug, '-o', at(kind, state), at(kind, 'before')]);
    stamp(kind, state, `${state}-stamped`);
    copyFileSync(debug, at(kind, `${state}-stamped`, 'program.debug'));

    const line = (of: string) => output('gdb', ['-batch', '-ex', 'info line main', './program'], at(kind, of, ''));
    const after = line(`${state}-stamped`);
    expect(after).toBe(line(state));
    expect(after).toMatch(/^Line \d+ of "\S+threads\.c"/);
    // Of a static PIE it does not join even what eu-strip took apart.
    const rejoined = (of: string) =>
      spawnSync('eu-unstrip', ['-o', at(kind, of, 'joined'), at(kind, of), debug]).status;
    expect(rejoined(`${state}-stamped`)).toBe(rejoined(state));
    if (kind === 'static-pie') return;
    expect(buildId(at(kind, `${state}-stamped`, 'joined'))).toBe(buildId(at(kind, 'before')));
  });
});
