/**
 * Short options as getopt(3) takes them: `-oOUT` for `-o OUT`, `-qv` for `-q -v`. They are spelled out before the line is
 * parsed, by the table of the command, so that the parser sees long options alone.
 */
import { COMMON } from './common-options.js';
import type { OptionTable } from './option-table.js';
import type { UsageWords } from './usage-words.js';

interface Short {
  readonly name: string;
  readonly takesValue: boolean;
}

/**
 * The words of a command line with clusters of short options taken apart. Words behind `--` stay. A long option with a
 * single dash in front would be read as a cluster, `-output` as `-o utput`: `refuse` is told.
 */
export function spreadShortOptions(
  args: readonly string[],
  table: OptionTable,
  refuse: (words: UsageWords) => never,
): string[] {
  const shorts = new Map<string, Short>();
  const all: OptionTable = { ...COMMON, ...table };
  for (const [name, { alias, kind }] of Object.entries(all)) {
    if (alias !== undefined) shorts.set(alias, { name, takesValue: kind !== 'flag' });
  }
  const end = args.indexOf('--');
  const options = end < 0 ? args : args.slice(0, end);
  return [...options.flatMap((word) => spread(word, shorts, table, refuse)), ...args.slice(options.length)];
}

function spread(
  word: string,
  shorts: ReadonlyMap<string, Short>,
  table: OptionTable,
  refuse: (words: UsageWords) => never,
): readonly string[] {
  if (!/^-[A-Za-z]./s.test(word)) return [word];
  const [long = ''] = word.slice(1).split('=');
  if (Object.hasOwn(table, long)) {
    return refuse({ what: `unknown option -${long}`, hint: `Did you mean --${long}?` });
  }
  // -o=OUT is how long options are given, and was taken so before clusters were.
  if (word[2] === '=') return [word];
  const found: string[] = [];
  for (let at = 1; at < word.length; at++) {
    const letter = word[at] ?? '';
    const short = shorts.get(letter);
    if (short === undefined) return refuse({ what: `unknown option -${letter}${at > 1 ? ` in ${word}` : ''}` });
    if (short.takesValue) {
      const value = word.slice(at + 1);
      return [...found, ...(value === '' ? [`--${short.name}`] : [`--${short.name}=${value}`])];
    }
    found.push(`--${short.name}`);
  }
  return found;
}
