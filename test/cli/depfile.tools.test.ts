/** What `--depfile` writes, read by make itself. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runCli, workFolder } from '../support/cli.js';
import { elf } from '../support/elf-builder.js';

const folder = workFolder();
afterAll(() => folder.remove());
const image = elf().load(0x100000n, new Uint8Array(64)).noteSegment([]).build();

function ruleOf(name: string): { readonly cwd: string; readonly status: number | null; readonly stderr: string } {
  folder.empty();
  const cwd = join(folder.path, 'w');
  mkdirSync(cwd);
  writeFileSync(join(cwd, `i${name}`), image);
  const words = ['patch', `i${name}`, '-o', `o${name}`, '--depfile', 'rule', '--set', 'GUEST_OS=x'];
  const { status, stderr } = runCli(words, { cwd });
  return { cwd, status, stderr };
}

describe('a rule of --depfile', () => {
  // Every character that make gives a meaning, with and without backslashes in front.
  it.each([' #$:|&<>()!\'"`,\\b\\ c\\\\#d\\:\\|e', ' #$:|*?[a]b'])(
    'is read by make as the names that it is about: %s',
    (name) => {
      const { cwd, status } = ruleOf(name);
      expect(status).toBe(0);
      writeFileSync(join(cwd, 'Makefile'), 'include rule\n');
      const { stdout } = spawnSync('make', ['-rnd', `o${name}`], { cwd, encoding: 'utf8' });
      expect(stdout).toContain(`Considering target file 'o${name}'`);
      expect(stdout).toContain(`Considering target file 'i${name}'`);
    },
  );

  it.each(['\n', '\r', '\t', ';', '=', '%', '\\', '\\*'])(
    'a name with %j is refused before anything is written: make cannot hold it',
    (found) => {
      const { cwd, status, stderr } = ruleOf(`a${found}`);
      expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringContaining('--depfile cannot name "') });
      expect(existsSync(join(cwd, `oa${found}`))).toBe(false);
      expect(existsSync(join(cwd, 'rule'))).toBe(false);
    },
  );

  it('two plain names stand as they are', () => {
    const { cwd } = ruleOf('mage');
    expect(readFileSync(join(cwd, 'rule'), 'utf8')).toBe('omage: image\n');
  });
});
