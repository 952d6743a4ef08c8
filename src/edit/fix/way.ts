/** How the result of a fix is wrapped, as data; ways.ts says which ways there are for a file that wraps its kernel. */

import type { WrapperChange } from '../../formats/note/fix.js';
import type { Wrapped } from '../../loaders/wrapped.js';

/** One way to write the result. */
export interface Way {
  /** The change that the command is asked for; undefined: what it does by default. */
  readonly wrapper: WrapperChange | undefined;
  /** What the result will be in; undefined: in nothing. */
  readonly after: Wrapped | undefined;
  /** The wrapper changes even where nothing in the image does. */
  readonly alone: boolean;
}

/** A bare ELF stays one. */
export const BARE: Way = { wrapper: undefined, after: undefined, alone: false };

/** Is it the way that this change of the wrapper asks for? */
export function isWay({ wrapper }: Way, { payload, compressor }: WrapperChange): boolean {
  return wrapper?.payload === payload && wrapper?.compressor === compressor;
}
