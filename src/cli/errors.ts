/** Every failure ends here: one line and a hint on stderr, one JSON document on stdout where JSON was asked for. */
import { PatchError } from '../base/errors/patch-error.js';
import { errorDocument } from '../report/error-report.js';
import type { ExitStatus } from './command.js';
import { sayErr, writeErr, writeOut } from './output.js';

/** As a PatchError, whatever was thrown: an unexpected error is `internal.bug`. */
export function asPatchError(error: unknown): PatchError {
  if (error instanceof PatchError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return PatchError.of('internal.bug', {}, { message }, error);
}

/** Prints one failure the way a person reads it. The stack is shown only for our own faults and only on request. */
export function printError(error: PatchError): void {
  sayErr(`xen-elfpatch: ${error.message}`);
  if (error.hint !== undefined) sayErr(`  hint: ${error.hint}`);
  if (process.env['XEN_ELFPATCH_DEBUG']) {
    const origin = error.cause instanceof Error ? error.cause : error;
    writeErr(`${origin.stack ?? ''}\n`);
  }
}

/** Reports what ended the command and gives its exit status. */
export function reportFailure(thrown: unknown, command: string | undefined, json: boolean): ExitStatus {
  const error = asPatchError(thrown);
  process.exitCode = error.exit;
  printError(error);
  if (json) {
    try {
      writeOut(errorDocument(command, error.exit, [error]));
    } catch {
      // Standard output itself is what failed; the line above has said so.
    }
  }
  return error.exit;
}
