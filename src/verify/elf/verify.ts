/** Judges an ELF image, alone or against the one it was made from. */
import { type Finding, run } from '../check.js';
import type { VerifyInput } from '../finding.js';
import { CHECKS } from './checks.js';
import type { PlannedPair } from './elf-check.js';
import { type Pair, pairOf } from './pair.js';
import { subjectOf } from './subject.js';

/**
 * Every check that does not hold, errors first, then by offset. A bad image is an answer, never an exception; what the
 * operating system refuses while reading is one (`read.open`, `read.changed`).
 *
 * Image alone: the checks of the format. With a baseline: nothing but notes and headers differs from it. With an
 * expectation too: exactly what was planned changed.
 */
export function verifyImage(input: VerifyInput): Finding[] {
  const image = subjectOf(input.image);
  const pair = pairOf(image, input);
  const file = input.image.source.name;
  return run(CHECKS, { file, image, original: pair?.before, pair, planned: plannedOf(pair) }, 'offset');
}

function plannedOf(pair: Pair | undefined): PlannedPair | undefined {
  const expectation = pair?.expectation;
  return pair === undefined || expectation === undefined ? undefined : { ...pair, expectation };
}
