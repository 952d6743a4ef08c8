/** `fix`: diagnosis, edit, and where it is asked for, the result. */

import { changes, type PatchPlan, planUnchanged } from '../../edit/elf/pipeline.js';
import { DEFAULT_PLACEMENT } from '../../edit/elf/plan/placement-options.js';
import { type FoundFix, findFix } from '../../edit/fix/fix.js';
import { looksLikeElf } from '../../formats/elf/read.js';
import { isPlainPe } from '../../formats/pe/kind.js';
import { applyPlan, type Extra, imageOf, withWarnings } from '../apply.js';
import type { ExitStatus } from '../command.js';
import { type OpenInput, openInput } from '../input.js';
import { refusePayload } from '../result-options.js';
import { lineOf, settleFix } from '../settle-fix.js';
import type { FixArgs } from './fix.js';

/** Runs the command. Exit 1: no cure is known, or `--check` found something to mend. */
export async function runFix(args: FixArgs): Promise<ExitStatus> {
  const input = openInput(args.image);
  try {
    return await fix(args, input);
  } finally {
    input.close();
  }
}

function withoutItsSignature({ image: { source }, warnings }: ReturnType<typeof imageOf>) {
  return { source, warnings };
}

async function fix(args: FixArgs, input: OpenInput): Promise<ExitStatus> {
  const options = { ...DEFAULT_PLACEMENT, loaded: args.loaded, mustSurvive: args.mustSurvive, kind: args.kind };
  if (looksLikeElf(input.source)) {
    refusePayload(args, input.source.name);
    // A header that fix itself repairs must not stop it here.
    const { source, warnings } = args.stripSignature
      ? withoutItsSignature(imageOf(input.source, args))
      : { source: input.source, warnings: [] };
    const { xenVersion, memory } = args;
    const found = findFix(source, args.loaders, options, { xenVersion, memory, line: lineOf(args) });
    return settle(args, found, input.source.name, warnings, (plan, extra) =>
      applyPlan('fix', withWarnings(plan, warnings), args, input, [], extra),
    );
  }
  if (isPlainPe(input.source)) {
    const { fixPe } = await import('../fix-pe.js');
    return fixPe(args, input);
  }
  // What a file that is no ELF wraps is loaded, with all that unpacks it, only now.
  const { applyContainer, containerOptions, openWrapped } = await import('../apply-container.js');
  const { wayOf, waysFor } = await import('../../edit/fix/ways.js');
  const opened = await openWrapped(input, args.limit);
  const wrapped = { facts: opened.facts, outer: input.source };
  // A way that was asked for is the only one; and without a loader to please, the file stays what it is.
  const ways =
    args.payload === undefined && !args.stripSignature
      ? waysFor(opened, input.source).filter(({ alone }) => !alone || (args.loaders.length > 0 && !args.inPlace))
      : [wayOf(containerOptions(args), wrapped, opened.elf)];
  const found = findFix(opened.elf, args.loaders, options, {
    xenVersion: args.xenVersion,
    memory: args.memory,
    before: wrapped,
    ways,
    line: lineOf(args),
  });
  // A signature is taken off by --strip-signature alone; everything else is done as it was found.
  const { payload = args.payload, compressor = args.compressor } = found.fix.wrapper ?? {};
  const wrapping = { ...args, payload, compressor };
  return settle(args, found, input.source.name, opened.facts.warnings, (plan, extra) =>
    applyContainer('fix', opened, plan, wrapping, input, [], extra),
  );
}

type Apply = (plan: PatchPlan, extra: Extra) => Promise<ExitStatus>;

/** `warnings`: those of the file around the image. */
function settle(
  args: FixArgs,
  found: FoundFix,
  name: string,
  warnings: readonly string[],
  apply: Apply,
): Promise<ExitStatus> {
  const { plan, fix: edit, image } = found;
  return settleFix(args, found, {
    name,
    fix: edit,
    needed: plan !== undefined && (changes(plan) || edit.wrapper !== undefined),
    planned: plan !== undefined,
    warnings: [...warnings, ...(plan?.warnings ?? [])],
    apply: (told) => apply(plan ?? planUnchanged(image), told),
  });
}
