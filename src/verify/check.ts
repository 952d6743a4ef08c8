/** How a check is declared: a law, its reason, and a generator of all that breaks it. */
import type { Expectation } from './finding.js';
import type { Pair } from './pair.js';
import type { Subject } from './subject.js';

/** One breach of a law. The check's name and level are added by whoever runs it. */
export interface Flaw {
  readonly offset?: bigint | undefined;
  readonly part?: string | undefined;
  readonly text: string;
  /** Less than the law is strict; an error when left out. */
  readonly level?: 'error' | 'warning' | undefined;
}

/** A breach that can be recognized again in another version of the image, wherever it then stands. */
export interface KeyedFlaw extends Flaw {
  readonly key: string;
}

interface Law {
  /** Stable; users and tests name it. */
  readonly name: string;
  /** Which of the numbered invariants it holds (see checks.ts). */
  readonly invariant: number;
  /** Who is hurt when it breaks. */
  readonly because: string;
}

/** A law about one image. */
export interface ImageCheck extends Law {
  readonly needs: 'image';
  run(subject: Subject): Iterable<Flaw>;
}

/**
 * A law about one image that images in daily use break. Alone a breach is a warning; with a baseline it is an error
 * unless the baseline had it too.
 */
export interface CommonlyBrokenCheck extends Law {
  readonly needs: 'image-or-not-worse';
  run(subject: Subject): Iterable<KeyedFlaw>;
}

/** A law about what an image kept of the one it was made from. */
export interface BaselineCheck extends Law {
  readonly needs: 'baseline';
  run(pair: Pair): Iterable<Flaw>;
}

/** A law about what an edit was meant to do. */
export interface ExpectationCheck extends Law {
  readonly needs: 'expectation';
  run(pair: Pair, expectation: Expectation): Iterable<Flaw>;
}

export type Check = ImageCheck | CommonlyBrokenCheck | BaselineCheck | ExpectationCheck;
