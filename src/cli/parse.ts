/**
 * The command line to a command and its arguments, or to a text that answers it (help, version). It is loaded for what
 * quick-parse.ts does not answer: help, and everything that is wrong with a line.
 */
import yargs, { type Argv, type Options } from 'yargs';
import { fail } from '../base/errors/patch-error.js';
import { COMMIT, VERSION } from '../base/version.js';
import { nearest } from '../formats/note/nearest.js';
import type { Command, Words } from './command.js';
import { splitCommand } from './command-name.js';
import { ABOUT, COMMON } from './common-options.js';
import { helpOf, isRepeatable, type Option, type OptionTable, type RawOptions } from './option-table.js';
import type { Run } from './quick-parse.js';
import { spreadShortOptions } from './short-options.js';
import { type UsageWords, usageWords } from './usage-words.js';
import { missingWords, tooManyWords } from './word-counts.js';

/** How yargs tells words from options and values. Values stay as they are typed. */
const PARSING = {
  // 0xffffffff81000018 would become a rounded double, `--set A=1 vmlinux` would swallow the image.
  'parse-numbers': false,
  'parse-positional-numbers': false,
  'greedy-arrays': false,
  'dot-notation': false,
  'boolean-negation': false,
  'short-option-groups': false,
  'populate--': true,
} as const;

/** The name of the command in `--help`, error messages and completion. */
export const SCRIPT = 'xen-elfpatch';

/** What a command line asks for: a text to be printed (`--help`, `--version`), or the run of a command. */
export type Parsed = { readonly kind: 'text'; readonly text: string } | Run;

/** Reads a command line. Errors: `usage.bad`. */
export function parseCommandLine(args: readonly string[], commands: readonly Command[]): Parsed {
  const { name, rest } = splitCommand(args);
  if (name === 'help') return helpOn(rest, commands);
  const command = commands.find(({ shape }) => shape.name === name);
  if (command !== undefined) return parseCommand(command, rest, commands);

  if (name !== undefined && !asksForHelp(args)) refuseCommand(name, commands);
  const { text } = yargsParse(overview(commands), args, {});
  if (text === '') fail('usage.bad', {}, { what: 'no command given' });
  return { kind: 'text', text };
}

/** `help COMMAND` is `COMMAND --help`, and `help` alone `--help`. */
function helpOn(args: readonly string[], commands: readonly Command[]): Parsed {
  const { name, rest } = splitCommand(args);
  if (name === undefined || name === 'help') return { kind: 'text', text: overviewText(commands) };
  const command = commands.find(({ shape }) => shape.name === name);
  return command === undefined ? refuseCommand(name, commands) : parseCommand(command, [...rest, '--help'], commands);
}

function refuseCommand(name: string, commands: readonly Command[]): never {
  const [close] = nearest(name, ['help', ...commands.map(({ shape }) => shape.name)]);
  const hint = close === undefined ? undefined : `Did you mean ${SCRIPT} ${close}?`;
  return fail('usage.bad', {}, { what: `unknown command ${name}`, ...(hint === undefined ? {} : { hint }) });
}

/** The text of `xen-elfpatch --help`. */
export function overviewText(commands: readonly Command[]): string {
  return yargsParse(overview(commands), ['--help'], {}).text;
}

function asksForHelp(args: readonly string[]): boolean {
  return ['--help', '-h', '--version', '-V'].some((option) => args.includes(option));
}

function parseCommand(command: Command, args: readonly string[], commands: readonly Command[]): Parsed {
  const { shape } = command;
  const { text, options, words } = yargsParse(described(command), args, shape.options, shape.name, commands);
  if (text !== '') return { kind: 'text', text };
  if (options['print-config'] !== true) checkWords(shape.name, shape.words, words);
  if (options['print-config'] === true && options['config'] === undefined) {
    refuse({ what: '--print-config goes with --config' }, shape.name);
  }
  const quiet = options['quiet'] === true;
  if (quiet && options['json'] === true) refuse({ what: '--quiet and --json cannot be given together' }, shape.name);
  return { kind: 'run', command, options, words, quiet };
}

function checkWords(name: string, wanted: Words, words: readonly string[]): void {
  const hint = `${SCRIPT} ${name} --help shows how it is called`;
  const problem = missingWords(wanted, words) ?? tooManyWords(wanted, words);
  if (problem !== undefined) fail('usage.bad', {}, { what: `${name}: ${problem}`, hint });
}

/** What every command has, in the last place of the list. */
function withHelp<T>(cli: Argv<T>): Argv<T> {
  const version = COMMIT === undefined ? VERSION : `${VERSION} (${COMMIT})`;
  return cli
    .option('config', yargsOption(COMMON.config))
    .option('print-config', yargsOption(COMMON['print-config']))
    .option('quiet', yargsOption(COMMON.quiet))
    .help('help', COMMON.help.help)
    .alias('help', COMMON.help.alias)
    .version('version', COMMON.version.help, version)
    .alias('version', COMMON.version.alias) as Argv<T>;
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
  const cli = bare().usage(`${SCRIPT} COMMAND [options]\n\n${ABOUT}`);
  for (const { shape } of commands) cli.command(`${shape.name} ${shape.synopsis}`, shape.summary);
  return cli
    .example(`${SCRIPT} notes vmlinux`, 'what a kernel tells Xen')
    .example(`${SCRIPT} explain PHYS32_ENTRY`, 'what that note means')
    .epilogue(`${SCRIPT} help COMMAND (or COMMAND --help) shows the options of a command.`);
}

interface YargsResult {
  readonly text: string;
  readonly options: RawOptions;
  readonly words: readonly string[];
}

function yargsParse(
  cli: Argv<unknown>,
  args: readonly string[],
  table: OptionTable,
  command?: string,
  commands: readonly Command[] = [],
): YargsResult {
  let text = '';
  let problem: Error | undefined;
  const parsed = withHelp(cli).parse(
    spreadShortOptions(args, table, refuseAs(command)),
    {},
    (error: Error | undefined | null, _argv: unknown, output: string) => {
      problem = error ?? undefined;
      text = output;
    },
  );
  if (problem !== undefined) {
    const others = commands.map(({ shape }) => ({ command: shape.name, options: Object.keys(shape.options) }));
    refuse(usageWords(problem.message, [...Object.keys(table), ...Object.keys(COMMON)], others), command);
  }
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
    const option = { ...COMMON, ...table }[name];
    if (Array.isArray(value) && option !== undefined && !isRepeatable(option)) {
      refuse({ what: `--${name} given ${value.length} times, wanted it once` }, command);
    }
  }
}

function refuseAs(command: string | undefined): (words: UsageWords) => never {
  return (words) => refuse(words, command);
}

/** A refusal with the best hint there is: what was likely meant, else where to look. */
function refuse({ what, hint }: UsageWords, command: string | undefined): never {
  const look = command === undefined ? undefined : `${SCRIPT} ${command} --help shows the options`;
  const best = hint ?? look;
  fail('usage.bad', {}, best === undefined ? { what } : { what, hint: best });
}
