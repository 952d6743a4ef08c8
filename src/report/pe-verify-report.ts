/** What `verify` says of a PE image: the laws of its headers, and what loaders would do with it. */

import { printable } from '../base/printable.js';
import { METADATA_SECTIONS } from '../formats/pe/metadata-sections.js';
import type { Finding } from '../verify/check.js';
import { PE_CHECKS } from '../verify/pe/verify.js';
import { countOf, countsText, findingsText, holds, structureJson } from './findings.js';
import { jsonDocument } from './json.js';
import { type LoaderFacts, loaderJson, loaderText } from './loader-report.js';
import type { Style } from './text.js';
import { decides } from './verify-report.js';

/** What `verify` found about a PE image. */
export interface PeVerifyFacts {
  readonly file: string;
  readonly baseline: string | undefined;
  /** Do warnings count as no? */
  readonly strict?: boolean;
  readonly findings: readonly Finding[];
  readonly loaders: LoaderFacts;
}

/** Why loaders of ELF images have nothing to say, and who has. */
const NO_ELF =
  'a PE image has no ELF headers and no Xen notes, so what reads those does not apply: UEFI and Multiboot load it';

/** What the exit status says, by the same rule as for ELF. */
export function isGoodPe({ findings, loaders, baseline, strict = false }: PeVerifyFacts): boolean {
  const sound = holds(findings) && !(strict && countOf(findings, 'warning') > 0);
  return decides(loaders, baseline, sound, strict);
}

/** The report of `verify` on one PE image, for people. */
export function peVerifyText({ file, baseline, findings, loaders }: PeVerifyFacts, style: Style): string {
  const name = style.bold(printable(file));
  const verdict = holds(findings) ? style.good('sound') : style.bad('broken');
  let text = `${name}: ${verdict} PE image, ${countsText({ checks: PE_CHECKS, baseline, findings })}\n`;
  text += findingsText(findings, style, false);
  if (baseline !== undefined && holds(findings)) {
    const stamps = METADATA_SECTIONS.join(', ');
    text += `${name}: nothing that ${printable(baseline)} has in memory differs, but for Multiboot headers and ${stamps}\n`;
  }
  return `${text}${name}: ${NO_ELF}\n${loaderText(file, loaders, style)}`;
}

/** The document, a `xen-elfpatch/verify/1` like that of an ELF image, without a second reader. */
export function peVerifyDocument(facts: PeVerifyFacts): string {
  const { file, baseline, findings, loaders } = facts;
  return jsonDocument('verify', {
    file,
    format: 'pe',
    baseline,
    ok: isGoodPe(facts),
    structure: structureJson({ checks: PE_CHECKS, baseline, findings }),
    ...loaderJson(loaders),
  });
}
