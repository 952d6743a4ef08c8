/**
 * The plain case of a command line: a known command, known options, each with what it takes, and as many words as it wants.
 * yargs-parser alone reads it, by the table that yargs is given too (parse.ts). Whatever else a line may be — help, a typing
 * error, a wrong choice — is for yargs, which takes as long to load as many a command takes to run.
 */
import Parser, { type Options } from 'yargs-parser';
import type { Command } from './command.js';
import { splitCommand } from './command-name.js';
import { isRepeatable, type Option, type OptionTable, type RawOptions } from './option-table.js';
import { countsFor } from './word-counts.js';

/** How words are told from options and values, by yargs and here. Values stay as they are typed. */
export const PARSING = {
  // 0xffffffff81000018 would become a rounded double, `--set A=1 vmlinux` would swallow the image.
  'parse-numbers': false,
  'parse-positional-numbers': false,
  'greedy-arrays': false,
  'dot-notation': false,
  'boolean-negation': false,
  'short-option-groups': false,
  'populate--': true,
} as const;

/** A command line that names a command and gives it what it takes. */
export interface Run {
  readonly kind: 'run';
  readonly command: Command;
  /** Given options by their long names. */
  readonly options: RawOptions;
  readonly words: readonly string[];
  /** Nothing is said of what went well. */
  readonly quiet?: boolean;
}

/** Reads a plain command line; undefined: it is none, and parseCommandLine() has the answer. */
export function quickParse(args: readonly string[], commands: readonly Command[]): Run | undefined {
  const { name, rest } = splitCommand(args);
  const command = commands.find(({ shape }) => shape.name === name);
  if (command === undefined) return undefined;
  if (rest.slice(0, endOfOptions(rest)).some((word) => /^-[^-]./.test(word))) return undefined;
  const { options: table, words: wanted } = command.shape;
  if (repeats(rest.slice(0, endOfOptions(rest)), table)) return undefined;
  const { argv, error } = Parser.detailed([...rest], parserOptions(table));
  if (error) return undefined;
  const { _: before, '--': behind = [], ...options } = argv;
  const words = [...before, ...behind].map(String);
  const { min, max } = countsFor(wanted, options);
  if (words.length < min || words.length > max) return undefined;
  const isPlain = Object.entries(options).every(([given, value]) => {
    const option = Object.hasOwn(table, given) ? table[given] : undefined;
    return option !== undefined && takes(option, value);
  });
  return isPlain ? { kind: 'run', command, options, words } : undefined;
}

/** Is an option given twice that is taken once? The parser would take the first value for a word. */
function repeats(args: readonly string[], table: OptionTable): boolean {
  const seen = new Set<string>();
  for (const word of args) {
    const [, dashes, given] = /^(--?)([^=]+)/.exec(word) ?? [];
    if (given === undefined) continue;
    const named = dashes === '-' ? Object.entries(table).find(([, { alias }]) => alias === given)?.[0] : given;
    const option = named !== undefined && Object.hasOwn(table, named) ? table[named] : undefined;
    if (named === undefined || option === undefined || isRepeatable(option)) continue;
    if (seen.has(named)) return true;
    seen.add(named);
  }
  return false;
}

/** Where words stand that are none but words. One dash in front of more than one letter is taken apart in parse.ts. */
function endOfOptions(args: readonly string[]): number {
  const at = args.indexOf('--');
  return at < 0 ? args.length : at;
}

/** As yargsOption() in parse.ts says it to yargs, in the words of its parser. */
function parserOptions(table: OptionTable): Options {
  const all = Object.entries(table);
  const named = (kinds: readonly Option['kind'][]) =>
    all.filter(([, { kind }]) => kinds.includes(kind)).map(([name]) => name);
  return {
    alias: Object.fromEntries(all.flatMap(([name, { alias }]) => (alias === undefined ? [] : [[name, alias]]))),
    boolean: named(['flag']),
    string: named(['value', 'values', 'list']),
    array: named(['values', 'list']),
    // What yargs makes of requiresArg: one value at least.
    narg: Object.fromEntries(named(['value', 'choice', 'values', 'list']).map((name) => [name, Number.NaN])),
    configuration: { ...PARSING, 'camel-case-expansion': false, 'strip-aliased': true },
  };
}

/** Is this one value where one is taken, and one of the choices? */
function takes(option: Option, value: unknown): boolean {
  if (Array.isArray(value) && !isRepeatable(option)) return false;
  return option.kind !== 'choice' || option.choices.some((choice) => choice === value);
}
