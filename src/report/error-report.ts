/** The JSON document of a command that failed: `xen-elfpatch/error/1`. */
import type { PatchError } from '../base/errors/patch-error.js';
import { type Json, jsonDocument } from './json.js';

/** One problem, as it stands in any document. */
export function errorFacts(error: PatchError): { readonly [key: string]: Json } {
  const { file, offset, part } = error.place;
  return { id: error.id, file, offset, part, text: error.detail, hint: error.hint, message: error.message };
}

/** The document for `errors`; `command` is undefined when the command line did not get that far. */
export function errorDocument(command: string | undefined, exit: 1 | 2 | 3, errors: readonly PatchError[]): string {
  return jsonDocument('error', { command, exit, errors: errors.map(errorFacts) });
}
