/** Explanations of the verifier's checks, made from their table; the problems page with the checks added. */
import { explainTopic, problemIndex, type Topic } from '../explain/index.js';
import { topicOf } from '../explain/page.js';
import type { Check } from '../verify/check.js';
import { CHECKS } from '../verify/elf/checks.js';

const NEEDS: Readonly<Record<Check['needs'], string>> = {
  image: 'A law about every image; verify reports a breach as an error.',
  'image-or-not-worse':
    'Images in daily use break it, so verify reports a breach as a warning; with --baseline it is an error when the ' +
    'original did not have it.',
  baseline: 'Looked at with --baseline: what an edit may not have changed.',
  expectation: 'Looked at by patch before the result takes the place of the target: what the plan said, and no more.',
};

/** Every check that has a page. */
const TABLE: readonly Check[] = CHECKS;

/** The page of one check by the name that verify prints; undefined when there is no such check. */
export function checkTopic(name: string): Topic | undefined {
  const check = TABLE.find((one) => one.name === name);
  if (check === undefined) return undefined;
  const because = `${check.because.charAt(0).toUpperCase()}${check.because.slice(1)}.`;
  const blocks = [because, NEEDS[check.needs]].map((text) => ({ kind: 'text', text }) as const);
  return topicOf({ name, title: `Check ${name}`, blocks }, 'check', { because: check.because, needs: check.needs });
}

/** `explain NAME` with the checks: as a topic of their own and at the end of the list of problems. */
export function topicWithChecks(name: string): Topic | undefined {
  const topic = explainTopic(name);
  if (topic?.json['kind'] === 'problems') {
    return problemIndex(TABLE.map(({ name: id, because }) => ({ id, meaning: because })));
  }
  return topic ?? checkTopic(name);
}

/** The names of all checks. */
export function checkNames(): readonly string[] {
  return TABLE.map(({ name }) => name);
}
