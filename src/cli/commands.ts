/** The commands, in the order of the help text. Each imports its work when it is called. */
import { type Command, command } from './command.js';
import { completionShape } from './commands/completion.js';
import { diffShape } from './commands/diff.js';
import { explainShape } from './commands/explain.js';
import { fixShape } from './commands/fix.js';
import { layoutShape } from './commands/layout.js';
import { linearizeShape } from './commands/linearize.js';
import { mkelf32Shape } from './commands/mkelf32.js';
import { notesCommand } from './commands/notes.js';
import { patchCommand } from './commands/patch.js';
import { stampShape } from './commands/stamp.js';
import { verifyCommand } from './commands/verify.js';

/** Every command, in the order in which `--help` lists them. The work of one is loaded when it runs. */
export const COMMANDS: readonly Command[] = [
  patchCommand,
  notesCommand,
  command(fixShape, async (args) => (await import('./commands/fix.run.js')).runFix(args)),
  command(stampShape, async (args) => (await import('./commands/stamp.run.js')).runStamp(args)),
  command(diffShape, async (args) => (await import('./commands/diff.run.js')).runDiff(args)),
  command(layoutShape, async (args) => (await import('./commands/layout.run.js')).runLayout(args)),
  verifyCommand,
  command(linearizeShape, async (args) => (await import('./commands/linearize.run.js')).runLinearize(args)),
  command(explainShape, async (args) => (await import('./commands/explain.run.js')).runExplain(args)),
  command(mkelf32Shape, async (args) => (await import('./commands/mkelf32.run.js')).runMkelf32(args)),
  command(completionShape, async (args) =>
    (await import('./commands/completion.run.js')).runCompletion(args, COMMANDS),
  ),
];
