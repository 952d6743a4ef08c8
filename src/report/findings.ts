/** Findings of any verifier and how many checks were made, as lines for people and as members of documents. */
import { placePrefix } from '../base/errors/patch-error.js';
import { printable } from '../base/printable.js';
import type { Check, Finding, Level } from '../verify/check.js';
import type { Json } from './json.js';
import { counted, type Style } from './text.js';

/** What a verifier was asked: its table, whether there was a baseline, and what it found. */
export interface Judged {
  readonly checks: readonly Check[];
  readonly baseline: string | undefined;
  readonly findings: readonly Finding[];
}

/** Does every check hold? Warnings and advice are no fault. */
export function holds(findings: readonly Finding[]): boolean {
  return countOf(findings, 'error') === 0;
}

/** How many findings have this level. */
export function countOf(findings: readonly Finding[], wanted: Level): number {
  return findings.filter(({ level }) => level === wanted).length;
}

/** How many checks were made: all that do not need what was not given. Advice is not counted, nothing fails by it. */
export function checksMade({ checks, baseline }: Omit<Judged, 'findings'>): number {
  const missing: readonly Check['needs'][] = baseline === undefined ? ['baseline', 'expectation'] : ['expectation'];
  return checks.filter(({ needs, level }) => level !== 'advice' && !missing.includes(needs)).length;
}

/** How many checks were made and what came of them, `24 checks, 1 error, 3 warnings`. */
export function countsText(judged: Judged): string {
  const told = (['error', 'warning'] as const).map((level) => ({ level, count: countOf(judged.findings, level) }));
  const found = told.filter(({ count }) => count > 0).map(({ level, count }) => counted(count, level));
  return [counted(checksMade(judged), 'check'), ...found].join(', ');
}

/**
 * The findings, in their order. Without reasons a line each that ends with the check's name; with reasons the name stands
 * first and the reason below it, and advice, which is about the whole file, takes one line and no offset.
 */
export function findingsText(findings: readonly Finding[], style: Style, reasons: boolean): string {
  const line = reasons ? reasonedText : plainText;
  return findings.map((finding) => line(finding, style)).join('');
}

function plainText({ check, level, place: { offset, part }, text }: Finding, style: Style): string {
  const paint = level === 'error' ? style.bad : style.warn;
  const where = printable(placePrefix({ offset, part }));
  return `  ${paint(level)}: ${where}${printable(text)} ${style.dim(`[${check}]`)}\n`;
}

function reasonedText({ check, level, because, place: { offset, part }, text }: Finding, style: Style): string {
  if (level === 'advice') {
    return `  ${style.warn(level)}: ${printable(placePrefix({ part }))}${printable(text)}; ${because}\n`;
  }
  const where = printable(placePrefix({ offset, part }));
  return `  ${style.bad(check)}: ${where}${printable(text)}\n    ${style.dim(because)}\n`;
}

/**
 * The findings of a document. `verify` names the file of each, which may be the image inside a container, and leaves out
 * a place that is not known; `linearize` and `stamp` are about one file and have null there.
 */
export function findingsJson(
  findings: readonly Finding[],
  document: 'verify' | 'linearize' | 'stamp',
): readonly Json[] {
  const unknown = document === 'verify' ? undefined : null;
  return findings.map(({ check, level, because, place, text }) => {
    const { offset = unknown, part = unknown } = place;
    const file = document === 'verify' ? { file: place.file } : {};
    return { check, level, ...file, offset, part, text, because };
  });
}

/** The `structure` member of a `xen-elfpatch/verify/1` document. */
export function structureJson(judged: Judged): Json {
  const { findings } = judged;
  return {
    checks: checksMade(judged),
    errors: countOf(findings, 'error'),
    warnings: countOf(findings, 'warning'),
    findings: findingsJson(findings, 'verify'),
  };
}
