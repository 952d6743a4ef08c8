/**
 * The command killed outright at every system call that changes a file: what is left is the old image or the new one, and
 * the next run goes through as if nothing had been. The same for every such call that fails.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/base/bytes/source.js';
import { analyze } from '../../src/edit/elf/plan/analyze.js';
import { readElf } from '../../src/formats/elf/read.js';
import { verifyImage } from '../../src/verify/elf/verify.js';
import { runCli, workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';
import { runTampered, type Step, stepsOf } from '../support/inject.js';
import { expectError, xenNotes } from '../support/patching.js';

const folder = workFolder();
afterAll(() => folder.remove());

/** A way to write, in a folder with the image `k` and an older result `o`. */
interface Way {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  /** What the command says of how it wrote. */
  readonly how: RegExp;
  /** The file that is written. */
  readonly target: 'k' | 'o';
  /** The system calls that must be among those tried; a list of calls that are never made would prove nothing. */
  readonly calls: readonly string[];
}

const SET = ['--set', 'PHYS32_ENTRY=0x100000', '--set', 'GUEST_OS=killed'];
const WAYS: readonly Way[] = [
  {
    name: 'beside the target',
    image: 'pvh64-bare',
    args: ['patch', 'k', '-o', 'o', ...SET],
    how: /written to o/,
    target: 'o',
    calls: ['openat', 'copy_file_range', 'pwrite64', 'ftruncate', 'fsync', 'chmod', 'rename'],
  },
  {
    name: 'in place, directly',
    image: 'pvh64-bare',
    args: ['patch', 'k', '--in-place', ...SET],
    how: /patched where it is/,
    target: 'k',
    calls: ['openat', 'write', 'link', 'unlink', 'pwrite64', 'fdatasync'],
  },
  {
    name: 'in place, directly, one descriptor',
    image: 'pvh64-notes',
    args: ['patch', 'k', '--in-place', '--set', 'PHYS32_ENTRY=0x100010'],
    how: /patched where it is/,
    target: 'k',
    calls: ['pwrite64', 'fdatasync'],
  },
  {
    name: 'in place, by a copy',
    image: 'pvh64-bare',
    args: ['patch', 'k', '--in-place', '--placement', 'shift', ...SET],
    how: /written to k/,
    target: 'k',
    calls: ['openat', 'pwrite64', 'ftruncate', 'fsync', 'rename', 'link', 'unlink'],
  },
];

/** Steps whose failure costs nothing: another owner, a folder that cannot be synced, no reflinks, no hard links, a lock given back. */
const MAY_FAIL = /^(chown|fsync|ioctl|unlink|link)$/;
/** At EIO libuv copies by reading and writing what the kernel would not copy. */
const MAY_FAIL_EIO = /^(chown|fsync|ioctl|unlink|link|copy_file_range)$/;

describe.each(WAYS)('$name', { timeout: 300_000 }, (way) => {
  const home = join(folder.path, way.name.replaceAll(/\W+/g, '-'));
  const at = (name: string) => join(home, name);
  const input = readFileSync(fixture(way.image));
  const older = readFileSync(fixture('pvh32-bare'));
  const before = way.target === 'k' ? input : older;
  let wanted: Buffer;
  let wantedNotes: unknown;
  let oldNotes: unknown;
  let steps: readonly Step[];

  /** The folder as it is before the run. */
  function prepare(): void {
    rmSync(home, { recursive: true, force: true });
    mkdirSync(home);
    writeFileSync(at('k'), input);
    writeFileSync(at('o'), older);
  }

  beforeAll(() => {
    prepare();
    oldNotes = xenNotes(at('k'));
    const run = runCli(way.args, { cwd: home });
    expect(run.stdout, run.stderr).toMatch(way.how);
    wanted = readFileSync(at(way.target));
    wantedNotes = xenNotes(at(way.target));
    prepare();
    steps = stepsOf(way.args, home);
    expect(readFileSync(at(way.target)).equals(wanted)).toBe(true);
    expect(steps.map(({ call }) => call)).toEqual(expect.arrayContaining([...way.calls]));
  });

  /** The old image is whole: nothing that belongs to it has changed, and whatever else is there nobody looks at. */
  function expectOld(now: Buffer): void {
    if (way.target === 'o') {
      expect(now.equals(older)).toBe(true);
      return;
    }
    for (const { start, end } of analyze(readElf(new BufferSource(input, 'input'))).usedRanges) {
      expect(now.subarray(Number(start), Number(end)).equals(input.subarray(Number(start), Number(end)))).toBe(true);
    }
    expectSound(now);
    expect(xenNotes(at('k'))).toEqual(oldNotes);
  }

  function expectSound(bytes: Buffer): void {
    const findings = verifyImage({ image: readElf(new BufferSource(bytes, 'left')) });
    expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
  }

  it('killed at any step: the old image or the new one, and the next run goes through', () => {
    let changed = false;
    for (const step of steps) {
      prepare();
      const killed = runTampered(way.args, step, 'kill', home);
      expect(killed.signal, `${step.call} ${step.when}: ${killed.stderr}`).toBe('SIGKILL');
      const now = readFileSync(at(way.target));
      const isNew = now.equals(wanted);
      if (!isNew) expectOld(now);
      // Once the new one is there, no later step takes it away.
      if (changed) expect(isNew).toBe(true);
      changed = isNew;
      const again = runCli(way.args, { cwd: home });
      expect(again.status, again.stderr).toBe(0);
      expectSound(readFileSync(at(way.target)));
      expect(xenNotes(at(way.target))).toEqual(wantedNotes);
    }
    // Beside a target, nothing but the sync of the folder follows the rename.
    expect(changed).toBe(way.target === 'k');
  });

  it('any step that fails: an error, the old file byte for byte, and nothing beside it', () => {
    for (const [index, step] of steps.entries()) {
      prepare();
      const run = runTampered(way.args, step, index % 2 === 0 ? 'ENOSPC' : 'EIO', home);
      const now = readFileSync(at(way.target));
      if (run.status === 0) {
        expect(step.call).toMatch(index % 2 === 0 ? MAY_FAIL : MAY_FAIL_EIO);
        expect(now.equals(wanted)).toBe(true);
        continue;
      }
      expectError(run, 'write.failed');
      expect(now.equals(before), `${step.call} ${step.when}`).toBe(true);
      expect(readdirSync(home)).toEqual(['k', 'o']);
    }
  });
});
