/** What `--depfile` writes, read by make itself. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
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

  it('names every other file once more, without prerequisites, so that make bears with it when it is gone', () => {
    const { cwd } = ruleOf('mage');
    writeFileSync(join(cwd, 'a b#c.yaml'), 'notes:\n  GUEST_OS: file:val\n');
    writeFileSync(join(cwd, 'val'), 'x\0');
    const words = [
      'patch',
      'image',
      '-o',
      'omage',
      '--depfile',
      'rule',
      '--spec',
      'a b#c.yaml',
      '--set',
      'LOADER=file:val',
    ];
    expect(runCli(words, { cwd }).status).toBe(0);
    const [rule, ...phony] = readFileSync(join(cwd, 'rule'), 'utf8').split('\n');
    expect(rule).toBe('omage: image a\\ b\\#c.yaml val');
    expect(phony).toEqual(['a\\ b\\#c.yaml:', 'val:', '']);
    rmSync(join(cwd, 'val'));
    writeFileSync(join(cwd, 'Makefile'), 'include rule\nomage: ; @echo made again\n');
    const { stdout, stderr } = spawnSync('make', ['omage'], { cwd, encoding: 'utf8' });
    expect({ stdout, stderr }).toEqual({ stdout: 'made again\n', stderr: '' });
  });

  it('is for what --depfile-target names', () => {
    const { cwd } = ruleOf('mage');
    const words = ['patch', 'image', '-o', 'omage', '--set', 'GUEST_OS=x'];
    expect(runCli([...words, '--depfile', 'rule', '--depfile-target', 'st amp'], { cwd }).status).toBe(0);
    expect(readFileSync(join(cwd, 'rule'), 'utf8')).toBe('st\\ amp: image\n');
    expect(runCli([...words, '--depfile-target', 'x'], { cwd }).stderr).toContain(
      '--depfile-target goes with --depfile',
    );
    expect(runCli([...words, '--depfile', 'r2', '--depfile-target', 'a;b'], { cwd })).toMatchObject({ status: 2 });
    expect(existsSync(join(cwd, 'r2'))).toBe(false);
  });
});
