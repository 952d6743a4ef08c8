/** Which command a line names, and what a command is asked for besides. */
import type { Command } from './command.js';

/** The command's name and everything else; options that every command has may stand before it. */
export function splitCommand(args: readonly string[]): {
  readonly name: string | undefined;
  readonly rest: readonly string[];
} {
  let at = 0;
  while (at < args.length && args[at]?.startsWith('-') && args[at] !== '--') at += args[at] === '--color' ? 2 : 1;
  if (args[at] === '--') return { name: undefined, rest: args };
  return { name: args[at], rest: [...args.slice(0, at), ...args.slice(at + 1)] };
}

/** The command that a line names, whether or not the rest of it makes sense. */
export function namedCommand(args: readonly string[], commands: readonly Command[]): string | undefined {
  const { name } = splitCommand(args);
  return commands.find(({ shape }) => shape.name === name)?.shape.name;
}
