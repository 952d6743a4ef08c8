/** What a check of a PE image looks at: the file, and where there is one the image that it was made from. */
import type { PeImage } from '../../formats/pe/image.js';
import type { BaselineCheck, ImageCheck } from '../check.js';
import type { LinearSubject } from './subject.js';

/** A check of a PE image by itself. */
export interface LinearCheck extends ImageCheck<LinearSubject> {
  /** About tags, so it is not asked of a file that is to have none. */
  readonly aboutTags?: boolean;
  /** Holds for every sound PE image, linear or not. */
  readonly anyImage?: boolean;
}

/** A file and the one it was made from. */
export interface LinearPair {
  readonly subject: LinearSubject;
  readonly input: PeImage;
}

/** About what the file kept of its input. */
export type KeptCheck = BaselineCheck<LinearPair>;

/** A section as findings name it, `section .text`. */
export function partOf({ name }: { readonly name: string }): string {
  return `section ${name}`;
}
