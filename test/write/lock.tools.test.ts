/** One edit in place at a time, and a dead process holds nobody up. */
import { spawnSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ownName } from '../../src/write/leftovers.js';
import { lock, lockForRun } from '../../src/write/lock.js';
import { BIN, workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';
import { expectError } from '../support/patching.js';
import { IN_PLACE, prepare, runWriter, WRITERS } from '../support/writers.js';

const folder = workFolder();
afterAll(() => folder.remove());
let path = '';
let lockPath = '';
let content = '';
beforeEach(() => {
  for (const name of readdirSync(folder.path)) rmSync(join(folder.path, name), { recursive: true });
  path = folder.write('image', new Uint8Array(4));
  const unlock = lock(path, 'image');
  const name = readdirSync(folder.path).find((entry) => entry.endsWith('.lock'));
  lockPath = join(folder.path, name ?? 'no lock');
  content = readFileSync(lockPath, 'latin1');
  unlock();
});

function fixtureCopy(): string {
  return folder.write('kernel', readFileSync(fixture('pvh64-bare')));
}

/** Takes the lock and gives it back; what is in the folder then. */
function takeAndGive(): string[] {
  lock(path, 'image')();
  return readdirSync(folder.path);
}

/** A lock of a process that has our number in another container, as old as that. */
function lockElsewhere(minutes: number, pid = process.pid): void {
  writeFileSync(lockPath, content.replace(/^\d+/, String(pid)).replace(/\/\d+$/m, '/1'));
  const at = Date.now() / 1000 - minutes * 60;
  utimesSync(lockPath, at, at);
}

describe('lock()', () => {
  it.each([process.pid, 1, 4_000_000])(
    'of process %i of another container counts, whatever runs here by that number',
    (pid) => {
      lockElsewhere(9, pid);
      expect(() => lock(path, 'image')).toThrow(`(process ${pid} of another container or machine) is patching`);
      expect(readdirSync(folder.path)).toHaveLength(2);
    },
  );

  it('of another container is taken over when it is older than any edit', () => {
    lockElsewhere(11);
    expect(takeAndGive()).toEqual(['image']);
  });

  it('is a file that names its process, and goes away', () => {
    expect(content).toMatch(new RegExp(`^${process.pid} `));
    expect(readdirSync(folder.path)).toEqual(['image']);
  });

  it('goes without hard links, where the file system has none', () => {
    // What FAT answers; the kernel of this machine has no reason to.
    const run = spawnSync(
      'strace',
      [
        ...['-f', '-qq', '-o', '/dev/null', '-e', 'trace=link', '-e', 'inject=link:error=EPERM', process.execPath, BIN],
        ...['patch', fixtureCopy(), '--in-place', '--set', 'PHYS32_ENTRY=0x100000'],
      ],
      { encoding: 'utf8' },
    );
    expect(run.stderr).toBe('');
    expect(run.status).toBe(0);
    expect(readdirSync(folder.path).sort()).toEqual(['image', 'kernel']);
  });

  it('is held once, by whatever name of the file', () => {
    linkSync(path, join(folder.path, 'other'));
    const unlock = lock(path, 'image');
    expect(() => lock(path, 'image')).toThrow(`(process ${process.pid}) is patching this file [write.locked]`);
    unlock();
    lock(path, 'image')();
    expect(readdirSync(folder.path).sort()).toEqual(['image', 'other']);
  });

  it('of a living process is respected', () => {
    const { ppid } = process;
    const start = readFileSync(`/proc/${ppid}/stat`, 'latin1').split(') ')[1]?.split(' ')[19];
    for (const text of [`${ppid} ${start}\n`, `${ppid}\n`]) {
      writeFileSync(lockPath, text);
      expect(() => lock(path, 'image')).toThrow(`(process ${ppid})`);
      expect(readFileSync(lockPath, 'latin1')).toBe(text);
      expect(readdirSync(folder.path)).toHaveLength(2);
    }
  });

  it.each([
    ['a dead process', () => `${spawnSync('true').pid} 123\n`],
    ['a process whose number somebody else has now', () => `${process.ppid} 1\n`],
    ['an earlier process of our own number, as containers have them', () => content],
    ['nobody', () => ''],
    ['garbage', () => '\0\0\0'],
  ])('of %s is taken over', (_, text) => {
    writeFileSync(lockPath, text());
    expect(takeAndGive()).toEqual(['image']);
  });

  it('that cannot be read counts as held', () => {
    mkdirSync(lockPath);
    expect(() => lock(path, 'image')).toThrow('[write.locked]');
    expect(readdirSync(folder.path)).toHaveLength(2);
  });

  it('of a whole run is the lock of the edits in it, and held once in a process too', () => {
    const unlock = lockForRun(path);
    expect(() => lockForRun(path)).toThrow(`(process ${process.pid}) is patching this file [write.locked]`);
    lock(path, 'image')();
    expect(readdirSync(folder.path)).toHaveLength(2);
    unlock?.();
    expect(readdirSync(folder.path)).toEqual(['image']);
  });

  it('of a whole run is none for what is not there, or no file: whoever opens it tells', () => {
    expect(lockForRun(join(folder.path, 'none'))).toBeUndefined();
    expect(lockForRun('/dev/null')).toBeUndefined();
  });

  it('of a whole run that cannot be taken stops the edits of that run, and no others', () => {
    // The file that becomes the lock has the name of a folder this once.
    const random = vi.spyOn(Math, 'random').mockReturnValueOnce(0.5).mockReturnValueOnce(0.5);
    const inTheWay = `${lockPath}.${ownName()}`;
    mkdirSync(inTheWay);
    const over = lockForRun(path);
    random.mockRestore();
    rmdirSync(inTheWay);
    expect(() => lock(path, 'image')).toThrow('[write.failed]');
    over?.();
    expect(takeAndGive()).toEqual(['image']);
  });

  it('of a file with the longest name there is', () => {
    path = folder.write('n'.repeat(255), new Uint8Array(4));
    expect(takeAndGive().sort()).toEqual(['image', 'n'.repeat(255)]);
  });
});

describe('a file that another process is patching', () => {
  const home = join(folder.path, 'home');

  /** The lock of this process, which lives. */
  function locked(name: string): string {
    const file = `.${name}.xen-elfpatch.${statSync(join(home, name)).ino}.lock`;
    writeFileSync(join(home, file), `${process.pid}\n`);
    return file;
  }

  it.each(IN_PLACE)('$name --in-place: refused, and the file is as it was', (way) => {
    const image = way.image();
    prepare(home, image);
    const lockFile = locked('k');
    expectError(runWriter(way, way.args('k'), home), 'write.locked', new RegExp(`process ${process.pid}`));
    expect(readFileSync(join(home, 'k')).equals(Buffer.from(image))).toBe(true);
    expect(readdirSync(home).sort()).toEqual([lockFile, 'k']);
  });

  it.each(IN_PLACE)('$name --in-place: is not even read: what is planned on it would be stale', (way) => {
    prepare(home, Buffer.from('no image at all'));
    locked('k');
    expectError(runWriter(way, way.args('k'), home), 'write.locked', new RegExp(`process ${process.pid}`));
  });

  it.each(WRITERS)('$name: a whole file takes its place, which mixes with nothing', (way) => {
    prepare(home, way.image());
    writeFileSync(join(home, 'o'), 'older');
    const lockFile = locked('o');
    expect(runWriter(way, way.args('o'), home)).toMatchObject({ status: 0 });
    expect(readFileSync(join(home, 'o'), 'latin1')).not.toBe('older');
    expect(readdirSync(home).sort()).toEqual([lockFile, 'k', 'o', ...(way.besides ?? [])]);
  });
});
