/** `make test` where packages are missing that it cannot install: told at once, by name, with what can be run instead. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { workFolder } from '../support/cli.js';

const folder = workFolder();
afterAll(() => folder.remove());
beforeEach(() => folder.empty());

const SCRIPT = 'scripts/install-debian-packages.sh';
const BROWSER = ['chromium', 'fonts-dejavu-core'];
const SETS = ['tools', 'boot', 'browser', 'build'];

/** A PATH with these programs and no other, each a line of shell. */
function onPath(programs: Readonly<Record<string, string>>): string {
  for (const [name, line] of Object.entries(programs)) {
    const path = join(folder.path, 'bin', name);
    mkdirSync(dirname(path), { recursive: true });
    chmodSync(folder.write(join('bin', name), Buffer.from(`#!/bin/sh\n${line}\n`)), 0o755);
  }
  return join(folder.path, 'bin');
}

function install(programs: Readonly<Record<string, string>>, ...sets: readonly string[]) {
  mkdirSync(join(folder.path, 'bin'), { recursive: true });
  // The shell itself is found by the PATH of this process, and all that the script calls by the other one.
  const line = 'PATH=$1; export PATH; shift; . "$0"';
  const words = ['-c', line, SCRIPT, onPath(programs), ...sets];
  const { status, stdout, stderr } = spawnSync('sh', words, { encoding: 'utf8' });
  return { status, stdout, stderr };
}

/** dpkg-query of a machine with these packages; others are known and gone, or never heard of. */
const installed = (...packages: readonly string[]) => `
for package; do :; done
case $package in
  ${packages.join('|') || '-'}) printf 'installed ';;
  make) printf 'config-files ';;
  *) exit 1;;
esac`;
const USER = { id: 'echo 1000' };
const ROOT = { id: 'echo 0' };

describe('scripts/install-debian-packages.sh', () => {
  it('without dpkg-query names what is missing, the packages, and make test-quick', () => {
    const { status, stdout, stderr } = install({ chromium: '' }, 'browser', 'build');
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    const [first, programs, packages, quick] = stderr.split('\n');
    expect(first).toMatch(/dpkg-query not found: this is no Debian/);
    expect(programs).toBe('  not on PATH: make cmake meson ninja git zsh bash fish man mandoc lintian debootstrap');
    expect(packages).toBe(
      '  Debian has them in: chromium fonts-dejavu-core make cmake meson ninja-build git zsh bash fish man-db mandoc lintian debootstrap',
    );
    expect(quick).toMatch(/make test-quick/);
  });

  it.each(SETS)('without dpkg-query refuses the set %s, and all sets', (set) => {
    for (const sets of [[set], []]) {
      expect(install({}, ...sets)).toMatchObject({ status: 1, stderr: expect.stringContaining('make test-quick') });
    }
  });

  it('without root names the missing packages alone, how root installs them, and make test-quick', () => {
    const { status, stderr } = install(
      { ...USER, 'dpkg-query': installed('cmake', 'bash', ...BROWSER) },
      'browser',
      'build',
    );
    expect(status).toBe(1);
    expect(stderr.split('\n').slice(0, 2)).toEqual([
      'install-debian-packages: not root, and these packages are missing: make meson ninja-build git zsh fish man-db mandoc lintian debootstrap',
      '  to install them: sudo scripts/install-debian-packages.sh browser build',
    ]);
    expect(stderr).toContain('make test-quick');
  });

  it('needs no root and no apt-get where all is there', () => {
    const programs = { ...USER, chromium: '', 'dpkg-query': installed(...BROWSER) };
    expect(install(programs, 'browser')).toEqual({
      status: 0,
      stdout: 'install-debian-packages: browser: all there\n',
      stderr: '',
    });
  });

  it('takes a package of several architectures for installed', () => {
    const twice = `${installed(...BROWSER)}\nprintf 'installed '`;
    expect(install({ ...USER, chromium: '', 'dpkg-query': twice }, 'browser').status).toBe(0);
  });

  it('names a program that its package did not bring', () => {
    const { status, stderr } = install({ ...USER, 'dpkg-query': installed(...BROWSER) }, 'browser');
    expect(status).toBe(1);
    expect(stderr).toContain('not on PATH: chromium');
  });

  it('as root installs what is missing, and says what apt-get could not', () => {
    const apt = `echo "$@" >> '${join(folder.path, 'log')}'; [ "$4" != -y ]`;
    const { status, stderr } = install({ ...ROOT, 'dpkg-query': installed('chromium'), 'apt-get': apt }, 'browser');
    expect(status).toBe(1);
    expect(stderr).toContain('apt-get could not install: fonts-dejavu-core');
    expect(readFileSync(join(folder.path, 'log'), 'utf8')).toMatch(/install -y .*fonts-dejavu-core/);
  });
});

describe('Makefile', () => {
  it('asks for packages before anything slow, and test-quick for none', () => {
    const makefile = readFileSync('Makefile', 'utf8');
    expect(makefile).toMatch(/^test: packages /m);
    expect(makefile).toMatch(/^test-quick: \$\(NPM_STAMP\)\n\tnpx vitest run --project quick\n/m);
  });
});
