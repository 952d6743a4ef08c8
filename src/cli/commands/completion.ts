/** `completion SHELL`: the shape of its arguments. */
import { didYouMean } from '../../formats/note/nearest.js';
import type { Shape } from '../command.js';
import { usageError } from '../usage-error.js';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
/** A shell that a completion script is made for. */
export type ShellName = (typeof SHELLS)[number];

/** What the work is given. */
export interface CompletionArgs {
  readonly shell: ShellName;
}

const OPTIONS = {};

/** The words and options of `completion`, as `--help` and the parser have them. */
export const completionShape: Shape<typeof OPTIONS, CompletionArgs> = {
  name: 'completion',
  synopsis: 'SHELL',
  summary: 'a script that completes commands, options and their choices',
  about: 'Prints a completion script for bash, zsh or fish, made from the same declarations as --help.',
  words: { name: 'SHELL', min: 1, max: 1, complete: SHELLS },
  options: OPTIONS,
  examples: [
    ['eval "$(xen-elfpatch completion bash)"', 'in ~/.bashrc'],
    ['xen-elfpatch completion zsh > ~/.zfunc/_xen-elfpatch', 'in a folder of $fpath'],
    ['xen-elfpatch completion fish > ~/.config/fish/completions/xen-elfpatch.fish', 'where fish looks'],
  ],
  args(_given, [word = '']) {
    const shell = SHELLS.find((known) => known === word);
    return {
      shell: shell ?? usageError('completion', `SHELL is ${word}, wanted bash, zsh or fish`, didYouMean(word, SHELLS)),
    };
  },
};
