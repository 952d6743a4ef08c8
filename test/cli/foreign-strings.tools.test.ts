/**
 * Hostile bytes in every name that a file can carry, in the names of the files and in the words of the command line, before
 * every command: nothing that it prints drives a terminal or passes for a line of its own.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { BIN, runCli, workFolder } from '../support/cli.js';
import { cstr, elf, latin1, num, type TestNote } from '../support/elf-builder.js';
import { fixture } from '../support/fixtures.js';
import { buildPe, CODE, DATA } from '../support/pe-builder.js';

const folder = workFolder();
afterAll(() => folder.remove());

/** A colour, C1's own ESC, a bell, a line feed, and what would be a line of ours. As ELF and PE have it, a byte each. */
const BYTES = '\x1b[31mP\x9b2J\x07\nINJECTED\x7f';
/** The same with marks of writing direction and a separator of lines. As file names and the command line have it. */
const TEXT = '\x1b[31mP\x9b2J\u202e\u2066\u2028\nINJECTED';

const encoding = { bits: 64, endian: 'little' } as const;
const entry: TestNote = { type: 18, desc: num(0x100000n, 4, encoding) };
const metadata = cstr(JSON.stringify({ type: TEXT, [TEXT]: TEXT }));

function kernel(notes: readonly TestNote[], other = BYTES): Uint8Array {
  return elf(encoding)
    .load(0x100000n, new Uint8Array(64).fill(0x90))
    .noteSegment([entry, ...notes, { name: other, type: 7, desc: cstr(other) }], { section: `.note.${other}` })
    .section(`.${other}`, { bytes: cstr(other) })
    .section('__xen_guest', { bytes: cstr(`GUEST_OS=${other},${other}=${other},LOADER=generic`) })
    .symbol(other, 0x100000n)
    .symbol('_start', 0x100000n)
    .build();
}

const strings = [6, 5, 8, 10, 9].map((type): TestNote => ({ type, desc: latin1(`${BYTES}|!${BYTES}\0`) }));
const IMAGES: Readonly<Record<string, Uint8Array>> = {
  strings: kernel(strings),
  metadata: kernel([{ name: 'FDO', type: 0xcafe1a7e, desc: metadata }]),
  overrun: kernel([{ name: 'GNU', type: 1, desc: latin1(BYTES) }]),
  gzip: gzipSync(kernel(strings)),
  cut: kernel(strings).subarray(0, 700),
  text: latin1(`#!${BYTES}`),
  pe: buildPe({
    sections: [
      { name: BYTES, rva: 0x1000, virtualSize: 0x100, data: Buffer.alloc(0x100, 0x90), flags: CODE },
      { name: BYTES.slice(0, 8), rva: 0x1080, virtualSize: 0x100, data: Buffer.alloc(0x100, 0x90), flags: DATA },
      { name: `.${BYTES}`, rva: 0x4000, virtualSize: 0x100, data: Buffer.from(BYTES, 'latin1'), flags: DATA },
    ],
    symbols: [{ name: BYTES, section: 1, value: 0 }],
  }),
};
const fileOf = (name: string) => `${folder.path}/${name}-${TEXT}`;
const files = Object.entries(IMAGES).map(([name, bytes]) => folder.write(`${name}-${TEXT}`, bytes));
const plain = folder.write('plain', kernel([], 'plain'));
const dual = folder.write(`dual-${TEXT}`, readFileSync(fixture('dual.efi')));
const spec = folder.write(`spec-${TEXT}`, Buffer.from(`notes:\n  GUEST_OS: [1]\n${JSON.stringify(TEXT)}: 1\n`));
const out = `${folder.path}/out-${TEXT}`;

const ESC = '\x1b';
const OUR_COLORS = new RegExp(`${ESC}\\[(?:1|2|22|31|32|33|39)m`, 'g');

/** Everything of what is printed that is neither a letter nor a line feed, and every line that is not ours. */
function faultsOf(text: string, colored: boolean): readonly string[] {
  const bare = colored ? text.replaceAll(OUR_COLORS, '') : text;
  return [...(bare.match(/[^\n\P{C}]|[\p{Zl}\p{Zp}]|^INJECTED.*/gmu) ?? [])];
}

interface Runs {
  readonly command: string;
  readonly lines: readonly (readonly string[])[];
}

const of = (names: string, ...options: readonly string[]) => names.split(' ').map((name) => [fileOf(name), ...options]);
const RUNS: readonly Runs[] = [
  { command: 'notes', lines: [[...files, '--raw', '--require-xen'], [`${TEXT}/missing`]] },
  {
    command: 'verify',
    lines: [
      ...of('strings', '--for', 'xen-pv', '--for', 'linux-loader', '--rules'),
      ...of('overrun gzip cut text pe'),
      [plain, '--baseline', fileOf('strings')],
    ],
  },
  {
    command: 'layout',
    lines: [
      ...of('strings cut pe'),
      [plain, '--compare', fileOf('strings')],
      [plain, '--svg', out],
      ...of('strings', '--svg', '-'),
    ],
  },
  { command: 'diff', lines: [...of('strings cut', plain), ...of('pe', dual)] },
  { command: 'explain', lines: [[TEXT], [`INJECTED${TEXT}`]] },
  {
    command: 'patch',
    lines: [
      ...of('strings gzip', '--set', `GUEST_OS=${TEXT}`, '--unset', 'LOADER', '-v', '-o', out),
      ...of('strings', '--from-legacy', '--dry-run'),
      ...of('cut pe text', '--preset', 'pv', '--dry-run'),
      [plain, '--copy-from', fileOf('strings'), '-v', '-o', out, '--section', `.note.${TEXT}`],
      [plain, '--set', `${TEXT}=1`, '--dry-run'],
      [plain, '--set', `ENTRY=sym:${TEXT}`, '--dry-run'],
      [plain, '--set', `ENTRY=file:${TEXT}`, '--dry-run'],
      [plain, '--spec', spec, '--dry-run'],
      [plain, '--set', 'ENTRY=1', '-o', out, '--depfile', `${out}.d`],
      [plain, '--placement', TEXT, '--dry-run'],
      [plain, `--${TEXT}`],
    ],
  },
  {
    command: 'stamp',
    lines: [
      ...of('strings metadata', '--package-metadata', `name=${TEXT}`, '--note', `Owner:1=${TEXT}`, '-o', out),
      ...of('metadata', '--note', `${TEXT}:1=x`, '-o', out),
      ...of('metadata'),
    ],
  },
  {
    command: 'fix',
    lines: [...of('strings overrun'), ...of('strings', '--for', 'xen-pv', '-o', out), [plain, '--for', TEXT]],
  },
  {
    command: 'linearize',
    lines: [
      [dual, '-o', out],
      ...of('strings pe', '-o', out),
      ...of('pe', '--verify'),
      [dual, '--image', TEXT, '--dry-run'],
    ],
  },
  {
    command: 'mkelf32',
    lines: [
      ...of('strings cut', out, '0x100000'),
      ['--tidy', '--keep', 'symbols', plain, out, '0x100000'],
      ['--tidy', '--note', `GUEST_OS=${TEXT}`, plain, out, '0x100000'],
      [plain, out, TEXT],
    ],
  },
  { command: TEXT, lines: [[]] },
];

describe('no output of a command carries a control, a mark of direction or a line that a foreign string made', () => {
  it.each(RUNS)('$command', ({ command, lines }) => {
    const seen = { text: false, json: false };
    for (const [i, line] of lines.entries()) {
      for (const mode of ['text', 'json', 'color'] as const) {
        // Paint is the same for all lines, and two commands have none.
        if (mode === 'color' && (i > 0 || ['explain', 'mkelf32'].includes(command))) continue;
        const more = mode === 'json' ? ['--json'] : mode === 'color' ? ['--color=always'] : [];
        const at = line.indexOf('--');
        const words = at < 0 ? [...line, ...more] : [...line.slice(0, at), ...more, ...line.slice(at)];
        const { stdout, stderr, status } = runCli([command, ...words], { cwd: folder.path });
        const faults = { stdout: faultsOf(stdout, mode === 'color'), stderr: faultsOf(stderr, mode === 'color') };
        expect({ words, status, faults }).toMatchObject({ faults: { stdout: [], stderr: [] } });
        expect(`${stdout}${stderr}`).not.toContain(`${ESC}[31mP\\x9b`);
        expect(stderr).not.toContain('internal.bug');
        if (mode === 'json' && stdout.startsWith('{')) {
          seen.json ||= JSON.stringify(JSON.parse(stdout)).includes('INJECTED');
        }
        seen.text ||= mode === 'text' && `${stdout}${stderr}`.includes('INJECTED');
      }
    }
    // What was planted came through, as escapes.
    expect(seen).toEqual({ text: true, json: true });
  });
});

describe('notes --format readnotes', () => {
  const line = ['notes', '--format', 'readnotes', folder.write('readnotes', kernel(strings))];

  it('is byte for byte what readnotes prints where it goes to a file or a pipe', () => {
    expect(Buffer.from(runCli(line).stdout)).toContain(0x1b);
  });

  it('is escaped on a terminal', () => {
    const log = `${folder.path}/typescript`;
    const command = [process.execPath, BIN, ...line].map((word) => `'${word}'`).join(' ');
    expect(spawnSync('script', ['-qec', command, log], { encoding: 'latin1', input: '' }).status).toBe(0);
    const text = readFileSync(log, 'latin1');
    expect(text).toContain('\\x1b[31mP\\x9b2J\\x07');
    expect(text).not.toContain('\x1b[31m');
  });
});
