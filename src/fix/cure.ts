/**
 * The edit that a verdict names, tried before anybody is sent to make it. A loader's rule knows what it looks for; whether
 * this image can be brought there only the plan of the result can tell.
 */
import type { ByteSource } from '../bytes/source.js';
import { PatchError } from '../errors/patch-error.js';
import { accepts, type Verdict } from '../loaders/rule.js';
import { NEWEST_XEN, type XenVersion } from '../loaders/xen-version.js';
import { adviceFor, guessesEntry, imageWord, isAboutContainer, outcomeOf } from './advice.js';
import { type Fix, findFix } from './fix.js';

/** A verdict whose cure was tried on the image: it works, or it is not there. */
export interface ProvedVerdict extends Verdict {
  /** What is in the way, or what only its builder can tell, where no edit is known that mends the image. */
  readonly advice?: string | undefined;
}

/**
 * The verdict with a cure that was seen to work: the one it came with, else what `fix` finds, else none and the reason.
 * Warnings keep theirs only where they go away by it. `container`: the file that the image came out of.
 * Writes nothing.
 */
export function proveCure(
  source: ByteSource,
  verdict: Verdict,
  {
    xenVersion = NEWEST_XEN,
    container,
  }: { readonly xenVersion?: XenVersion; readonly container?: string | undefined } = {},
): ProvedVerdict {
  // What is in the way of the container itself is not in the image that came out of it.
  if (isAboutContainer(verdict.cure)) return verdict;
  if (accepts(verdict)) {
    const warnings = verdict.warnings.map((warning) => {
      if (warning.cure === undefined || isAboutContainer(warning.cure)) return warning;
      const after = outcomeOf(source, warning.cure, verdict.loader, xenVersion);
      const gone = after.verdict !== undefined && accepts(after.verdict) && !hasWarning(after.verdict, warning.rule);
      return gone ? warning : { ...warning, cure: undefined };
    });
    return { ...verdict, warnings };
  }
  // What a preset takes for an entry may be any start symbol; fix takes only what is made to be one.
  const tried = verdict.cure === undefined || guessesEntry(verdict) ? undefined : verdict.cure;
  const named = tried === undefined ? undefined : outcomeOf(source, tried, verdict.loader, xenVersion);
  if (named?.verdict !== undefined && accepts(named.verdict)) {
    return container === undefined ? verdict : { ...verdict, cure: forContainer(verdict.cure ?? '', container) };
  }
  const found = fixFor(source, verdict.loader, xenVersion);
  const command =
    'steps' in found && found.cured ? commandOf(source, verdict.loader, found, { xenVersion, container }) : undefined;
  if (command !== undefined) return { ...verdict, cure: command };
  const error = named?.error ?? ('error' in found ? found.error : undefined);
  return { ...verdict, cure: undefined, advice: adviceFor(source, verdict, error) };
}

function hasWarning({ warnings }: Verdict, rule: string): boolean {
  return warnings.some((warning) => warning.rule === rule);
}

function fixFor(source: ByteSource, loader: string, xenVersion: XenVersion): Fix | { readonly error: PatchError } {
  try {
    return findFix(source, [loader], undefined, { xenVersion });
  } catch (error) {
    if (error instanceof PatchError) return { error };
    throw error;
  }
}

/** The same edits, for the file that wraps the image. */
function forContainer(cure: string, container: string): string {
  const words = cure.split(' ');
  const name = imageWord(container);
  return `xen-elfpatch patch ${name} ${words.slice(3, words.indexOf('-o')).join(' ')} -o ${name}.xen`;
}

/** The edits of a fix as a command line of `patch` where they have one, else as one of `fix`. */
function commandOf(
  source: ByteSource,
  loader: string,
  { steps }: Fix,
  { xenVersion, container }: { readonly xenVersion: XenVersion; readonly container: string | undefined },
): string {
  const name = imageWord(container ?? source.name);
  const words = steps.flatMap((step) => step.words);
  if (steps.every((step) => step.words[0]?.startsWith('--'))) {
    return `xen-elfpatch patch ${name} ${words.join(' ')} -o ${name}.xen`;
  }
  const release = xenVersion === NEWEST_XEN ? '' : ` --xen-version ${xenVersion}`;
  return `xen-elfpatch fix ${name} --for ${loader}${release} -o ${name}.xen`;
}
