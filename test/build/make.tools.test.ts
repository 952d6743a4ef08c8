import { spawn, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { BIN, runCli, workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';
import { requireTools } from '../support/tools.js';

const folder = workFolder();
afterAll(() => folder.remove());
const at = (name: string) => join(folder.path, name);
const MAKEFILE = `XEN_ELFPATCH := ${process.execPath} ${BIN}
XEN_ELFPATCH_FLAGS := --spec notes.yaml
include ${resolve('scripts/xen-elfpatch.mk')}
all: a.xen b.xen c.xen
final: a.xen
\tcp $< $@
`;

/** V=1: with the commands that it runs. */
function make(...args: string[]) {
  return quietMake('V=1', ...args);
}

function quietMake(...args: string[]) {
  return spawnSync('make', args, { cwd: folder.path, encoding: 'utf8' });
}

/** A second ago, so that whatever is written now is newer. */
function age(...names: string[]): void {
  const then = Date.now() / 1000 - 10;
  for (const name of names) utimesSync(at(name), then, then);
}

beforeEach(() => {
  requireTools('make');
  for (const name of readdirSync(folder.path)) rmSync(at(name), { recursive: true });
  writeFileSync(at('Makefile'), MAKEFILE);
  writeFileSync(at('notes.yaml'), 'preset: pvh\n');
  for (const name of ['a.elf', 'b.elf', 'c.elf']) copyFileSync(fixture('pvh64-high-bare'), at(name));
  age('a.elf', 'b.elf', 'c.elf', 'notes.yaml');
});

describe('xen-elfpatch.mk', () => {
  it('builds several images at once, each sound, and then has nothing to do', () => {
    expect(make('-j', '3').status).toBe(0);
    for (const name of ['a', 'b', 'c'])
      expect(runCli(['verify', at(`${name}.xen`), '--baseline', at(`${name}.elf`), '--for', 'qemu-pvh']).status).toBe(
        0,
      );
    expect(readFileSync(at('a.xen'))).toEqual(readFileSync(at('b.xen')));
    expect(make().stdout).not.toContain('patch');
  });

  it('an image whose bytes stay the same keeps its time, and what is made from it is not made again', () => {
    expect(make('final').status).toBe(0);
    age('a.elf', 'a.xen', 'a.xen.stamp', 'final');
    const before = statSync(at('a.xen')).mtimeMs;
    utimesSync(at('a.elf'), Date.now() / 1000, Date.now() / 1000);
    const again = make('final');
    expect(again.stdout).toContain(` patch 'a.elf'`);
    expect(again.stdout).not.toContain('cp a.xen');
    expect(statSync(at('a.xen')).mtimeMs).toBe(before);
    expect(make('final').stdout).not.toContain(` patch 'a.elf'`);
  });

  it('prints one line for an image, and nothing when there is nothing to do', () => {
    const first = quietMake('a.xen');
    expect(first.status).toBe(0);
    expect(first.stdout).toMatch(
      /^a\.elf: written to a\.xen, \d+ bytes in \d+ ranges differ \(\+PHYS32_ENTRY 0x100000; append\); verified\n$/,
    );
    // make itself has a line for a goal that was named.
    expect(
      quietMake('all')
        .stdout.split('\n')
        .filter((line) => line !== ''),
    ).toHaveLength(2);
    expect(quietMake('all').stdout).toBe('');
  });

  it.each([
    ['XEN_ELFPATCH_FLAGS=--spec notes.yaml --set GUEST_OS=other', 'GUEST_OS'],
    [`XEN_ELFPATCH_FLAGS=--spec notes.yaml --set 'GUEST_OS=it'"'"'s $$0 "x"'`, 'GUEST_OS'],
  ])('other flags make the image again, and the same ones do not: %s', (flags, note) => {
    expect(make('a.xen').status).toBe(0);
    age('a.elf', 'a.xen', 'a.xen.stamp', '.a.xen.flags');
    expect(make('a.xen').stdout).not.toContain(` patch 'a.elf'`);
    const other = make('a.xen', flags);
    expect({ status: other.status, stderr: other.status === 0 ? '' : other.stderr }).toEqual({ status: 0, stderr: '' });
    expect(runCli(['notes', at('a.xen')]).stdout).toContain(note);
    expect(make('a.xen', flags).stdout).not.toContain(` patch 'a.elf'`);
    expect(make('a.xen').stdout).toContain(` patch 'a.elf'`);
    expect(runCli(['notes', at('a.xen')]).stdout).not.toContain(note);
  });

  it('a notes file that is gone is told by the command, and no riddle of make', () => {
    expect(make('a.xen').status).toBe(0);
    rmSync(at('notes.yaml'));
    const { status, stderr } = make('a.xen');
    expect(status).not.toBe(0);
    expect(stderr).toContain('xen-elfpatch: notes.yaml: ');
    expect(stderr).not.toContain('No rule to make target');
  });

  it('a file name never runs a command', () => {
    for (const name of ["a'b;touch owned;'.elf", 'a`touch owned`.elf', 'a$(touch owned).elf', 'a b.elf']) {
      copyFileSync(fixture('pvh64-high-bare'), at(name));
      quietMake(name.replace('.elf', '.xen').replaceAll('$', '$$'));
      quietMake(`FIXED=${name}`, 'all');
    }
    expect(existsSync(at('owned'))).toBe(false);
    // Nor one that stands in a dependency file.
    writeFileSync(at('n;touch owned.yaml'), 'preset: pvh\n');
    quietMake('b.xen', "XEN_ELFPATCH_FLAGS=--spec 'n;touch owned.yaml'");
    quietMake('all');
    expect(existsSync(at('owned'))).toBe(false);
  });

  it('a change of the notes file makes the images again', () => {
    expect(make('a.xen').status).toBe(0);
    age('a.elf', 'a.xen', 'a.xen.stamp');
    writeFileSync(at('notes.yaml'), 'preset: pvh\nnotes:\n  GUEST_OS: other\n');
    expect(make('a.xen').stdout).toContain(` patch 'a.elf'`);
    expect(runCli(['notes', at('a.xen')]).stdout).toContain('"other"');
  });

  it('make alone makes what the Makefile names first, before and after dependency files are there', () => {
    expect(make().status).toBe(0);
    rmSync(at('c.xen'));
    expect(make().status).toBe(0);
    expect(existsSync(at('c.xen'))).toBe(true);
  });

  it('an image in another folder is made again when the notes file changes', () => {
    const folders = join(at('deep'), 'er');
    mkdirSync(folders, { recursive: true });
    copyFileSync(fixture('pvh64-high-bare'), join(folders, 'k.elf'));
    age('deep/er/k.elf');
    expect(make('deep/er/k.xen').status).toBe(0);
    age('deep/er/k.elf', 'deep/er/k.xen', 'deep/er/k.xen.stamp', 'deep/er/.k.xen.flags');
    expect(make('deep/er/k.xen').stdout).not.toContain('patch');
    writeFileSync(at('notes.yaml'), 'preset: pvh\nnotes:\n  GUEST_OS: other\n');
    expect(make('deep/er/k.xen').stdout).toContain(` patch 'deep/er/k.elf'`);
  });

  it('a removed image comes back, and a refused patch leaves none', () => {
    expect(make('a.xen').status).toBe(0);
    rmSync(at('a.xen'));
    expect(make('a.xen').status).toBe(0);
    expect(existsSync(at('a.xen'))).toBe(true);
    writeFileSync(at('notes.yaml'), 'preset: pv32\n');
    rmSync(at('b.elf'));
    copyFileSync(fixture('pvh64-high-bare'), at('b.elf'));
    expect(make('b.xen').status).not.toBe(0);
    expect(readdirSync(folder.path).filter((name) => name.startsWith('b.xen'))).toEqual([]);
  });

  it('interrupted at any moment it leaves no half-written image', async () => {
    const whole = (() => {
      expect(make('a.xen').status).toBe(0);
      return readFileSync(at('a.xen'));
    })();
    for (const [round, delay] of [20, 60, 90, 120, 150, 200, 300].entries()) {
      for (const name of readdirSync(folder.path)) if (name.includes('.xen')) rmSync(at(name));
      const child = spawn('make', ['-j', '2'], { cwd: folder.path, stdio: 'ignore', detached: true });
      await new Promise((done) => setTimeout(done, delay));
      const { pid } = child;
      const ended = new Promise((done) => child.on('close', done));
      // The whole group, as Ctrl-C does; every other time nobody may clean up.
      if (pid !== undefined && child.exitCode === null) process.kill(-pid, round % 2 === 0 ? 'SIGINT' : 'SIGKILL');
      await ended;
      for (const name of ['a.xen', 'b.xen', 'c.xen']) {
        if (existsSync(at(name))) expect(readFileSync(at(name)).equals(whole)).toBe(true);
      }
      expect(make().status).toBe(0);
      for (const name of ['a.xen', 'b.xen', 'c.xen']) expect(readFileSync(at(name)).equals(whole)).toBe(true);
    }
  });
});
