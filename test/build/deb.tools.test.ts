/**
 * `make deb`: the same bytes each time, nothing that lintian complains of, and a package that works in a root of Debian 13 in
 * which there is nothing but it and what it depends on.
 */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanRoot, good, run } from '../support/clean-root.js';
import { workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';
import { requireTools } from '../support/tools.js';

const folder = workFolder();
afterAll(() => folder.remove());
const at = (...names: string[]) => join(folder.path, ...names);

let deb = '';
beforeAll(() => {
  requireTools('dpkg-deb', 'lintian', 'debootstrap', 'chroot', 'make');
  good(run(process.execPath, ['scripts/man.mjs']));
  deb = good(run(process.execPath, ['scripts/deb.mjs', at('deb')])).stdout.trim();
});

describe('make deb', () => {
  it('gives the same bytes each time', () => {
    const again = good(run(process.execPath, ['scripts/deb.mjs', at('again')])).stdout.trim();
    expect(readFileSync(again).equals(readFileSync(deb))).toBe(true);
  });

  it('gives what lintian has no error or warning for', () => {
    const { stdout } = run('lintian', ['--allow-root', '--fail-on', 'error,warning', deb]);
    expect(stdout.split('\n').filter((line) => /^[EW]:/.test(line))).toEqual([]);
  });
});

describe('in a clean root of Debian 13', () => {
  const root = at('root');
  const { inside, make } = cleanRoot(root);

  beforeAll(() => {
    make('trixie', 'nodejs,make,man-db,bash-completion');
    copyFileSync(deb, join(root, 'xen-elfpatch.deb'));
    good(inside('dpkg -i /xen-elfpatch.deb'));
    mkdirSync(join(root, 'w'));
    copyFileSync(fixture('pvh64-high-bare'), join(root, 'w/kernel.elf'));
    chmodSync(join(root, 'w/kernel.elf'), 0o644);
  });

  it('the commands work', () => {
    good(
      inside(
        'cd /w && xen-elfpatch patch kernel.elf --preset pvh -o kernel.pvh && xen-elfpatch verify kernel.pvh --for qemu-pvh',
      ),
    );
    good(
      inside(
        'cd /w && printf "preset: pvh\\n" > n.yaml && xen-elfpatch patch kernel.elf --spec n.yaml -o by-spec && cmp by-spec kernel.pvh',
      ),
    );
    expect(inside('xen-mkelf32').output).toMatch(/Usage: .*mkelf32/);
    good(inside('xen-elfpatch explain pvh >/dev/null'));
  });

  it('make finds the rules, man the pages, bash the completion', () => {
    writeFileSync(
      join(root, 'w/Makefile'),
      'XEN_ELFPATCH_FLAGS := --preset pvh\ninclude xen-elfpatch.mk\nall: kernel.xen\n',
    );
    good(inside('cd /w && make && xen-elfpatch verify kernel.xen --for xen-pvh'));
    expect(good(inside('cd /w && make')).stdout).not.toContain('patch');
    for (const page of ['1 xen-elfpatch', '1 xen-elfpatch-patch', '1 xen-mkelf32', '7 xen-elfpatch-notes']) {
      expect(
        existsSync(join(root, 'usr/share/man', `man${page.slice(0, 1)}`, `${page.slice(2)}.${page.slice(0, 1)}.gz`)),
      ).toBe(true);
    }
    const offered =
      inside(`bash -c '. /usr/share/bash-completion/bash_completion; . /usr/share/bash-completion/completions/xen-elfpatch
COMP_WORDS=(xen-elfpatch pa); COMP_CWORD=1; _xen_elfpatch; echo "\${COMPREPLY[@]}"'`);
    expect(good(offered).stdout.trim()).toBe('patch');
  });

  it('files for zsh, fish, CMake and Meson are where these look, or where the page says', () => {
    const there = [
      'usr/share/zsh/vendor-completions/_xen-elfpatch',
      'usr/share/fish/vendor_completions.d/xen-elfpatch.fish',
      'usr/share/cmake/XenElfpatch/XenElfpatchConfig.cmake',
      'usr/share/xen-elfpatch/meson/meson.build',
      'usr/share/doc/xen-elfpatch/examples/make/Makefile',
      'usr/share/doc/xen-elfpatch/docs/howto-makefile.md',
    ];
    for (const file of there) expect({ file, there: existsSync(join(root, file)) }).toEqual({ file, there: true });
  });

  it('goes away without a trace', () => {
    good(inside('dpkg -P xen-elfpatch'));
    const left = readdirSync(join(root, 'usr'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      /xen-elfpatch|XenElfpatch/.test(name),
    );
    expect(left).toEqual([]);
  });
});
