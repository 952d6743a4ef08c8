/** Every failure ends here: one line and a hint on stderr, one JSON document on stdout where JSON was asked for. */
import { PatchError } from '../base/errors/patch-error.js';
import type { CiFormat } from '../report/ci/ci-formats.js';
import { errorDocument } from '../report/error-report.js';
import type { ExitStatus } from './command.js';
import { letGo, sayLead, writeErr, writeOut } from './output.js';

/** As a PatchError, whatever was thrown: an unexpected error is `internal.bug`. */
export function asPatchError(error: unknown): PatchError {
  if (error instanceof PatchError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return PatchError.of('internal.bug', {}, { message }, error);
}

/** Prints one failure the way a person reads it. The stack is shown only for our own faults and only on request. */
export function printError(error: PatchError): void {
  sayLead('xen-elfpatch:', 'bad', error.message);
  if (error.hint !== undefined) sayLead('  hint:', 'bold', error.hint);
  if (process.env['XEN_ELFPATCH_DEBUG']) {
    const origin = error.cause instanceof Error ? error.cause : error;
    writeErr(`${origin.stack ?? ''}\n`);
  }
}

/** What standard output was to hold: each of them has a document for an error as well. */
export type DocumentFormat = 'json' | CiFormat;

/** Reports what ended the command, in the format that was asked for as well, and gives its exit status. */
export async function reportFailure(
  thrown: unknown,
  command: string | undefined,
  format: DocumentFormat | undefined,
): Promise<ExitStatus> {
  const error = asPatchError(thrown);
  process.exitCode = error.exit;
  letGo(true);
  printError(error);
  if (format !== undefined) {
    try {
      writeOut(
        format === 'json' ? errorDocument(command, error.exit, [error]) : await inFormat(format, command, error),
      );
    } catch {
      // Standard output itself is what failed; the line above has said so.
    }
  }
  return error.exit;
}

async function inFormat(format: CiFormat, command: string | undefined, error: PatchError): Promise<string> {
  const { ciReport, errorAnswer } = await import('../report/ci/ci-report.js');
  return ciReport(format, command ?? '', [errorAnswer(error)]);
}
