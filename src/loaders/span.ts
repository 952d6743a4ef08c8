/**
 * From which release to which a verdict holds: the same image is judged by the first and the newest release of every branch,
 * and by those between where they differ.
 */
import type { ByteSource } from '../base/bytes/source.js';
import { type JudgeOptions, judgeLoaders } from './loaders.js';
import { loaderRow } from './names.js';
import { accepts, type Verdict } from './rule.js';
import { branchEnds, PRODUCT_TITLES, releasesBetween } from './versions.js';

/**
 * In words: `Xen 4.11.0 to 4.20.3, 4.21.0 to 4.21.1`, the releases whose yes or no is that of the verdict; undefined where it is
 * that of all that are known. Errors: those of reading the file.
 */
export function spanOf(
  source: ByteSource,
  verdict: Verdict,
  { wrapped, memory }: Pick<JudgeOptions, 'wrapped' | 'memory'> = {},
): string | undefined {
  const product = loaderRow(verdict.loader)?.product ?? 'xen';
  const yes = accepts(verdict);
  const isSame = (release: string): boolean => {
    const [other] = judgeLoaders(source, { names: [`${verdict.loader}@${release}`], wrapped, memory });
    return other !== undefined && accepts(other) === yes;
  };
  const told: { readonly from: string; to: string; readonly same: boolean }[] = [];
  const add = (from: string, to: string, same: boolean) => {
    const last = told.at(-1);
    if (last?.same === same) last.to = to;
    else told.push({ from, to, same });
  };
  for (const [first, newest] of branchEnds(product)) {
    const [start, end] = [isSame(first), first === newest ? undefined : isSame(newest)];
    if (end === undefined || start === end) add(first, newest, start);
    else for (const release of releasesBetween(first, newest)) add(release, release, isSame(release));
  }
  if (told.every(({ same }) => same)) return undefined;
  const spans = told.filter(({ same }) => same).map(({ from, to }) => (from === to ? from : `${from} to ${to}`));
  return `${PRODUCT_TITLES[product]} ${spans.join(', ')}`;
}
