/** `patch` on a bzImage or a gzip file: the ELF inside is planned like any other, and the file put together around it. */

import { openContainer } from '../../container/open.js';
import {
  type ContainerPlan,
  type ContainerWish,
  containerChanges,
  planContainer,
  planInside,
  writeContainer,
} from '../../container-pipeline.js';
import { fail } from '../../errors/patch-error.js';
import { changes } from '../../pipeline.js';
import type { Edit, PlacementWish } from '../../plan/edits.js';
import { type ContainerOutcome, containerPatchJson, containerPatchText } from '../../report/container-report.js';
import { jsonDocument } from '../../report/json.js';
import { styleOf } from '../../report/text.js';
import { detailOf } from '../apply.js';
import type { ExitStatus } from '../command.js';
import type { OpenInput } from '../input.js';
import { wantsColor, writeErr, writeOut } from '../output.js';
import type { PatchArgs } from './patch.js';

/** The exit status, and the file that was written if one was. */
export interface Patched {
  readonly status: ExitStatus;
  readonly output: string | undefined;
}

/** Errors: those of openContainer, planContainer and writeContainer. */
export async function patchContainer(
  args: PatchArgs,
  { source, path }: OpenInput,
  edits: readonly Edit[],
  placement: PlacementWish,
): Promise<Patched> {
  const opened = await openContainer(source);
  if (opened.kind === 'elf') throw new TypeError('patchContainer was given an ELF');
  const noEdits = args.payload === 'detach' || args.payload === 'extract' || args.stripSignature;
  if (edits.length === 0 && !noEdits) fail('plan.no-edit', { file: args.image }, {});
  const elf = args.payload === 'detach' ? undefined : planInside(opened, edits, placement);
  const wish: ContainerWish = {
    way: args.payload,
    stripSignature: args.stripSignature,
    compressor: args.compressor,
    keepTail: args.keepTail,
  };
  const plan = await planContainer(source, opened, elf, wish);
  for (const warning of plan.warnings) writeErr(`xen-elfpatch: warning: ${source.name}: ${warning}\n`);
  if (args.check || args.dryRun) {
    report(args, plan, { kind: args.check ? 'checked' : 'planned' });
    const work = containerChanges(plan) || (elf !== undefined && changes(elf));
    return { status: args.check && work ? 1 : 0, output: undefined };
  }
  const output = args.inPlace ? undefined : args.output;
  const written =
    output === '-'
      ? await (await import('../stdout-image.js')).writeToStdout((file) =>
          writeContainer(plan, { inputPath: path, output: file }),
        )
      : await writeContainer(plan, { inputPath: path, output });
  report(args, plan, { kind: 'written', written, output: output ?? args.image });
  return { status: 0, output: output ?? args.image };
}

function report(args: PatchArgs, plan: ContainerPlan, outcome: ContainerOutcome): void {
  if (args.json) {
    writeOut(jsonDocument('patch', containerPatchJson(plan, outcome)));
    return;
  }
  // With the image on standard output the report has to go elsewhere.
  const write = args.output === '-' ? writeErr : writeOut;
  write(containerPatchText(plan, outcome, styleOf(args.output !== '-' && wantsColor(args.color)), detailOf(args)));
}
