/** What the findings of a verifier mean for a result that is to take its place. */
import { fail, type Place } from '../base/errors/patch-error.js';

/** A finding of any verifier; only those of the level `error` refuse. */
interface AnyFinding {
  readonly check: string;
  readonly level: string;
  readonly place: Place;
  readonly text: string;
}

/** Lets findings without an error pass. Errors: `verify.failed` with the first error among the findings. */
export function refuseErrors(findings: readonly AnyFinding[]): void {
  const [first, ...others] = findings.filter(({ level }) => level === 'error');
  if (first === undefined) return;
  fail('verify.failed', first.place, { check: first.check, text: first.text, more: others.length });
}
