/**
 * What was typed stands in the line that is printed again, where it has a say in the result: over the whole table of options and
 * commands, and each printed line is run with what the person asked.
 */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.js';
import { LINE_COMMANDS, LINE_OPTIONS } from '../../src/formats/note/line-options.js';
import { workFolder } from '../support/cli.js';
import { elf } from '../support/elf-builder.js';
import { fixture } from '../support/fixtures.js';
import { runHere, shellWords } from '../support/in-process.js';
import { SHAPES, xenEfi } from './report-shapes.js';

vi.mock('../../src/cli/output.js', async (original) => {
  const { captured } = await import('../support/captured-output.js');
  return captured(await original<typeof import('../../src/cli/output.js')>());
});

const folder = workFolder();
afterAll(() => folder.remove());

const optionsOf = (name: string) => Object.keys(COMMANDS.find(({ shape }) => shape.name === name)?.shape.options ?? {});

/** Options of verify and fix that a printed line does not say again, each with why its result is the same without. */
const NOT_SAID: Readonly<Record<string, string>> = {
  for: 'a line of fix names the loaders by itself, and patch asks none',
  baseline: 'the image before the edit is what the line is for',
  'check-record': 'nothing else is looked at, and no line is printed',
  rules: 'how much is shown',
  json: 'how it is shown',
  format: 'how it is shown',
  color: 'how it is shown',
  verbose: 'how much is shown',
  output: 'the line has its own',
  'in-place': 'the line has an output of its own',
  'if-changed': 'the output is a new one',
  'dry-run': 'the line is what is to be done after it',
  check: 'the line is what is to be done after it',
  depfile: 'a file beside the result, written by the command that was typed',
  'depfile-target': 'as --depfile',
  record: 'as --depfile',
  'record-format': 'as --depfile',
  jobs: 'the line is for one image',
  recursive: 'the line is for one image',
  'files0-from': 'the line is for one image',
  'json-lines': 'how it is shown',
  files: 'the line is for one image',
  'files-from': 'the line is for one image',
  'fail-fast': 'the line is for one image',
  'output-dir': 'the line is for one image, and has an output',
  suffix: 'the line is for one image, and has an output',
};

/** Options that a command has and its line does not say: it is printed for files on which they have no say. */
const NO_SAY: Readonly<Record<string, readonly string[]>> = {
  stamp: [
    'loaded',
    'not-loaded',
    'must-survive',
    'kind',
    'payload',
    'compressor',
    'strip-signature',
    'keep-tail',
    'limit',
  ],
};

describe('the table', () => {
  it.each(['verify', 'fix'])('has every option of %s, or it is said why not', (name) => {
    const unknown = optionsOf(name).filter((option) => !(option in LINE_OPTIONS) && !(option in NOT_SAID));
    expect(unknown).toEqual([]);
  });

  it.each(LINE_COMMANDS)('names for %s the options that it has', (name) => {
    const has = optionsOf(name).filter((option) => option in LINE_OPTIONS && !(NO_SAY[name] ?? []).includes(option));
    const says = Object.keys(LINE_OPTIONS).filter((option) => LINE_OPTIONS[option]?.by.includes(name));
    expect(says.sort()).toEqual(has.sort());
  });
});

const LE64 = { bits: 64, endian: 'little' } as const;
const repair = readFileSync('fixtures/cases/grub212-no-section-headers.elf');
const edit = SHAPES['XEN_VERSION of a release'];
const packed = gzipSync(readFileSync(fixture('pvh64-notes')));
interface Line {
  readonly what: string;
  readonly image: Uint8Array;
  readonly loader: string;
  readonly command: (typeof LINE_COMMANDS)[number];
}

const IMAGES: readonly Line[] = [
  { what: 'a repair of headers', image: repair, loader: 'grub-multiboot@2.12', command: 'fix' },
  { what: 'an edit of notes', image: edit, loader: 'xen-pv', command: 'patch' },
  { what: 'a packed kernel', image: packed, loader: 'firecracker', command: 'patch' },
  { what: 'xen.efi', image: xenEfi(), loader: 'grub-multiboot2', command: 'linearize' },
];

/** As typed, and as the line has it. */
const GIVEN: readonly (readonly [option: string, words: readonly string[], said?: string])[] = [
  ['memory', ['--memory', '512M']],
  ['memory', ['--memory', '0x60000000'], '--memory 1536M'],
  ['limit', ['--limit', '64M']],
  ['limit', ['--limit', '70000001']],
  ['xen-version', ['--xen-version', '4.17']],
  ['strict', ['--strict']],
  ['loaded', ['--loaded']],
  ['not-loaded', ['--not-loaded']],
  ['must-survive', ['--must-survive', 'strip@2.40,flat']],
  ['kind', ['--kind', 'kernel']],
  ['payload', ['--payload', 'extract']],
  ['compressor', ['--payload', 'extract', '--compressor', 'gzip']],
  ['keep-tail', ['--payload', 'extract', '--keep-tail']],
  ['strip-signature', ['--strip-signature']],
];

it('each option of the table is given once', () => {
  expect([...new Set(GIVEN.map(([option]) => option))].sort()).toEqual(Object.keys(LINE_OPTIONS).sort());
});

const LINE = /^ {2}(fix|what to do): .*?(xen-elfpatch .*)$/m;
/** What the asked loaders are asked under; it stands behind every verify. */
const CONDITIONS: readonly string[] = ['memory', 'limit', 'xen-version', 'strict'];

const cells = GIVEN.flatMap(([option, words, said = words.join(' ')]) =>
  ['verify', 'fix'].flatMap((asked) =>
    optionsOf(asked).includes(option)
      ? IMAGES.map((line) => ({
          option,
          words,
          said,
          asked,
          ...line,
          name: `${asked} ${words.join(' ')}: ${line.what}`,
        }))
      : [],
  ),
);

describe.each(cells)('$name', ({ option, words, said, asked, image, loader, command }) => {
  it('is in the line where it has a say, and the line holds', async () => {
    const path = folder.write("the kernel's image", image);
    const typed = [asked, path, '--for', loader, ...words];
    const { stdout, stderr, status } = await runHere(typed);
    const [, lead, line] = LINE.exec(stdout) ?? [];
    if (line === undefined) {
      // Refused for this kind of file, or not to be had: then it is said.
      expect({ typed, told: stdout + stderr, status }).toMatchObject({
        told: expect.stringMatching(/what to do: |hint: |not possible: |nothing to fix|not written with --strict/),
      });
      return;
    }
    const [run = []] = shellWords([line]);
    expect(run[1]).toBe(command);
    // Where what was asked is what the loader does not take, the line says what helps in its place.
    const isInstead = lead === 'what to do' && option === 'compressor';
    const hasSay =
      LINE_OPTIONS[option]?.by.includes(command) === true && !isInstead && !(asked === 'verify' && option === 'strict');
    expect({ line, says: line.includes(` ${said} `) }).toEqual({ line, says: hasSay });
    expect({ line, ...(await runHere(run.slice(1))) }).toMatchObject({ status: 0 });
    const output = run.at(-1) ?? '';
    const again = CONDITIONS.includes(option) ? words : [];
    expect({ line, ...(await runHere(['verify', output, '--for', loader, ...again])) }).toMatchObject({ status: 0 });
    expect(existsSync(output)).toBe(true);
    rmSync(output);
  });
});

describe('--strict', () => {
  const low = elf(LE64)
    .header({ e_type: 2, e_machine: 62, e_entry: 0x8000n })
    .load(0x8000n, new Uint8Array(0x200).fill(0x90), { align: 0x1000n })
    .symbol('pvh_start_xen', 0x8000n)
    .build();

  it.each(['verify', 'fix'])('%s prints no line whose result it would not take, and says why', async (command) => {
    const path = folder.write('low', low);
    const ask = async (...words: string[]) => runHere([command, path, '--for', 'qemu-pvh', ...words]);
    expect((await ask()).stdout).toMatch(/^ {2}fix: xen-elfpatch/m);
    const strict = await ask('--strict');
    expect(strict.status).toBe(1);
    expect(strict.stdout).not.toContain('fix: xen-elfpatch');
    expect(strict.stdout).toMatch(/--strict/);
  });
});
