/** Words of the command line that Node could not give us as they were typed. */
import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { fail } from '../base/errors/patch-error.js';
import { quoted } from '../base/printable.js';

/** What to do about a name that is no UTF-8. */
export const ANOTHER_NAME = 'Rename the file, or give it another name by a link: ln -s';

/**
 * Node reads the command line as UTF-8 and puts U+FFFD for what is none: another file would be opened, or made, than the one that
 * was named. Errors: `usage.bad`.
 */
export function refuseLostBytes(args: readonly string[]): void {
  const lost = args.find((word) => word.includes('\ufffd'));
  if (lost === undefined) return;
  let line: Uint8Array;
  try {
    line = readFileSync('/proc/self/cmdline');
  } catch {
    // A system that does not tell.
    return;
  }
  if (isUtf8(line)) return;
  fail('usage.bad', {}, { what: `found bytes that are not UTF-8 in ${quoted(lost)}`, hint: ANOTHER_NAME });
}
