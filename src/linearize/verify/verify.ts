/**
 * Judges a linear file: by itself, and against the input it was made from. Shares the codecs with the writer and none of
 * its layout, so that it cannot repeat the writer's mistakes.
 */
import { PatchError } from '../../errors/patch-error.js';
import type { PeImage } from '../../pe/image.js';
import { advice } from './advice.js';
import type { LinearCheck, LinearFlaw } from './check.js';
import { keptChecks } from './checks-kept.js';
import { layoutChecks } from './checks-layout.js';
import { memoryChecks } from './checks-memory.js';
import { multibootChecks } from './checks-multiboot.js';
import { type LinearSubject, linearSubject } from './subject.js';

/** The laws about the file alone, and those about what it kept. Names are stable. */
export const LINEAR_CHECKS = [...layoutChecks, ...multibootChecks, ...memoryChecks, ...advice];
export const KEPT_CHECKS = keptChecks;

/** One law that does not hold, and where. */
export interface LinearFinding {
  readonly check: string;
  /** Advice is about a file that boots. */
  readonly level: 'error' | 'advice';
  readonly because: string;
  readonly place: { readonly file: string; readonly offset?: bigint | undefined; readonly part?: string | undefined };
  readonly text: string;
}

export interface LinearVerifyOptions {
  readonly baseline?: PeImage | undefined;
  /** Sections that are known to be of no use to a flat load. */
  readonly tailNames?: readonly string[] | undefined;
  /** False for a file with a linear layout and no tags. */
  readonly wantsTags?: boolean | undefined;
}

/** The laws about the file alone that any sound PE image keeps. */
export const PE_CHECKS = LINEAR_CHECKS.filter(({ anyImage }) => anyImage === true);

export interface LinearVerdict {
  readonly subject: LinearSubject;
  /** Errors first; in the order of the checks. */
  readonly findings: readonly LinearFinding[];
}

/** Findings told of one check. */
const PER_CHECK = 32;

/** Every law that does not hold. A bad image is an answer, never an exception; what cannot be read at all is one. */
export function verifyLinear(image: PeImage, options: LinearVerifyOptions = {}): LinearVerdict {
  const { baseline, tailNames = [], wantsTags = true } = options;
  const subject = linearSubject(image, { tailNames, wantsTags });
  const asked = LINEAR_CHECKS.filter(({ aboutTags }) => wantsTags || aboutTags !== true);
  return { subject, findings: findingsOf(subject, asked, baseline) };
}

/** What breaks the laws of any PE image, and with a baseline those of what a linear image keeps of it. */
export function verifyPe(image: PeImage, baseline?: PeImage): readonly LinearFinding[] {
  return findingsOf(linearSubject(image, { tailNames: [], wantsTags: true }), PE_CHECKS, baseline);
}

function findingsOf(
  subject: LinearSubject,
  checks: readonly LinearCheck[],
  baseline: PeImage | undefined,
): readonly LinearFinding[] {
  const { image } = subject;
  const findings: LinearFinding[] = [];
  const collect = (
    { name: check, because }: { readonly name: string; readonly because: string },
    level: LinearFinding['level'],
    run: () => Iterable<LinearFlaw>,
  ) => {
    const add = ({ offset, part, text }: LinearFlaw) =>
      findings.push({ check, level, because, place: { file: image.source.name, offset, part }, text });
    let count = 0;
    try {
      for (const flaw of run()) {
        count += 1;
        if (count > PER_CHECK) break;
        add(flaw);
      }
    } catch (error) {
      if (!(error instanceof PatchError) || !isAboutTheImage(error)) throw error;
      add({ offset: error.place.offset, part: error.place.part, text: `cannot be judged: ${error.detail}` });
    }
  };
  for (const check of checks) collect(check, check.level, () => check.run(subject));
  if (baseline !== undefined) {
    for (const check of KEPT_CHECKS) collect(check, 'error', () => check.run(subject, baseline));
  }
  return findings.toSorted((a, b) => Number(a.level === 'advice') - Number(b.level === 'advice'));
}

/** Headers that lead nowhere are the image's fault; a file that vanished is not. */
function isAboutTheImage({ id }: PatchError): boolean {
  return id === 'read.truncated' || id === 'read.too-large' || id.startsWith('pe.');
}
