/** What every release of every loader makes of an image, each with reason and cure as `verify --json --for NAME@VERSION` has them. */
import type { VerifyVerdict } from '../../documents.js';
import type { ProvedVerdict } from '../../edit/fix/cure.js';
import { loaderRow } from '../../loaders/names.js';
import { stretchText, verdictsByRelease } from '../../loaders/releases.js';
import type { Verdict } from '../../loaders/rule.js';
import { PRODUCT_TITLES } from '../../loaders/versions.js';
import { NEWEST_XEN, type XenVersion } from '../../loaders/xen-version.js';
import { loaderJson } from '../../report/loader-report.js';
import type { WebImage } from './open.js';
import type { ReleaseVerdict } from './page-data.js';

/** The releases of one loader, oldest first; `prove` tries the cures. */
export function releaseVerdicts(
  { source, wrapped, file }: WebImage,
  row: string,
  { memory, xenVersion = NEWEST_XEN }: { readonly memory?: bigint | undefined; readonly xenVersion?: XenVersion },
  prove: (verdicts: readonly Verdict[]) => readonly ProvedVerdict[],
): ReleaseVerdict[] {
  const told = verdictsByRelease(source, row, { wrapped, memory });
  const verdicts = prove(told.map(({ answer }) => answer));
  const asked = verdicts.map(({ version }) => `${row}@${version}`);
  const facts = { image: file.name, xenVersion, memory, asked, rules: false, verdicts };
  const shown: readonly VerifyVerdict[] = JSON.parse(JSON.stringify(loaderJson(facts), asText)).loaders;
  const product = PRODUCT_TITLES[loaderRow(row)?.product ?? 'xen'];
  return shown.map(({ rules: _rules, programs: _programs, values: _values, ...verdict }, k) => {
    const stretch = told[k];
    return { ...verdict, row, product, releases: stretch === undefined ? '' : stretchText(stretch) };
  });
}

function asText(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `0x${value.toString(16)}` : value;
}
