/** What a command is: the shape of its words and options, and the work, which is loaded only when it is called. */
import { type ArgsOf, argsOf, type Completion, type OptionTable, type RawOptions } from './option-table.js';

/** 0 done or yes, 1 the answer is no, 2 could not be done, 3 written and right, but not told. */
export type ExitStatus = 0 | 1 | 2 | 3;

/** Words on the command line that belong to no option. `-` and words behind `--` are words like any other. */
export interface Words {
  /** As the synopsis calls one of them: `IMAGE`. */
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Undefined: files. */
  readonly complete?: Completion;
}

/** The argument shapes of one command. `Options` is the table of its options, `Args` what the work is given. */
export interface Shape<Options extends OptionTable, Args> {
  readonly name: string;
  /** Behind the command's name in its usage line. */
  readonly synopsis: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What `--help` says under the usage line. */
  readonly about: string;
  readonly words: Words;
  readonly options: Options;
  /** Command line and what it does; at least two, all of them real. */
  readonly examples: readonly (readonly [command: string, what: string])[];
  /** Checks what no single option can tell and adds the words. Errors: `usage.bad`. */
  args(given: ArgsOf<Options>, words: readonly string[]): Args;
}

/** A shape with its work, types closed over. */
export interface Command {
  readonly shape: Omit<Shape<OptionTable, unknown>, 'args'>;
  /** `options` are what yargs parsed by the table of the shape. */
  run(options: RawOptions, words: readonly string[]): Promise<ExitStatus>;
}

/** Ties a shape to its work. */
export function command<Options extends OptionTable, Args>(
  shape: Shape<Options, Args>,
  run: (args: Args) => Promise<ExitStatus>,
): Command {
  return {
    shape,
    run: async (options, words) => run(shape.args(argsOf(shape.name, shape.options, options), words)),
  };
}
