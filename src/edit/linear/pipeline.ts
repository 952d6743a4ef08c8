/** `linearize` from a layout to a proved file: write, read back, judge, take the target's place. */
import { newBlocks, sameStretch } from '../../base/bytes/byte-comparison.js';
import { FileSource } from '../../base/bytes/file-source.js';
import type { ByteSource } from '../../base/bytes/source.js';
import { findMb2, mb2Values } from '../../formats/multiboot/mb2.js';
import { readPe } from '../../formats/pe/read.js';
import { type LinearVerdict, verifyLinear } from '../../verify/pe/verify.js';
import { refuseErrors } from '../../verify/refuse-errors.js';
import { wholeSource } from '../../write/content.js';
import { deliver } from '../../write/deliver.js';
import type { LinearLayout } from './layout.js';

/** Would writing the layout change a byte of the input? False for a file that is linear already. */
export function changesLinear({ image, output }: LinearLayout): boolean {
  const { size } = image.source;
  return output.size !== size || !sameStretch(start(output), start(image.source), size, newBlocks(size));
}

function start(source: ByteSource) {
  return { source, offset: 0n };
}

/** Where a linear image is written. */
export interface LinearWriteOptions {
  /** Path of the input; it was opened through a FileSource. */
  readonly inputPath: string;
  /** Undefined: the result takes the input's place. */
  readonly output: string | undefined;
  /** Nothing is written where the way of writing would mean something for others (`write.warned`). */
  readonly strict?: boolean | undefined;
  onProgress?: ((done: bigint, total: bigint) => void) | undefined;
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
export async function writeLinear(layout: LinearLayout, options: LinearWriteOptions): Promise<LinearWritten> {
  const { source } = layout.image;
  if (!(source instanceof FileSource)) throw new TypeError('writeLinear needs an image that was read from a file');
  const { proof, warnings } = await deliver({
    source,
    inputPath: options.inputPath,
    output: options.output,
    changes: changesLinear(layout),
    strict: options.strict,
    content: wholeSource(layout.output, options.onProgress),
    prove: async (result) => proveLinear(layout, result),
  });
  // Linear already: the input is its own result.
  return { verdict: proof ?? proveLinear(layout, source), warnings };
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
