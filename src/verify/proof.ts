/** How a result is proved before it takes its place: what findings and the second reader mean for it. */
import { fail, type Place } from '../errors/patch-error.js';
import type { VerifyInput } from './finding.js';
import { secondReader } from './second-reader.js';
import { verifyImage } from './verify.js';

/** A finding of any verifier; only those of the level `error` refuse. */
interface AnyFinding {
  readonly check: string;
  readonly level: string;
  readonly place: Place;
  readonly text: string;
}

/** Errors: `verify.failed` with the first error among the findings. */
export function refuseErrors(findings: readonly AnyFinding[]): void {
  const [first, ...others] = findings.filter(({ level }) => level === 'error');
  if (first === undefined) return;
  fail('verify.failed', first.place, { check: first.check, text: first.text, more: others.length });
}

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
