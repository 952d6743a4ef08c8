/** A plan for an ELF inside a container as work to finish: what apply.ts does for a bare ELF. */

import {
  type ContainerOptions,
  type ContainerPlan,
  containerChanges,
  containerPreview,
  factsAfter,
  planContainer,
  writeContainer,
} from '../edit/container/pipeline.js';
import { changes, type PatchPlan, UNTOUCHED, type Written } from '../edit/elf/pipeline.js';
import { preview } from '../edit/elf/render.js';
import { containerText } from '../formats/container/facts.js';
import { type OpenedContainer, openContainer } from '../formats/container/open.js';
import { containerPatchJson, containerPatchText } from '../report/container-report.js';
import { detailOf, type Extra, lostText } from './apply.js';
import type { ExitStatus } from './command.js';
import { finish, type ResultArgs } from './finish.js';
import type { OpenInput } from './input.js';
import { startSteps } from './progress.js';
import type { PayloadArgs } from './result-options.js';

/** Opens a file that is no ELF. Errors: those of openContainer. */
export async function openWrapped({ source }: OpenInput, limit: bigint | undefined): Promise<OpenedContainer> {
  const { steps, end } = startSteps();
  try {
    const opened = await openContainer(source, { onProgress: steps('unpacking'), limit });
    if (opened.kind === 'elf') throw new TypeError('a container was expected, found an ELF');
    return opened;
  } finally {
    end();
  }
}

/** What the options of a command line say about the container of a kernel. */
export function containerOptions({ payload, compressor, stripSignature, keepTail }: PayloadArgs): ContainerOptions {
  return { way: payload, compressor, stripSignature, keepTail };
}

/**
 * Ends a plan as the command line asks; `elf` is undefined where the payload itself stays. `files` are what the result
 * depends on besides the image. Exit 1: `--check` found work to do. Errors: those of planContainer and writeContainer.
 */
export async function applyContainer(
  command: string,
  opened: OpenedContainer,
  elf: PatchPlan | undefined,
  args: ResultArgs & PayloadArgs,
  input: OpenInput,
  files: readonly string[],
  extra: Extra = {},
): Promise<ExitStatus> {
  const plan = await planned(opened, elf, args, input);
  return finish<Written>(
    {
      command,
      file: input.source.name,
      warnings: [...plan.warnings, ...(await lostLoadersOf(plan, args))],
      changes: containerChanges(plan),
      files,
      result: { planned: () => containerPreview(plan), there: UNTOUCHED },
      write: (output, steps) => writeContainer(plan, { inputPath: input.path, output, steps }),
      text: (outcome, style) => `${extra.lead ?? ''}${containerPatchText(plan, outcome, style, detailOf(args))}`,
      json: (outcome) => ({ ...containerPatchJson(plan, outcome), ...extra.json }),
    },
    args,
  );
}

async function planned(
  opened: OpenedContainer,
  elf: PatchPlan | undefined,
  args: PayloadArgs,
  { source }: OpenInput,
): Promise<ContainerPlan> {
  const { steps, end } = startSteps();
  try {
    return await planContainer(source, opened, elf, containerOptions(args), steps);
  } finally {
    end();
  }
}

/** Which loaders would start the file as it is, and not as it will be. */
async function lostLoadersOf({ opened, elf, source }: ContainerPlan, args: PayloadArgs): Promise<string[]> {
  if (elf === undefined || !changes(elf)) return [];
  const { lostLoaders } = await import('../loaders/loaders.js');
  const facts = factsAfter(opened, containerOptions(args));
  return lostLoaders(opened.elf, preview(elf.image, elf.rendered), {
    before: { facts: opened.facts, outer: source },
    after: facts === undefined ? undefined : { facts, outer: source },
  }).map(lostText);
}

/** For reports that show a kernel without editing it. */
export function lookedThrough(opened: OpenedContainer): string {
  return `looked through: ${containerText(opened.facts)}\n`;
}
