/** A result that is known whole: written, read back, judged, and put in its place; unchanged, the input is its own result. */
import { FileSource } from '../base/bytes/file-source.js';
import type { ByteSource } from '../base/bytes/source.js';
import { wholeSource } from './content.js';
import { type Delivered, deliver } from './deliver.js';

/** Where a result is written. */
export interface WholeOptions {
  /** Path of the input; it was opened through a FileSource. */
  readonly inputPath: string;
  /** Undefined: the result takes the input's place. */
  readonly output: string | undefined;
  /** Nothing is written where the way of writing would mean something for others (`write.warned`). */
  readonly strict?: boolean | undefined;
  onProgress?: ((done: bigint, total: bigint) => void) | undefined;
}

/** A result and how it is proved. */
export interface Whole<Proof> {
  /** The input. */
  readonly source: ByteSource;
  readonly result: ByteSource;
  /** Is the result another than the input? */
  readonly changes: boolean;
  /** Judges the result as read back; throws to refuse. */
  prove(result: ByteSource): Proof;
}

/**
 * Puts a whole result in its place once it is proved as read back. Errors: `write.*`, `read.changed` and those of `prove`, after all of which the target is as it was.
 */
export async function deliverWhole<Proof>(
  { source, result, changes, prove }: Whole<Proof>,
  { onProgress, ...target }: WholeOptions,
): Promise<Delivered<Proof> & { readonly proof: Proof }> {
  if (!(source instanceof FileSource)) throw new TypeError('only an image that was read from a file can be written');
  const content = wholeSource(result, onProgress);
  const delivered = await deliver({ ...target, source, changes, content, prove: async (written) => prove(written) });
  return { ...delivered, proof: delivered.proof ?? prove(source) };
}
