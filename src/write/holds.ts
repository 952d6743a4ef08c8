/** Is a result there already? */
import { newBlocks, sameStretch } from '../base/bytes/byte-comparison.js';
import { FileSource } from '../base/bytes/file-source.js';
import type { ByteSource } from '../base/bytes/source.js';

/** Does a file hold a result already, byte for byte? False for one that is missing or cannot be read. */
export function holds(path: string, result: ByteSource): boolean {
  let there: FileSource;
  try {
    there = FileSource.open(path);
  } catch {
    return false;
  }
  try {
    const { size } = result;
    const whole = (source: ByteSource) => ({ source, offset: 0n });
    return there.size === size && sameStretch(whole(there), whole(result), size, newBlocks(size));
  } finally {
    there.close();
  }
}
