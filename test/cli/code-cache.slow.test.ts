/** Compiled code in the user's folder: made by the first run, taken by the next, and never anybody else's. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { workFolder } from '../support/cli.js';

const folder = workFolder();
afterAll(() => folder.remove());
// The command without the compiled code that is shipped for this Node, as another Node finds it.
const home = join(folder.path, 'installed');
cpSync('bin', join(home, 'bin'), { recursive: true });
cpSync('dist/cli', join(home, 'dist/cli'), { recursive: true, filter: (path) => !path.endsWith('/code') });
const kernel = 'fixtures/bin/pvh64-bare';
const code = join(folder.path, 'code');

function run(env: Readonly<Record<string, string>> = { XEN_ELFPATCH_CODE_CACHE: code }, args = ['notes', kernel]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(home, 'bin/xen-elfpatch.js'), ...args], {
    env: { PATH: process.env['PATH'], ...env },
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

const without = run({ XEN_ELFPATCH_CODE_CACHE: '' });

/** Other code for the same place: V8 compares no more of the source than its length. */
function otherCode(): Buffer {
  const filename = join(home, 'dist/cli/main.js');
  const source = readFileSync(filename, 'latin1');
  const other = '(process.stdout.write("other code\\n"),()=>({}))';
  return new Script(other.padEnd(source.length), { filename }).createCachedData();
}

const kept = () => readdirSync(code);
/** The one file there is after a first run. */
function only(): string {
  const [name, ...more] = kept();
  if (name === undefined || more.length > 0) throw new Error(`one file expected: ${kept()}`);
  return join(code, name);
}

beforeEach(() => rmSync(code, { recursive: true, force: true }));

describe('compiled code in the cache folder of the user', () => {
  it('is made by the first run, for the owner alone, and taken by the next', () => {
    expect(run()).toEqual(without);
    expect(lstatSync(code).mode & 0o777).toBe(0o700);
    const { ino, mode } = lstatSync(only());
    expect(mode & 0o777).toBe(0o600);
    expect(only()).toContain(`main-notes-${process.versions.v8}-${process.arch}-`);
    expect(run()).toEqual(without);
    // A file that was not taken is made anew.
    expect(lstatSync(only()).ino).toBe(ino);
    // It is what runs: the tests below would find nothing otherwise.
    writeFileSync(only(), otherCode());
    expect(run().stdout).toBe('other code\n');
  });

  it("has a file for each set of V8's flags, so that runs under one leave that of the others alone", () => {
    run();
    const { ino } = lstatSync(only());
    const flagged = { XEN_ELFPATCH_CODE_CACHE: code, NODE_OPTIONS: '--stack-trace-limit=20' };
    expect(run(flagged)).toEqual(without);
    const files = () => kept().map((name) => lstatSync(join(code, name)).ino);
    const both = files();
    expect(both).toHaveLength(2);
    expect(both).toContain(ino);
    run();
    run(flagged);
    expect(files()).toEqual(both);
  });

  it.each<[string, () => void]>([
    ['a file that its group can write', () => chmodSync(only(), 0o660)],
    ['a file that anybody can write', () => chmodSync(only(), 0o602)],
    ['a folder that its group can write', () => chmodSync(code, 0o770)],
    ['a folder that anybody can write', () => chmodSync(code, 0o703)],
    [
      'a folder behind a link',
      () => {
        renameSync(code, `${code}.real`);
        symlinkSync(`${code}.real`, code);
      },
    ],
    [
      'a link to a file',
      () => {
        const file = only();
        copyFileSync(file, join(folder.path, 'elsewhere'));
        rmSync(file);
        symlinkSync(join(folder.path, 'elsewhere'), file);
      },
    ],
    ...(process.geteuid?.() === 0
      ? ([
          ["another user's file", () => chownSync(only(), 12345, 12345)],
          ["another user's folder", () => chownSync(code, 12345, 12345)],
        ] as [string, () => void][])
      : []),
  ])('is not taken from %s', (_, spoil) => {
    run();
    writeFileSync(only(), otherCode());
    spoil();
    try {
      expect(run()).toEqual(without);
    } finally {
      rmSync(`${code}.real`, { recursive: true, force: true });
    }
  });

  it.each([
    ['garbage', () => Buffer.from('garbage')],
    ['nothing', () => Buffer.alloc(0)],
    ['half of it', (right: Buffer) => right.subarray(0, right.length >> 1)],
    ['what another V8 made', (right: Buffer) => Buffer.from(right).fill(0xff, 4, 8)],
  ])('is made anew where the file holds %s', (_, spoil) => {
    run();
    const right = readFileSync(only());
    writeFileSync(only(), spoil(right));
    expect(run()).toEqual(without);
    expect(readFileSync(only()).length).toBeGreaterThan(right.length / 2);
    expect(run()).toEqual(without);
  });

  it.each<[string, Readonly<Record<string, string>>]>([
    ['no home', {}],
    ['an empty home', { HOME: '' }],
    ['a relative home', { HOME: 'home' }],
    ['a home that is not there and cannot be', { HOME: '/proc/nobody' }],
    ['a home that is a file', { HOME: join(process.cwd(), 'package.json') }],
    ['a relative folder', { XEN_ELFPATCH_CODE_CACHE: 'code' }],
    ['a folder that cannot be made', { XEN_ELFPATCH_CODE_CACHE: '/proc/nobody/code' }],
    ['a device as folder', { XEN_ELFPATCH_CODE_CACHE: '/dev/null' }],
  ])('is done without where there is %s', (_, env) => {
    expect(run(env)).toEqual(without);
  });

  it('stands in XDG_CACHE_HOME, else in ~/.cache', () => {
    const [xdg, own] = [join(folder.path, 'xdg'), join(folder.path, 'own')];
    for (const path of [xdg, own]) mkdirSync(path);
    for (const env of [
      { XDG_CACHE_HOME: xdg, HOME: own },
      { XDG_CACHE_HOME: 'relative', HOME: own },
    ])
      run(env);
    expect(readdirSync(join(xdg, 'xen-elfpatch/code'))).toEqual(readdirSync(join(own, '.cache/xen-elfpatch/code')));
    expect(existsSync('relative')).toBe(false);
  });

  it.runIf(process.geteuid?.() === 0)("leaves another user's home as it is", () => {
    const other = join(folder.path, 'other');
    mkdirSync(other);
    chownSync(other, 12345, 12345);
    expect(run({ HOME: other })).toEqual(without);
    expect(readdirSync(other)).toEqual([]);
  });

  it('keeps the three commands of kernel builds apart, and the others together', () => {
    for (const args of [
      ['notes', kernel],
      ['verify', kernel],
      ['explain', 'ENTRY'],
      ['layout', kernel],
    ])
      run(undefined, args);
    const names = kept().map((name) => name.split('-').slice(0, 2).join('-'));
    expect(names.sort()).toEqual([
      'main-notes',
      'main-other',
      'main-verify',
      'rest-other',
      'work-other',
      'work-verify',
    ]);
  });

  it.each([
    ['notes K', ['main']],
    ['notes K --json', ['main']],
    ['notes -q K --color=never', ['main']],
    ['patch K --in-place --set=GUEST_OS=linux', ['main', 'work']],
    ['patch -q K --in-place --set GUEST_OS=linux --notes-align=4', ['main', 'work']],
    ['patch K -oOUT --set GUEST_OS=linux', ['copy', 'main', 'work']],
    ['verify K --color=never', ['main', 'work']],
  ])('%s: reads %j of the command, and nothing else', (line, parts) => {
    const image = join(folder.path, 'kernel');
    copyFileSync(kernel, image);
    const words = line.split(' ').map((word) => word.replace(/^K$/, image).replace('OUT', `${image}.out`));
    run(undefined, words);
    expect([...new Set(kept().map((name) => name.split('-')[0]))].sort()).toEqual(parts);
  });

  it.each([
    `notes ${kernel} --colour=never`,
    'notes nowhere',
    'patch --help',
    'patch -h',
    '--version',
    `patch ${kernel} --in-place --check --set GUEST_OS=linux`,
    `patch ${kernel} --dry-run --set GUEST_OS=linux`,
  ])('is not made by a run that does little of its work: %s', (line) => {
    run(undefined, line.split(' '));
    expect(existsSync(code)).toBe(false);
  });

  it('removes what nobody made for a month, and leaves nothing half done', () => {
    mkdirSync(code, { mode: 0o700 });
    const old = join(code, 'main-notes-1.2.3-x64-0');
    writeFileSync(old, '');
    utimesSync(old, 1, 1);
    run();
    expect(existsSync(old)).toBe(false);
    expect(only()).not.toContain('.tmp');
  });
});
