/** The passes of mkelf32: read and check, lay out, write. The first two are pure; the last is in write.ts. */
import type { ByteSource } from '../../base/bytes/source.js';
import { checkInput } from './checks.js';
import type { Container } from './container.js';
import { type Addresses, layOutOriginal } from './layout.js';
import { NEWEST, type Variant } from './variants.js';

/** What the original tool is asked for on its command line. */
export interface OriginalRequest extends Addresses {
  /** Expect a PT_NOTE behind the PT_LOAD and carry it over. */
  readonly notes: boolean;
  readonly variant?: Variant;
}

/** Plans what the tool of a release would write. Errors: those of checkInput() and layOutOriginal(). */
export function planOriginal(source: ByteSource, request: OriginalRequest): Container {
  const variant = request.variant ?? NEWEST;
  const input = checkInput(source, variant, request.notes);
  return layOutOriginal(source, input, request, variant);
}
