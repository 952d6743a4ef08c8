/** From the plan of an ELF inside a container to its end, for every command that edits: what apply.ts does for a bare ELF. */
import { containerText } from '../container/facts.js';
import { type OpenedContainer, openContainer } from '../container/open.js';
import {
  type ContainerPlan,
  type ContainerWish,
  type ContainerWritten,
  containerChanges,
  factsAfter,
  planContainer,
  type Steps,
  sameAsPlannedContainer,
  writeContainer,
} from '../container-pipeline.js';
import { preview } from '../layout/render.js';
import { changes, type PatchPlan } from '../pipeline.js';
import { type ContainerOutcome, containerPatchJson, containerPatchText } from '../report/container-report.js';
import { jsonDocument } from '../report/json.js';
import { styleOf } from '../report/text.js';
import { detailOf, type Extra, lossText, type ResultArgs } from './apply.js';
import type { ExitStatus } from './command.js';
import { prepareDepfile } from './depfile.js';
import type { OpenInput } from './input.js';
import { wantsColor, writeErr, writeOut } from './output.js';
import { startProgress } from './progress.js';
import type { PayloadArgs } from './result-options.js';

/** Opens a file that is no ELF. Errors: those of openContainer. */
export async function openWrapped({ source }: OpenInput): Promise<OpenedContainer> {
  const { steps, end } = startSteps();
  try {
    const opened = await openContainer(source, { onProgress: steps('unpacking') });
    if (opened.kind === 'elf') throw new TypeError('a container was expected, found an ELF');
    return opened;
  } finally {
    end();
  }
}

export function containerWish({ payload, compressor, stripSignature, keepTail }: PayloadArgs): ContainerWish {
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
  const { source } = input;
  const { steps, end } = startSteps();
  let plan: ContainerPlan;
  try {
    plan = await planContainer(source, opened, elf, containerWish(args), steps);
  } finally {
    end();
  }
  const warn = (warning: string) => writeErr(`xen-elfpatch: warning: ${source.name}: ${warning}\n`);
  for (const warning of plan.warnings) warn(warning);
  await warnOfLostLoaders(plan, args, source.name);
  const report = (outcome: ContainerOutcome) => {
    if (args.json) writeOut(jsonDocument(command, { ...containerPatchJson(plan, outcome), ...extra.json }));
    else {
      // With the image on standard output the report has to go elsewhere.
      const write = args.output === '-' ? writeErr : writeOut;
      const style = styleOf(args.output !== '-' && wantsColor(args.color));
      write(`${extra.lead ?? ''}${containerPatchText(plan, outcome, style, detailOf(args))}`);
    }
  };
  if (args.check || args.dryRun) {
    report({ kind: args.check ? 'checked' : 'planned' });
    return args.check && containerChanges(plan) ? 1 : 0;
  }
  const depfile = prepareDepfile(args, files);
  let written: ContainerWritten;
  try {
    written = await write(plan, args, input);
  } catch (error) {
    depfile?.discard();
    throw error;
  }
  depfile?.keep();
  for (const warning of written.warnings ?? []) warn(warning);
  report({ kind: 'written', written, output: args.inPlace ? args.image : (args.output ?? args.image) });
  return 0;
}

async function write(plan: ContainerPlan, args: ResultArgs, { path }: OpenInput): Promise<ContainerWritten> {
  const output = args.inPlace ? undefined : args.output;
  if (output === '-') {
    const { writeToStdout } = await import('./stdout-image.js');
    return await writeToStdout((file) => writeContainer(plan, { inputPath: path, output: file }));
  }
  if (args.ifChanged && output !== undefined && sameAsPlannedContainer(plan, output)) {
    return { how: 'unchanged', secondReader: { verdict: 'agrees', details: [] } };
  }
  const { steps, end } = startSteps();
  try {
    return await writeContainer(plan, { inputPath: path, output, steps });
  } finally {
    end();
  }
}

/** Says which loaders would start the file as it is, and not as it will be. */
async function warnOfLostLoaders(plan: ContainerPlan, args: PayloadArgs, file: string): Promise<void> {
  const { opened, elf, source } = plan;
  if (elf === undefined || !changes(elf)) return;
  const { lostLoaders } = await import('../loaders/loaders.js');
  const facts = factsAfter(opened, containerWish(args));
  const lost = lostLoaders(opened.elf, preview(elf.image, elf.rendered), {
    before: { facts: opened.facts, outer: source },
    after: facts === undefined ? undefined : { facts, outer: source },
  });
  for (const each of lost) writeErr(lossText(file, each));
}

/** A line of progress for each step that takes long. */
function startSteps(): { readonly steps: Steps; end(): void } {
  const started = new Map<string, ReturnType<typeof startProgress>>();
  return {
    steps(step) {
      const progress = started.get(step) ?? startProgress(step);
      started.set(step, progress);
      return progress.report;
    },
    end() {
      for (const progress of started.values()) progress.end();
    },
  };
}

/** For reports that show a kernel without editing it. */
export function lookedThrough(opened: OpenedContainer): string {
  return `looked through: ${containerText(opened.facts)}\n`;
}
