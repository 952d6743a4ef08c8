import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { BIN, workFolder } from '../support/cli.js';
import { fixture, realImage, requireTools } from '../support/images.js';

const folder = workFolder();
afterAll(() => folder.remove());
const bin = join(folder.path, 'bin');
mkdirSync(bin);
writeFileSync(join(bin, 'xen-elfpatch'), `#!/bin/sh\nexec ${process.execPath} ${BIN} "$@"\n`);
chmodSync(join(bin, 'xen-elfpatch'), 0o755);
const env = { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` };
const readme = readFileSync('README.md', 'utf8');

function put(name: string, from: string): void {
  const path = join(folder.path, name);
  copyFileSync(from, path);
  chmodSync(path, 0o644);
}

/** Commands of which the answer is no here, as their comments or the text around them say. */
const NO = [
  /^xen-elfpatch patch kernel\.elf --preset pvh --check/,
  /^xen-elfpatch notes kernel\.elf --require-xen/,
  /^xen-elfpatch diff /,
];

it('every command of the README works in the order in which it stands there', () => {
  put('kernel.elf', fixture('pvh64-high-bare'));
  put('vmlinux', realImage('vmlinux').path);
  put('vmlinuz', realImage('vmlinuz').path);
  put('xen.efi', realImage('xen-efi').path);
  for (const name of ['build', 'build1', 'build2']) mkdirSync(join(folder.path, name));
  put('build/vmlinux', fixture('pvh64-notes'));
  put('build1/vmlinux', fixture('pvh64-notes'));
  put('build2/vmlinux', fixture('pvh64-bare'));
  const tree = join(folder.path, 'tree');
  mkdirSync(join(tree, 'DEBIAN'), { recursive: true });
  mkdirSync(join(tree, 'boot'));
  const control = [
    'Package: linux-image',
    'Version: 1',
    'Architecture: amd64',
    'Maintainer: a <a@b.c>',
    'Description: a',
  ];
  writeFileSync(join(tree, 'DEBIAN/control'), `${control.join('\n')}\n`);
  put('tree/boot/vmlinux', fixture('pvh64-notes'));
  requireTools('dpkg-deb');
  expect(spawnSync('dpkg-deb', ['-b', tree, join(folder.path, 'linux-image.deb')]).status).toBe(0);
  const lines = [...readme.matchAll(/^\$ (xen-elfpatch .*)$/gm)].map(([, line = '']) => line);
  expect(lines.length).toBeGreaterThan(15);
  for (const line of lines) {
    const { status, stderr } = spawnSync('sh', ['-c', line], { cwd: folder.path, env, encoding: 'utf8' });
    const wanted = NO.some((pattern) => pattern.test(line)) ? 1 : 0;
    expect({ line, status, stderr: status === wanted ? '' : stderr }).toEqual({ line, status: wanted, stderr: '' });
  }
});

it('every rule of the README makes its target', () => {
  requireTools('make');
  const rules = [...readme.matchAll(/^```make\n(.*?)^```$/gms)].map(([, rule = '']) => rule);
  expect(rules).toHaveLength(2);
  for (const [rule, kernel] of [
    [rules[0], 'pvh64-high-bare'],
    [rules[1], 'pv64-bare'],
  ] as const) {
    put('kernel.elf', fixture(kernel));
    writeFileSync(join(folder.path, 'Makefile'), rule ?? '');
    const made = spawnSync('make', ['-B'], { cwd: folder.path, env, encoding: 'utf8' });
    expect({ kernel, status: made.status, stderr: made.status === 0 ? '' : made.stderr }).toEqual({
      kernel,
      status: 0,
      stderr: '',
    });
  }
});

it('the README lists every command', () => {
  const { stdout } = spawnSync(process.execPath, [BIN, '--help'], { encoding: 'utf8' });
  const names = [...stdout.matchAll(/^ {2}xen-elfpatch (\S+)/gm)].map(([, name = '']) => name);
  expect(names.length).toBeGreaterThan(8);
  expect(names.filter((name) => !readme.includes(`\n| \`${name} `))).toEqual([]);
});
