/** `fix`: diagnosis, edit, and where it is asked for, the result. */
import { looksLikeElf } from '../../elf/read.js';
import { fail } from '../../errors/patch-error.js';
import { type Fix, findFix } from '../../fix/fix.js';
import { changes, type PatchPlan, planUnchanged } from '../../pipeline.js';
import { DEFAULT_WISH } from '../../plan/edits.js';
import { fixJson, fixText } from '../../report/fix-report.js';
import { jsonDocument } from '../../report/json.js';
import { styleOf } from '../../report/text.js';
import { applyPlan, type Extra } from '../apply.js';
import type { ExitStatus } from '../command.js';
import { type OpenInput, openInput } from '../input.js';
import { wantsColor, writeErr, writeOut } from '../output.js';
import { refusePayload } from '../result-options.js';
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

async function fix(args: FixArgs, input: OpenInput): Promise<ExitStatus> {
  const wish = { ...DEFAULT_WISH, mustSurvive: args.mustSurvive };
  if (looksLikeElf(input.source)) {
    refusePayload(args, input.source.name);
    const found = findFix(input.source, args.loaders, wish, { xenVersion: args.xenVersion });
    return settle(args, found, input.source.name, (plan, extra) => applyPlan('fix', plan, args, input, [], extra));
  }
  // What a file that is no ELF wraps is loaded, with all that unpacks it, only now.
  const { applyContainer, containerWish, openWrapped } = await import('../apply-container.js');
  const { factsAfter } = await import('../../container-pipeline.js');
  const opened = await openWrapped(input);
  const facts = factsAfter(opened, containerWish(args));
  const found = findFix(opened.elf, args.loaders, wish, {
    xenVersion: args.xenVersion,
    before: { facts: opened.facts, outer: input.source },
    after: facts === undefined ? undefined : { facts, outer: input.source },
  });
  return settle(args, found, input.source.name, (plan, extra) =>
    applyContainer('fix', opened, plan, args, input, [], extra),
  );
}

type Apply = (plan: PatchPlan, extra: Extra) => Promise<ExitStatus>;

async function settle(args: FixArgs, found: Fix, file: string, apply: Apply): Promise<ExitStatus> {
  const text = () => fixText(found, styleOf(args.output !== '-' && wantsColor(args.color)), file);
  const writes = (args.output !== undefined || args.inPlace) && !args.check && !args.dryRun;
  if (!found.cured && writes) {
    writeErr(text());
    const loaders = found.diagnoses.map(({ loader }) => loader).join(', ');
    fail('fix.no-cure', { file: args.image }, { loaders, why: found.failed.at(-1) ?? '' });
  }
  const plan = found.plan;
  const needed = plan !== undefined && changes(plan);
  if (plan !== undefined && (writes || args.dryRun)) {
    return apply(plan, { lead: text(), json: fixJson(found) });
  }
  if (writes) {
    // Nothing to mend; the output still has to be the image.
    return apply(planUnchanged(found.image), { lead: text(), json: fixJson(found) });
  }
  if (args.json) writeOut(jsonDocument('fix', { file: args.image, changed: needed, ...fixJson(found) }));
  else writeOut(text());
  if (!found.cured) return 1;
  return args.check && needed ? 1 : 0;
}
