import { spawnSync } from 'node:child_process';
import { mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.js';
import { BIN, runCli, workFolder } from '../support/cli.js';
import { cstr, elf, num } from '../support/elf-builder.js';
import { validDocument } from '../support/schema.js';

const encoding = { bits: 64, endian: 'little' } as const;
const folder = workFolder();
afterAll(() => folder.remove());
const kernelBytes = elf(encoding)
  .load(0x100000n, new Uint8Array(64))
  .noteSegment([
    { type: 6, desc: cstr('linux') },
    { type: 18, desc: num(0x100000n, 4, encoding) },
  ])
  .build();
const kernel = folder.write('kernel', kernelBytes);

describe('help and version', () => {
  it('--version prints the version of package.json, the commit where one is known, and nothing else', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    const { status, stdout, stderr } = runCli(['--version']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.replace(/ \([0-9a-f]{12}\+?\)\n$/, '\n')).toBe(`${version}\n`);
  });

  it('--help goes to stdout with exit 0 and lists every command', () => {
    const { status, stdout, stderr } = runCli(['--help']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    for (const { shape } of COMMANDS) expect(stdout).toContain(`xen-elfpatch ${shape.name}`);
  });

  it('no command at all prints the help on stderr and exits 2', () => {
    expect(runCli([])).toMatchObject({ status: 2, stdout: '', stderr: runCli(['--help']).stdout });
  });

  it.each(COMMANDS.map(({ shape }) => shape))('$name --help has examples, each a command line of $name', (shape) => {
    const { status, stdout, stderr } = runCli([shape.name, '--help']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout.startsWith(`xen-elfpatch ${shape.name} `)).toBe(true);
    expect(shape.examples.length).toBeGreaterThanOrEqual(2);
    for (const [line] of shape.examples) expect(line).toMatch(new RegExp(`\\bxen-elfpatch ${shape.name} `));
  });

  it('no line of any help text is wider than 80 columns', () => {
    for (const args of [['--help'], ...COMMANDS.map(({ shape }) => [shape.name, '--help'])]) {
      expect(
        Math.max(
          ...runCli(args)
            .stdout.split('\n')
            .map((line) => line.length),
        ),
      ).toBeLessThanOrEqual(80);
    }
  });
});

describe('mistakes on the command line', () => {
  it.each([
    [['nots', kernel], 'unknown command nots', 'Did you mean xen-elfpatch notes?'],
    [['notes', '--jsn', kernel], 'unknown option --jsn', 'Did you mean --json?'],
    [['notes', '-z', kernel], 'unknown option -z', 'xen-elfpatch notes --help shows the options'],
    [['notes'], 'notes: no IMAGE given, wanted at least one', 'xen-elfpatch notes --help shows how it is called'],
    [
      ['notes', '--format', 'xml', kernel],
      '--format is xml, wanted one of text, readnotes, github, sarif, junit',
      undefined,
    ],
    [['notes', kernel, '--format'], '--format has no value', 'A value that begins with - is written --format=VALUE'],
    [['notes', '--color=never', '--color=auto', kernel], '--color given 2 times, wanted it once', undefined],
    [['--jsn'], 'unknown option --jsn', undefined],
    [['--', 'notes', kernel], 'no command given', undefined],
  ])('%j: one line, a hint, exit 2', (args, what, hint) => {
    const { status, stdout, stderr } = runCli(args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    const [first, second, ...rest] = stderr.split('\n');
    expect(first).toBe(`xen-elfpatch: ${what} [usage.bad]`);
    expect(second).toMatch(/^ {2}hint: /);
    if (hint !== undefined) expect(second).toBe(`  hint: ${hint}`);
    expect(rest).toEqual(['']);
  });

  it('with --json there is one document on stdout as well, however wrong the line is', () => {
    const { status, stdout, stderr } = runCli(['notes', '--json', '--jsn', kernel]);
    expect(status).toBe(2);
    expect(stderr).toContain('unknown option --jsn');
    expect(validDocument(stdout)).toMatchObject({ command: 'notes', exit: 2, errors: [{ id: 'usage.bad' }] });
    expect(validDocument(runCli(['nots', '--json']).stdout)).not.toHaveProperty('command');
  });
});

describe('errors', () => {
  it('name file, offset and part, with the id and a hint, and no stack', () => {
    const path = folder.write('short', kernelBytes.subarray(0, 70));
    const { status, stdout, stderr } = runCli(['notes', path]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toMatch(
      /^xen-elfpatch: .*short\+0x40: program header table: .* \[read\.table-outside\]\n {2}hint: /,
    );
    expect(stderr).not.toContain('    at ');
  });

  it('XEN_ELFPATCH_DEBUG adds the stack', () => {
    expect(runCli(['notes', '/nonexistent'], { env: { XEN_ELFPATCH_DEBUG: '1' } }).stderr).toContain('    at ');
  });

  it('as a document have place, text and hint apart', () => {
    const path = folder.write('garbage', Uint8Array.of(1, 2, 3, 4, 5));
    const { status, stdout } = runCli(['notes', '--json', path]);
    expect(status).toBe(2);
    expect(validDocument(stdout)).toMatchObject({
      schema: 'xen-elfpatch/error/1',
      command: 'notes',
      errors: [{ id: 'read.not-elf', file: path, offset: '0x0' }],
    });
  });

  it.each([
    // notes looks through a folder.
    ['layout', folder.path, '[read.not-a-file]'],
    ['notes', '/nonexistent', '[read.open]'],
    ['notes', '/dev/null', '[read.not-a-file]'],
  ])('%s %s is refused with exit 2', (command, path, id) => {
    expect(runCli([command, path])).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining(id) });
  });
});

describe('standard output', () => {
  it('a reader that goes away ends the command quietly', () => {
    const many = Array.from({ length: 20_000 }, (_, i) => ({ type: i, desc: num(i, 8, encoding) }));
    const path = folder.write('many', elf(encoding).load(0n, new Uint8Array(16)).noteSegment(many).build());
    // The shell's own list of exit statuses, spelled so that it is no template placeholder here.
    const statuses = ['$', '{PIPESTATUS[0]}'].join('');
    const script = `"$0" "$1" notes --json "$2" | head -c 10; echo " ${statuses}"`;
    const run = spawnSync('bash', ['-c', script, process.execPath, BIN, path], { encoding: 'utf8' });
    expect(run.stderr).toBe('');
    expect(run.stdout).toBe('{\n  "schem 0\n');
  });

  it('a full device is an error, not a silent loss', () => {
    for (const args of [
      ['notes', kernel],
      ['notes', '--json', kernel],
      ['notes', '--help'],
    ]) {
      const stdio = ['ignore', openSync('/dev/full', 'w'), 'pipe'] as const;
      const run = spawnSync(process.execPath, [BIN, ...args], { stdio: [...stdio], encoding: 'utf8' });
      expect(run.status).toBe(2);
      expect(run.stderr).toBe('xen-elfpatch: <stdout>: cannot write: no space left on device (ENOSPC) [read.open]\n');
    }
  });

  it('has no colours in a pipe, unless they are asked for; --color wins over NO_COLOR', () => {
    expect(runCli(['notes', kernel]).stdout).not.toContain('\x1b[');
    expect(runCli(['notes', '--color=always', kernel]).stdout).toContain('\x1b[');
    expect(runCli(['--color', 'always', 'notes', kernel], { env: { NO_COLOR: '1' } }).stdout).toContain('\x1b[');
    expect(runCli(['notes', '--json', '--color=always', kernel]).stdout).not.toContain('\x1b[');
  });

  it('on a terminal has colours, but not with NO_COLOR', () => {
    const onTerminal = (env: Record<string, string>) => {
      const line = `'${process.execPath}' '${BIN}' notes '${kernel}'`;
      return spawnSync('script', ['-qec', line, '/dev/null'], {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm', ...env },
      }).stdout;
    };
    expect(onTerminal({})).toContain('\x1b[1m');
    expect(onTerminal({ NO_COLOR: '1' })).not.toContain('\x1b[1m');
    expect(onTerminal({ NO_COLOR: '1' })).toContain('PHYS32_ENTRY');
  });
});

describe('-, standard input', () => {
  // A folder of its own: other tests leave and take files in the common one at any moment.
  const spoolFolder = join(folder.path, 'spool');
  const TMPDIR = { TMPDIR: spoolFolder };
  mkdirSync(spoolFolder);
  const spools = () => readdirSync(spoolFolder);
  const inShell = (script: string, ...args: string[]) =>
    spawnSync('bash', ['-c', script, process.execPath, BIN, ...args], {
      env: { ...process.env, ...TMPDIR },
      encoding: 'utf8',
      timeout: 30_000,
    });

  it('may be a pipe', () => {
    const piped = runCli(['notes', '-'], { input: kernelBytes, env: TMPDIR });
    expect(piped.status).toBe(0);
    expect(piped.stdout).toBe(runCli(['notes', kernel]).stdout.replaceAll(kernel, '<stdin>'));
    expect(spools()).toEqual([]);
  });

  it('may be a file', () => {
    expect(inShell('"$0" "$1" notes - < "$2"', kernel)).toMatchObject({
      status: 0,
      stderr: '',
      stdout: expect.stringContaining('PHYS32_ENTRY'),
    });
  });

  it('may be a file of which something has been read already', () => {
    const path = folder.write('shifted', Buffer.concat([Buffer.from('0123456789'), kernelBytes]));
    const script = '(dd bs=10 count=1 of=/dev/null 2>/dev/null; exec "$0" "$1" notes -) < "$2"';
    expect(inShell(script, path)).toMatchObject({
      status: 0,
      stderr: '',
      stdout: expect.stringContaining('PHYS32_ENTRY'),
    });
  });

  it('can be given once', () => {
    const { status, stderr } = runCli(['notes', '-', '-'], { input: kernelBytes });
    expect(status).toBe(2);
    expect(stderr).toContain('- was given twice');
  });

  it('of nothing is an error that names it', () => {
    expect(runCli(['notes', '-'], { env: TMPDIR })).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('xen-elfpatch: <stdin>+0x0: found an empty file'),
    });
    expect(spools()).toEqual([]);
  });

  it('that is never closed leaves nothing behind when the command is killed', () => {
    const script =
      'mkfifo "$2"; sleep 9 > "$2" & "$0" "$1" notes - < "$2" & sleep 1; kill -KILL %1 %2; wait %2; echo $?';
    expect(inShell(script, `${folder.path}/fifo`).stdout).toBe('137\n');
    expect(spools()).toEqual([]);
  });
});

describe('words', () => {
  it('behind -- are images, whatever they look like', () => {
    expect(runCli(['notes', '--', '--json']).stderr).toContain('xen-elfpatch: --json: cannot open');
  });

  it('that look like numbers stay as they are typed', () => {
    const { stderr } = runCli(['notes', '0x10', '1e3'], { cwd: folder.path });
    expect(stderr).toMatch(/: 0x10: cannot open.*\n.*: 1e3: cannot open/);
  });

  it('help is a file name like any other', () => {
    folder.write('help', kernelBytes);
    expect(runCli(['notes', 'help'], { cwd: folder.path })).toMatchObject({ status: 0, stderr: '' });
  });
});

describe('--quiet on a terminal', () => {
  it('says nothing at all of many images, however long they take', () => {
    const many = join(folder.path, 'build');
    mkdirSync(many);
    for (let i = 0; i < 400; i++)
      folder.write(join('build', `kernel-${i}`), Buffer.concat([kernelBytes, Buffer.from([i & 255, i >> 8])]));
    // Of bsdutils, which every Debian has: it gives the command a terminal.
    const { status, stdout } = spawnSync(
      'script',
      ['-qec', `'${process.execPath}' '${BIN}' verify --quiet --recursive '${many}'`, '/dev/null'],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    );
    expect({ status, stdout }).toEqual({ status: 0, stdout: '' });
  });
});
