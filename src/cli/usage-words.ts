/** What yargs says about a command line, said the way this command says everything else: one line and a hint. */
import { didYouMean, nearest } from '../formats/note/nearest.js';

/** A fault of a command line: what is wrong, and what to write instead where that is known. */
export interface UsageWords {
  readonly what: string;
  readonly hint?: string;
}

/** The long options of a command. */
export interface CommandOptions {
  readonly command: string;
  readonly options: readonly string[];
}

/**
 * Rewrites a message of yargs. `options` are the long option names that would have been right, `others` those of every
 * command.
 */
export function usageWords(
  message: string,
  options: readonly string[],
  others: readonly CommandOptions[] = [],
): UsageWords {
  const unknown = /^Unknown arguments?: (.*)$/s.exec(message)?.[1];
  if (unknown !== undefined) {
    // yargs lists each name as typed and again in camelCase; the first is the first mistake.
    const name = unknown.split(', ')[0] ?? unknown;
    const [close] = name.length > 1 ? nearest(name, options) : [];
    const what = `unknown option ${name.length > 1 ? '--' : '-'}${name}`;
    const elsewhere = others.filter((other) => other.options.includes(name)).map(({ command }) => command);
    if (elsewhere.length > 0) return { what, hint: `--${name} is an option of ${inWords(elsewhere)}` };
    return close === undefined ? { what } : { what, hint: `Did you mean --${close}?` };
  }
  const bare = /^Not enough arguments following: (.*)$/s.exec(message)?.[1];
  if (bare !== undefined) {
    const option = `${bare.length > 1 ? '--' : '-'}${bare}`;
    return {
      what: `${option} has no value`,
      hint: `A value that begins with - is written ${option}${bare.length > 1 ? '=' : ''}VALUE`,
    };
  }
  const choice = /Argument: (\S+), Given: (.*), Choices: (.*)$/s.exec(message);
  if (choice !== null) {
    const [, name = '', given = '', choices = ''] = choice;
    const [word, words] = [given, choices].map((text) => text.replaceAll('"', ''));
    const what = `--${name} is ${word}, wanted one of ${words}`;
    const hint = didYouMean(word ?? '', (words ?? '').split(', '));
    return hint === undefined ? { what } : { what, hint };
  }
  return { what: message.replace(/\s*\n\s*/g, ' ') };
}

function inWords(names: readonly string[]): string {
  const last = names.at(-1) ?? '';
  return names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${last}` : last;
}
