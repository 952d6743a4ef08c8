/** What the verifier found, as text for people and as a `xen-elfpatch/verify/1` document. */

import type { PatchError } from '../base/errors/patch-error.js';
import { printable } from '../base/printable.js';
import { type ContainerFacts, containerText } from '../formats/container/facts.js';
import type { Finding } from '../verify/check.js';
import { CHECKS } from '../verify/elf/checks.js';
import type { SecondOpinion } from '../verify/second-reader.js';
import { containerJson } from './container-json.js';
import { countOf, countsText, findingsText, holds, structureJson } from './findings.js';
import { type Json, jsonDocument } from './json.js';
import { asWanted, type LoaderFacts, loaderJson, loaderText } from './loader-report.js';
import type { Style } from './text.js';

/** What `verify` found about an ELF image. */
export interface VerifyFacts {
  readonly file: string;
  /** What the image was unpacked from. */
  readonly container?: ContainerFacts | undefined;
  /** The image before the edit, where one was given. */
  readonly baseline: string | undefined;
  /** Do warnings count as no? */
  readonly strict?: boolean;
  readonly findings: readonly Finding[];
  readonly secondReader: SecondOpinion;
  /** Why the structure could not be read; then there are no findings, and only loaders have something to say. */
  readonly unreadable?: PatchError;
  /** What loaders would do with it. */
  readonly loaders?: LoaderFacts;
}

/** Does `verify` end with status 0? */
export function isGood(facts: VerifyFacts): boolean {
  const { findings, strict = false } = facts;
  const sound = isSound(facts) && !(strict && countOf(findings, 'warning') > 0);
  return decides(facts.loaders, facts.baseline, sound, strict);
}

/** Loaders that were named decide alone, unless there is a baseline to compare with; else the checks do. */
export function decides(
  loaders: LoaderFacts | undefined,
  baseline: string | undefined,
  sound: boolean,
  strict = false,
): boolean {
  if (loaders !== undefined && loaders.asked.length > 0 && !asWanted(loaders, strict)) return false;
  return !decidesByStructure(loaders, baseline) || sound;
}

/** Do the checks count, or only the loaders that were named? */
export function decidesByStructure(loaders: LoaderFacts | undefined, baseline: string | undefined): boolean {
  return loaders === undefined || loaders.asked.length === 0 || baseline !== undefined;
}

/** Does every check hold, and does the second reader not contradict? "Cannot read this" is no contradiction. */
export function isSound({ findings, secondReader }: VerifyFacts): boolean {
  return secondReader.verdict !== 'differs' && holds(findings);
}

/** The report of `verify` on one ELF image, for people. */
export function verifyText(facts: VerifyFacts, style: Style): string {
  const { file, baseline, findings, secondReader, unreadable } = facts;
  const name = style.bold(printable(file));
  const loads = facts.loaders === undefined ? '' : loaderText(file, facts.loaders, style);
  if (unreadable !== undefined) {
    // What holds no ELF by its kind is not a malformed one.
    const word = /^(?:container|bzimage)\./.test(unreadable.id) ? 'not looked into' : 'malformed';
    return `${name}: ${style.bad(word)}: ${printable(unreadable.message)}\n${loads}`;
  }
  const verdict = isSound(facts) ? style.good('sound') : style.bad('broken');
  let text = `${name}: ${verdict}, ${countsText({ checks: CHECKS, baseline, findings })}\n`;
  if (facts.container !== undefined) text += `  looked through: ${containerText(facts.container)}\n`;
  text += findingsText(findings, style, false);
  if (baseline !== undefined && holds(findings)) {
    text += `${name}: nothing but notes and headers differs from ${printable(baseline)}\n`;
  }
  text += `${name}: ${secondReaderText(secondReader, style)}\n`;
  for (const detail of secondReader.details) text += `  ${printable(detail)}\n`;
  return text + loads;
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
  const { file, container, baseline, findings, secondReader, unreadable, loaders } = facts;
  return jsonDocument('verify', {
    file,
    ...(container === undefined ? {} : { container: containerJson(container) }),
    baseline,
    ok: isGood(facts),
    ...(unreadable === undefined
      ? {
          structure: structureJson({ checks: CHECKS, baseline, findings }),
          secondReader: { verdict: secondReader.verdict, details: secondReader.details },
        }
      : { malformed: malformedJson(unreadable) }),
    ...(loaders === undefined ? {} : loaderJson(loaders)),
  });
}

function malformedJson({ id, detail, hint }: PatchError): Json {
  return { id, text: detail, hint };
}
