/** What a check of an ELF image looks at. */
import type { Check } from '../check.js';
import type { Expectation } from '../finding.js';
import type { Pair } from './pair.js';
import type { Subject } from './subject.js';

/** An image, the one it was made from, and what the edit was meant to change. */
export interface PlannedPair extends Pair {
  readonly expectation: Expectation;
}

/** A check of an ELF image. */
export type ElfCheck = Check<Subject, Pair, PlannedPair> & {
  /** Which of the numbered invariants it holds (see checks.ts). */
  readonly invariant: number;
};
