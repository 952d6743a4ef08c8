/** What a command is: the shape of its words and options, and the work, which is loaded only when it is called. */
import { isBatch } from './batch-options.js';
import { lockImage } from './image-lock.js';
import { type ArgsOf, argsOf, type Completion, type OptionTable, type RawOptions } from './option-table.js';

/** 0 done or yes, 1 the answer is no, 2 could not be done, 3 written and right, but not told. */
export type ExitStatus = 0 | 1 | 2 | 3;

/** Words on the command line that belong to no option. `-` and words behind `--` are words like any other. */
export interface Words {
  /** As the synopsis calls one of them: `IMAGE`. */
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Other counts where an option is given. */
  readonly with?: Readonly<Record<string, { readonly min: number; readonly max: number }>>;
  /** Undefined: files. */
  readonly complete?: Completion;
}

/** How a command goes with several images. */
export interface BatchShape {
  /** Options, without dashes, that are about one image alone; the values for which that is so, or all of them. */
  readonly notFor: Readonly<Record<string, 'any' | readonly string[]>>;
  /** Are folders and archives looked through when they are named? */
  readonly looksThrough: boolean;
  /** Does a line name one image, or the two that are compared? */
  readonly images: 1 | 2;
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
  /** Undefined: the command works on what its words name together. */
  readonly batch?: BatchShape;
  /** Command line and what it does; at least two, all of them real. */
  readonly examples: readonly (readonly [command: string, what: string])[];
  /** Checks what no single option can tell and adds the words. Errors: `usage.bad`. */
  args(given: ArgsOf<Options>, words: readonly string[]): Args;
}

/** A shape with its work, types closed over. */
export interface Command {
  readonly shape: Omit<Shape<OptionTable, unknown>, 'args'>;
  /** `options` are what yargs parsed by the table of the shape. Several images are a batch. */
  run(options: RawOptions, words: readonly string[]): Promise<ExitStatus>;
  /** The same for the words of one image. */
  runOne(options: RawOptions, words: readonly string[]): Promise<ExitStatus>;
  /** Is that a line that makes sense? Errors: `usage.bad`, and what readers of values refuse. */
  check(options: RawOptions, words: readonly string[]): void;
}

/** Ties a shape to its work. */
export function command<Options extends OptionTable, Args>(
  shape: Shape<Options, Args>,
  run: (args: Args) => Promise<ExitStatus>,
): Command {
  const args = (options: RawOptions, words: readonly string[]) =>
    shape.args(argsOf(shape.name, shape.options, options), words);
  const one: Command = {
    shape,
    check: (options, words) => void args(options, words),
    runOne: async (options, words) => run(args(options, words)),
    async run(options, words) {
      if (!isBatch(shape, options, words)) {
        const given = args(options, words);
        const unlock = await lockImage(options, words);
        try {
          return await run(given);
        } finally {
          unlock?.();
        }
      }
      const { runBatch } = await import('./batch/batch.js');
      return runBatch(one, options, words);
    },
  };
  return one;
}
