/**
 * Judges a linear file: by itself, and against the input it was made from. Shares the codecs with the writer and none of
 * its layout, so that it cannot repeat the writer's mistakes.
 */
import type { PeImage } from '../../formats/pe/image.js';
import { type Finding, run } from '../check.js';
import { advice } from './advice.js';
import type { KeptCheck, LinearCheck } from './check.js';
import { keptChecks } from './checks-kept.js';
import { layoutChecks } from './checks-layout.js';
import { memoryChecks } from './checks-memory.js';
import { multibootChecks } from './checks-multiboot.js';
import { type LinearSubject, linearSubject } from './subject.js';

/** The checks of the file alone, and those of what it kept. Names are stable. */
export const LINEAR_CHECKS: readonly LinearCheck[] = [...layoutChecks, ...multibootChecks, ...memoryChecks, ...advice];
/** The checks of what a linear image kept of its input. */
export const KEPT_CHECKS: readonly KeptCheck[] = keptChecks;

/** The checks that hold for any sound PE image, and with a baseline those of what a linear image keeps of it. */
export const PE_CHECKS: readonly (LinearCheck | KeptCheck)[] = [
  ...LINEAR_CHECKS.filter(({ anyImage }) => anyImage === true),
  ...KEPT_CHECKS,
];

/** What a PE image is held against. */
export interface LinearVerifyOptions {
  readonly baseline?: PeImage | undefined;
  /** Sections that are known to be of no use to a flat load. */
  readonly tailNames?: readonly string[] | undefined;
  /** False for a file with a linear layout and no tags. */
  readonly wantsTags?: boolean | undefined;
}

/** The image as checks saw it, and what they found. */
export interface LinearVerdict {
  readonly subject: LinearSubject;
  /** Errors first; in the order of the checks. */
  readonly findings: readonly Finding[];
}

/** The checks that are made of a linear file; without tags wanted, none that is about tags. */
export function linearChecks(wantsTags: boolean): readonly (LinearCheck | KeptCheck)[] {
  return [...LINEAR_CHECKS.filter(({ aboutTags }) => wantsTags || aboutTags !== true), ...KEPT_CHECKS];
}

/** Every check that does not hold. A bad image is an answer, never an exception; what cannot be read at all is one. */
export function verifyLinear(image: PeImage, options: LinearVerifyOptions = {}): LinearVerdict {
  const { baseline, tailNames = [], wantsTags = true } = options;
  const subject = linearSubject(image, { tailNames, wantsTags });
  return { subject, findings: findingsOf(subject, linearChecks(wantsTags), baseline) };
}

/** What breaks the checks of any PE image, and with a baseline those of what a linear image keeps of it. */
export function verifyPe(image: PeImage, baseline?: PeImage): readonly Finding[] {
  return findingsOf(linearSubject(image, { tailNames: [], wantsTags: true }), PE_CHECKS, baseline);
}

function findingsOf(
  subject: LinearSubject,
  checks: readonly (LinearCheck | KeptCheck)[],
  baseline: PeImage | undefined,
): readonly Finding[] {
  const pair = baseline === undefined ? undefined : { subject, input: baseline };
  return run(checks, { file: subject.image.source.name, image: subject, pair }, 'table');
}
