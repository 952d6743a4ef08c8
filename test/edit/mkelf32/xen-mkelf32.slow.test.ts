/** The installed command, spawned: arguments, words and exit statuses of Xen's own tool. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { workFolder } from '../../support/cli.js';
import { input, simple, wrap } from './support.js';

const folder = workFolder();
afterAll(() => folder.remove());
const bytes = simple(0x2000, 0x3000n, { at: 0x100n, size: 0x24n });
let cwd = '';
let count = 0;

beforeEach(() => {
  cwd = join(folder.path, `${count++}`);
  mkdirSync(cwd);
  writeFileSync(join(cwd, 'in'), bytes);
});

function run(...args: string[]) {
  return spawnSync(process.execPath, [resolve('bin/xen-mkelf32.js'), ...args], {
    cwd,
    encoding: 'utf8',
    timeout: 60_000,
  });
}
const out = () => readFileSync(join(cwd, 'out'));
const quiet = { status: 0, stdout: '', stderr: '' };
const USAGE = 'Usage: mkelf32 [--notes] <in-image> <out-image> <load-base>\n';

describe('arguments', () => {
  it.each([[[]], [['in']], [['in', 'out']], [['--notes']], [['--notes', 'in', 'out']]])('%j: usage, exit 1', (args) => {
    expect(run(...args)).toMatchObject({ status: 1, stdout: '', stderr: USAGE });
    expect(readdirSync(cwd)).toEqual(['in']);
  });

  it('writes what is planned and says nothing', () => {
    expect(run('--notes', 'in', 'out', '0x200000')).toMatchObject(quiet);
    expect(out().equals(wrap(bytes, { notes: true }))).toBe(true);
  });

  it('ignores words behind the third', () => {
    expect(run('--notes', 'in', 'out', '200000', 'ffff82d0405a7000', '--help')).toMatchObject(quiet);
    expect(out().equals(wrap(bytes, { notes: true }))).toBe(true);
  });

  it('takes --notes as a file name in any other place, and knows no other option', () => {
    writeFileSync(join(cwd, 'in'), simple(0x10, 0x3000n));
    expect(run('in', '--notes', '200000')).toMatchObject(quiet);
    expect(existsSync(join(cwd, '--notes'))).toBe(true);
    expect(run('--help', 'out', '0')).toMatchObject({
      status: 1,
      stderr: "Failed to open input image '--help': 2 (No such file or directory).\n",
    });
  });

  it('reads numbers as C does', () => {
    expect(run('--notes', 'in', 'out', ' 0x123456789 or so')).toMatchObject(quiet);
    expect(out().equals(wrap(bytes, { notes: true, loadBase: 0x23456789n }))).toBe(true);
    expect(run('--notes', 'in', 'out', 'none')).toMatchObject(quiet);
    expect(out().equals(wrap(bytes, { notes: true, loadBase: 0n }))).toBe(true);
  });
});

describe('refusals: the original words, exit 1, the old output as it was', () => {
  const change = (at: number, ...values: number[]) => {
    const copy = bytes.slice();
    copy.set(values, at);
    return copy;
  };
  const outside = input(
    [
      { offset: 0x1000n, filesz: 0x800n },
      { type: 4, offset: 0x900n, filesz: 0x10n },
    ],
    0x1800,
  );
  it.each([
    [change(1, 0), 'Input image must be a little-endian Elf image.\n'],
    [change(4, 1), 'Bad program header class - we only do 64-bit!.\n'],
    [change(54, 55), 'Bad program header size (55 != 56).\n'],
    [change(56, 1), 'Expect precisly 2 program header; found 1.\n'],
    [outside, 'Expected .note section within .text section!\n.note: [900, 910) .text: [1000, 1800)\n'],
    [new Uint8Array(0), 'Input image ends early: the ELF header would end at byte 52, the file has 0.\n'],
    [bytes.slice(0, 0x2000), 'Input image ends early: the load segment would end at byte 12288, the file has 8192.\n'],
  ])('%#', (image, stderr) => {
    writeFileSync(join(cwd, 'in'), image);
    writeFileSync(join(cwd, 'out'), 'old');
    expect(run('--notes', 'in', 'out', '200000')).toMatchObject({ status: 1, stdout: '', stderr });
    expect(out().toString()).toBe('old');
    expect(readdirSync(cwd).sort()).toEqual(['in', 'out']);
  });

  it('input that is not there, or a folder, or under a file', () => {
    mkdirSync(join(cwd, 'folder'));
    const failed = (name: string) => run(name, 'out', '0').stderr;
    expect(failed('none')).toBe("Failed to open input image 'none': 2 (No such file or directory).\n");
    expect(failed('in/x')).toBe("Failed to open input image 'in/x': 20 (Not a directory).\n");
    expect(failed('folder')).toBe('Error reading input image: 21 (Is a directory).\n');
    expect(existsSync(join(cwd, 'out'))).toBe(false);
  });

  it('output that is a folder, in no folder, or under a file', () => {
    mkdirSync(join(cwd, 'folder'));
    const failed = (name: string) => run('--notes', 'in', name, '0');
    const words = (name: string, text: string) => ({
      status: 1,
      stderr: `Failed to open output image '${name}': ${text}.\n`,
    });
    expect(failed('folder')).toMatchObject(words('folder', '21 (Is a directory)'));
    expect(failed('none/out')).toMatchObject(words('none/out', '2 (No such file or directory)'));
    expect(failed('in/out')).toMatchObject(words('in/out', '20 (Not a directory)'));
    expect(failed('out/')).toMatchObject(words('out/', '21 (Is a directory)'));
    expect(failed('')).toMatchObject(words('', '2 (No such file or directory)'));
  });

  it('a full disk leaves the old output', () => {
    expect(run('--notes', 'in', '/dev/full', '0')).toMatchObject({
      status: 1,
      stderr: 'Error writing output image: 28 (No space left on device).\n',
    });
  });

  it.each(['in', './in', 'link', 'hard'])('output %s, which is the input: refused, and the input is whole', (name) => {
    symlinkSync('in', join(cwd, 'link'));
    linkSync(join(cwd, 'in'), join(cwd, 'hard'));
    expect(run('--notes', 'in', name, '0')).toMatchObject({
      status: 1,
      stderr: `Output image '${name}' is the input image.\n`,
    });
    expect(readFileSync(join(cwd, 'in')).equals(bytes)).toBe(true);
  });
});

describe('the output file', () => {
  const mode = (name: string) => statSync(join(cwd, name)).mode & 0o7777;

  it('is new with 0775 less the umask, and keeps its mode when it was there', () => {
    run('--notes', 'in', 'out', '0');
    expect(mode('out')).toBe(0o775 & ~process.umask());
    chmodSync(join(cwd, 'out'), 0o640);
    expect(run('--notes', 'in', 'out', '200000')).toMatchObject(quiet);
    expect(mode('out')).toBe(0o640);
    expect(out().equals(wrap(bytes, { notes: true }))).toBe(true);
  });

  it('is the one that a link points to, also when that is not there yet', () => {
    mkdirSync(join(cwd, 'folder'));
    symlinkSync('folder/real', join(cwd, 'out'));
    for (const base of ['0', '200000']) {
      expect(run('--notes', 'in', 'out', base)).toMatchObject(quiet);
      expect(lstatSync(join(cwd, 'out')).isSymbolicLink()).toBe(true);
      expect(readdirSync(join(cwd, 'folder'))).toEqual(['real']);
    }
    expect(out().equals(wrap(bytes, { notes: true }))).toBe(true);
  });

  it('may be a device', () => {
    expect(run('--notes', 'in', '/dev/null', '0')).toMatchObject(quiet);
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  it('may have a long name', () => {
    const name = 'x'.repeat(255);
    expect(run('--notes', 'in', name, '0')).toMatchObject(quiet);
    expect(readdirSync(cwd).sort()).toEqual(['in', name]);
  });
});
