/** What a loader's own rule names as its fix, as a candidate among those that the image tells. */

import { PatchError } from '../../base/errors/patch-error.js';
import type { ElfImage } from '../../formats/elf/image.js';
import type { Edit } from '../../formats/note/edits.js';
import type { Fix, ImageFix } from '../../formats/note/fix.js';
import { editArguments } from '../../formats/note/fix-command.js';
import { accepts, type Verdict } from '../../loaders/rule.js';
import { changes, planPatch } from '../elf/pipeline.js';
import type { PlacementOptions } from '../elf/plan/placement-options.js';
import type { Candidate } from './candidates.js';

/** A fix of the image or its wrapper; a PE image is mended by a command of its own. */
export function imageFix(fix: Fix | undefined): ImageFix | undefined {
  return fix?.kind === 'image' ? fix : undefined;
}

/**
 * Does the fix leave it to a preset to find the entry of a PVH kernel? It takes any start symbol there is, and such a symbol
 * says nothing about the mode in which its code wants to be entered.
 */
export function guessesEntry(fix: Fix | undefined): boolean {
  return imageFix(fix)?.edits.some((edit) => edit.kind === 'preset' && edit.name.startsWith('pvh')) === true;
}

/** The edits that verdicts name, each with the loader that would be helped. `known` gives them their reasons. */
export function ruleCandidates(
  image: ElfImage,
  verdicts: readonly Verdict[],
  known: readonly Candidate[],
  options: PlacementOptions,
): { readonly loader: string; readonly candidate: Candidate }[] {
  return verdicts.flatMap((verdict) => {
    const { loader } = verdict;
    const named = accepts(verdict) ? verdict.warnings.map(({ cure }) => cure) : [verdict.cure];
    return named.flatMap((cure) => {
      const { edits = [] } = imageFix(cure) ?? {};
      if (edits.length === 0 || guessesEntry(cure)) return [];
      return [{ loader, candidate: { reason: reasonOf(image, verdict, edits, known, options), edits } }];
    });
  });
}

/** Why each of the edits is needed, as far as a candidate with the same edit says so; else what the loader says. */
function reasonOf(
  image: ElfImage,
  { loader, reason, message, warnings }: Verdict,
  edits: readonly Edit[],
  known: readonly Candidate[],
  options: PlacementOptions,
): string {
  const reasons = edits
    .filter((edit) => isNeeded(image, edit, options))
    .map(
      (edit) => known.find((each) => each.edits.length === 1 && each.edits.some((one) => sameEdit(one, edit)))?.reason,
    );
  const told = reasons.filter((each) => each !== undefined);
  if (told.length > 0 && told.length === reasons.length) return told.join('; ');
  return `${loader} says: ${reason ?? message ?? warnings[0]?.text ?? ''}`;
}

/** Does the edit by itself change the image? */
function isNeeded(image: ElfImage, edit: Edit, options: PlacementOptions): boolean {
  try {
    return changes(planPatch(image, [edit], options));
  } catch (error) {
    if (error instanceof PatchError) return true;
    throw error;
  }
}

/** Edits that are spelled alike are the same. */
export function sameEdit(a: Edit, b: Edit): boolean {
  const [one, other] = [editArguments(a), editArguments(b)];
  return a === b || (one !== undefined && other !== undefined && one.join('\0') === other.join('\0'));
}
