/** The stand-alone program: what `make binary` made, where no Node is. Part of `make test-binary` alone, which makes it. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';

const PROGRAM = resolve(`dist/bin/xen-elfpatch-linux-${process.arch}`);
const folder = workFolder();
afterAll(() => folder.remove());
const path = (name: string) => join(folder.path, name);

/** The program in an environment with nothing in it. */
function run(program: string, args: readonly string[], { cwd = folder.path, env = {} } = {}) {
  return spawnSync(program, args, { cwd, env, encoding: 'utf8' });
}
const byNode = (script: string, ...args: readonly string[]) =>
  spawnSync(process.execPath, [resolve(script), ...args], { encoding: 'utf8' });

describe('the stand-alone program', () => {
  beforeAll(() => {
    expect(existsSync(PROGRAM), 'make binary makes it').toBe(true);
    symlinkSync(PROGRAM, path('xen-mkelf32'));
  });

  it('patches without Node and without an environment, the same bytes as by Node', () => {
    const args = ['patch', fixture('pvh64-bare'), '--preset', 'pvh', '--set', 'GUEST_OS=x', '-o'];
    const { status, stdout } = run(PROGRAM, [...args, path('alone')]);
    expect(status).toBe(0);
    expect(stdout).toContain('; verified\n');
    expect(byNode('bin/xen-elfpatch.js', ...args, path('node')).status).toBe(0);
    expect(readFileSync(path('alone')).equals(readFileSync(path('node')))).toBe(true);
  });

  it('is xen-mkelf32 by that name', () => {
    const args = [fixture('pv64-notes'), path('flat'), '0x200000'];
    const alone = run(path('xen-mkelf32'), args);
    const bytes = existsSync(path('flat')) ? readFileSync(path('flat')) : undefined;
    const node = byNode('bin/xen-mkelf32.js', ...args);
    expect([alone.status, alone.stdout, alone.stderr]).toEqual([node.status, node.stdout, node.stderr]);
    expect(bytes).toEqual(existsSync(path('flat')) ? readFileSync(path('flat')) : undefined);
    expect(run(path('xen-mkelf32'), []).stderr).toContain('Usage: mkelf32');
  });

  it('takes nothing from the folder where it is started', () => {
    const here = path('here');
    mkdirSync(here);
    writeFileSync(join(here, 'loaded.js'), 'console.log("LOADED"); process.exit(7);\n');
    writeFileSync(join(here, 'bunfig.toml'), 'preload = ["./loaded.js"]\n');
    writeFileSync(join(here, '.env'), 'BUN_OPTIONS=--preload=./loaded.js\nFORCE_COLOR=1\n');
    writeFileSync(join(here, 'package.json'), '{"type":"module","imports":{"#x":"./loaded.js"}}\n');
    writeFileSync(join(here, 'tsconfig.json'), '{"compilerOptions":{"paths":{"*":["./loaded.js"]}}}\n');
    const args = ['notes', fixture('pvh64-notes')];
    expect(run(PROGRAM, args, { cwd: here })).toMatchObject({
      status: 0,
      stdout: run(PROGRAM, args).stdout,
      stderr: '',
    });
  });

  it('refuses names whose bytes it was not given as they are', () => {
    const line = `"$1" notes "$(printf 'a\\377b')"`;
    const { status, stderr } = spawnSync('bash', ['-c', line, 'bash', PROGRAM], { cwd: folder.path, encoding: 'utf8' });
    expect(status).toBe(2);
    expect(stderr).toContain('[usage.bad]');
  });
});
