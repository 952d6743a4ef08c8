/** Explanations of the verifiers' checks, made from their tables; the problems page with the checks added. */
import { explainTopic, problemIndex, type Topic } from '../explain/index.js';
import { topicOf } from '../explain/page.js';
import type { Check } from '../verify/check.js';
import { BZIMAGE_CHECKS, GZIP_CHECKS } from '../verify/container/checks.js';
import { RESULT_CHECKS } from '../verify/container/result-checks.js';
import { CHECKS } from '../verify/elf/checks.js';
import { STAMPED_CHECKS } from '../verify/pe/stamped.js';
import { KEPT_CHECKS, LINEAR_CHECKS } from '../verify/pe/verify.js';

const NEEDS: Readonly<Record<Check['needs'], string>> = {
  image: 'A law about every image; verify reports a breach as an error.',
  'image-or-not-worse':
    'Images in daily use break it, so verify reports a breach as a warning; with --baseline it is an error when the ' +
    'original did not have it.',
  baseline: 'Looked at with --baseline: what an edit may not have changed.',
  expectation: 'Looked at by patch before the result takes the place of the target: what the plan said, and no more.',
};

/** What a page of a check is made of. */
interface CheckPage extends Pick<Check, 'name' | 'because'> {
  /** When it is made. */
  readonly needs: Check['needs'];
  /** Where it is not the same for all that need the same. */
  readonly when?: string;
}

const OF_CONTAINERS =
  'Looked at by patch, stamp and fix when they write a kernel inside a bzImage or gzip file, before the result takes the place of the target.';
const OF_PE = {
  image: 'Looked at in every PE image (xen.efi), by verify and by linearize --verify.',
  linear: 'Looked at in a linear PE image (xen.efi after linearize), by linearize --verify.',
  stamped: 'Looked at when stamp writes a PE image, before the result takes the place of the target.',
  baseline: 'Looked at with --baseline, and by linearize: what a linear file keeps of the one it was made from.',
} as const;

/** Every check that has a page. */
const TABLE: readonly CheckPage[] = [
  ...CHECKS,
  ...[...LINEAR_CHECKS, ...KEPT_CHECKS].map((check): CheckPage => {
    const when =
      check.needs !== 'image' ? OF_PE.baseline : 'anyImage' in check && check.anyImage ? OF_PE.image : OF_PE.linear;
    return { name: check.name, because: check.because, needs: check.needs, when };
  }),
  ...STAMPED_CHECKS.map(({ name, because, needs }): CheckPage => ({ name, because, needs, when: OF_PE.stamped })),
  ...[...BZIMAGE_CHECKS, ...GZIP_CHECKS, ...Object.values(RESULT_CHECKS)].map(
    ({ name, because }): CheckPage => ({ name, because, needs: 'expectation', when: OF_CONTAINERS }),
  ),
];

/** The page of one check by the name that verify prints; undefined when there is no such check. */
export function checkTopic(name: string): Topic | undefined {
  const check = TABLE.find((one) => one.name === name);
  if (check === undefined) return undefined;
  const because = `${check.because.charAt(0).toUpperCase()}${check.because.slice(1)}.`;
  const blocks = [because, check.when ?? NEEDS[check.needs]].map((text) => ({ kind: 'text', text }) as const);
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
