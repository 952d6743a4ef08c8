/** What was decided about a linear file; plain data for rendering, reports and checks. */
import type { ByteSource } from '../../base/bytes/source.js';
import type { PeImage } from '../../formats/pe/image.js';
import type { Mb1Plan } from './mb1-plan.js';
import type { Mb2Plan } from './mb2-plan.js';
import type { LinearOptions } from './options.js';
import type { Placement } from './place.js';

/** The planned result of `linearize`. */
export interface LinearLayout {
  readonly image: PeImage;
  readonly options: LinearOptions;
  readonly placement: Placement;
  readonly mb2: Mb2Plan | undefined;
  readonly mb1: Mb1Plan | undefined;
  readonly fileAlignment: bigint;
  readonly sizeOfImage: bigint;
  /** The whole result. */
  readonly output: ByteSource;
  readonly warnings: readonly string[];
}
