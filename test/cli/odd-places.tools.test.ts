/** Places and words that no command expects: an answer or an error for each, never a fault of the program. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { BIN, runCli, workFolder } from '../support/cli.js';
import { elf } from '../support/elf-builder.js';
import { fixture } from '../support/fixtures.js';
import { expectError } from '../support/patching.js';
import { IN_PLACE, prepare, programOf, runWriter, WRITERS } from '../support/writers.js';

const folder = workFolder();
afterAll(() => folder.remove());
beforeEach(() => folder.empty());
const bytes = readFileSync(fixture('pvh64-notes'));
const SET = ['--set', 'GUEST_OS=odd'];

/** Runs a line of shell in the folder; `"$@"` is the command. */
function shell(line: string, ...args: readonly string[]) {
  writeFileSync(join(folder.path, 'k'), bytes);
  const words = ['-c', line, 'bash', process.execPath, BIN, ...args];
  return spawnSync('bash', words, { cwd: folder.path, encoding: 'utf8', input: '' });
}

describe('a current folder that is gone', () => {
  const GONE = 'K=$PWD/k; mkdir x; cd x; rmdir ../x; ';

  it('is no matter where names do not depend on it', () => {
    expect(shell(`${GONE} "$@" notes "$K"`)).toMatchObject({ status: 0, stderr: '' });
    expect(shell(`${GONE} "$@" -o "$K.new" "$K"`, 'patch', ...SET)).toMatchObject({ status: 0, stderr: '' });
    expect(shell(`${GONE} "$@" explain ENTRY`)).toMatchObject({ status: 0, stderr: '' });
  });

  it.each([
    ...WRITERS.map((way) => ({ ...way, words: way.args('o') })),
    ...IN_PLACE.map((way) => ({ ...way, words: way.args('k') })),
  ])('is told by the system for names that do: $name', ({ image, words, ...way }) => {
    prepare(folder.path, image());
    const run = runWriter(way, words, folder.path, 'mkdir x; cd x; rmdir ../x; exec "$@"');
    expect(run.status).toBe(way.kind === 'drop-in' ? 1 : 2);
    expect(run.stderr).toMatch(/no such file or directory/i);
    expect(run.stderr).not.toMatch(/internal\.bug|uv_cwd/);
  });
});

describe('no folder for temporary files', () => {
  it.each([
    ['-o -', ['patch', 'k', '-o', '-', ...SET], 'write.failed'],
    ['standard input from a pipe', ['notes', '-'], 'read.open'],
  ])('%s is an error that names it', (_, args, id) => {
    const run = shell('cat k | TMPDIR=/nonexistent/here "$@"', ...args);
    expectError({ ...run }, id, /^xen-elfpatch: \/nonexistent\/here: cannot make .*ENOENT/);
    expect(run.stdout).toBe('');
  });
});

describe('closed standard streams', () => {
  it('standard input as image is empty, and other images are read', () => {
    expectError(shell('"$@" <&-', 'notes', '-'), 'read.not-elf');
    expect(shell('"$@" <&-', 'notes', 'k').status).toBe(0);
  });

  it('all three: the image is written, and no report lands in it', () => {
    expect(shell('"$@" <&- >&- 2>&-', 'patch', 'k', '-o', 'o', ...SET).status).toBe(0);
    expect(shell('"$@"', 'patch', 'k', '-o', 'good', ...SET).status).toBe(0);
    const [o, good] = ['o', 'good'].map((name) => readFileSync(join(folder.path, name), 'hex'));
    expect(o).toBe(good);
  });
});

describe('names', () => {
  it('that are no UTF-8 are refused: another file would be read, or made', () => {
    const make = "cp k $'a\\xffb';";
    const clean = "s=$?; rm $'a\\xffb'; exit $s";
    const run = shell(`${make} "$@" $'a\\xffb' -o $'o\\xff'; ${clean}`, 'patch', ...SET);
    expectError(run, 'usage.bad', /found bytes that are not UTF-8/);
    expect(shell(`${make} ${programOf({ kind: 'drop-in' })} $'a\\xffb' $'o\\xff' 0; ${clean}`)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('found bytes that are not UTF-8'),
    });
    expect(readdirSync(folder.path)).toEqual(['k']);
  });

  it('that hold U+FFFD itself are names', () => {
    expect(shell('cp k "a\ufffd"; "$@"', 'notes', 'a\ufffd')).toMatchObject({ status: 0, stderr: '' });
  });

  it('of 255 bytes are written and locked; longer ones are told by the system', () => {
    for (const name of ['n'.repeat(255), 'é'.repeat(127)]) {
      expect(shell('"$@"', 'patch', 'k', '-o', name, ...SET)).toMatchObject({ status: 0, stderr: '' });
      expect(shell('"$@"', 'patch', name, '--in-place', '--unset', 'GUEST_OS')).toMatchObject({
        status: 0,
        stderr: '',
      });
    }
    expectError(shell('"$@"', 'patch', 'k', '-o', 'n'.repeat(256), ...SET), 'write.failed', /name too long/);
  });
});

describe('files that are named as values', () => {
  const PE = fixture('dual.efi');
  const READS: readonly (readonly [string, (file: string) => readonly string[]])[] = [
    ['an image', (file) => ['linearize', file, '-o', 'o']],
    ['a value of patch', (file) => ['patch', 'k', '--set', `ENTRY=file:${file}`, '-o', 'o']],
    ['a spec', (file) => ['patch', 'k', '--spec', file, '-o', 'o']],
    ['notes to copy', (file) => ['patch', 'k', '--copy-from', file, '-o', 'o']],
    ['a configuration', (file) => ['notes', 'k', '--config', file]],
    ['a baseline', (file) => ['verify', 'k', '--baseline', file]],
    ['a record', (file) => ['verify', 'k', '--check-record', file]],
    ['an image to compare', (file) => ['layout', 'k', '--compare', file]],
    ['the other of two', (file) => ['diff', 'k', file]],
    ['a note of stamp', (file) => ['stamp', 'k', '--note', `Owner:1=file:${file}`, '-o', 'o']],
    ['one more note', (file) => ['stamp', 'k', '--add-note', `Owner:1=file:${file}`, '-o', 'o']],
    ['package metadata', (file) => ['stamp', 'k', '--package-metadata', file, '-o', 'o']],
    ['SBAT', (file) => ['stamp', PE, '--sbat', file, '-o', 'o']],
    ['a bill of materials', (file) => ['stamp', PE, '--sbom', file, '-o', 'o']],
    ['a section', (file) => ['stamp', PE, '--add-section', `.x=file:${file}`, '-o', 'o']],
  ];

  it.each(READS)('%s: a pipe without a writer, a device, a folder are refused and not waited for', (_, words) => {
    for (const file of ['pipe', '/dev/zero', 'folder']) {
      // Whatever waits is ended, and has no status of ours.
      const run = shell('mkfifo pipe; mkdir folder; timeout 60 "$@"', ...words(file));
      expect(run.stderr, file).toMatch(/\[(read\.not-a-file|plan\.bad-file|usage\.bad|read\.open)\]$/m);
      expect(run.status, file).toBe(2);
      expect(readdirSync(folder.path), file).not.toContain('o');
      folder.empty();
    }
  });

  it('what a shell pipes in is a value of stamp, to 1 MiB', () => {
    const run = shell('"$@" --note Owner:1=file:<(printf piped) -o o && grep -c piped o', 'stamp', 'k');
    expect(run).toMatchObject({ status: 0, stdout: expect.stringMatching(/^1$/m) });
    const large = shell('"$@" --note Owner:1=file:<(head -c 2000000 /dev/zero) -o large', 'stamp', 'k');
    expectError(large, 'plan.bad-file', /larger than 1048576 bytes/);
  });
});

describe('ELF64 numbers that ELF32 cannot hold', () => {
  it.each([
    ['sh_flags', { flags: 0x1_0000_0000_02n }],
    ['sh_addralign', { flags: 2n, align: 1n << 40n }],
  ])('mkelf32 --tidy --keep sections refuses a section by its %s', (field, options) => {
    const image = elf()
      .load(0x200000n, new Uint8Array(64))
      .section('.odd', { ...options, addr: 0x200000n, inside: { load: 0, at: 0, size: 16 } })
      .build();
    const run = runCli(['mkelf32', '--tidy', '--keep', 'sections', folder.write('wide', image), 'o', '0x200000'], {
      cwd: folder.path,
    });
    expectError(run, 'mkelf32.unfit', new RegExp(`section 1 \\.odd: ${field} is 0x`));
    expect(readdirSync(folder.path)).toEqual(['wide']);
  });
});
