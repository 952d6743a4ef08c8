/**
 * What the releases of a loader's program say of one image, as stretches of releases that say the same: each branch is asked by
 * its first and its newest release, and by those between where these two differ.
 */
import type { ByteSource } from '../base/bytes/source.js';
import { type JudgeOptions, judgeLoaders } from './loaders.js';
import { loaderRow } from './names.js';
import type { Verdict } from './rule.js';
import { branchEnds, type Product, releasesBetween } from './versions.js';

/** Releases, oldest first, that answer the same. */
export interface Stretch<Answer> {
  readonly from: string;
  readonly to: string;
  readonly answer: Answer;
}

/** The stretches of a program's releases, oldest first; `isSame` decides whether two answers are one. */
export function stretches<Answer>(
  product: Product,
  ask: (release: string) => Answer,
  isSame: (a: Answer, b: Answer) => boolean,
): readonly Stretch<Answer>[] {
  const told: { readonly from: string; to: string; answer: Answer }[] = [];
  const add = (from: string, to: string, answer: Answer) => {
    const last = told.at(-1);
    if (last !== undefined && isSame(last.answer, answer)) Object.assign(last, { to, answer });
    else told.push({ from, to, answer });
  };
  for (const [first, newest] of branchEnds(product)) {
    const start = ask(first);
    const end = first === newest ? start : ask(newest);
    if (isSame(start, end)) add(first, newest, end);
    else for (const release of releasesBetween(first, newest)) add(release, release, ask(release));
  }
  return told;
}

/** A stretch in words: `4.11.0 to 4.20.3`. */
export function stretchText({ from, to }: Stretch<unknown>): string {
  return from === to ? from : `${from} to ${to}`;
}

/**
 * The verdicts of every release on an image; those of a stretch have outcome, message and reason in common, and the newest of
 * them stands for it. Errors: those of reading the file.
 */
export function verdictsByRelease(
  source: ByteSource,
  loader: string,
  { wrapped, memory }: Pick<JudgeOptions, 'wrapped' | 'memory'> = {},
): readonly Stretch<Verdict>[] {
  const words = ({ outcome, message, reason, warnings }: Verdict) =>
    JSON.stringify([outcome, message, reason, warnings.map(({ text }) => text)]);
  const ask = (release: string): Verdict => {
    const [verdict] = judgeLoaders(source, { names: [`${loader}@${release}`], wrapped, memory });
    if (verdict === undefined) throw new TypeError(`${loader} gave no verdict`);
    return verdict;
  };
  return stretches(loaderRow(loader)?.product ?? 'xen', ask, (a, b) => words(a) === words(b));
}
