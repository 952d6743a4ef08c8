/** How a check of a linear file is declared: a law, its reason, and a generator of all that breaks it. */
import type { PeImage } from '../../pe/image.js';
import type { LinearSubject } from './subject.js';

export interface LinearFlaw {
  readonly offset?: bigint | undefined;
  readonly part?: string | undefined;
  readonly text: string;
}

interface Law {
  /** Stable; users and tests name it. */
  readonly name: string;
  /** Who is hurt when it breaks. */
  readonly because: string;
}

/** A law about the file alone. `advice`: nothing that boots breaks by it. */
export interface LinearCheck extends Law {
  readonly level: 'error' | 'advice';
  /** About tags, so it is not asked of a file that is to have none. */
  readonly aboutTags?: boolean;
  /** Holds for every sound PE image, linear or not. */
  readonly anyImage?: boolean;
  run(subject: LinearSubject): Iterable<LinearFlaw>;
}

/** A law about what the file kept of its input. */
export interface KeptCheck extends Law {
  run(subject: LinearSubject, input: PeImage): Iterable<LinearFlaw>;
}

/** `section .text`. */
export function partOf({ name }: { readonly name: string }): string {
  return `section ${name}`;
}
