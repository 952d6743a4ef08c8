/**
 * Every ELF program of some of Debian's packages, stamped: none is refused, and each prints with `--version` what it printed.
 * They are what linkers of a distribution make of every shape: PIE with RELRO, static, a table without a free entry.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readSync, realpathSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { changes } from '../../src/edit/elf/pipeline.js';
import { planStamp } from '../../src/edit/stamp/stamp.js';
import { PT_INTERP } from '../../src/formats/elf/names.js';
import { runCli, workFolder } from '../support/cli.js';
import {
  imageAt,
  loadedNotes,
  notRestored,
  type Outcome,
  outcome,
  STAMPED,
  stampWith,
  UNSTAMP,
  writtenTo,
} from '../support/programs.js';

const folder = workFolder();
afterAll(() => folder.remove());

/** The packages, and how many ELF files each has at least: a list that came out empty is no proof. */
const PACKAGES: readonly (readonly [packages: string, atLeast: number])[] = [
  ['coreutils', 100],
  ['util-linux', 70],
  ['binutils binutils-x86-64-linux-gnu', 15],
  ['bash', 2],
  ['git', 10],
  ['python3-minimal python3.11-minimal', 1],
];

/** Each once, whatever links lead to it. */
function elfFilesOf(packages: string): readonly string[] {
  const { status, stdout, stderr } = spawnSync('dpkg-query', ['-L', ...packages.split(' ')], { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const files = stdout.split('\n').filter((path) => path.startsWith('/') && existsSync(path) && isElf(path));
  return [...new Set(files.map((path) => realpathSync(path)))].sort();
}

function isElf(path: string): boolean {
  if (!statSync(path).isFile()) return false;
  const file = openSync(path, 'r');
  try {
    const magic = Buffer.alloc(4);
    return readSync(file, magic) === 4 && magic.toString('latin1') === '\x7fELF';
  } finally {
    closeSync(file);
  }
}

/** A shared object is not started but loaded into a program; whatever is started answers `--version`, or says that it cannot. */
function runs(path: string, original: string): Outcome {
  const isProgram = imageAt(original).segments.some(({ p_type }) => p_type === PT_INTERP);
  if (isProgram) return outcome(path, ['--version'], original);
  // What ld.so cannot preload it says on standard error, and goes on without.
  const line = 'LD_PRELOAD=$1 exec /bin/true';
  return outcome('/bin/sh', ['-c', line, 'sh', path]);
}

describe.each(PACKAGES)('%s', (packages, atLeast) => {
  const files = elfFilesOf(packages);

  it('has programs', () => {
    expect(files.length).toBeGreaterThanOrEqual(atLeast);
  });

  it('every program is stamped, runs as before, and does so when the stamp is gone', () => {
    const failed: string[] = [];
    for (const file of files) {
      const path = join(folder.path, basename(file));
      const before = runs(file, file);
      const same = (what: string) => {
        const after = runs(path, file);
        if (!isDeepStrictEqual(after, before)) failed.push(`${file}: ${what}: ${JSON.stringify({ before, after })}`);
      };
      if (writtenTo(path, () => planStamp(imageAt(file), stampWith('x'))) === undefined) {
        failed.push(`${file}: refused`);
        continue;
      }
      same('stamped');
      if (!loadedNotes(imageAt(path)).some((note) => STAMPED.test(note))) failed.push(`${file}: not in memory`);
      if (changes(planStamp(imageAt(path), stampWith('x')))) failed.push(`${file}: the same stamp again changes it`);
      if (writtenTo(path, () => planStamp(imageAt(path), UNSTAMP)) === undefined) failed.push(`${file}: undo refused`);
      same('stamp removed');
      for (const what of notRestored(file, path)) failed.push(`${file}: ${what}`);
      rmSync(path);
    }
    expect(failed).toEqual([]);
  });

  it('one of them by the command', () => {
    const [file = ''] = files;
    const out = join(folder.path, 'by-command', basename(file));
    mkdirSync(dirname(out), { recursive: true });
    const args = ['stamp', file, '-o', out, '--package-metadata', 'name=x'];
    expect(runCli(args)).toMatchObject({ status: 0, stderr: expect.not.stringContaining('error') });
    expect(runs(out, file)).toEqual(runs(file, file));
  });
});
