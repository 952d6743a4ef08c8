/** What yargs says about a command line, said the way this command says everything else: one line and a hint. */
import { nearest } from '../formats/note/nearest.js';

/** A fault of a command line: what is wrong, and what to write instead where that is known. */
export interface UsageWords {
  readonly what: string;
  readonly hint?: string;
}

/** Rewrites a message of yargs. `options` are the long option names that would have been right. */
export function usageWords(message: string, options: readonly string[]): UsageWords {
  const unknown = /^Unknown arguments?: (.*)$/s.exec(message)?.[1];
  if (unknown !== undefined) {
    // yargs lists each name as typed and again in camelCase; the first is the first mistake.
    const name = unknown.split(', ')[0] ?? unknown;
    const [close] = name.length > 1 ? nearest(name, options) : [];
    const what = `unknown option ${name.length > 1 ? '--' : '-'}${name}`;
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
    return { what: `--${name} is ${given.replaceAll('"', '')}, wanted one of ${choices.replaceAll('"', '')}` };
  }
  return { what: message.replace(/\s*\n\s*/g, ' ') };
}
