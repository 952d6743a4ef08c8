/** From a plan to its end, for every command that edits: checked, shown, written, reported. */

import { preview } from '../layout/render.js';
import type { Lost } from '../loaders/loaders.js';
import { changes, type PatchPlan, sameAsPlanned, writePatch } from '../pipeline.js';
import { type Json, jsonDocument } from '../report/json.js';
import { type Detail, type Outcome, patchJson, patchText } from '../report/patch-report.js';
import { styleOf } from '../report/text.js';
import type { ExitStatus } from './command.js';
import { prepareDepfile } from './depfile.js';
import type { OpenInput } from './input.js';
import { type ColorMode, wantsColor, writeErr, writeOut } from './output.js';
import { startProgress } from './progress.js';

/** What the command line says about the result. */
export interface ResultArgs {
  readonly image: string;
  /** `-`: standard output. Undefined with `inPlace`, and where nothing is written. */
  readonly output: string | undefined;
  readonly inPlace: boolean;
  readonly ifChanged: boolean;
  readonly dryRun: boolean;
  readonly check: boolean;
  readonly depfile: string | undefined;
  readonly json: boolean;
  readonly color: ColorMode;
  readonly verbose?: boolean | undefined;
}

/** What the report tells: a dry run shows the plan as a whole, `--verbose` also what stays as it is. */
export function detailOf({ dryRun, verbose }: Pick<ResultArgs, 'dryRun' | 'verbose'>): Detail {
  return { ranges: dryRun || verbose === true, notes: verbose === true };
}

/** What a command adds to the report of the plan. */
export interface Extra {
  /** In front of the report for people. */
  readonly lead?: string;
  /** Behind the members that every edit has. */
  readonly json?: { readonly [key: string]: Json };
}

/**
 * Ends a plan as the command line asks. `files` are what the result depends on besides the image, for the dependency
 * file. Exit 1: `--check` found work to do. Errors: those of writePatch.
 */
export async function applyPlan(
  command: string,
  plan: PatchPlan,
  args: ResultArgs,
  input: OpenInput,
  files: readonly string[],
  extra: Extra = {},
): Promise<ExitStatus> {
  const warn = (warning: string) => writeErr(`xen-elfpatch: warning: ${plan.image.source.name}: ${warning}\n`);
  for (const warning of plan.warnings) warn(warning);
  if (changes(plan)) await warnOfLostLoaders(plan);
  const report = (outcome: Outcome) => {
    if (args.json) writeOut(jsonDocument(command, { ...patchJson(plan, outcome), ...extra.json }));
    else {
      // With the image on standard output the report has to go elsewhere.
      const write = args.output === '-' ? writeErr : writeOut;
      const style = styleOf(args.output !== '-' && wantsColor(args.color));
      write(`${extra.lead ?? ''}${patchText(plan, outcome, style, detailOf(args))}`);
    }
  };
  if (args.check || args.dryRun) {
    report({ kind: args.check ? 'checked' : 'planned' });
    return args.check && changes(plan) ? 1 : 0;
  }
  const depfile = prepareDepfile(args, files);
  let outcome: Extract<Outcome, { kind: 'written' }>;
  try {
    outcome = await write(plan, args, input);
  } catch (error) {
    depfile?.discard();
    throw error;
  }
  depfile?.keep();
  for (const warning of outcome.written.warnings ?? []) warn(warning);
  report(outcome);
  return 0;
}

/** Says which loaders would start the image as it is, and not as it will be. Reads headers and notes only. */
async function warnOfLostLoaders({ image, rendered }: PatchPlan): Promise<void> {
  const { lostLoaders } = await import('../loaders/loaders.js');
  for (const lost of lostLoaders(image.source, preview(image, rendered))) writeErr(lossText(image.source.name, lost));
}

/** The warning that an edit loses a loader. */
export function lossText(file: string, { before: { loader }, after }: Lost): string {
  const says = `${after.message ?? after.outcome}${after.reason === undefined ? '' : ` (${after.reason})`}`;
  const more = `xen-elfpatch verify --for ${loader} tells more`;
  return `xen-elfpatch: warning: ${file}: ${loader} took it so far, and will not any more: ${says}; ${more}\n`;
}

async function write(
  plan: PatchPlan,
  args: ResultArgs,
  input: OpenInput,
): Promise<Extract<Outcome, { kind: 'written' }>> {
  const output = args.inPlace ? undefined : args.output;
  if (output === '-') {
    const { writeToStdout } = await import('./stdout-image.js');
    return {
      kind: 'written',
      written: await writeToStdout((path) => writePatch(plan, { inputPath: input.path, output: path })),
      output: '-',
    };
  }
  const copying = startProgress('copying');
  const comparing = startProgress('comparing');
  try {
    if (args.ifChanged && output !== undefined && sameAsPlanned(plan, output)) {
      return {
        kind: 'written',
        written: { how: 'unchanged', secondReader: { verdict: 'agrees', details: [] } },
        output,
      };
    }
    const written = await writePatch(plan, {
      inputPath: input.path,
      output,
      onProgress: (stage, done, total) => (stage === 'copying' ? copying : comparing).report(done, total),
    });
    return { kind: 'written', written, output: output ?? args.image };
  } finally {
    copying.end();
    comparing.end();
  }
}
