/**
 * Hostile bytes in every name that a file can carry, in the names of the files and in the words of the command line, before
 * every command: nothing that it prints drives a terminal or passes for a line of its own.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { tarOf } from '../fuzz/packed.js';
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

/** A folder and an archive with names of the same kind, a list of names, a configuration, and SBAT. */
const deep = join(folder.path, `deep-${TEXT}`);
mkdirSync(deep);
for (const name of ['strings', 'pe', 'cut']) writeFileSync(join(deep, `${name}-${TEXT}`), IMAGES[name] ?? '');
const tar = folder.write(
  `archive-${TEXT}.tar`,
  tarOf(
    ['strings', 'cut'].map((name) => ({ name: `boot/${name}-${BYTES}`, bytes: IMAGES[name] ?? new Uint8Array(0) })),
  ),
);
const list = folder.write('list', Buffer.from([fileOf('strings'), fileOf('cut'), `${TEXT}/missing`, ''].join('\0')));
const config = folder.write(`config-${TEXT}`, Buffer.from(`${JSON.stringify(TEXT)}: 1\n`));
const values = folder.write(
  'values',
  Buffer.from(`notes:\n  - ${JSON.stringify(TEXT)}\nfor: [${JSON.stringify(TEXT)}]\n`),
);
const sbat = folder.write(`sbat-${TEXT}`, Buffer.from(`sbat,1,a,b,c,d\n${BYTES},1,${BYTES},x,y,z\n`, 'latin1'));
const record = `${folder.path}/record-${TEXT}`;

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

/** Several images, archives and the forms of CI: what was made later than the table above. */
const LATER: readonly (readonly string[])[] = [
  ['notes', '--recursive', deep],
  ['verify', '--recursive', deep],
  ['verify', ...files, `${TEXT}/missing`],
  ['verify', '--files0-from', list],
  ['verify', tar],
  ['notes', tar],
  ['fix', ...files],
  ['stamp', ...files],
  ['patch', fileOf('strings'), fileOf('cut'), '--set', 'GUEST_OS=x', '--check'],
  ['diff', '--baseline-dir', deep, fileOf('strings')],
  ...['github', 'sarif', 'junit'].flatMap((format) => [
    ['verify', ...files, '--format', format],
    ['verify', '--recursive', deep, '--for', 'xen-pv', '--format', format],
    ['verify', tar, '--format', format],
    ['fix', fileOf('strings'), '--check', '--format', format],
    ['patch', fileOf('strings'), '--set', `GUEST_OS=${TEXT}`, '--check', '--format', format],
    ['stamp', fileOf('metadata'), '--note', `Owner:1=${TEXT}`, '--check', '--format', format],
  ]),
  ...['notes', 'verify', 'fix', 'stamp'].map((command) => [command, ...files, '--json-lines']),
  ['verify', tar, '--json-lines'],
  ['layout', fileOf('strings'), '--sizes'],
  ['layout', fileOf('strings'), '--html', out],
  ['layout', fileOf('pe'), '--html', out],
  ['layout', fileOf('strings'), '--compare', plain, '--html', out],
  ['patch', fileOf('strings'), '--set', `GUEST_OS=${TEXT}`, '-o', out, '--record', record],
  ['verify', out, '--check-record', record],
  ['verify', plain, '--check-record', record],
  ['stamp', fileOf('metadata'), '--note', 'O:1=x', '-o', out, '--record', record, '--record-format', 'in-toto'],
  ['stamp', dual, '--sbat', sbat, '-o', out],
  ['stamp', dual, '--add-section', `.${TEXT}=file:${list}`, '-o', out],
  ['stamp', dual, '--add-section', `.x=file:${TEXT}`, '-o', out],
  ['patch', plain, '-o', out, '--set', 'ENTRY=1', '--depfile', record, '--depfile-target', TEXT],
  ['notes', plain, '--config', config],
  ['notes', plain, '--config', values],
  ['verify', plain, '--config', values, '--print-config'],
  ['completion', TEXT],
  ['help', TEXT],
  ['verify', plain, '--memory', TEXT],
  ['verify', plain, '--xen-version', TEXT],
  ['verify', plain, '--limit', TEXT],
  ['stamp', plain, '--date', TEXT],
  ['stamp', plain, '--remove', `${TEXT}:1`, '-o', out],
  ['patch', plain, '--must-survive', TEXT, '--set', 'ENTRY=1', '-o', out],
  ['patch', fileOf('gzip'), '--payload', TEXT, '-o', out],
  ['patch', fileOf('gzip'), '--payload', 'replace', '--compressor', TEXT, '--set', 'ENTRY=1', '-o', out],
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

describe('several images, archives, forms of CI and files that are written', () => {
  /** Lines whose output has what was planted, as escapes. */
  let planted = 0;
  let ran = 0;

  it.each(LATER)('%j', (...words) => {
    for (const file of [out, record]) rmSync(file, { force: true });
    const { stdout, stderr } = runCli(words, { cwd: folder.path });
    const written = [out, record].filter((file) => existsSync(file) && !isImage(file));
    const texts = [stdout, stderr, ...written.map((file) => readFileSync(file, 'utf8'))];
    expect(texts.map((text) => faultsOf(text, false))).toEqual(texts.map(() => []));
    ran += 1;
    planted += texts.some((text) => text.includes('INJECTED')) ? 1 : 0;
    expect(stderr).not.toContain('internal.bug');
    for (const text of texts) {
      if (text.startsWith('{') && words.includes('--json-lines')) for (const line of lines(text)) JSON.parse(line);
      else if (text.startsWith('{')) JSON.parse(text);
    }
  });

  afterAll(() => expect(ran - planted).toBeLessThan(LATER.length * 0.3));
});

function lines(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** What an image holds is not text. */
function isImage(file: string): boolean {
  const start = readFileSync(file).subarray(0, 4).toString('latin1');
  return start.startsWith('MZ') || start === '\x7fELF' || start.startsWith('\x1f\x8b');
}

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
