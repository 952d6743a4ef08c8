/** One declaration of an option: what it makes of a command line, and that everything made of it knows every option. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.js';
import { COMMON } from '../../src/cli/common-options.js';
import { metadataSettings, metadataValues, noteNames, noteValues } from '../../src/cli/completion-words.js';
import {
  argsOf,
  completionOf,
  firstGiven,
  helpOf,
  type Option,
  type OptionTable,
  settingsOf,
} from '../../src/cli/option-table.js';
import { parseCommandLine } from '../../src/cli/parse.js';
import { parseSetting } from '../../src/formats/note/value.js';
import { runCli, workFolder } from '../support/cli.js';

const TABLE = {
  clear: { kind: 'flag', help: 'clears' },
  'in-place': { kind: 'flag', help: 'in place', conflicts: 'output' },
  output: { kind: 'value', help: 'output' },
  size: { kind: 'value', help: 'size', read: (text, option) => `${option} ${BigInt(text)}` },
  base: { kind: 'value', help: 'base', default: '0x10', read: (text) => BigInt(text) },
  mode: { kind: 'choice', help: 'mode', choices: ['slow', 'fast', 'auto'], default: 'auto' },
  level: { kind: 'value', help: 'level', isFor: { option: 'mode', values: ['slow', 'fast'] } },
  proof: { kind: 'value', help: 'proof', goesWith: 'clear' },
  'add-note': { kind: 'values', help: 'notes', member: 'notes' },
  tool: { kind: 'list', help: 'tools', choices: ['strip', 'objcopy', 'flat'] },
  part: { kind: 'list', help: 'parts', choices: ['sections', 'symbols'] },
} as const satisfies OptionTable;

const args = (raw: Record<string, unknown>) => argsOf('work', TABLE, raw);

describe('argsOf()', () => {
  it('of nothing given: false, undefined, empty, or the default as if it had been typed', () => {
    expect(args({})).toEqual({
      clear: false,
      inPlace: false,
      output: undefined,
      size: undefined,
      base: 16n,
      mode: 'auto',
      level: undefined,
      proof: undefined,
      notes: [],
      tool: [],
      part: [],
    });
  });

  it('reads each value, tells the reader the option, and names members as declared', () => {
    const raw = { 'in-place': true, size: '0x20', base: '7', mode: 'fast', 'add-note': ['a,b', 'c'] };
    expect(args(raw)).toMatchObject({ inPlace: true, size: '--size 32', base: 7n, mode: 'fast', notes: ['a,b', 'c'] });
  });

  it('takes lists apart at their commas, in the order given', () => {
    expect(args({ tool: ['flat,strip', 'objcopy'], part: ['symbols'] })).toMatchObject({
      tool: ['flat', 'strip', 'objcopy'],
      part: ['symbols'],
    });
  });

  it('an empty value is a value', () => {
    expect(args({ output: '' })).toMatchObject({ output: '' });
    expect(() => args({ output: '', 'in-place': true })).toThrow('--in-place and --output cannot');
  });

  it.each([
    [{ 'in-place': true, output: 'x' }, '--in-place and --output cannot be given together'],
    [{ level: '1' }, '--level is for --mode slow and --mode fast'],
    [{ level: '1', mode: 'auto' }, '--level is for --mode slow and --mode fast'],
    [{ proof: 'p' }, '--proof goes with --clear'],
    [{ proof: 'p', clear: false }, '--proof goes with --clear'],
    [{ tool: ['strip,gzip'] }, '--tool is gzip, wanted some of strip, objcopy, flat'],
    [{ tool: ['strip,'] }, '--tool is , wanted some of strip, objcopy, flat'],
    [{ part: ['notes'] }, '--part is notes, wanted sections or symbols'],
  ])('%j is refused', (raw, message) => {
    expect(() => args(raw)).toThrow(`${message} [usage.bad]`);
    expect(() => args(raw)).toThrow(
      expect.objectContaining({ exit: 2, hint: 'xen-elfpatch work --help shows how it is called' }),
    );
  });

  it.each([
    { 'in-place': false, output: 'x' },
    { level: '1', mode: 'slow' },
    { level: '1', mode: 'fast' },
    { proof: 'p', clear: true },
  ])('%j goes together', (raw) => {
    expect(() => args(raw)).not.toThrow();
  });
});

describe('firstGiven()', () => {
  const { base: _base, mode: _mode, ...optional } = TABLE;
  it.each([
    [{}, undefined],
    [{ clear: false, 'add-note': [] }, undefined],
    [{ tool: ['flat'], 'in-place': true }, 'in-place'],
    [{ 'add-note': ['x'] }, 'add-note'],
    [{ output: '' }, 'output'],
  ])('%j: %s', (raw, first) => {
    expect(firstGiven(optional, argsOf('work', optional, raw))).toBe(first);
  });
});

const DECLARED = COMMANDS.flatMap(({ shape }) =>
  Object.entries(shape.options).map(([name, option]) => ({ command: shape.name, name, option, shape })),
);
const words = (min: number, command: string) =>
  Array.from({ length: min }, () => (command === 'completion' ? 'zsh' : 'k'));

/** What yargs makes of one command line. */
function parsed(line: readonly string[]) {
  const result = parseCommandLine(line, COMMANDS);
  if (result.kind === 'text') throw new Error(result.text);
  return result;
}

/** A value that the option takes. */
function sample(option: Option): string {
  return 'choices' in option ? (option.choices?.[0] ?? 'x') : 'x';
}

/** `--help` of a command by headings, without its line breaks. */
function helpSections(command: string): Map<string, string> {
  const result = parseCommandLine([command, '--help'], COMMANDS);
  const text = result.kind === 'text' ? result.text : '';
  return new Map(
    text
      .split('\n\n')
      .map((part) => [part.slice(0, part.indexOf('\n')), ` ${part.replace(/\s+/g, ' ')} `] as const)
      .filter(([heading]) => heading.endsWith(':')),
  );
}

describe('every option of every command', () => {
  const folder = workFolder();
  afterAll(() => folder.remove());
  const scripts = { bash: '', zsh: '' };
  beforeAll(() => {
    scripts.bash = runCli(['completion', 'bash']).stdout;
    scripts.zsh = runCli(['completion', 'zsh']).stdout;
    execFileSync(process.execPath, ['scripts/man.mjs', folder.path]);
  });

  it('is one of many', () => {
    expect(DECLARED.length).toBeGreaterThan(80);
  });

  it.each(DECLARED)('$command --$name: the parser takes it', ({ command, name, option, shape }) => {
    const line = [command, ...words(shape.words.min, command)];
    for (const spelled of [`--${name}`, ...(option.alias === undefined ? [] : [`-${option.alias}`])]) {
      if (option.kind === 'flag') {
        expect(parsed([...line, spelled]).options).toMatchObject({ [name]: true });
        continue;
      }
      const value = sample(option);
      const repeatable = option.kind === 'values' || option.kind === 'list';
      expect(parsed([...line, spelled, value]).options).toMatchObject({ [name]: repeatable ? [value] : value });
      expect(() => parsed([...line, spelled])).toThrow('has no value');
      const twice = [...line, spelled, value, spelled, value];
      if (repeatable) expect(parsed(twice).options).toMatchObject({ [name]: [value, value] });
      else expect(() => parsed(twice)).toThrow(`--${name} given 2 times`);
    }
    if (option.kind === 'choice') {
      for (const choice of option.choices) {
        expect(parsed([...line, `--${name}=${choice}`]).options).toMatchObject({ [name]: choice });
      }
      expect(() => parsed([...line, `--${name}=no-such-word`])).toThrow(`--${name} is no-such-word, wanted one of`);
    }
  });

  it.each(DECLARED)('$command --$name: --help says it under its heading', ({ command, name, option }) => {
    const section = helpSections(command).get(option.group ?? 'Options:');
    const alias = option.alias === undefined ? '' : `-${option.alias}, `;
    expect(section).toContain(` ${alias}--${name} ${helpOf(option)} `);
  });

  it.each(DECLARED)('$command --$name: both scripts complete it and its words', async ({ command, name, option }) => {
    const known = await completionOf(option);
    const list = /[^\n]*/.exec(scripts.bash.split(`\n    ${command}) list='`)[1] ?? '')?.[0];
    expect(list?.split(/[ ']/)).toContain(`--${name}`);
    const described = scripts.zsh.split(`\n    ${command}) list=(`)[1]?.split('\n')[0];
    expect(described).toContain(`'--${name}:${option.help.replaceAll("'", "'\\''")}'`);
    for (const shell of ['bash', 'zsh'] as const) {
      const [, line] = scripts[shell].split(`\n    ${command}:--${name}) `);
      if (known.length === 0) expect(line).toBeUndefined();
      else expect(line?.split('\n')[0]?.split(/[ ';]+/)).toEqual(expect.arrayContaining([...known]));
    }
    for (const [key, words] of Object.entries(await settingsOf(option))) {
      for (const shell of ['bash', 'zsh'] as const) {
        const [, line] = scripts[shell].split(`\n      ${command}:--${name}:${key}) `);
        expect(line?.split('\n')[0]?.split(/[ ';]+/)).toEqual(expect.arrayContaining([...words]));
      }
    }
  });

  it.each(DECLARED)(
    '$command --$name: the man page of the command has it under its heading',
    ({ command, name, option }) => {
      const page = readFileSync(join(folder.path, `xen-elfpatch-${command}.1`), 'utf8');
      const spelled = `\\fB${`--${name}`.replaceAll('-', '\\-')}\\fR`;
      const letter = option.alias === undefined ? '' : `\\fB\\-${option.alias}\\fR, `;
      const [before = '', behind] = page.split(`\n.TP\n${letter}${spelled}`);
      expect(behind).toMatch(option.kind === 'flag' ? /^\n/ : /^ \\fI/);
      const heading = [...before.matchAll(/^\.S[SH] "(.*)"$/gm)].at(-1)?.[1];
      const wanted = option.group?.replace(/:$/, '');
      if (wanted === undefined) expect(['OPTIONS', 'Other options']).toContain(heading);
      else expect(heading).toBe(wanted);
    },
  );

  it('what completes behind NAME= is what the option takes', async () => {
    const values = Object.entries(await noteValues());
    expect(values.map(([name]) => name)).toEqual(await noteNames());
    for (const [name, words] of values) {
      for (const word of words) {
        // What goes on gets something that can follow it.
        const whole = word === 'hex:' ? 'hex:00' : word.endsWith(':') ? `${word}x` : word;
        expect(() => parseSetting(`${name}=${whole}`), `${name}=${whole}`).not.toThrow();
      }
    }
    const keys = await metadataSettings();
    for (const key of Object.keys(await metadataValues())) expect(keys).toContain(`${key}=`);
  });

  it.each(COMMANDS.map(({ shape }) => shape))(
    '$name: nothing else is in --help or the scripts',
    ({ name, options }) => {
      const names = [...Object.keys(options), ...Object.keys(COMMON)].map((option) => `--${option}`);
      const help = parseCommandLine([name, '--help'], COMMANDS);
      const lines = help.kind === 'text' ? help.text.matchAll(/^ +(?:-\w, )?(--[\w-]+) {2}/gm) : [];
      expect([...lines].map(([, option]) => option).sort()).toEqual([...names].sort());
      expect(scripts.bash).toContain(`\n    ${name}) list='${names.join(' ')}' ;;\n`);
      const described = scripts.zsh.split(`\n    ${name}) list=(`)[1]?.split('\n')[0] ?? '';
      expect([...described.matchAll(/(?<=^| )'(--[\w-]+):/g)].map(([, option]) => option)).toEqual(names);
    },
  );

  it.each(COMMANDS.map(({ shape }) => shape))('$name: names, letters and conditions fit each other', ({ options }) => {
    const all = Object.entries(options);
    const members = all.map(([name, { member }]) => member ?? name);
    expect(new Set(members).size).toBe(members.length);
    const letters = all.flatMap(([, { alias }]) => alias ?? []);
    expect(new Set(letters).size).toBe(letters.length);
    for (const letter of letters) expect(letter).toMatch(/^[a-z]$/);
    for (const [name, { conflicts, goesWith, isFor }] of all) {
      expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      for (const other of [conflicts, goesWith, isFor?.option]) {
        if (other !== undefined) expect(Object.keys(options)).toContain(other);
      }
      const asked = isFor === undefined ? undefined : options[isFor.option];
      if (isFor !== undefined) {
        expect(asked?.kind).toBe('choice');
        expect(asked !== undefined && 'choices' in asked ? asked.choices : []).toEqual(
          expect.arrayContaining([...isFor.values]),
        );
      }
    }
  });
});
