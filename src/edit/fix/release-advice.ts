/** What to do where a release of a loader does not look at what stands in the image, and a later one does. */
import { loaderRow } from '../../loaders/names.js';
import type { Verdict } from '../../loaders/rule.js';
import { newestVersion, PRODUCT_TITLES } from '../../loaders/versions.js';

/** The release to take, by the rule that ended the verdict; undefined where that rule holds in all later ones. */
export function releaseAdvice({ loader, rule, rules }: Verdict): string | undefined {
  const product = loaderRow(loader)?.product;
  const until = /until (\S+)/.exec(rules.find(({ name }) => name === rule)?.holds ?? '')?.[1];
  if (product === undefined || until === undefined) return undefined;
  const later = until === newestVersion(product) ? `built from its branch ${until}` : `${until} or later`;
  return `no edit of notes reaches this release: take ${PRODUCT_TITLES[product]} ${later}`;
}
