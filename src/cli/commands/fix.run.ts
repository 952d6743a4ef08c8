/** `fix`: diagnosis, edit, and where it is asked for, the result. */

import type { ByteSource } from '../../bytes/source.js';
import { looksLikeElf } from '../../elf/read.js';
import { fail } from '../../errors/patch-error.js';
import { type Fix, findFix } from '../../fix/fix.js';
import { changes, planUnchanged } from '../../pipeline.js';
import { DEFAULT_WISH } from '../../plan/edits.js';
import { fixJson, fixText } from '../../report/fix-report.js';
import { jsonDocument } from '../../report/json.js';
import { styleOf } from '../../report/text.js';
import { applyPlan } from '../apply.js';
import type { ExitStatus } from '../command.js';
import { type OpenInput, openImage, openInput } from '../input.js';
import { wantsColor, writeErr, writeOut } from '../output.js';
import type { FixArgs } from './fix.js';

/** Runs the command. Exit 1: no cure is known, or `--check` found something to mend. */
export async function runFix(args: FixArgs): Promise<ExitStatus> {
  const plans = args.dryRun || ((args.output !== undefined || args.inPlace) && !args.check);
  if (!plans) return diagnose(args);
  const input = openInput(args.image);
  try {
    if (!looksLikeElf(input.source)) {
      const what = `fix writes into bare ELF files, and ${input.source.name} is none`;
      const hint = `Without -o it says what is wrong and the edit; patch writes that into a vmlinuz or a gzip file`;
      fail('usage.bad', {}, { what, hint });
    }
    return await fix(args, input);
  } finally {
    input.close();
  }
}

/** Reads only, so that it may look into a vmlinuz or a gzip file, too. */
async function diagnose(args: FixArgs): Promise<ExitStatus> {
  const input = await openImage(args.image);
  try {
    return tell(args, search(args, input.source));
  } finally {
    input.close();
  }
}

function tell(args: FixArgs, found: Fix): ExitStatus {
  const needed = found.plan !== undefined && changes(found.plan);
  if (args.json) writeOut(jsonDocument('fix', { file: args.image, changed: needed, ...fixJson(found) }));
  else writeOut(fixText(found, styleOf(wantsColor(args.color))));
  if (!found.cured) return 1;
  return args.check && needed ? 1 : 0;
}

function search({ loaders, mustSurvive, xenVersion }: FixArgs, source: ByteSource): Fix {
  return findFix(source, loaders, { ...DEFAULT_WISH, mustSurvive }, xenVersion);
}

async function fix(args: FixArgs, input: OpenInput): Promise<ExitStatus> {
  const found = search(args, input.source);
  if (args.dryRun && found.plan === undefined) return tell(args, found);
  const text = () => fixText(found, styleOf(args.output !== '-' && wantsColor(args.color)));
  if (!found.cured && !args.dryRun) {
    writeErr(text());
    const loaders = found.diagnoses.map(({ loader }) => loader).join(', ');
    fail('fix.no-cure', { file: args.image }, { loaders, why: found.failed.at(-1) ?? '' });
  }
  const plan = found.plan;
  if (plan !== undefined) {
    return applyPlan('fix', plan, args, input, [], { lead: text(), json: fixJson(found) });
  }
  // Nothing to mend; the output still has to be the image.
  return applyPlan('fix', planUnchanged(found.image), args, input, [], { lead: text(), json: fixJson(found) });
}
