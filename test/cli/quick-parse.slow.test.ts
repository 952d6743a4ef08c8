/** Node's own parser and yargs read a plain line alike, and only a plain line is read without yargs. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PatchError } from '../../src/base/errors/patch-error.js';
import { COMMANDS } from '../../src/cli/commands.js';
import type { Option } from '../../src/cli/option-table.js';
import { parseCommandLine } from '../../src/cli/parse.js';
import { quickParse, type Run } from '../../src/cli/quick-parse.js';

/** The command, its options as the table and main.ts name them, its words, and whether it is quiet. */
function shown({ command, options, words, quiet }: Run) {
  const own = Object.entries(options).filter(
    ([name]) => Object.hasOwn(command.shape.options, name) || name === 'config',
  );
  return { command: command.shape.name, options: Object.fromEntries(own), words, quiet };
}

/** What yargs makes of a line; undefined: a text or an error. */
function byYargs(line: readonly string[]) {
  try {
    const parsed = parseCommandLine(line, COMMANDS);
    return parsed.kind === 'run' ? shown(parsed) : undefined;
  } catch (error) {
    if (error instanceof PatchError) return undefined;
    throw error;
  }
}

function quickly(line: readonly string[]) {
  const run = quickParse(line, COMMANDS);
  return run && shown(run);
}

const VALUES = [
  '',
  '-',
  '--',
  'x',
  '0x10',
  'A=1',
  'a,b',
  'true',
  'false',
  'a b',
  "'a'",
  '"a',
  "a'",
  '-1',
  '-o',
  '=',
  '--json',
  '__proto__',
  '1e3',
];

function valuesOf(option: Option): string[] {
  return 'choices' in option && option.choices !== undefined ? [...option.choices, ...VALUES] : VALUES;
}

/** Pieces of a line that a command may see: right ones, nearly right ones, and what belongs to nothing. */
const lines = fc.constantFrom(...COMMANDS).chain(({ shape }) => {
  const options = Object.entries(shape.options).flatMap(([name, option]) => {
    const spellings = [`--${name}`, `-${name}`, ...(option.alias === undefined ? [] : [`-${option.alias}`])];
    const values = valuesOf(option);
    return spellings.flatMap((spelling) => [
      fc.constant([spelling]),
      ...(option.kind === 'flag' ? [] : [fc.constantFrom(...values).map((value) => [spelling, value])]),
      fc.constantFrom(...values).map((value) => [`${spelling}=${value}`]),
    ]);
  });
  const odd = [
    '--help',
    '--version',
    '--hlep',
    '-x',
    '--no-json',
    '--inPlace',
    '--__proto__',
    '--constructor',
    '-oX',
    '-q',
    '--quiet',
    '-qoX',
    '-qo=X',
    '-qx',
    '-q=1',
    '-output',
    '-json',
    '--config',
    '--config=c',
    '---json',
    "'quoted'",
    '--',
  ];
  const piece = fc.oneof(
    { weight: 6, arbitrary: fc.oneof(...options, fc.constant<string[]>([])) },
    { weight: 4, arbitrary: fc.constantFrom('k', 'vmlinux', '-', 'a=b', '7').map((word) => [word]) },
    { weight: 1, arbitrary: fc.constantFrom(...odd, ...VALUES).map((word) => [word]) },
  );
  return fc.array(piece, { maxLength: 6 }).map((pieces) => [shape.name, ...pieces.flat()]);
});

describe('quickParse()', () => {
  it('reads a line as yargs does, or leaves it to yargs', () => {
    let quick = 0;
    fc.assert(
      fc.property(lines, (line) => {
        const found = quickly(line);
        if (found === undefined) return;
        quick += 1;
        expect(found).toEqual(byYargs(line));
      }),
      { numRuns: 1500 },
    );
    expect(quick).toBeGreaterThan(100);
  });

  it.each(COMMANDS.map((command) => [command.shape.name, command] as const))(
    '%s: every option alone',
    (_, { shape }) => {
      const words = Array.from({ length: shape.words.min }, () => 'k');
      for (const [name, option] of Object.entries(shape.options)) {
        const values = valuesOf(option);
        const given =
          option.kind === 'flag' ? [`--${name}`] : [`--${name}`, values[0] === '' ? 'x' : (values[0] ?? 'x')];
        const line = [shape.name, ...words, ...given];
        expect(quickly(line), line.join(' ')).toBeDefined();
        expect(quickly(line)).toEqual(byYargs(line));
      }
    },
  );

  it.each([
    [['patch', 'k', '-oOUT', '--set=PAE_MODE=yes']],
    [['patch', '-qoOUT', 'k', '--set', 'A=1', '--set=B=2']],
    [['-q', 'patch', 'k', '-o', 'OUT', '--clear']],
    [['patch', 'k', '--in-place', '--quiet', '--notes-align=8', '--']],
    [['notes', '--color=always', 'k', '--', '-odd-name']],
    [['verify', 'k', '--for=xen-pv,xen-pvh', '--config=c.yaml']],
  ])('reads %j itself', (line) => {
    expect(quickly(line)).toBeDefined();
    expect(quickly(line)).toEqual(byYargs(line));
  });

  it.each([
    [[]],
    [['--help']],
    [['--version']],
    [['notes']],
    [['notes', '--help']],
    [['notes', 'k', '--version']],
    [['notez', 'k']],
    [['notes', 'k', '--jsno']],
    [['notes', 'k', '--color', 'red']],
    [['patch', 'k', 'l', '-o', 'm']],
    [['patch', 'k', '-o']],
    [['patch', 'k', '-o', 'l', '-o', 'm']],
    [['patch', 'k', '-output', 'l']],
    [['patch', 'k', '-o=l']],
    [['patch', 'k', '--clear', '--set=']],
    [['patch', 'k', '--spec', '-']],
    [['notes', 'k', '--color', "'auto'"]],
    [['notes', 'k', '-q', '--json']],
    [['notes', 'k', '--json=true']],
    [['notes', 'k', '--json', 'true']],
    [['notes', 'k', '--config=c', '--print-config']],
  ])('leaves %j to yargs', (line) => {
    expect(quickParse(line, COMMANDS)).toBeUndefined();
  });
});
