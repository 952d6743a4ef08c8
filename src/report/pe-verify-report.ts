/** What `verify` says of a PE image: the laws of its headers, and what loaders would do with it. */
import { placePrefix } from '../errors/patch-error.js';
import { KEPT_CHECKS, type LinearFinding, PE_CHECKS } from '../linearize/verify/verify.js';
import { type Json, jsonDocument } from './json.js';
import { asWanted, type LoaderFacts, loaderJson, loaderText } from './loader-report.js';
import { counted, printable, type Style } from './text.js';

export interface PeVerifyFacts {
  readonly file: string;
  readonly baseline: string | undefined;
  readonly findings: readonly LinearFinding[];
  readonly loaders: LoaderFacts;
}

/** Why loaders of ELF images have nothing to say, and who has. */
const NO_ELF =
  'a PE image has no ELF headers and no Xen notes, so what reads those does not apply: UEFI and Multiboot load it';

/** What the exit status says, by the same rule as for ELF: loaders that were named decide, else the laws. */
export function isGoodPe({ findings, loaders, baseline }: PeVerifyFacts): boolean {
  const asked = loaders.asked.length > 0;
  if (asked && !asWanted(loaders)) return false;
  return (asked && baseline === undefined) || findings.length === 0;
}

function checksMade({ baseline }: PeVerifyFacts): number {
  return PE_CHECKS.length + (baseline === undefined ? 0 : KEPT_CHECKS.length);
}

/** The report for people. */
export function peVerifyText(facts: PeVerifyFacts, style: Style): string {
  const { file, baseline, findings, loaders } = facts;
  const name = style.bold(printable(file));
  const verdict = findings.length === 0 ? style.good('sound') : style.bad('broken');
  const told = findings.length === 0 ? '' : `, ${counted(findings.length, 'error')}`;
  const lines = [`${name}: ${verdict} PE image, ${counted(checksMade(facts), 'check')}${told}`];
  for (const { check, place, text } of findings) {
    const { offset, part } = place;
    const where = printable(placePrefix({ offset, part }));
    lines.push(`  ${style.bad('error')}: ${where}${printable(text)} ${style.dim(`[${check}]`)}`);
  }
  if (baseline !== undefined && findings.length === 0) {
    lines.push(`${name}: nothing in memory but Multiboot headers differs from ${printable(baseline)}`);
  }
  lines.push(`${name}: ${NO_ELF}`);
  return `${lines.join('\n')}\n${loaderText(file, loaders, style)}`;
}

/** The document, a `xen-elfpatch/verify/1` like that of an ELF image, without a second reader. */
export function peVerifyDocument(facts: PeVerifyFacts): string {
  const { file, baseline, findings, loaders } = facts;
  return jsonDocument('verify', {
    file,
    format: 'pe',
    baseline,
    ok: isGoodPe(facts),
    structure: {
      checks: checksMade(facts),
      errors: findings.length,
      warnings: 0,
      findings: findings.map(({ check, place, text, because }): Json => {
        return { check, level: 'error', file: place.file, offset: place.offset, part: place.part, text, because };
      }),
    },
    ...loaderJson(loaders),
  });
}
