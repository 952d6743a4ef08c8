/**
 * What an option is. A command declares each of its options once, in a table of plain data; the parser, the type of the
 * arguments, `--help`, the completion scripts and the man page are made of that table.
 */
import { didYouMean } from '../formats/note/nearest.js';
import { usageError } from './usage-error.js';

/** Words that complete a value. A function where they stand in a module that is loaded only to complete. */
export type Completion = readonly string[] | (() => Promise<readonly string[]>);

/** Words behind the `=` of a value `NAME=VALUE`, by NAME; one that ends in `:` or `=` goes on. */
export type Settings = Readonly<Record<string, readonly string[]>>;

/** From the text of one value to what the work is given. `option` is as typed: `--phys-base`. Errors: `usage.bad`. */
export type Reader = (text: string, option: string) => unknown;

interface Declared {
  /** One sentence for `--help`. */
  readonly help: string;
  /** The heading under which `--help` lists it; `group()` sets it. */
  readonly group?: string;
  /** One letter: `-o`. */
  readonly alias?: string;
  /** The argument's name where it is not the option's own in camelCase. */
  readonly member?: string;
  /** An option that cannot be given together with this one. */
  readonly conflicts?: string;
  /** The flag without which this option means nothing. */
  readonly goesWith?: string;
  /** The values of another option with which alone this one means something. */
  readonly isFor?: { readonly option: string; readonly values: readonly string[] };
}

interface Valued extends Declared {
  /** What the value is, in front of the help text: `FILE`. */
  readonly metavar?: string;
  /** Undefined: the value is the text as typed. */
  readonly read?: Reader;
  /** Undefined: the choices, or files. */
  readonly complete?: Completion;
  /** Of a value `NAME=VALUE`. */
  readonly completeSetting?: () => Promise<Settings>;
}

/** Given or not. */
interface Flag extends Declared {
  readonly kind: 'flag';
}

/** One value. */
interface Value extends Valued {
  readonly kind: 'value';
  /** Read as if it had been typed. */
  readonly default?: string;
}

/** One value out of few. */
interface Choice extends Valued {
  readonly kind: 'choice';
  readonly choices: readonly string[];
  readonly default?: string;
}

/** One value each time that it is given. */
interface Values extends Valued {
  readonly kind: 'values';
}

/** A comma-separated list each time that it is given; each word one of `choices`, where there are some. */
interface List extends Valued {
  readonly kind: 'list';
  readonly choices?: readonly string[];
}

/** An option of a command, in one of the shapes that the parser knows. */
export type Option = Flag | Value | Choice | Values | List;

/** The options of a command, or some of them, by their long names without dashes, in the order of `--help`. */
export type OptionTable = Readonly<Record<string, Option>>;

type CamelCase<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;

type MemberOf<Name extends string, Declaration> = Declaration extends { readonly member: infer Member extends string }
  ? Member
  : CamelCase<Name>;

type OneOf<Declaration> = Declaration extends { readonly read: (text: string, option: string) => infer Read }
  ? Read
  : Declaration extends { readonly choices: readonly (infer Word)[] }
    ? Word
    : string;

type ValueOf<Declaration> = Declaration extends { readonly kind: 'flag' }
  ? boolean
  : Declaration extends { readonly kind: 'values' | 'list' }
    ? readonly OneOf<Declaration>[]
    : Declaration extends { readonly default: string }
      ? OneOf<Declaration>
      : OneOf<Declaration> | undefined;

/**
 * The arguments that a table makes: `in-place` becomes `inPlace`. A flag that was not given is false, a list that was
 * not given is empty, a value that was not given and has no default is undefined.
 */
export type ArgsOf<Table extends OptionTable> = {
  readonly [Name in keyof Table & string as MemberOf<Name, Table[Name]>]: ValueOf<Table[Name]>;
};

/** The options as yargs leaves them, by long name; other members are of no interest. */
export type RawOptions = Readonly<Record<string, unknown>>;

/** Puts options under a heading of `--help`. */
export function group<const Table extends OptionTable>(heading: string, table: Table): Table {
  const grouped = Object.entries(table).map(([name, option]) => [name, { ...option, group: heading }] as const);
  // The same names with the same declarations; the heading is nothing that a type depends on.
  return Object.fromEntries(grouped) as unknown as Table;
}

/** May it be given more than once? */
export function isRepeatable({ kind }: Option): boolean {
  return kind === 'values' || kind === 'list';
}

/** What `--help` says about it. */
export function helpOf(option: Option): string {
  return 'metavar' in option && option.metavar !== undefined ? `${option.metavar}: ${option.help}` : option.help;
}

/** The words that complete its value; none: files, or anything. */
export async function completionOf(option: Option): Promise<readonly string[]> {
  if (option.kind === 'flag') return [];
  const words = option.complete ?? ('choices' in option ? option.choices : undefined) ?? [];
  return typeof words === 'function' ? await words() : words;
}

/** The words that complete what stands behind a name and its `=`. */
export async function settingsOf(option: Option): Promise<Settings> {
  return option.kind === 'flag' || option.completeSetting === undefined ? {} : await option.completeSetting();
}

/**
 * The arguments that a command line makes of a table. Errors: `usage.bad` for options that do not go together, a word
 * that a list does not take, and whatever a reader refuses.
 */
export function argsOf<Table extends OptionTable>(command: string, table: Table, raw: RawOptions): ArgsOf<Table> {
  checkTogether(command, table, raw);
  const args = Object.entries(table).map(([name, option]) => [
    option.member ?? camelCase(name),
    argOf(command, name, option, raw[name]),
  ]);
  // ArgsOf says of each member what argOf makes of its declaration.
  return Object.fromEntries(args) as ArgsOf<Table>;
}

/** The first option of a table that was given, without dashes. An option with a default always counts as given. */
export function firstGiven<Table extends OptionTable>(table: Table, args: ArgsOf<Table>): string | undefined {
  const values: RawOptions = args;
  return Object.entries(table).find(([name, { member }]) => isGiven(values[member ?? camelCase(name)]))?.[0];
}

function isGiven(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
}

function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

function checkTogether(command: string, table: OptionTable, raw: RawOptions): void {
  for (const [name, { conflicts, goesWith, isFor }] of Object.entries(table)) {
    if (!isGiven(raw[name])) continue;
    if (conflicts !== undefined && isGiven(raw[conflicts])) {
      usageError(command, `--${name} and --${conflicts} cannot be given together`);
    }
    if (goesWith !== undefined && !isGiven(raw[goesWith])) usageError(command, `--${name} goes with --${goesWith}`);
    if (isFor !== undefined && !isFor.values.some((value) => value === raw[isFor.option])) {
      const wanted = isFor.values.map((value) => `--${isFor.option} ${value}`).join(' and ');
      usageError(command, `--${name} is for ${wanted}`);
    }
  }
}

function argOf(command: string, name: string, option: Option, raw: unknown): unknown {
  if (option.kind === 'flag') return raw === true;
  const read = (text: string) => (option.read === undefined ? text : option.read(text, `--${name}`));
  const texts = (Array.isArray(raw) ? raw : raw === undefined ? [] : [raw]).map(String);
  switch (option.kind) {
    case 'value':
    case 'choice': {
      const text = texts[0] ?? option.default;
      return text === undefined ? undefined : read(text);
    }
    case 'values':
      return texts.map(read);
    case 'list': {
      const words = texts.flatMap((text) => text.split(','));
      for (const word of words) checkWord(command, name, option, word);
      return words.map(read);
    }
  }
}

function checkWord(command: string, name: string, { choices }: List, word: string): void {
  if (choices === undefined || choices.includes(word)) return;
  const wanted = choices.length === 2 ? choices.join(' or ') : `some of ${choices.join(', ')}`;
  usageError(command, `--${name} is ${word}, wanted ${wanted}`, didYouMean(word, choices));
}
