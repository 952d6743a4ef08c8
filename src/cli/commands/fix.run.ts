/** `fix`: diagnosis, edit, and where it is asked for, the result. */

import { fail } from '../../base/errors/patch-error.js';
import { changes, type PatchPlan, planUnchanged } from '../../edit/elf/pipeline.js';
import { DEFAULT_PLACEMENT } from '../../edit/elf/plan/placement-options.js';
import { type FoundFix, findFix } from '../../edit/fix/fix.js';
import { looksLikeElf } from '../../formats/elf/read.js';
import { fixCommand } from '../../formats/note/fix-command.js';
import { NEWEST_XEN } from '../../loaders/xen-version.js';
import { fixJson, fixText } from '../../report/fix-report.js';
import { jsonDocument } from '../../report/json.js';
import { styleOf } from '../../report/text.js';
import { applyPlan, type Extra, imageOf, withWarnings } from '../apply.js';
import type { ExitStatus } from '../command.js';
import { isNamedAgain, type OpenInput, openInput } from '../input.js';
import { wantsColor, writeErr, writeOut } from '../output.js';
import { refusePayload } from '../result-options.js';
import { tell } from '../told.js';
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
    const found = findFix(source, args.loaders, options, { xenVersion: args.xenVersion, memory: args.memory });
    return settle(args, found, input.source.name, (plan, extra) =>
      applyPlan('fix', withWarnings(plan, warnings), args, input, [], extra),
    );
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
  });
  // A signature is taken off by --strip-signature alone; everything else is done as it was found.
  const { payload = args.payload, compressor = args.compressor } = found.fix.wrapper ?? {};
  const wrapping = { ...args, payload, compressor };
  return settle(args, found, input.source.name, (plan, extra) =>
    applyContainer('fix', opened, plan, wrapping, input, [], extra),
  );
}

/** The line that makes what was found; undefined where the file has no name for one, or other options had a part in it. */
function commandFor(args: FixArgs, { cured, fix: found }: FoundFix): string | undefined {
  const { loaded, mustSurvive, kind, payload, compressor, stripSignature, keepTail, memory } = args;
  const wishes = [loaded, kind, payload, compressor, memory].some((wish) => wish !== undefined);
  if (!cured || wishes || stripSignature || keepTail || mustSurvive.length > 0 || !isNamedAgain(args.image))
    return undefined;
  const xenVersion = args.xenVersion === NEWEST_XEN ? undefined : args.xenVersion;
  return fixCommand(found, { file: args.image, loaders: args.loaders, xenVersion });
}

type Apply = (plan: PatchPlan, extra: Extra) => Promise<ExitStatus>;

async function settle(args: FixArgs, found: FoundFix, file: string, apply: Apply): Promise<ExitStatus> {
  const text = (command?: string) =>
    fixText(found, styleOf(args.output !== '-' && wantsColor(args.color)), file, command);
  const [warned] = args.strict ? found.diagnoses.filter(({ after }) => after.outcome === 'with-warnings') : [];
  const writes = (args.output !== undefined || args.inPlace) && !args.check && !args.dryRun;
  if (!found.cured && writes) {
    writeErr(text());
    const loaders = found.diagnoses.map(({ loader }) => loader).join(', ');
    fail('fix.no-cure', { file: args.image }, { loaders, why: found.failed.at(-1) ?? '' });
  }
  if (warned !== undefined && writes) {
    writeErr(text());
    const { loader, after } = warned;
    fail('write.warned', { file: args.image }, { count: 1, first: `${loader}: ${after.warnings[0]?.text ?? ''}` });
  }
  const plan = found.plan;
  const needed = plan !== undefined && (changes(plan) || found.fix.wrapper !== undefined);
  if (plan !== undefined && (writes || args.dryRun)) {
    const status = await apply(plan, { lead: text(), json: fixJson(found, args.loaders) });
    return status === 0 && warned !== undefined ? 1 : status;
  }
  if (writes) {
    // Nothing to mend; the output still has to be the image.
    return apply(planUnchanged(found.image), { lead: text(), json: fixJson(found, args.loaders) });
  }
  tell({ word: !found.cured ? 'no fix' : needed ? 'would change' : 'nothing to do' });
  if (args.json) writeOut(jsonDocument('fix', { file: args.image, changed: needed, ...fixJson(found, args.loaders) }));
  else writeOut(text(needed ? commandFor(args, found) : undefined));
  if (!found.cured || warned !== undefined) return 1;
  return args.check && needed ? 1 : 0;
}
