/**
 * The command line to a command and its arguments, or to a text that answers it (help, version). It is loaded for what
 * quick-parse.ts does not answer: help, and everything that is wrong with a line.
 */
import yargs, { type Argv, type Options } from 'yargs';
import { fail } from '../base/errors/patch-error.js';
import { VERSION } from '../base/version.js';
import { nearest } from '../formats/note/nearest.js';
import type { Command, Words } from './command.js';
import { splitCommand } from './command-name.js';
import { helpOf, isRepeatable, type Option, type OptionTable, type RawOptions } from './option-table.js';
import { PARSING, type Run } from './quick-parse.js';
import { type UsageWords, usageWords } from './usage-words.js';

/** The name of the command in `--help`, error messages and completion. */
export const SCRIPT = 'xen-elfpatch';

/** What a command line asks for: a text to be printed (`--help`, `--version`), or the run of a command. */
export type Parsed = { readonly kind: 'text'; readonly text: string } | Run;

/** Reads a command line. Errors: `usage.bad`. */
export function parseCommandLine(args: readonly string[], commands: readonly Command[]): Parsed {
  const { name, rest } = splitCommand(args);
  const command = commands.find(({ shape }) => shape.name === name);
  if (command !== undefined) return parseCommand(command, rest);

  if (name !== undefined && !asksForHelp(args)) {
    const [close] = nearest(
      name,
      commands.map(({ shape }) => shape.name),
    );
    const hint = close === undefined ? undefined : `Did you mean ${SCRIPT} ${close}?`;
    fail('usage.bad', {}, { what: `unknown command ${name}`, ...(hint === undefined ? {} : { hint }) });
  }
  const { text } = yargsParse(overview(commands), args, {});
  if (text === '') fail('usage.bad', {}, { what: 'no command given' });
  return { kind: 'text', text };
}

/** The text of `xen-elfpatch --help`. */
export function overviewText(commands: readonly Command[]): string {
  return yargsParse(overview(commands), ['--help'], {}).text;
}

function asksForHelp(args: readonly string[]): boolean {
  return args.includes('--help') || args.includes('--version');
}

function parseCommand(command: Command, args: readonly string[]): Parsed {
  const { shape } = command;
  const { text, options, words } = yargsParse(described(command), args, shape.options, shape.name);
  if (text !== '') return { kind: 'text', text };
  checkWords(shape.name, shape.words, words);
  return { kind: 'run', command, options, words };
}

function checkWords(name: string, { name: word, min, max }: Words, words: readonly string[]): void {
  const hint = `${SCRIPT} ${name} --help shows how it is called`;
  if (words.length < min) {
    const wanted = max > min ? `at least one ${word}` : `one ${word}`;
    fail('usage.bad', {}, { what: `${name}: no ${word} given, wanted ${wanted}`, hint });
  }
  if (words.length > max) {
    const wanted = max === 1 ? `one ${word}` : `${max} of ${word}`;
    fail('usage.bad', {}, { what: `${name}: unexpected word ${words[max]}, wanted ${wanted}`, hint });
  }
}

/** `--help` and `--version`, in the last place of the list. */
function withHelp<T>(cli: Argv<T>): Argv<T> {
  return cli.help('help', 'show this text').version('version', 'show the version', VERSION);
}

/** A yargs that leaves errors and output to its caller. */
function bare(): Argv {
  return (
    // Not the current folder, which may be gone: no option of ours is looked up in one.
    yargs([], '/')
      .scriptName(SCRIPT)
      .exitProcess(false)
      .detectLocale(false)
      // Added behind the command's own options; see withHelp.
      .help(false)
      .version(false)
      .strictOptions()
      // [string] and [boolean] behind every option tell nobody anything; descriptions name the values.
      .usageConfiguration({ 'hide-types': true })
      .parserConfiguration(PARSING)
  );
}

function described({ shape }: Command): Argv {
  const cli = bare().usage(`${SCRIPT} ${shape.name} ${shape.synopsis}\n\n${shape.about}`);
  for (const [name, option] of Object.entries(shape.options)) cli.option(name, yargsOption(option));
  // Two lines each: in the columns that yargs makes of examples, a command line would be broken at every blank.
  const examples = shape.examples.map(([line, what]) => `  ${line}\n      ${what}`);
  return cli.epilogue(`Examples:\n${examples.join('\n')}`);
}

/** As yargs declares it. Defaults are left to argsOf(), conditions too. */
function yargsOption(option: Option): Options {
  const { alias, group } = option;
  const shown = {
    describe: helpOf(option),
    ...(alias === undefined ? {} : { alias }),
    ...(group === undefined ? {} : { group }),
  };
  switch (option.kind) {
    case 'flag':
      return { ...shown, type: 'boolean' };
    case 'value':
      return { ...shown, type: 'string', requiresArg: true };
    case 'choice':
      return { ...shown, choices: option.choices, requiresArg: true };
    case 'values':
    case 'list':
      return { ...shown, type: 'string', array: true, requiresArg: true };
  }
}

function overview(commands: readonly Command[]): Argv {
  const cli = bare().usage(
    `${SCRIPT} COMMAND [options]\n\nGives a linked ELF kernel the right Xen notes, and proves that nothing else changed.`,
  );
  for (const { shape } of commands) cli.command(`${shape.name} ${shape.synopsis}`, shape.summary);
  return cli
    .example(`${SCRIPT} notes vmlinux`, 'what a kernel tells Xen')
    .example(`${SCRIPT} explain PHYS32_ENTRY`, 'what that note means')
    .epilogue(`${SCRIPT} COMMAND --help shows the options of a command.`);
}

interface YargsResult {
  readonly text: string;
  readonly options: RawOptions;
  readonly words: readonly string[];
}

function yargsParse(cli: Argv<unknown>, args: readonly string[], table: OptionTable, command?: string): YargsResult {
  let text = '';
  let problem: Error | undefined;
  const parsed = withHelp(cli).parse(
    [...args],
    {},
    (error: Error | undefined | null, _argv: unknown, output: string) => {
      problem = error ?? undefined;
      text = output;
    },
  );
  if (problem !== undefined) refuse(usageWords(problem.message, [...Object.keys(table), 'help', 'version']), command);
  const {
    _: before,
    '--': behind = [],
    ...options
  } = parsed as Record<string, unknown> & {
    _: (string | number)[];
    '--'?: (string | number)[];
  };
  refuseRepeats(options, table, command);
  return { text: text === '' ? '' : `${text}\n`, options, words: [...before, ...behind].map(String) };
}

function refuseRepeats(options: RawOptions, table: OptionTable, command?: string): void {
  for (const [name, value] of Object.entries(options)) {
    // yargs has each option under its alias and in camelCase too.
    const option = table[name];
    if (Array.isArray(value) && option !== undefined && !isRepeatable(option)) {
      refuse({ what: `--${name} given ${value.length} times, wanted it once` }, command);
    }
  }
}

/** A refusal with the best hint there is: what was likely meant, else where to look. */
function refuse({ what, hint }: UsageWords, command: string | undefined): never {
  const look = command === undefined ? undefined : `${SCRIPT} ${command} --help shows the options`;
  const best = hint ?? look;
  fail('usage.bad', {}, best === undefined ? { what } : { what, hint: best });
}
