/** What the original prints: its usage line, and its words for the errors that the system reports. */
import { PatchError } from '../../base/errors/patch-error.js';
import { systemWords } from './errno.js';
import type { Variant } from './variants.js';

/** The usage message of the original, without a line feed. */
export function usageLine({ arguments: count }: Variant): string {
  const last = count === 4 ? ' <final-exec-addr>' : '';
  return `Usage: mkelf32 [--notes] <in-image> <out-image> <load-base>${last}`;
}

const EISDIR = 21;

/** An error as the original says it, on one or two lines; ours where the original has none. `input` as it was typed. */
export function originalWords(error: unknown, input: string): string {
  if (!(error instanceof PatchError)) return error instanceof Error ? error.message : String(error);
  const system = systemWords(error.cause);
  switch (error.id) {
    case 'read.open':
      if (system === undefined) break;
      return `Failed to open input image '${input}': ${system.errno} (${system.words}).`;
    case 'read.not-a-file':
      if (!error.detail.includes('directory')) break;
      return `Error reading input image: ${EISDIR} (Is a directory).`;
    case 'mkelf32.note-outside':
      // The original breaks the line here; an error of this command is one line.
      return error.detail.replace('section! ', 'section!\n');
    default:
      break;
  }
  return error.id.startsWith('mkelf32.') ? error.detail : `${input}: ${error.detail}`;
}
