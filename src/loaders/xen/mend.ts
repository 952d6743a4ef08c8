/** Fixes of an image for Xen that do not take away what else its notes say. */
import type { Edit } from '../../formats/note/edits.js';
import { type FeatureItem, featureItems, featureNames } from '../../formats/note/features.js';
import { editFix, type Fix, setText, unset } from '../../formats/note/fix.js';
import { infoOf } from '../../formats/note/xen-notes.js';
import type { XenParse } from './parse.js';

/** These edits. The first note ends the days of a `__xen_guest` string, so that is turned into notes as well. */
export function mend(parse: XenParse, ...edits: readonly Edit[]): Fix {
  return parse.usesLegacy ? editFix({ kind: 'from-legacy' }, ...edits) : editFix(...edits);
}

/** FEATURES as it is, but each item as `change` says it; undefined drops it. `more` is added. */
export function mendFeatures(
  parse: XenParse,
  change: (item: FeatureItem) => string | undefined,
  ...more: readonly string[]
): Fix {
  const items = featuresOf(parse).flatMap((item) => change(item) ?? []);
  const text = [...new Set([...items, ...more])].filter((item) => item !== '').join('|');
  // An empty note says no more than none.
  return mend(parse, text === '' ? unset('FEATURES') : setText('FEATURES', text));
}

/** An item of FEATURES as the string spells it. */
export function asItIs({ name, required }: FeatureItem): string {
  return required ? `!${name}` : name;
}

/** Writes items of FEATURES as they are, but for one name, which is no longer required (no `!` in front). */
export function notRequired(name: string): (item: FeatureItem) => string {
  return (item) => (item.name === name ? name : asItIs(item));
}

function featuresOf({ notes, usesLegacy, parameters }: XenParse): FeatureItem[] {
  if (!usesLegacy) {
    const { type } = infoOf('FEATURES');
    return notes.notes.flatMap(({ record, reads }) =>
      record.type === type && reads.kind === 'string' ? featureItems(reads.text) : [],
    );
  }
  const required = new Set(featureNames(parameters.required));
  const known = featureNames(parameters.supported).map((name) => (required.has(name) ? `!${name}` : name));
  return featureItems(known.join('|'));
}
