/** A stamped PE image, and the stamps that one holds, as text for people and as members of a `xen-elfpatch/stamp/1` document. */
import { hex } from '../base/errors/hex.js';
import { printable } from '../base/printable.js';
import type { PeStampLayout } from '../edit/pe/lay-out.js';
import type { PeStamps } from '../edit/pe/stamps.js';
import type { Finding } from '../verify/check.js';
import { findingsJson } from './findings.js';
import type { Json } from './json.js';
import { counted, type Style, table } from './text.js';

/** What was done with a layout. */
export type PeStampOutcome =
  | { readonly kind: 'planned' }
  | { readonly kind: 'checked' }
  | { readonly kind: 'written'; readonly how: string; readonly findings: readonly Finding[]; readonly output: string };

/** The report for people. */
export function peStampText(layout: PeStampLayout, outcome: PeStampOutcome, style: Style): string {
  const { image, wanted, placement, stripped, output } = layout;
  const file = style.bold(printable(image.source.name));
  if (placement === undefined) {
    const copied = outcome.kind === 'written' && outcome.how === 'clone';
    const done = copied ? `copied unchanged to ${printable(outcome.output)}` : 'nothing to change';
    return `${file}: holds all of that already, ${done}\n`;
  }
  if (outcome.kind === 'written' && outcome.how === 'unchanged') {
    return `${file}: ${printable(outcome.output)} holds the result already and was left alone\n`;
  }
  const sizes = `${image.source.size} bytes become ${output.size}`;
  const head = {
    planned: 'to be stamped',
    checked: 'would change',
    written: outcome.kind === 'written' ? `written to ${printable(outcome.output)}` : '',
  }[outcome.kind];
  const rows = placement.sections
    .filter(({ bytes }) => bytes !== undefined)
    .map(({ name, old, header }) => [
      old === undefined ? '+' : '~',
      printable(name),
      `${counted(Number(header.VirtualSize), 'byte')} at ${hex(header.PointerToRawData)}`,
      `in memory at RVA ${hex(header.VirtualAddress)}`,
    ]);
  const grown = placement.headerSize - image.optionalHeader.SizeOfHeaders;
  const proof =
    outcome.kind === 'written'
      ? `  verified: ${wanted.length === 0 ? '' : 'the sections hold what was asked, '}everything else holds what it held\n`
      : '';
  return (
    `${file}: ${head}, ${sizes}\n` +
    table(rows, '  ') +
    (grown > 0n ? `  the headers grow by ${hex(grown)} bytes, and all behind them moves as far\n` : '') +
    (stripped ? '  - the Secure Boot signature\n' : '') +
    proof
  );
}

/** The report of an edit, for `--json`. */
export function peStampJson(layout: PeStampLayout, outcome: PeStampOutcome): { readonly [key: string]: Json } {
  const { image, placement, stripped, output, warnings } = layout;
  const sections = placement?.sections.filter(({ bytes }) => bytes !== undefined) ?? [];
  return {
    file: image.source.name,
    format: 'pe',
    changed: placement !== undefined,
    written:
      outcome.kind === 'written' ? { output: outcome.output, findings: findingsJson(outcome.findings, 'stamp') } : null,
    size: { before: image.source.size, after: output.size },
    headersGrow: placement === undefined ? 0n : placement.headerSize - image.optionalHeader.SizeOfHeaders,
    signatureDropped: stripped,
    sections: sections.map(({ name, old, header }) => ({
      name,
      change: old === undefined ? 'added' : 'changed',
      rva: header.VirtualAddress,
      memorySize: header.VirtualSize,
      offset: header.PointerToRawData,
      fileSize: header.SizeOfRawData,
    })),
    warnings: [...warnings],
  };
}

/** The stamps of a PE image, for people. */
export function peStampsText(file: string, stamps: PeStamps, style: Style): string {
  const name = style.bold(printable(file));
  const rows = peStampRows(stamps);
  if (rows.length === 0) return `${name}: no SBAT, no package metadata and no bill of materials\n`;
  return `${name}:\n${table(rows, '  ')}`;
}

/** A row for each line of SBAT, for the metadata and the bill of materials, and for what is wrong with them. */
export function peStampRows({ sbat, metadata, sbom, problems }: PeStamps): string[][] {
  return [
    ...(sbat ?? []).map(({ text }, index) => [index === 0 ? 'SBAT' : '', printable(text)]),
    ...(metadata === undefined ? [] : [['package metadata', printable(metadata)]]),
    ...(sbom === undefined ? [] : [['bill of materials', `${counted(sbom, 'byte')}, uSWID`]]),
    ...problems.map((problem, index) => [index === 0 ? 'problem' : '', printable(problem)]),
  ];
}

/** The stamps of a PE image, as a member of `notes` and `stamp`. */
export function peStampsJson({ sbat, metadata, sbom }: PeStamps): { readonly [key: string]: Json } {
  return {
    sbat:
      sbat === undefined
        ? null
        : sbat.map(({ component, generation, text: line }) => ({ component, generation, line })),
    packageMetadata: metadata ?? null,
    sbomSize: sbom ?? null,
  };
}
