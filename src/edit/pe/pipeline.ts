/** `stamp` of a PE image from a layout to a proved file: write, read back, judge, take the target's place. */
import type { ByteSource } from '../../base/bytes/source.js';
import { readPe } from '../../formats/pe/read.js';
import type { Finding } from '../../verify/check.js';
import { verifyStamped } from '../../verify/pe/stamped.js';
import { refuseErrors } from '../../verify/refuse-errors.js';
import type { Delivered } from '../../write/deliver.js';
import { deliverWhole, type WholeOptions } from '../../write/whole.js';
import type { PeStampLayout } from './lay-out.js';

/** Would writing the layout change a byte of the input? */
export function changesPe({ wanted, stripped }: PeStampLayout): boolean {
  return wanted.length > 0 || stripped;
}

/** What became of a layout. */
export interface PeWritten {
  /** `unchanged`: the target holds the result already and was left alone. */
  readonly how: Delivered<unknown>['how'];
  readonly findings: readonly Finding[];
  /** What the way of writing means for others. */
  readonly warnings?: readonly string[];
}

/** What is told of an output that holds the result already. */
export const PE_UNTOUCHED: PeWritten = { how: 'unchanged', findings: [] };

/**
 * Writes the result and proves it: it is read back and judged against the input before it takes the target's place.
 * Errors: `write.*`, `read.changed`, and `verify.failed` (exit 1), after all of which the target is as it was.
 */
export async function writePeStamp(layout: PeStampLayout, options: WholeOptions): Promise<PeWritten> {
  const whole = {
    source: layout.image.source,
    result: layout.output,
    changes: changesPe(layout),
    prove: (result: ByteSource) => proveStamped(layout, result),
  };
  const { how, proof, warnings } = await deliverWhole(whole, options);
  return { how, findings: proof, warnings };
}

/** Judges a result as read back. Errors: `verify.failed`. */
export function proveStamped({ image, wanted }: PeStampLayout, result: ByteSource): readonly Finding[] {
  const findings = verifyStamped(readPe(result), image, wanted);
  refuseErrors(findings);
  return findings;
}
