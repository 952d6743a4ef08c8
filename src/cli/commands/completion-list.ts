/** What the completion scripts are made of: the commands and options as declared, with the words that complete their values. */
import type { Command } from '../command.js';
import { COMMON } from '../common-options.js';
import { completionOf, type OptionTable, type Settings, settingsOf } from '../option-table.js';

/** An option with everything that completes it. */
export interface OptionWords {
  /** With its dashes. */
  readonly option: string;
  readonly about: string;
  /** Words that its value can be; none: files, or anything. */
  readonly values: readonly string[];
  /** Are values separated by commas? */
  readonly isList: boolean;
  readonly settings: Settings;
}

/** A command with everything that completes it. */
export interface CommandWords {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionWords[];
  /** What its words may be; empty: files. */
  readonly operands: readonly string[];
}

/** Everything that completes a command. */
export async function wordsOf({ shape }: Command): Promise<CommandWords> {
  const options: OptionTable = { ...shape.options, ...COMMON };
  const { complete = [] } = shape.words;
  return {
    name: shape.name,
    summary: shape.summary,
    options: await Promise.all(
      Object.entries(options).map(async ([name, option]) => ({
        option: `--${name}`,
        about: option.help,
        values: await completionOf(option),
        isList: option.kind === 'list',
        settings: await settingsOf(option),
      })),
    ),
    operands: typeof complete === 'function' ? await complete() : complete,
  };
}

/** Does something follow each of them at once, as behind `PHYS32_ENTRY=`? */
export function goOn(words: readonly string[]): boolean {
  return words.length > 0 && words.every((word) => /[=:]$/.test(word));
}
