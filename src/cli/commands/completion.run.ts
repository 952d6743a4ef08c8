/** `completion`: the declared commands and options as a script of a shell. */
import type { Command, ExitStatus } from '../command.js';
import { writeOut } from '../output.js';
import type { CompletionArgs, ShellName } from './completion.js';
import { bashScript } from './completion-bash.js';
import { fishScript } from './completion-fish.js';
import { type CommandWords, wordsOf } from './completion-list.js';
import { zshScript } from './completion-zsh.js';

const SCRIPTS: Readonly<Record<Exclude<ShellName, 'fish'>, (words: readonly CommandWords[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
};

/** Runs the command. */
export async function runCompletion({ shell }: CompletionArgs, commands: readonly Command[]): Promise<ExitStatus> {
  writeOut(shell === 'fish' ? await fishScript(commands) : SCRIPTS[shell](await Promise.all(commands.map(wordsOf))));
  return 0;
}
