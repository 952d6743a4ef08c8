/** Places of small files that are written besides a result, and locks, as somebody else may have put them there: told, never waited for. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';
import { expectError } from '../support/patching.js';
import { prepare, runWriter } from '../support/writers.js';

const folder = workFolder();
afterAll(() => folder.remove());
const home = join(folder.path, 'h');
const image = readFileSync(fixture('pvh64-bare'));
const PATCH = ['patch', 'k', '--set', 'GUEST_OS=odd'];
const fifo = (name: string) => spawnSync('mkfifo', [name], { cwd: home });
beforeEach(() => prepare(home, image));

describe('a pipe that nobody reads', () => {
  it.each([
    ['a dependency file', [...PATCH, '-o', 'o', '--depfile', 'f']],
    ['a record', [...PATCH, '-o', 'o', '--record', 'f']],
    ['a picture', ['layout', 'k', '--svg', 'f']],
  ])('is an error in time, as the place of %s', (_, words) => {
    fifo('f');
    expectError(runWriter({}, words, home), 'write.failed', /f: cannot write .*ENXIO/);
    expect(readdirSync(home).sort()).toEqual(['f', 'k']);
  });
});

describe('one name for two files', () => {
  it('the record and the dependency file', () => {
    const run = runWriter({}, [...PATCH, '-o', 'o', '--record', 'r', '--depfile', './r'], home);
    expectError(run, 'usage.bad', /--record r would replace \.\/r, wanted another name/);
    expect(readdirSync(home)).toEqual(['k']);
  });
});

describe('what stands where the lock goes', () => {
  it.each([
    ['a pipe', (lock: string) => void fifo(lock)],
    ['a link', (lock: string) => symlinkSync('k', join(home, lock))],
  ])('%s counts as held, and is not waited for', (_, make) => {
    const lock = `.k.xen-elfpatch.${statSync(join(home, 'k')).ino}.lock`;
    make(lock);
    expectError(runWriter({}, [...PATCH, '--in-place'], home), 'write.locked');
    expect(readFileSync(join(home, 'k')).equals(image)).toBe(true);
    expect(readdirSync(home)).toEqual([lock, 'k']);
  });
});

describe('PATH with the current folder in it', () => {
  it.each(['.:', ':', 'here:'])('no program is taken from there: %s', (first) => {
    prepare(home, readFileSync(fixture('pvh64-notes')));
    writeFileSync(join(home, 'evil'), '#!/bin/sh\ntouch taken\n', { mode: 0o755 });
    const plant = 'xz -k k && mkdir here && for p in xz cp getfattr setfattr; do cp evil $p; cp evil here/$p; done';
    const line = `${plant}; PATH="${first}$PATH"; export PATH; exec "$@"`;
    const run = runWriter({}, ['patch', 'k.xz', '--in-place', '--set', 'PHYS32_ENTRY=0x100010'], home, line);
    expect(run.stderr).not.toMatch(/internal\.bug/);
    expect(readdirSync(home)).not.toContain('taken');
  });
});
