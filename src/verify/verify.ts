/** Runs the table of laws over an image, alone or against the one it was made from, and collects all that is broken. */
import { compare } from '../bytes/range.js';
import { PatchError } from '../errors/patch-error.js';
import type { Check, CommonlyBrokenCheck, Flaw } from './check.js';
import { CHECKS } from './checks.js';
import type { Finding, VerifyInput } from './finding.js';
import { type Pair, pairOf } from './pair.js';
import { type Subject, subjectOf } from './subject.js';

/** Findings told of one check; a damaged image with 70,000 headers needs no 70,000 lines. */
const PER_CHECK = 64;

/**
 * Every law that does not hold, errors first, then by offset. A bad image is an answer, never an exception; what the
 * operating system refuses while reading is one (`read.open`, `read.changed`).
 *
 * Image alone: the laws of the format. With a baseline: nothing but notes and headers differs from it. With an
 * expectation too: exactly what was planned changed.
 */
export function verifyImage(input: VerifyInput): Finding[] {
  const subject = subjectOf(input.image);
  const pair = pairOf(subject, input);
  const findings = CHECKS.flatMap((check) => runCheck(check, subject, pair));
  return findings.sort(
    (a, b) =>
      Number(a.level === 'warning') - Number(b.level === 'warning') ||
      compare(a.place.offset ?? 0n, b.place.offset ?? 0n),
  );
}

function runCheck(check: Check, subject: Subject, pair: Pair | undefined): Finding[] {
  const found: Finding[] = [];
  const add = ({ level = 'error', offset, part, text }: Flaw) => {
    found.push({ check: check.name, level, place: { file: subject.image.source.name, offset, part }, text });
  };
  const more = { error: 0, warning: 0 };
  try {
    for (const flaw of flawsOf(check, subject, pair)) {
      if (found.length < PER_CHECK) add(flaw);
      else more[flaw.level ?? 'error'] += 1;
    }
  } catch (error) {
    if (!(error instanceof PatchError) || !isAboutTheImage(error)) throw error;
    add({ offset: error.place.offset, part: error.place.part, text: `cannot be judged: ${error.detail}` });
  }
  for (const level of ['error', 'warning'] as const) {
    if (more[level] > 0) add({ level, part: 'and more', text: `${more[level]} further ${level}s of this kind` });
  }
  return found;
}

/** Headers that lead nowhere and notes too large to hold are the image's fault; a file that vanished is not. */
function isAboutTheImage({ id }: PatchError): boolean {
  return id === 'read.truncated' || id === 'read.too-large' || id.startsWith('note.');
}

function flawsOf(check: Check, subject: Subject, pair: Pair | undefined): Iterable<Flaw> {
  switch (check.needs) {
    case 'image':
      return check.run(subject);
    case 'image-or-not-worse':
      return notWorse(check, subject, pair);
    case 'baseline':
      return pair === undefined ? [] : check.run(pair);
    case 'expectation':
      return pair?.expectation === undefined ? [] : check.run(pair, pair.expectation);
  }
}

/** Alone, a breach is a warning. Against a baseline it is an error, unless the baseline has the same one. */
function* notWorse(check: CommonlyBrokenCheck, subject: Subject, pair: Pair | undefined): Generator<Flaw> {
  const known = pair === undefined ? undefined : new Set(Array.from(check.run(pair.before), ({ key }) => key));
  for (const flaw of check.run(subject)) {
    const worse = known !== undefined && !known.has(flaw.key);
    yield { ...flaw, level: worse ? 'error' : 'warning' };
  }
}
