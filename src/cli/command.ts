/** What a command is: the shape of its words and options, and the work, which is loaded only when it is called. */
import type { Argv } from 'yargs';

/** 0 done or yes, 1 the answer is no, 2 could not be done. */
export type ExitStatus = 0 | 1 | 2;

/** Words on the command line that belong to no option. `-` and words behind `--` are words like any other. */
export interface Words {
  /** As the synopsis calls one of them: `IMAGE`. */
  readonly name: string;
  readonly min: number;
  readonly max: number;
}

/** The argument shapes of one command. `Options` is what yargs infers, `Args` what the work is given. */
export interface Shape<Options, Args> {
  readonly name: string;
  /** Behind the command's name in its usage line. */
  readonly synopsis: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What `--help` says under the usage line. */
  readonly about: string;
  readonly words: Words;
  /** Options that may be given more than once; every other one twice is a mistake. */
  readonly repeatable: readonly string[];
  /** Command line and what it does; at least two, all of them real. */
  readonly examples: readonly (readonly [command: string, what: string])[];
  options(cli: Argv): Argv<Options>;
  /** Checks what no single option can tell and gives the work plain values. Errors: `usage.bad`. */
  args(options: Options, words: readonly string[]): Args;
}

/** A shape with its work, types closed over. */
export interface Command {
  readonly shape: Omit<Shape<unknown, unknown>, 'options' | 'args'>;
  options(cli: Argv): Argv<unknown>;
  run(options: unknown, words: readonly string[]): Promise<ExitStatus>;
}

/** Ties a shape to its work. */
export function command<Options, Args>(shape: Shape<Options, Args>, run: (args: Args) => Promise<ExitStatus>): Command {
  return {
    shape,
    options: (cli) => shape.options(cli),
    // What yargs parsed with shape.options() has the type that it inferred from them.
    run: async (options, words) => run(shape.args(options as Options, words)),
  };
}
