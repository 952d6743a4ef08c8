/** What can be asked of an edit, as plain data: the page draws the form of it without the core that makes it. */
import type { PayloadAction } from '../../formats/container/payload-action.js';

/** What the form of a page asks for; values as `patch` takes them. */
export interface EditWish {
  readonly clear: boolean;
  readonly preset: string;
  /** `NAME=VALUE`. */
  readonly set: readonly string[];
  readonly unset: readonly string[];
  /** A placement, or `auto`. */
  readonly placement: string;
  /** What is done to the payload of a file that wraps its kernel; empty: as the command does without `--payload`. */
  readonly way: PayloadAction | '';
  /** `extract` makes an ELF.gz. */
  readonly gzip: boolean;
  readonly stripSignature: boolean;
  readonly keepTail: boolean;
}

/** A wish for nothing, to be filled. */
export const NO_WISH: EditWish = {
  clear: false,
  preset: '',
  set: [],
  unset: [],
  placement: 'auto',
  way: '',
  gzip: false,
  stripSignature: false,
  keepTail: false,
};
