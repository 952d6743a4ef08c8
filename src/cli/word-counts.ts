/** How many words a command got and how many it wants, counted as a person would say it. */
import type { Words } from './command.js';
import type { RawOptions } from './option-table.js';

const NUMBERS = ['no', 'one', 'two', 'three', 'four'];

function spelled(count: number): string {
  return NUMBERS[count] ?? String(count);
}

/** The counts that the options of a line ask for. */
export function countsFor(words: Words, options: RawOptions): Words {
  const [, other] = Object.entries(words.with ?? {}).find(([name]) => options[name] !== undefined) ?? [];
  return { ...words, ...other };
}

/** `no IMAGE given, wanted one`, where words are missing. */
export function missingWords({ name, min, max }: Words, words: readonly string[]): string | undefined {
  if (words.length >= min) return undefined;
  return `${spelled(words.length)} ${name} given, wanted ${max > min ? 'at least ' : ''}${spelled(min)}`;
}

/** `unexpected word b, wanted one IMAGE`, where there are too many. */
export function tooManyWords({ name, max }: Words, words: readonly string[]): string | undefined {
  if (words.length <= max) return undefined;
  return `unexpected word ${words[max]}, wanted ${spelled(max)} ${name}${max === 1 ? '' : 's'}`;
}
