/** The refusal of a command line that no command can mean. */
import { fail } from '../base/errors/patch-error.js';

/** Refuses, and says where to look; `hint` where there is a better one. Errors: `usage.bad`, always. */
export function usageError(
  command: string,
  what: string,
  hint = `xen-elfpatch ${command} --help shows how it is called`,
): never {
  return fail('usage.bad', {}, { what, hint });
}
