/**
 * What a page may offer where the image does not tell an entry: the preset that its builder could say by hand, seen to make
 * the loader take the result. It claims something of the code, so it is never made unasked.
 */

import { DEFAULT_PLACEMENT } from '../../edit/elf/plan/placement-options.js';
import { type ProvedVerdict, subjectOf } from '../../edit/fix/cure.js';
import { sayable } from '../../edit/fix/entry-advice.js';
import { isOfFamily } from '../../loaders/names.js';
import { accepts } from '../../loaders/rule.js';
import { looksThrough } from '../../loaders/wrapped.js';
import { NEWEST_XEN, type XenVersion } from '../../loaders/xen-version.js';
import type { WebImage } from './open.js';
import type { Offer } from './page-data.js';

/** Under what conditions the loaders were asked. */
interface OfferConditions {
  readonly xenVersion?: XenVersion;
  readonly memory?: bigint | undefined;
}

/** By row of a loader; none for one that takes the image, can be had by `fix`, or goes by no entry of a note. */
export function offersFor(
  { source, opened, wrapped, isPe }: WebImage,
  verdicts: readonly ProvedVerdict[],
  { xenVersion = NEWEST_XEN, memory }: OfferConditions,
): Readonly<Record<string, Offer>> {
  if (isPe) return {};
  const offers = verdicts.flatMap((verdict): (readonly [string, Offer])[] => {
    const { loader, cure } = verdict;
    const byNote = isOfFamily(loader, 'pvh') || isOfFamily(loader, 'pv');
    if (accepts(verdict) || cure !== undefined || !byNote) return [];
    // A loader that unpacks nothing gets the kernel taken out.
    const out = wrapped !== undefined && !looksThrough(loader, wrapped.facts.kind);
    if (opened?.kind === 'stream' && !out) return [];
    const named = { names: [loader], options: DEFAULT_PLACEMENT, xenVersion, memory };
    const subject = subjectOf(opened?.elf ?? source, { ...named, before: out ? undefined : wrapped });
    const preset = subject === undefined ? undefined : sayable(subject, loader);
    return preset === undefined ? [] : [[loader, { preset, way: out ? 'extract' : '' }]];
  });
  return Object.fromEntries(offers);
}
