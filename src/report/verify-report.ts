/** What the verifier found, as text for people and as a `xen-elfpatch/verify/1` document. */
import { type ContainerFacts, containerText } from '../container/facts.js';
import { type PatchError, placePrefix } from '../errors/patch-error.js';
import type { Check } from '../verify/check.js';
import { CHECKS } from '../verify/checks.js';
import type { Finding } from '../verify/finding.js';
import type { SecondOpinion } from '../verify/second-reader.js';
import { containerJson } from './container-json.js';
import { type Json, jsonDocument } from './json.js';
import { asWanted, type LoaderFacts, loaderJson, loaderText } from './loader-report.js';
import { counted, printable, type Style } from './text.js';

export interface VerifyFacts {
  readonly file: string;
  /** What the image was unpacked from. */
  readonly container?: ContainerFacts | undefined;
  /** The image before the edit, where one was given. */
  readonly baseline: string | undefined;
  readonly findings: readonly Finding[];
  readonly secondReader: SecondOpinion;
  /** Why the structure could not be read; then there are no findings, and only loaders have something to say. */
  readonly unreadable?: PatchError;
  /** What loaders would do with it. */
  readonly loaders?: LoaderFacts;
}

/** What the exit status says. Loaders that were named decide alone, unless there is a baseline to compare with. */
export function isGood(facts: VerifyFacts): boolean {
  const { loaders, baseline } = facts;
  const asked = loaders !== undefined && loaders.asked.length > 0;
  if (asked && !asWanted(loaders)) return false;
  return asked && baseline === undefined ? true : isSound(facts);
}

/** Does every law hold, and does the second reader not contradict? Warnings and "cannot read this" are no breach. */
export function isSound({ findings, secondReader }: VerifyFacts): boolean {
  return secondReader.verdict !== 'differs' && findings.every(({ level }) => level !== 'error');
}

/** How many checks were made: all that do not need what was not given. */
function checksMade({ baseline }: VerifyFacts): number {
  const open: readonly Check['needs'][] = baseline === undefined ? ['baseline', 'expectation'] : ['expectation'];
  return CHECKS.filter(({ needs }) => !open.includes(needs)).length;
}

function countOf({ findings }: VerifyFacts, wanted: Finding['level']): number {
  return findings.filter(({ level }) => level === wanted).length;
}

/** The report on one image. */
export function verifyText(facts: VerifyFacts, style: Style): string {
  const { file, baseline, findings, secondReader, unreadable } = facts;
  const name = style.bold(printable(file));
  const loads = facts.loaders === undefined ? '' : loaderText(file, facts.loaders, style);
  if (unreadable !== undefined) return `${name}: ${style.bad('malformed')}: ${printable(unreadable.message)}\n${loads}`;
  const errors = countOf(facts, 'error');
  const warnings = countOf(facts, 'warning');
  const found = [errors > 0 ? counted(errors, 'error') : '', warnings > 0 ? counted(warnings, 'warning') : ''];
  const told = found.filter((text) => text !== '').join(', ');
  const verdict = isSound(facts) ? style.good('sound') : style.bad('broken');
  const lines = [`${name}: ${verdict}, ${counted(checksMade(facts), 'check')}${told === '' ? '' : `, ${told}`}`];
  if (facts.container !== undefined) lines.push(`  looked through: ${containerText(facts.container)}`);
  for (const { check, level, place, text } of findings) {
    const paint = level === 'error' ? style.bad : style.warn;
    const { offset, part } = place;
    lines.push(
      `  ${paint(level)}: ${placePrefix({ offset, part: part === undefined ? part : printable(part) })}${printable(text)} ${style.dim(`[${check}]`)}`,
    );
  }
  if (baseline !== undefined && errors === 0) {
    lines.push(`${name}: nothing but notes and headers differs from ${printable(baseline)}`);
  }
  lines.push(`${name}: ${secondReaderText(secondReader, style)}`);
  for (const detail of secondReader.details) lines.push(`  ${printable(detail)}`);
  return `${lines.join('\n')}\n${loads}`;
}

function secondReaderText({ verdict }: SecondOpinion, style: Style): string {
  switch (verdict) {
    case 'agrees':
      return `the second reader (elfy) ${style.good('agrees')}`;
    case 'differs':
      return `the second reader (elfy) ${style.bad('reads something else')}`;
    case 'absent':
      return `there is ${style.warn('no second reader')} on this platform`;
    case 'cannot-read':
      return `the second reader (elfy) ${style.warn('cannot read this image')}`;
  }
}

/** The document. `ok` is what the exit status says. */
export function verifyDocument(facts: VerifyFacts): string {
  const because = new Map(CHECKS.map((check) => [check.name, check.because]));
  const findings = facts.findings.map(({ check, level, place, text }): Json => {
    const { file, offset, part } = place;
    return { check, level, file, offset, part, text, because: because.get(check) };
  });
  return jsonDocument('verify', {
    file: facts.file,
    ...(facts.container === undefined ? {} : { container: containerJson(facts.container) }),
    baseline: facts.baseline,
    ok: isGood(facts),
    ...(facts.unreadable === undefined
      ? structureJson(facts, findings)
      : { malformed: malformedJson(facts.unreadable) }),
    ...(facts.loaders === undefined ? {} : loaderJson(facts.loaders)),
  });
}

function structureJson(facts: VerifyFacts, findings: readonly Json[]): Record<string, Json> {
  return {
    structure: {
      checks: checksMade(facts),
      errors: countOf(facts, 'error'),
      warnings: countOf(facts, 'warning'),
      findings,
    },
    secondReader: { verdict: facts.secondReader.verdict, details: facts.secondReader.details },
  };
}

function malformedJson({ id, detail, hint }: PatchError): Json {
  return { id, text: detail, hint };
}
