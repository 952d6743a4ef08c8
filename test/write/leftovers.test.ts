/** What killed runs left beside a target goes away with the next one, and nothing else does. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { replaceWhole } from '../../src/write/beside.js';
import { removeLeftovers } from '../../src/write/leftovers.js';
import { workFolder } from '../support/cli.js';

const folder = workFolder();
afterAll(() => folder.remove());
/** A process number that is free: of a process that has just ended. */
const gone = spawnSync(process.execPath, ['-e', '0']).pid;
const HOUR_AGO = Date.now() / 1000 - 3600;

function make(name: string, age: 'old' | 'young'): string {
  const path = folder.write(name, new Uint8Array(4));
  if (age === 'old') utimesSync(path, HOUR_AGO, HOUR_AGO);
  return name;
}

const names = () => readdirSync(folder.path).sort();

describe('removeLeftovers()', () => {
  const prefix = '.k.xen-elfpatch';
  beforeEach(() => folder.empty());

  it('removes old temporaries and halves of locks of processes that are gone', () => {
    make(`${prefix}.${gone}.tmp`, 'old');
    make(`${prefix}.${gone}-5f0a.tmp`, 'old');
    make(`${prefix}.77.lock.${gone}-5f0a`, 'old');
    make(`${prefix}.77.lock.${gone}-5f0a.stale`, 'old');
    make(`${prefix}.77.lock.${gone}`, 'old');
    make(`${prefix}.77.lock.${gone}.stale`, 'old');
    removeLeftovers(folder.path, prefix);
    expect(names()).toEqual([]);
  });

  it.each([
    ['a young one, which may be of another machine', `${prefix}.${gone}.tmp`, 'young'],
    ['one of a process that runs', `${prefix}.${process.pid}.tmp`, 'old'],
    ['one of another target', `.kk.xen-elfpatch.${gone}.tmp`, 'old'],
    ['a lock', `${prefix}.77.lock`, 'old'],
    ['a name that is only like ours', `${prefix}.${gone}.tmp~`, 'old'],
    ['a number that is none', `${prefix}.99999999999999999999.tmp`, 'old'],
    ['the target', 'k', 'old'],
  ] as const)('leaves %s', (_, name, age) => {
    make(name, age);
    removeLeftovers(folder.path, prefix);
    expect(names()).toEqual([name]);
  });

  it('is no error where the folder cannot be read', () => {
    removeLeftovers(join(folder.path, 'none'), prefix);
  });

  it('happens with every file that is written beside its target', async () => {
    make(`${prefix}.${gone}.tmp`, 'old');
    const target = join(folder.path, 'k');
    await replaceWhole(target, 'k', async (temporary) => {
      expect(names()).toEqual([]);
      folder.write(temporary.slice(folder.path.length + 1), Uint8Array.of(7));
    });
    expect(names()).toEqual(['k']);
    expect([...readFileSync(target)]).toEqual([7]);
  });
});
