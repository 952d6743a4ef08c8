/** `linearize` from a layout to a proved file: write, read back, judge, take the target's place. */
import { newBlocks, sameStretch } from '../../base/bytes/byte-comparison.js';
import type { ByteSource } from '../../base/bytes/source.js';
import { findMb2, mb2Values } from '../../formats/multiboot/mb2.js';
import { readPe } from '../../formats/pe/read.js';
import { type LinearVerdict, verifyLinear } from '../../verify/pe/verify.js';
import { refuseErrors } from '../../verify/refuse-errors.js';
import { deliverWhole, type WholeOptions } from '../../write/whole.js';
import type { LinearLayout } from './layout.js';

/** Would writing the layout change a byte of the input? False for a file that is linear already. */
export function changesLinear({ image, output }: LinearLayout): boolean {
  const { size } = image.source;
  return output.size !== size || !sameStretch(start(output), start(image.source), size, newBlocks(size));
}

function start(source: ByteSource) {
  return { source, offset: 0n };
}

/** What became of a layout. */
export interface LinearWritten {
  readonly verdict: LinearVerdict;
  /** What the way of writing means for others. */
  readonly warnings: readonly string[];
}

/**
 * Writes the result and proves it: it is read back and judged by itself and against the input before it takes the target's
 * place. Errors: `write.*`, `read.changed`, and `verify.failed` (exit 1), after all of which the target is as it was.
 */
export async function writeLinear(layout: LinearLayout, options: WholeOptions): Promise<LinearWritten> {
  const whole = {
    source: layout.image.source,
    result: layout.output,
    changes: changesLinear(layout),
    prove: (result: ByteSource) => proveLinear(layout, result),
  };
  const { proof, warnings } = await deliverWhole(whole, options);
  return { verdict: proof, warnings };
}

function hasAddressTag(result: ByteSource): boolean {
  const header = findMb2(result);
  return header !== undefined && header.problem === undefined && mb2Values(header).address !== undefined;
}

/** Judges a result as read back. Errors: `verify.failed`. */
export function proveLinear({ image, options }: LinearLayout, result: ByteSource): LinearVerdict {
  const verdict = verifyLinear(readPe(result), {
    baseline: image,
    tailNames: options.tail,
    // Without tags of its own a file may have brought some, and they must be true.
    wantsTags: options.mb2 !== 'none' || hasAddressTag(result),
  });
  refuseErrors(verdict.findings);
  return verdict;
}
