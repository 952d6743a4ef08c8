import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BIN, runCli } from '../support/cli.js';
import { fixture, realImage } from '../support/images.js';
import { PeBytes } from '../support/pe-edit.js';
import { validDocument } from '../support/schema.js';

const DUAL = fixture('dual.efi');

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'linearize-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(...args: readonly string[]) {
  const { status, stdout, stderr } = runCli(args);
  return { status, stdout, stderr };
}

describe('xen-elfpatch linearize', () => {
  it('writes a file that it then finds linear, and that --check has nothing to do with', () => {
    const out = join(folder, 'out.efi');
    expect(run('linearize', DUAL, '-o', out)).toMatchObject({ status: 0, stderr: '' });
    expect(statSync(out).mode & 0o777).toBe(statSync(DUAL).mode & 0o777);
    expect(run('linearize', '--verify', out, '--baseline', DUAL)).toMatchObject({ status: 0, stderr: '' });
    expect(run('linearize', out, '--check').status).toBe(0);
    expect(run('linearize', DUAL, '--check').status).toBe(1);
    expect(run('linearize', '--verify', DUAL).status).toBe(1);
    expect(readdirSync(folder).filter((name) => name.includes('.tmp'))).toEqual([]);
  });

  it('makes the same bytes in place, to a file and to standard output', () => {
    const out = join(folder, 'a.efi');
    const inPlace = join(folder, 'b.efi');
    writeFileSync(inPlace, readFileSync(DUAL));
    expect(run('linearize', DUAL, '-o', out).status).toBe(0);
    expect(run('linearize', inPlace, '--in-place').status).toBe(0);
    const piped = spawnSync(process.execPath, [BIN, 'linearize', '-', '-o', '-'], { input: readFileSync(DUAL) });
    expect(readFileSync(inPlace).equals(readFileSync(out))).toBe(true);
    expect(piped.stdout.equals(readFileSync(out))).toBe(true);
  });

  it('shows both maps, the tags and the proof on --dry-run, and writes nothing', () => {
    const { status, stdout } = run('linearize', DUAL, '--dry-run');
    expect(status).toBe(0);
    expect(stdout).toContain('file offset = RVA - 0x1ff000');
    expect(stdout).toContain('all 0x90, none of 44 symbols in it, none of 4 relocations aimed at it');
    expect(stdout).toContain('[0x200000, 0x202331) from file offset 0x1000');
  });

  it.each([
    [['--dry-run'], 0],
    [['--check', '--mb1'], 1],
    [['--dry-run', '--mb2', 'none'], 0],
    [['--dry-run', '--mb2', 'gap', '--merge'], 0],
  ] as const)('prints a document of its schema: %j', (options, status) => {
    const done = run('linearize', DUAL, '--json', ...options);
    expect(done.status).toBe(status);
    expect(validDocument(done.stdout)).toMatchObject({ changed: true, written: null });
  });

  it('prints documents of its schema when it writes and when it judges', () => {
    const out = join(folder, 'json.efi');
    expect(validDocument(run('linearize', DUAL, '--json', '-o', out).stdout)).toMatchObject({
      written: { output: out },
    });
    expect(validDocument(run('linearize', '--json', '--verify', out).stdout)).toMatchObject({ linear: true });
    expect(validDocument(run('linearize', '--json', '--verify', DUAL).stdout)).toMatchObject({ linear: false });
    validDocument(run('linearize', '--json', fixture('mb1'), '--dry-run').stdout);
  });

  it.each([
    ['no target', [DUAL]],
    ['the input as output', [DUAL, '-o', DUAL]],
    ['an ELF file', [fixture('mb1'), '-o', 'OUT']],
    ['a name that is no number', [DUAL, '-o', 'OUT', '--phys-base', 'low']],
    ['--mb1 without tags', [DUAL, '-o', 'OUT', '--mb1', '--mb2', 'none']],
    ['--verify with a target', [DUAL, '--verify', '-o', 'OUT']],
    ['--baseline without --verify', [DUAL, '-o', 'OUT', '--baseline', DUAL]],
    ['an entry that is no code', [DUAL, '-o', 'OUT', '--entry', '0x201000']],
    ['an entry that is no symbol', [DUAL, '-o', 'OUT', '--entry', 'sym:nowhere']],
    ['an impossible FileAlignment', [DUAL, '-o', 'OUT', '--file-align', '0x1000']],
    ['a section that is not there', [DUAL, '-o', 'OUT', '--image', '.nosuch']],
  ])('writes nothing on %s', (_what, args) => {
    const place = mkdtempSync(join(folder, 'none-'));
    const { status, stdout, stderr } = run(
      'linearize',
      ...args.map((arg) => (arg === 'OUT' ? join(place, 'out') : arg)),
    );
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^xen-elfpatch: .*\[[a-z0-9]+\.[a-z0-9-]+\]\n/);
    expect(readdirSync(place)).toEqual([]);
  });

  it('leaves an older result alone when the new one cannot be made', () => {
    const out = join(folder, 'old.efi');
    writeFileSync(out, 'old');
    const broken = join(folder, 'broken.efi');
    const file = PeBytes.fixture();
    file.section('.rodata', 'VirtualAddress', 0x200000);
    writeFileSync(broken, file.bytes);
    const { status, stderr } = run('linearize', broken, '-o', out);
    expect(status).toBe(2);
    expect(stderr).toContain('[pe.section-order]');
    expect(readFileSync(out, 'utf8')).toBe('old');
  });
});

describe('xen-elfpatch notes of a PE image', () => {
  it('says that there are no ELF notes, and what loaders read instead', () => {
    const { status, stdout } = run('notes', DUAL);
    expect(status).toBe(0);
    expect(stdout).toContain('a PE image has no place for them');
    expect(stdout).toContain('relocatable, EFI boot services, EFI amd64 entry, end');
    expect(stdout).toContain('no address tag');
    expect(run('notes', '--require-xen', DUAL).status).toBe(1);
    const document = validDocument(run('notes', '--json', DUAL).stdout);
    expect(document).toMatchObject({ images: [{ format: 'pe', multiboot2: { loadable: false }, notes: [] }] });
  });

  it("shows the build-id of Debian's xen.efi", () => {
    expect(run('notes', realImage('xen-efi').path).stdout).toMatch(/build-id +[0-9a-f]{32}\n/);
  });
});
