/**
 * Which options of the line that was typed a printed line says again, so that it is judged by what was asked, and to which
 * command each is known: one row an option. What only tells how an answer is shown (--json, --rules) is no part of it.
 */
import { shellWord } from './shell.js';

/** What was asked of `verify` or `fix` besides the image and the loaders; an absent member was not given. */
export interface AskedOptions {
  /** Undefined: the newest known, which is the default. */
  readonly xenVersion?: string | undefined;
  /** Bytes that the machine or guest has. */
  readonly memory?: bigint | undefined;
  /** The most bytes that are unpacked. */
  readonly limit?: bigint | undefined;
  /** Must the notes be in memory? */
  readonly loaded?: boolean | undefined;
  readonly mustSurvive?: readonly string[] | undefined;
  readonly kind?: string | undefined;
  readonly payload?: string | undefined;
  readonly compressor?: string | undefined;
  readonly stripSignature?: boolean | undefined;
  readonly keepTail?: boolean | undefined;
  /** Of a command that writes: a warning is a no. */
  readonly strict?: boolean | undefined;
}

/** The commands that a printed line can name. */
export const LINE_COMMANDS = ['patch', 'fix', 'linearize', 'stamp'] as const;
/** A command that a printed line names. */
export type LineCommand = (typeof LINE_COMMANDS)[number];

interface Row {
  /** Undefined: it was not asked for. Not quoted. */
  readonly words: (asked: AskedOptions) => readonly string[] | undefined;
  /** The commands on whose result it has a say. */
  readonly by: readonly LineCommand[];
}

const flag = (name: string, given: boolean | undefined) => (given === true ? [name] : undefined);
const value = (name: string, text: string | undefined) => (text === undefined ? undefined : [name, text]);
const size = (name: string, bytes: bigint | undefined) => value(name, bytes === undefined ? bytes : sizeWord(bytes));

const EDITS = ['patch', 'fix'] as const;

/** By the option's name without dashes. `linearize` unpacks and places nothing, and `stamp` puts a line of SBAT into a PE image. */
export const LINE_OPTIONS: Readonly<Record<string, Row>> = {
  'xen-version': { words: ({ xenVersion }) => value('--xen-version', xenVersion), by: ['fix'] },
  memory: { words: ({ memory }) => size('--memory', memory), by: ['fix'] },
  loaded: { words: ({ loaded }) => flag('--loaded', loaded), by: EDITS },
  'not-loaded': { words: ({ loaded }) => flag('--not-loaded', loaded === false), by: EDITS },
  'must-survive': {
    words: ({ mustSurvive = [] }) => (mustSurvive.length === 0 ? undefined : ['--must-survive', mustSurvive.join(',')]),
    by: EDITS,
  },
  kind: { words: ({ kind }) => value('--kind', kind), by: EDITS },
  payload: { words: ({ payload }) => value('--payload', payload), by: EDITS },
  compressor: { words: ({ compressor }) => value('--compressor', compressor), by: EDITS },
  'strip-signature': { words: ({ stripSignature }) => flag('--strip-signature', stripSignature), by: EDITS },
  'keep-tail': { words: ({ keepTail }) => flag('--keep-tail', keepTail), by: EDITS },
  limit: { words: ({ limit }) => size('--limit', limit), by: EDITS },
  strict: { words: ({ strict }) => flag('--strict', strict), by: LINE_COMMANDS },
};

/** The options that a line by this command says again, quoted for a shell; undefined where one of them has no spelling. */
export function lineOptions(command: LineCommand, asked: AskedOptions): readonly string[] | undefined {
  const given = Object.values(LINE_OPTIONS).flatMap(({ words, by }) =>
    by.includes(command) ? (words(asked) ?? []) : [],
  );
  const quoted = given.map(shellWord).filter((word) => word !== undefined);
  return quoted.length === given.length ? quoted : undefined;
}

const UNITS = [
  ['G', 30n],
  ['M', 20n],
  ['K', 10n],
] as const;

/** A size as an option takes it: in the largest unit of which it is a multiple. */
function sizeWord(bytes: bigint): string {
  const [unit, shift] = UNITS.find(([, bits]) => bytes % (1n << bits) === 0n) ?? ['', 0n];
  return `${bytes >> shift}${unit}`;
}
