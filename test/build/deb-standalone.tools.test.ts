/**
 * `make deb-standalone`: a package with the stand-alone program, in a root of Debian 12, whose nodejs is too old and which has
 * none here, but /proc, as the roots have in which kernels are built. Part of `make test-binary` alone, which makes the program.
 */
import { chmodSync, copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanRoot, good, run } from '../support/clean-root.js';
import { workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';
import { requireTools } from '../support/tools.js';

const folder = workFolder();
afterAll(() => folder.remove());
const root = join(folder.path, 'root');
const { inside, make } = cleanRoot(root, { proc: true });

let deb = '';
beforeAll(() => {
  requireTools('dpkg-deb', 'lintian', 'debootstrap', 'chroot', 'make');
  good(run(process.execPath, ['scripts/man.mjs']));
  // Whoever ships it has it packed better; that takes a minute and is dpkg-deb's work.
  const env = { DPKG_DEB_COMPRESSOR_TYPE: 'gzip', DPKG_DEB_COMPRESSOR_LEVEL: '1' };
  deb = good(run(process.execPath, ['scripts/deb.mjs', '--standalone', join(folder.path, 'deb')], env)).stdout.trim();
  make('bookworm', 'make');
  copyFileSync(deb, join(root, 'xen-elfpatch.deb'));
  good(inside('dpkg -i /xen-elfpatch.deb'));
  mkdirSync(join(root, 'w'));
  copyFileSync(fixture('pvh64-high-bare'), join(root, 'w/kernel.elf'));
  chmodSync(join(root, 'w/kernel.elf'), 0o644);
});

describe('the package with the stand-alone program, on Debian 12', () => {
  it('is one that lintian has no error or warning for', () => {
    const { stdout } = run('lintian', ['--allow-root', '--fail-on', 'error,warning', deb]);
    expect(stdout.split('\n').filter((line) => /^[EW]:/.test(line))).toEqual([]);
  });

  it('is of this machine, and needs the C library alone', () => {
    const fields = good(run('dpkg-deb', ['-f', deb, 'Architecture', 'Depends'])).stdout;
    expect(fields).toMatch(/^Architecture: (amd64|arm64)\nDepends: libc6 \(>= [\d.]+\)\n$/);
  });

  it('the commands work where there is no Node', () => {
    expect(inside('command -v node nodejs').stdout).toBe('');
    good(
      inside(
        'cd /w && xen-elfpatch patch kernel.elf --preset pvh -o kernel.pvh && xen-elfpatch verify kernel.pvh --for qemu-pvh',
      ),
    );
    good(inside('cd /w && cp kernel.pvh a && cp kernel.elf b && xen-elfpatch verify a b && xen-elfpatch explain pvh'));
    expect(inside('xen-mkelf32').output).toMatch(/Usage: .*mkelf32/);
  });

  it('make finds the rules', () => {
    const makefile = 'XEN_ELFPATCH_FLAGS := --preset pvh\ninclude xen-elfpatch.mk\nall: kernel.xen\n';
    writeFileSync(join(root, 'w/Makefile'), makefile);
    good(inside('cd /w && make && xen-elfpatch verify kernel.xen --for xen-pvh'));
    expect(good(inside('cd /w && make')).stdout).not.toContain('patch');
  });

  it('goes away without a trace', () => {
    good(inside('dpkg -P xen-elfpatch'));
    const left = readdirSync(join(root, 'usr'), { recursive: true, encoding: 'utf8' });
    expect(left.filter((name) => /xen-elfpatch|XenElfpatch/.test(name))).toEqual([]);
  });
});
