/**
 * The plain case of a command line: a known command, known options, each with what it takes, and as many words as it wants.
 * Node's own parser reads it, by the table that yargs is given too (parse.ts). Whatever else a line may be — help, a typing
 * error, a wrong choice — is for yargs, which takes as long to load as many a command takes to run.
 */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import type { Command } from './command.js';
import { splitCommand } from './command-name.js';
import { COMMON } from './common-options.js';
import { isRepeatable, type Option, type OptionTable, type RawOptions } from './option-table.js';
import { countsFor } from './word-counts.js';

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
  const { words: wanted } = command.shape;
  const table: OptionTable = { ...command.shape.options, config: COMMON.config, quiet: COMMON.quiet };
  if (rest.some((word) => isForYargs(word, table))) return undefined;
  const parsed = parsedBy(table, rest);
  if (parsed === undefined) return undefined;
  const { positionals: words } = parsed;
  const options: Record<string, unknown> = {};
  for (const [given, values] of Object.entries(parsed.values)) {
    const option = table[given];
    if (option === undefined || !Array.isArray(values) || !takes(option, values)) return undefined;
    options[given] = isRepeatable(option) ? values : values[0];
  }
  const { min, max } = countsFor(wanted, options);
  if (words.length < min || words.length > max) return undefined;
  const quiet = options['quiet'] === true;
  if (quiet && (options['json'] === true || options['json-lines'] === true)) return undefined;
  return { kind: 'run', command, options, words, quiet };
}

/**
 * What yargs reads in its own way: a value of a flag, quotes in a value, and with one dash in front a long name or `=`, on
 * which parse.ts has its own word.
 */
function isForYargs(word: string, table: OptionTable): boolean {
  if (word === 'true' || word === 'false' || /^(?:-.*=)?['"]/s.test(word)) return true;
  if (!/^-[^-]./s.test(word)) return false;
  return word[2] === '=' || Object.hasOwn(table, word.slice(1).split('=')[0] ?? '');
}

function parsedBy(table: OptionTable, args: readonly string[]) {
  const options: NonNullable<ParseArgsConfig['options']> = {};
  for (const [name, { kind, alias }] of Object.entries(table)) {
    const type = kind === 'flag' ? 'boolean' : 'string';
    options[name] = { type, multiple: true, ...(alias === undefined ? {} : { short: alias }) };
  }
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch {
    // What is wrong with it yargs tells, and what was likely meant.
    return undefined;
  }
}

/** Is this one value where one is taken, and one of the choices? what may be given again yargs takes neither empty nor as a lone dash. */
function takes(option: Option, values: readonly unknown[]): boolean {
  if (isRepeatable(option) ? values.some((value) => value === '' || value === '-') : values.length > 1) return false;
  return option.kind !== 'choice' || values.every((value) => option.choices.some((choice) => choice === value));
}
