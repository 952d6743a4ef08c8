/** A plan for an ELF as work to finish, for every command that edits. */

import type { ByteSource } from '../base/bytes/source.js';
import {
  changes,
  type PatchPlan,
  UNTOUCHED,
  type Written,
  withoutSignature,
  writePatch,
} from '../edit/elf/pipeline.js';
import { preview } from '../edit/elf/render.js';
import { readElf } from '../formats/elf/read.js';
import type { Lost } from '../loaders/loaders.js';
import type { Json } from '../report/json.js';
import { type Detail, patchJson, patchText } from '../report/patch-report.js';
import type { ExitStatus } from './command.js';
import { finish, type ResultArgs } from './finish.js';
import type { OpenInput } from './input.js';

export type { ResultArgs } from './finish.js';

/** What the report tells: a dry run shows the plan as a whole, `--verbose` also what stays as it is. */
export function detailOf({ dryRun, verbose }: Pick<ResultArgs, 'dryRun' | 'verbose'>): Detail {
  return { ranges: dryRun || verbose === true, notes: verbose === true };
}

/** The image that a command edits: the file, without an appended signature where that may go. Errors: those of readElf, `plan.signed`. */
export function imageOf(
  source: ByteSource,
  { stripSignature }: { readonly stripSignature: boolean },
): ReturnType<typeof withoutSignature> {
  const image = readElf(source);
  return stripSignature ? withoutSignature(image) : { image, warnings: [] };
}

/** A plan that also warns of what was done before it was made. */
export function withWarnings(plan: PatchPlan, warnings: readonly string[]): PatchPlan {
  return warnings.length === 0 ? plan : { ...plan, warnings: [...warnings, ...plan.warnings] };
}

/** What a command adds to the report of the plan. */
export interface Extra {
  /** In front of the report for people. */
  readonly lead?: string;
  /** Behind the members that every edit has. */
  readonly json?: { readonly [key: string]: Json };
}

/**
 * Ends a plan as the command line asks. `files` are what the result depends on besides the image. Exit 1: `--check` found
 * work to do. Errors: those of writePatch.
 */
export async function applyPlan(
  command: string,
  plan: PatchPlan,
  args: ResultArgs,
  input: OpenInput,
  files: readonly string[],
  extra: Extra = {},
): Promise<ExitStatus> {
  return finish<Written>(
    {
      command,
      file: plan.image.source.name,
      inputPath: input.path,
      warnings: [...plan.warnings, ...(changes(plan) ? await lostLoadersOf(plan) : [])],
      changes: changes(plan),
      files,
      result: { planned: () => preview(plan.image, plan.rendered), there: UNTOUCHED },
      write: (output, steps) =>
        writePatch(plan, {
          inputPath: input.path,
          output,
          strict: args.strict,
          onProgress: (stage, done, total) => steps(stage)(done, total),
        }),
      text: (outcome, style) => `${extra.lead ?? ''}${patchText(plan, outcome, style, detailOf(args))}`,
      json: (outcome) => ({ ...patchJson(plan, outcome), ...extra.json }),
    },
    args,
  );
}

/** Which loaders would start a kernel as it is, and not as it will be. Reads headers and notes only. */
async function lostLoadersOf({ image, kind, rendered }: PatchPlan): Promise<string[]> {
  if (kind === 'program') return [];
  const { lostLoaders } = await import('../loaders/loaders.js');
  return lostLoaders(image.source, preview(image, rendered)).map(lostText);
}

/** The warning that an edit loses a loader. */
export function lostText({ before: { loader }, after }: Lost): string {
  const says = `${after.message ?? after.outcome}${after.reason === undefined ? '' : ` (${after.reason})`}`;
  return `${loader} took it so far, and will not any more: ${says}; verify --for ${loader} tells more`;
}
