/**
 * From which release to which a verdict holds: the same image is judged by the first and the newest release of every branch,
 * and by those between where they differ.
 */
import type { ByteSource } from '../base/bytes/source.js';
import { type JudgeOptions, judgeLoaders } from './loaders.js';
import { loaderRow } from './names.js';
import { stretches, stretchText } from './releases.js';
import { accepts, type Verdict } from './rule.js';
import { PRODUCT_TITLES } from './versions.js';

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
  const told = stretches(product, isSame, (a, b) => a === b);
  if (told.every(({ answer }) => answer)) return undefined;
  const spans = told.filter(({ answer }) => answer).map(stretchText);
  return `${PRODUCT_TITLES[product]} ${spans.join(', ')}`;
}
