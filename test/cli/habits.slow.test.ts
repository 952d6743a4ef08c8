/** What fingers know from other commands: -h, -V, help, -q, -oOUT, and being told what was likely meant. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.js';
import { runCli, workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';

const folder = workFolder();
afterAll(() => folder.remove());
const at = (name: string) => join(folder.path, name);
const NAMES = COMMANDS.map(({ shape }) => shape.name);
const KERNEL = fixture('pvh64-high-bare');

describe('help and version', () => {
  it.each(NAMES)('%s -h and help %s are its --help', (name) => {
    const { status, stdout } = runCli([name, '--help']);
    expect({ status, begins: stdout.startsWith(`xen-elfpatch ${name} `) }).toEqual({ status: 0, begins: true });
    for (const line of [
      [name, '-h'],
      ['help', name],
      ['-h', name],
      [name, 'some', 'word', '-h'],
    ]) {
      expect(runCli(line)).toMatchObject({ status: 0, stdout, stderr: '' });
    }
  });

  it('help alone is --help, which names it', () => {
    const { stdout } = runCli(['--help']);
    expect(stdout).toContain('xen-elfpatch help COMMAND');
    for (const line of [['help'], ['-h'], ['help', 'help'], ['help', '--help']]) {
      expect(runCli(line)).toMatchObject({ status: 0, stdout, stderr: '' });
    }
  });

  it('-V is --version: the version, and the commit where git tells one', () => {
    const version = JSON.parse(readFileSync('package.json', 'utf8')).version;
    const { stdout } = runCli(['--version']);
    const commit = spawnSync('sh', ['-c', 'git rev-parse --short=12 HEAD'], { encoding: 'utf8' });
    expect(stdout.startsWith(`${version}`)).toBe(true);
    // The bundle may be older than the newest commit, which changed none of its files.
    if (commit.status === 0) expect(stdout).toMatch(/^\S+ \([0-9a-f]{12}\+?\)\n$/);
    else expect(stdout).toBe(`${version}\n`);
    for (const line of [['-V'], ['patch', '-V'], ['patch', '--version']]) expect(runCli(line).stdout).toBe(stdout);
  });
});

/** A run of every command that ends well, with `OUT` for its output. */
const GOOD: Readonly<Record<string, readonly string[]>> = {
  patch: [KERNEL, '--preset', 'pvh', '-o', 'OUT'],
  notes: [fixture('pvh64-notes')],
  fix: [fixture('pvh64-notes'), '--for', 'qemu-pvh'],
  stamp: [KERNEL, '-o', 'OUT', '--package-metadata', 'name=k'],
  diff: [KERNEL, KERNEL],
  layout: [KERNEL],
  verify: [KERNEL],
  linearize: [fixture('dual.efi'), '-o', 'OUT'],
  explain: ['pvh'],
  mkelf32: [fixture('pvh64-notes'), 'OUT', '0x100000', '--tidy'],
  completion: ['bash'],
};

describe('--quiet', () => {
  it.each(NAMES)('%s says nothing when all goes well, and does the same', (name) => {
    const line = (out: string) => [name, ...(GOOD[name] ?? []).map((word) => word.replace('OUT', out))];
    const loud = runCli(line('loud'), { cwd: folder.path });
    expect(loud.status, loud.stderr).toBe(0);
    expect(loud.stdout + loud.stderr).not.toBe('');
    for (const option of ['-q', '--quiet']) {
      expect(runCli([...line('still'), option], { cwd: folder.path })).toMatchObject({
        status: 0,
        stdout: '',
        stderr: '',
      });
      if (!existsSync(at('loud'))) continue;
      expect(readFileSync(at('still'))).toEqual(readFileSync(at('loud')));
      rmSync(at('still'));
    }
    rmSync(at('loud'), { force: true });
  });

  it.each([
    [['verify', fixture('pvh64-bare'), '--for', 'xen-pvh'], 1],
    [['notes', fixture('pvh64-bare'), '--require-xen'], 1],
    [['diff', KERNEL, fixture('pvh64-notes')], 1],
    [['patch', KERNEL, '--preset', 'pvh', '--check'], 1],
    [['stamp', KERNEL, '--check'], 1],
    [['patch', KERNEL, '--preset', 'pv32', '-o', 'x'], 2],
    [['notes', 'nowhere'], 2],
  ] as const)('%j says all that it says without it', (line, status) => {
    const loud = runCli(line, { cwd: folder.path });
    expect(loud.status).toBe(status);
    expect(runCli([...line, '-q'], { cwd: folder.path })).toEqual(loud);
  });

  it('lets an image through to standard output', () => {
    const { stdout, stderr } = spawnSync(process.execPath, [
      'bin/xen-elfpatch.js',
      'patch',
      KERNEL,
      '--preset',
      'pvh',
      '-qo-',
    ]);
    expect(stderr.length).toBe(0);
    expect(runCli(['patch', KERNEL, '--preset', 'pvh', '-o', at('file')]).status).toBe(0);
    expect(stdout.equals(readFileSync(at('file')))).toBe(true);
  });

  it('is refused together with --json', () => {
    expect(runCli(['notes', KERNEL, '-q', '--json']).stderr).toContain('--quiet and --json cannot be given together');
  });
});

describe('short options', () => {
  it.each([['-oout'], ['-o', 'out'], ['-o=out'], ['-qvoout'], ['-vo', 'out'], ['-vqo=out']])(
    '%j %j name the output',
    (...words: readonly string[]) => {
      const { status, stderr } = runCli(['patch', KERNEL, '--preset', 'pvh', ...words], { cwd: folder.path });
      // getopt takes what stands behind a letter in a cluster as it is.
      const out = words[0] === '-vqo=out' ? '=out' : 'out';
      expect({ status, there: existsSync(at(out)), stderr: status === 0 ? '' : stderr }).toEqual({
        status: 0,
        there: true,
        stderr: '',
      });
      rmSync(at(out));
    },
  );

  it.each([
    [['-ov', '-o', 'x'], '--output given 2 times, wanted it once', undefined],
    [['-x'], 'unknown option -x', 'xen-elfpatch patch --help shows the options'],
    [['-vx'], 'unknown option -x in -vx', 'xen-elfpatch patch --help shows the options'],
    [['-output', 'x'], 'unknown option -output', 'Did you mean --output?'],
    [['-dry-run'], 'unknown option -dry-run', 'Did you mean --dry-run?'],
    [['-o'], '-o has no value', 'A value that begins with - is written -oVALUE'],
    [['-vo'], '--output has no value', 'A value that begins with - is written --output=VALUE'],
  ])('%j: %s', (words, what, hint) => {
    const { status, stderr } = runCli(['patch', KERNEL, '--preset', 'pvh', ...words], { cwd: folder.path });
    expect(status).toBe(2);
    expect(stderr).toContain(`xen-elfpatch: ${what} [usage.bad]`);
    if (hint !== undefined) expect(stderr).toContain(`  hint: ${hint}\n`);
  });

  it('words behind -- are words', () => {
    copyFileSync(KERNEL, at('-oname'));
    expect(runCli(['notes', '--', '-oname'], { cwd: folder.path })).toMatchObject({ status: 0, stderr: '' });
  });
});

describe('what was likely meant is told', () => {
  it.each([
    ['ptch', 'Did you mean xen-elfpatch patch?'],
    ['hlep', 'Did you mean xen-elfpatch help?'],
    ['help ptch', 'Did you mean xen-elfpatch patch?'],
    ['patch KERNEL --dryrun', 'Did you mean --dry-run?'],
    ['patch KERNEL --quite', 'Did you mean --quiet?'],
    ['verify KERNEL --preset pvh', '--preset is an option of patch'],
    ['notes KERNEL --in-place', '--in-place is an option of patch, fix, stamp and linearize'],
    ['patch KERNEL --placement appned -o x', 'Did you mean append?'],
    ['patch KERNEL --set PHYS_ENTRY=1 -o x', 'Did you mean PHYS32_ENTRY or ENTRY?'],
    ['patch KERNEL --set PHYS32_ENTRY=phys:_strat -o x', 'Did you mean _start?'],
    ['patch KERNEL --set PHYS32_ENTRY=phys:start -o x', 'Did you mean _start?'],
    [
      'patch KERNEL --set PHYS32_ENTRY=sym:nothing_like_it -o x',
      'Give the address as a number; nm lists the symbols of the image',
    ],
    ['verify KERNEL --for qemu-phv', 'Did you mean --for qemu-pvh?'],
    ['linearize EFI --entry sym:strat --dry-run', 'Did you mean start?'],
    ['explain PHYS32_ENTY', 'Did you mean PHYS32_ENTRY?'],
  ])('%s: %s', (line, hint) => {
    const words = line.split(' ').map((word) => ({ KERNEL, EFI: fixture('dual.efi') })[word] ?? word);
    const { status, stderr } = runCli(words, { cwd: folder.path });
    expect(status).toBe(2);
    expect(stderr).toContain(`  hint: ${hint}`);
  });

  it.each([
    ['patch', 'patch: no IMAGE given, wanted at least one'],
    ['notes', 'notes: no IMAGE given, wanted at least one'],
    ['diff', 'diff: no IMAGE given, wanted two'],
    ['diff a', 'diff: one IMAGE given, wanted two'],
    ['diff a b c', 'diff: unexpected word c, wanted two IMAGEs'],
    ['layout a b', 'layout: unexpected word b, wanted one IMAGE'],
    ['completion', 'completion: no SHELL given, wanted one'],
    ['completion bash zsh', 'completion: unexpected word zsh, wanted one SHELL'],
  ])('%s: %s', (line, what) => {
    expect(runCli(line.split(' '))).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(`xen-elfpatch: ${what} [usage.bad]`),
    });
  });
});

describe('colours of errors and warnings', () => {
  const line = ['patch', KERNEL, '--preset', 'pvh', '-o', at('c')];
  it('are there with --color=always, around words of our own', () => {
    const warned = runCli([...line, '--color=always']).stderr;
    expect(warned).toContain('\x1b[33mxen-elfpatch: warning:\x1b[39m ');
    const failed = runCli(['notes', '--color', 'always', 'no\x1b[31mwhere']).stderr;
    expect(failed).toContain('\x1b[31mxen-elfpatch:\x1b[39m no\\x1b[31mwhere');
  });

  it('are not there with --color=never, nor where standard error is no terminal', () => {
    for (const words of [[], ['--color=never'], ['--color=auto']]) {
      const { stderr, status } = runCli([...line, ...words]);
      expect({ status, plain: !stderr.includes('\x1b'), warned: stderr.includes('warning') }).toEqual({
        status: 0,
        plain: true,
        warned: true,
      });
    }
  });
});

describe('the library', () => {
  it('is there for require() as for import', () => {
    const program = "process.stdout.write(typeof require('xen-elfpatch').planPatch)";
    const { stdout, stderr, status } = spawnSync(process.execPath, ['--no-warnings', '-e', program], {
      encoding: 'utf8',
    });
    expect({ stdout, stderr, status }).toEqual({ stdout: 'function', stderr: '', status: 0 });
  });
});
