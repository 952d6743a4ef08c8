/** The end of `fix`, whatever the image is: what was found is told, and written where that was asked for. */
import { fail } from '../base/errors/patch-error.js';
import type { Fix } from '../formats/note/fix.js';
import { fixCommand } from '../formats/note/fix-command.js';
import type { AskedOptions } from '../formats/note/line-options.js';
import { NEWEST_XEN } from '../loaders/xen-version.js';
import { type FixEnd, type FixFacts, fixJson, fixText } from '../report/fix-report.js';
import { type Json, jsonDocument } from '../report/json.js';
import { styleOf } from '../report/text.js';
import type { ExitStatus } from './command.js';
import type { FixArgs } from './commands/fix.js';
import { isNamedAgain } from './input.js';
import { wantsColor, writeErr, writeOut } from './output.js';
import { tell } from './told.js';

/** What is told of the diagnosis in front of the report of a plan, and behind its members. */
export interface FixTold {
  readonly lead: string;
  readonly json: { readonly [key: string]: Json };
}

/** What was found, as something to be done. */
export interface FixWork {
  /** The name of the file that was read, for people: of what is in a wrapper, the wrapper's. */
  readonly name: string;
  /** Undefined: no edit was found. */
  readonly fix: Fix | undefined;
  /** Would it change the file? */
  readonly needed: boolean;
  /** Is there a plan to be shown? */
  readonly planned: boolean;
  /** What the plan warns of, which no loader tells. */
  readonly warnings: readonly string[];
  /** Shows the plan or writes the result; without a plan the image as it is. */
  apply(told: FixTold): Promise<ExitStatus>;
}

/** What a printed command says again of the line that was typed. Where it goes is not part of it: it goes beside the image. */
export function lineOf(args: FixArgs): AskedOptions {
  const { xenVersion, memory, limit, loaded, mustSurvive, kind, payload, compressor, stripSignature, keepTail } = args;
  return {
    xenVersion: xenVersion === NEWEST_XEN ? undefined : xenVersion,
    memory,
    limit,
    loaded,
    mustSurvive,
    kind,
    payload,
    compressor,
    stripSignature,
    keepTail,
    strict: args.strict,
  };
}

/** The line that makes what was found, by what was asked; undefined where the file has no name for one. */
function commandFor(args: FixArgs, { fix }: FixWork): string | undefined {
  if (fix === undefined || !isNamedAgain(args.image)) return undefined;
  return fixCommand(fix, { ...lineOf(args), file: args.image, loaders: args.loaders });
}

/** A line that --strict would refuse is not shown, but what it would be refused for. */
function endOf(args: FixArgs, work: FixWork, warned: string | undefined): FixEnd {
  const [warning] = args.strict ? [...(warned === undefined ? [] : [warned]), ...work.warnings] : [];
  return warning === undefined ? { command: commandFor(args, work) } : { warning };
}

/**
 * Exit 1: not every loader takes the result, `--check` found something to fix, or a warning is left and `--strict` was given.
 * Errors: `fix.no-cure`, `write.warned`, and those of the work.
 */
export async function settleFix(args: FixArgs, found: FixFacts, work: FixWork): Promise<ExitStatus> {
  const text = (end: FixEnd = {}) =>
    fixText(found, styleOf(args.output !== '-' && wantsColor(args.color)), work.name, end);
  const told = (): FixTold => ({ lead: text(), json: fixJson(found, args.loaders) });
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
  if (work.planned && (writes || args.dryRun)) {
    const status = await work.apply(told());
    return status === 0 && warned !== undefined ? 1 : status;
  }
  // Nothing to fix; the output still has to be the image.
  if (writes) return work.apply(told());
  tell({ word: !found.cured ? 'no fix' : work.needed ? 'would change' : 'nothing to do' });
  if (args.json) {
    const changed = work.needed;
    writeOut(jsonDocument('fix', { file: args.image, changed, ...fixJson(found, args.loaders) }));
  } else writeOut(text(work.needed && found.cured ? endOf(args, work, warned?.after.warnings[0]?.text) : {}));
  if (!found.cured || warned !== undefined) return 1;
  return args.check && work.needed ? 1 : 0;
}
