/** What the verifier of linear files found, as text for people and as members of a `xen-elfpatch/linearize/1` document. */
import { hex } from '../base/errors/hex.js';
import { printable } from '../base/printable.js';
import { type LinearVerdict, linearChecks } from '../verify/pe/verify.js';
import { checksMade, findingsJson, findingsText, holds } from './findings.js';
import type { Json } from './json.js';
import { counted, type Style, table } from './text.js';

/** The report of `linearize --verify`, for people. */
export function linearVerdictText(verdict: LinearVerdict, baseline: string | undefined, style: Style): string {
  const { findings, subject } = verdict;
  const errors = findings.filter(({ level }) => level === 'error');
  const made = checksMade({ checks: linearChecks(subject.wantsTags), baseline });
  const file = style.bold(printable(subject.image.source.name));
  const against = baseline === undefined ? '' : ` against ${printable(baseline)}`;
  const headline = holds(findings)
    ? style.good(`linear, ${counted(made, 'check')} passed${against}`)
    : style.bad(`${counted(errors.length, 'finding')} in ${made} checks${against}`);
  return `${file}: ${headline}\n${findingsText(errors, style, true)}${viewText(verdict)}${adviceText(verdict, style)}`;
}

/** Who would load the file, and where. */
function viewText({ subject }: LinearVerdict): string {
  const { image, values, mb1, mb2 } = subject;
  const { AddressOfEntryPoint, ImageBase, SizeOfImage } = image.optionalHeader;
  const rows = [
    ['UEFI', `${hex(SizeOfImage)} bytes, linked at ${hex(ImageBase)}, entry at RVA ${hex(AddressOfEntryPoint)}`],
  ];
  const address = values?.address;
  if (mb2 !== undefined) {
    const load =
      address === undefined
        ? 'no address tag: loaders take the file for ELF and refuse it'
        : `loads to ${hex(address.load_addr)}, zeros up to ${hex(address.bss_end_addr)}, entry ${values?.entry === undefined ? 'missing' : hex(values.entry)}`;
    rows.push(['Multiboot2', load]);
  }
  rows.push([
    'Multiboot 1',
    mb1 === undefined
      ? 'no header'
      : mb1.fields === undefined
        ? 'header without addresses: refused'
        : `loads to ${hex(mb1.fields.load_addr)}, entry ${hex(mb1.fields.entry_addr)}`,
  ]);
  return table(rows, '  ');
}

/** The findings that are advice, one line each. */
export function adviceText({ findings }: LinearVerdict, style: Style): string {
  const advice = findings.filter(({ level }) => level === 'advice');
  return findingsText(advice, style, true);
}

/** The members of the JSON document of `--verify`. */
export function linearVerdictJson(
  verdict: LinearVerdict,
  baseline: string | undefined,
): { readonly [key: string]: Json } {
  const { subject, findings } = verdict;
  const address = subject.values?.address;
  return {
    file: subject.image.source.name,
    baseline: baseline ?? null,
    linear: holds(findings),
    findings: findingsJson(findings, 'linearize'),
    loaded: subject.loaded.map(({ name }) => name),
    bss: subject.bss.map(({ name }) => name),
    tail: subject.tail.map(({ name }) => name),
    multiboot2:
      subject.mb2 === undefined
        ? null
        : {
            offset: subject.mb2.offset,
            headerAddr: address?.header_addr ?? null,
            loadAddr: address?.load_addr ?? null,
            loadEndAddr: address?.load_end_addr ?? null,
            bssEndAddr: address?.bss_end_addr ?? null,
            entry: subject.values?.entry ?? null,
            entryEfi64: subject.values?.entryEfi64 ?? null,
          },
    multiboot1:
      subject.mb1 === undefined
        ? null
        : { offset: subject.mb1.offset, flags: BigInt(subject.mb1.flags), usable: subject.mb1.fields !== undefined },
  };
}
