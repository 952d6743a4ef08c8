/**
 * The end of every command that makes an image: what was decided is shown, judged, or written and then shown. Warnings,
 * `--check`, `--dry-run`, the dependency file, `-o -`, `--if-changed`, progress and the exit status are the same for all of
 * them; a command supplies what it decided, how it is written and how it is told.
 */
import type { ByteSource } from '../base/bytes/source.js';
import { fail } from '../base/errors/patch-error.js';
import { type Json, jsonDocument } from '../report/json.js';
import { type Style, styleOf } from '../report/text.js';
import { holds } from '../write/holds.js';
import type { ExitStatus } from './command.js';
import { prepareDepfile } from './depfile.js';
import { type ColorMode, sayLead, tellWritten, wantsColor, writeErr, writeOut } from './output.js';
import { type Steps, startSteps } from './progress.js';
import type { RecordArgs } from './record.js';
import { tell } from './told.js';

/** What the command line says about the result. */
export interface ResultArgs extends RecordArgs {
  readonly image: string;
  /** `-`: standard output. Undefined with `inPlace`, and where nothing is written. */
  readonly output: string | undefined;
  readonly inPlace: boolean;
  readonly ifChanged: boolean;
  readonly dryRun: boolean;
  readonly check: boolean;
  readonly depfile: string | undefined;
  readonly depfileTarget: string | undefined;
  /** Do warnings count as no? */
  readonly strict: boolean;
  readonly json: boolean;
  readonly color: ColorMode;
  readonly verbose?: boolean | undefined;
}

/** What was done with a plan. `output` is the target as the command line names it. */
export type Outcome<Written> =
  | { readonly kind: 'planned' }
  | { readonly kind: 'checked' }
  | { readonly kind: 'written'; readonly written: Written; readonly output: string };

/** What a command decided, and what it takes to end it. */
export interface Work<Written> {
  readonly command: string;
  /** The image as messages call it. */
  readonly file: string;
  /** Where its bytes can be read. */
  readonly inputPath: string;
  readonly warnings: readonly string[];
  /** Would writing change a byte of the image? */
  readonly changes: boolean;
  /** What the result depends on besides the image, for the dependency file. */
  readonly files: readonly string[];
  /** The result, and what is told of an output that holds it already; undefined: `--if-changed` is not for this command. */
  readonly result?: { readonly planned: () => ByteSource; readonly there: Written };
  /** Writes and proves the result; undefined: the image itself is changed. */
  write(output: string | undefined, steps: Steps): Promise<Written>;
  /** The report for people. */
  text(outcome: Outcome<Written>, style: Style): string;
  /** The members of the document. */
  json(outcome: Outcome<Written>): { readonly [key: string]: Json };
}

/** Members that every command has that writes: what the way of writing means for others. */
interface Told {
  readonly warnings?: readonly string[];
}

/**
 * Ends a command as its arguments ask. Exit 1: `--check` found work to do, or there are warnings and `--strict` was given
 * (`write.warned`, before anything is written). Errors: those of `write` and of depfile.ts;
 * `write.not-told` (exit 3) when the result is written and standard output takes no report.
 */
export async function finish<Written extends Told>(work: Work<Written>, args: ResultArgs): Promise<ExitStatus> {
  for (const warning of work.warnings) warn(work.file, warning);
  const [first] = args.strict ? work.warnings : [];
  if (args.check || args.dryRun) {
    tell({ word: work.changes ? 'would change' : 'nothing to do' });
    report(work, args, { kind: args.check ? 'checked' : 'planned' });
    return (args.check && work.changes) || first !== undefined ? 1 : 0;
  }
  if (first !== undefined) fail('write.warned', { file: work.file }, { count: work.warnings.length, first });
  const target = args.inPlace ? undefined : args.output;
  const output = target ?? args.image;
  const record = args.record === undefined ? undefined : await recordOf(work, args, output);
  const depfile = prepareDepfile(args, work.files);
  let written: Written;
  try {
    written = await write(work, args, target);
  } catch (error) {
    depfile?.discard();
    throw error;
  }
  for (const warning of written.warnings ?? []) warn(args.inPlace ? work.file : output, warning);
  for (const warning of depfile?.keep() ?? []) warn(args.depfile ?? '', warning);
  await record?.(work.json({ kind: 'planned' }));
  tell({ word: work.changes ? 'written' : 'unchanged' });
  report(work, args, { kind: 'written', written, output });
  return 0;
}

async function recordOf<Written>(work: Work<Written>, args: ResultArgs, output: string) {
  const { startRecord } = await import('./record.js');
  return startRecord(args, work, output);
}

/** One line on standard error. */
export function warn(file: string, warning: string): void {
  sayLead('xen-elfpatch: warning:', 'warn', `${file}: ${warning}`);
}

function report<Written>(work: Work<Written>, args: ResultArgs, outcome: Outcome<Written>): void {
  // With the image on standard output the report has to go elsewhere.
  const toStdout = args.output !== '-';
  const out = outcome.kind === 'written' ? (text: string) => tellWritten(outcome.output, text) : writeOut;
  if (args.json) out(jsonDocument(work.command, work.json(outcome)));
  else {
    const write = toStdout ? out : writeErr;
    write(work.text(outcome, styleOf(toStdout && wantsColor(args.color))));
  }
}

async function write<Written>(work: Work<Written>, args: ResultArgs, target: string | undefined): Promise<Written> {
  const { result } = work;
  if (args.ifChanged && result !== undefined && target !== undefined && target !== '-') {
    if (holds(target, result.planned())) return result.there;
  }
  const { steps, end } = startSteps();
  try {
    if (target !== '-') return await work.write(target, steps);
    const { writeToStdout } = await import('./stdout-image.js');
    return await writeToStdout((path) => work.write(path, steps), end);
  } finally {
    end();
  }
}
