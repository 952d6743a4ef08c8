/** How many program headers an image may have that a command is to edit: the same for an edit that is given and one that is looked for. */
import { fail } from '../../../base/errors/patch-error.js';
import type { ElfImage } from '../../../formats/elf/image.js';

/** Every placement that is tried costs a look at all of them, by the verifier and by every loader. Real kernels have a dozen. */
export const MOST_HEADERS = 4096;

/** Lets no image pass that has more. Errors: `plan.too-many-headers`. */
export function refuseTooManyHeaders({ segments: { length: headers }, source }: ElfImage): void {
  if (headers > MOST_HEADERS) fail('plan.too-many-headers', { file: source.name }, { headers, limit: MOST_HEADERS });
}
