/**
 * Judges a stamped PE image: it holds what was asked, and whatever could load or start the image it was made from finds what
 * it found. Knows nothing of how room was made.
 */
import { equalBytes } from '../../base/bytes/text.js';
import { hex } from '../../base/errors/hex.js';
import type { PeImage } from '../../formats/pe/image.js';
import { METADATA_SECTIONS, sectionCalled, sectionContent } from '../../formats/pe/metadata-sections.js';
import { type ExpectationCheck, type Finding, run } from '../check.js';
import { type LinearCheck, partOf } from './check.js';
import { linearSubject } from './subject.js';
import { LINEAR_CHECKS, PE_CHECKS } from './verify.js';

/** A section that the result has to hold. */
export interface ExpectedSection {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Both images, and what was to be put in. */
export interface StampedPair {
  readonly image: PeImage;
  readonly input: PeImage;
  readonly expected: readonly ExpectedSection[];
}

/** The checks that a stamped image is held against besides those of its kind. Names are stable. */
export const STAMPED_CHECKS: readonly ExpectationCheck<StampedPair>[] = [
  {
    name: 'pe.stamped',
    needs: 'expectation',
    because: 'shim, systemd and fwupd find these sections by name and take all of their bytes',
    *run({ image, expected }) {
      for (const { name, bytes } of expected) {
        const section = sectionCalled(image, name);
        const found = section === undefined ? undefined : sectionContent(image, section);
        if (section === undefined || found === undefined) yield { part: `section ${name}`, text: 'is not there' };
        else if (section.VirtualSize !== BigInt(bytes.length) || !equalBytes(found, bytes)) {
          yield { offset: section.PointerToRawData, part: partOf(section), text: 'does not hold what was asked' };
        }
      }
    },
  },
  {
    name: 'pe.stamped-only',
    needs: 'expectation',
    because: 'nothing is put in, or changed, that was not asked for',
    *run({ image, input, expected }) {
      const asked = new Set(expected.map(({ name }) => name));
      const count = (of: PeImage) => of.sections.length;
      const added = expected.filter(({ name }) => sectionCalled(input, name) === undefined).length;
      if (count(image) !== count(input) + added) {
        yield { part: 'section table', text: `has ${count(image)} sections, wanted ${count(input) + added}` };
      }
      for (const section of image.sections) {
        const was = input.sections[section.index];
        if (was === undefined && !asked.has(section.name)) yield { part: partOf(section), text: 'was not asked for' };
        if (was === undefined || !METADATA_SECTIONS.includes(was.name) || asked.has(was.name)) continue;
        const [now, then] = [sectionContent(image, section), sectionContent(input, was)];
        const same = now === undefined || then === undefined ? now === then : equalBytes(now, then);
        if (!same || section.VirtualSize !== was.VirtualSize) {
          const size = hex(section.VirtualSize);
          yield { part: partOf(section), text: `holds other bytes than it did (${size} in memory)` };
        }
      }
    },
  },
];

/** What holds for every sound image, and what is the linear layout's own. */
const SOUND = LINEAR_CHECKS.filter(({ anyImage }) => anyImage === true);
const LAYOUT = LINEAR_CHECKS.filter(({ anyImage }) => anyImage !== true);

/**
 * Every check that does not hold. A linear image has to stay linear; what a sound image needs and the input broke already,
 * in the same part, is no fault of the edit and is not told. Errors: those of reading headers.
 */
export function verifyStamped(
  image: PeImage,
  input: PeImage,
  expected: readonly ExpectedSection[],
): readonly Finding[] {
  const tailNames = expected.map(({ name }) => name);
  const judged = (of: PeImage) => linearSubject(of, { tailNames, wantsTags: true });
  const [subject, before] = [judged(image), judged(input)];
  const file = image.source.name;
  const ofInput = (checks: readonly LinearCheck[]) => run(checks, { file, image: before }, 'table');
  const old = ofInput(LAYOUT);
  const wasLinear = old.every(({ level }) => level !== 'error');
  const checks = [
    ...(wasLinear ? LINEAR_CHECKS : SOUND),
    ...PE_CHECKS.filter(({ needs }) => needs === 'baseline'),
    ...STAMPED_CHECKS,
  ];
  const planned = { image, input, expected };
  const found = run(checks, { file, image: subject, pair: { subject, input }, planned }, 'table');
  // Of what every image has to hold, the input is asked only where the result does not: a checksum reads all of a file.
  const broken = new Set(found.map(({ check }) => check));
  old.push(...ofInput(SOUND.filter(({ name }) => broken.has(name))));
  const known = new Set(old.map(({ check, place }) => `${check} ${place.part}`));
  return found.filter(
    ({ check, place, text }) => !known.has(`${check} ${place.part}`) && !isAsked(check, text, place.part, tailNames),
  );
}

/** A new section is what a comparison with the input warns of, and what was asked for here. */
function isAsked(check: string, text: string, part: string | undefined, names: readonly string[]): boolean {
  return (
    check === 'linear.kept-sections' && text === 'was not there' && names.some((name) => part === `section ${name}`)
  );
}
