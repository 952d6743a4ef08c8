/** An image that is written in place is locked before it is read: what is planned on it holds until it is written. */
import type { RawOptions } from './option-table.js';

/** Does a line with these options write its images? */
export function writesImages(options: RawOptions): boolean {
  return options['in-place'] === true && options['check'] !== true && options['dry-run'] !== true;
}

/**
 * Takes the lock of the image that a line names first, where that line writes it; answers how to give it back. Undefined where
 * there is nothing to lock: the command itself tells why it cannot work on such a file. Errors: `write.locked`.
 */
export async function lockImage(options: RawOptions, [image]: readonly string[]): Promise<(() => void) | undefined> {
  if (!writesImages(options) || image === undefined || image === '-') return undefined;
  return (await import('../write/lock.js')).lockForRun(image);
}
