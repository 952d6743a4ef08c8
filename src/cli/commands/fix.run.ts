/** `fix`: diagnosis, edit, and where it is asked for, the result. */
import { fail } from '../../errors/patch-error.js';
import { findFix } from '../../fix/fix.js';
import { changes, planUnchanged } from '../../pipeline.js';
import { DEFAULT_WISH } from '../../plan/edits.js';
import { fixJson, fixText } from '../../report/fix-report.js';
import { jsonDocument } from '../../report/json.js';
import { styleOf } from '../../report/text.js';
import { applyPlan } from '../apply.js';
import type { ExitStatus } from '../command.js';
import { type OpenInput, openInput } from '../input.js';
import { wantsColor, writeErr, writeOut } from '../output.js';
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
  const found = findFix(
    input.source,
    args.loaders,
    { ...DEFAULT_WISH, mustSurvive: args.mustSurvive },
    args.xenVersion,
  );
  const text = () => fixText(found, styleOf(args.output !== '-' && wantsColor(args.color)));
  const writes = (args.output !== undefined || args.inPlace) && !args.check && !args.dryRun;
  if (!found.cured && writes) {
    writeErr(text());
    const loaders = found.diagnoses.map(({ loader }) => loader).join(', ');
    fail('fix.no-cure', { file: args.image }, { loaders, why: found.failed.at(-1) ?? '' });
  }
  const plan = found.plan;
  const needed = plan !== undefined && changes(plan);
  if (plan !== undefined && (writes || args.dryRun)) {
    return applyPlan('fix', plan, args, input, [], { lead: text(), json: fixJson(found) });
  }
  if (writes) {
    // Nothing to mend; the output still has to be the image.
    return applyPlan('fix', planUnchanged(found.image), args, input, [], { lead: text(), json: fixJson(found) });
  }
  if (args.json) writeOut(jsonDocument('fix', { file: args.image, changed: needed, ...fixJson(found) }));
  else writeOut(text());
  if (!found.cured) return 1;
  return args.check && needed ? 1 : 0;
}
