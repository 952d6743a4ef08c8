/** How a written ELF is proved before it takes its place: by the checks, and by the second reader. */
import { fail } from '../../base/errors/patch-error.js';
import type { VerifyInput } from '../finding.js';
import { refuseErrors } from '../refuse-errors.js';
import { secondReader } from '../second-reader.js';
import { verifyImage } from './verify.js';

/** What the second reader (elfy) says of a result that was not refused. */
export interface Agreement {
  readonly verdict: 'agrees' | 'cannot-read' | 'absent';
  readonly details: readonly string[];
}

/** Judges a written ELF by our own laws and by the second reader. Errors: `verify.failed`, `verify.second-reader`. */
export async function proveImage(input: VerifyInput): Promise<Agreement> {
  refuseErrors(verifyImage(input));
  const { verdict, details } = await secondReader(input.image);
  if (verdict === 'differs') {
    fail('verify.second-reader', { file: input.image.source.name }, { details: details.join('; ') });
  }
  return { verdict, details };
}
