/** Linear forms in memory. */

import { layOutLinear } from '../../src/edit/linear/lay-out.js';
import { DEFAULT_LINEAR_OPTIONS, type LinearOptions } from '../../src/edit/linear/options.js';
import type { PeImage } from '../../src/formats/pe/image.js';
import { PeBytes } from './pe-edit.js';

export function linearLayout(image: PeImage, options: Partial<LinearOptions> = {}) {
  return layOutLinear(image, { ...DEFAULT_LINEAR_OPTIONS, ...options });
}

/** The bytes of the linear form. */
export function linearBytes(image: PeImage, options: Partial<LinearOptions> = {}): PeBytes {
  const { output } = linearLayout(image, options);
  const bytes = new Uint8Array(Number(output.size));
  output.readInto(0n, bytes, 'result');
  return new PeBytes(bytes);
}
