/** `stamp` of a PE image from a layout to a proved file: write, read back, judge, take the target's place. */
import { FileSource } from '../../base/bytes/file-source.js';
import type { ByteSource } from '../../base/bytes/source.js';
import { readPe } from '../../formats/pe/read.js';
import type { Finding } from '../../verify/check.js';
import { verifyStamped } from '../../verify/pe/stamped.js';
import { refuseErrors } from '../../verify/refuse-errors.js';
import { wholeSource } from '../../write/content.js';
import { deliver } from '../../write/deliver.js';
import type { PeStampLayout } from './lay-out.js';

/** Would writing the layout change a byte of the input? */
export function changesPe({ wanted, stripped }: PeStampLayout): boolean {
  return wanted.length > 0 || stripped;
}

/** Where a stamped image is written. */
export interface PeWriteOptions {
  /** Path of the input; it was opened through a FileSource. */
  readonly inputPath: string;
  /** Undefined: the result takes the input's place. */
  readonly output: string | undefined;
  onProgress?: ((done: bigint, total: bigint) => void) | undefined;
}

/** What became of a layout. */
export interface PeWritten {
  readonly findings: readonly Finding[];
  /** What the way of writing means for others. */
  readonly warnings: readonly string[];
}

/**
 * Writes the result and proves it: it is read back and judged against the input before it takes the target's place.
 * Errors: `write.*`, `read.changed`, and `verify.failed` (exit 1), after all of which the target is as it was.
 */
export async function writePeStamp(layout: PeStampLayout, options: PeWriteOptions): Promise<PeWritten> {
  const { source } = layout.image;
  if (!(source instanceof FileSource)) throw new TypeError('writePeStamp needs an image that was read from a file');
  const { proof, warnings } = await deliver({
    source,
    inputPath: options.inputPath,
    output: options.output,
    changes: changesPe(layout),
    content: wholeSource(layout.output, options.onProgress),
    prove: async (result) => proveStamped(layout, result),
  });
  // It holds all of that already: the input is its own result.
  return { findings: proof ?? proveStamped(layout, source), warnings };
}

/** Judges a result as read back. Errors: `verify.failed`. */
export function proveStamped({ image, wanted }: PeStampLayout, result: ByteSource): readonly Finding[] {
  const findings = verifyStamped(readPe(result), image, wanted);
  refuseErrors(findings);
  return findings;
}
