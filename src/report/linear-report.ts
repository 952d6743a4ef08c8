/** A linear layout and what became of it, as text for people and as the members of a `xen-elfpatch/linearize/1` document. */
import { hex, hexRange } from '../base/errors/hex.js';
import { printable } from '../base/printable.js';
import type { LinearLayout } from '../edit/linear/layout.js';
import type { PlacedSection } from '../edit/linear/place.js';
import { sectionFlags } from '../formats/pe/names.js';
import type { LinearVerdict } from '../verify/pe/verify.js';
import { findingsJson } from './findings.js';
import type { Json } from './json.js';
import { adviceText } from './linear-verdict.js';
import { counted, type Style, table } from './text.js';

/** What was done with a layout. */
export type LinearOutcome =
  | { readonly kind: 'planned' }
  | { readonly kind: 'checked' }
  | { readonly kind: 'written'; readonly verdict: LinearVerdict; readonly output: string };

/** The report for people. A plan shows both maps; a result says what it is and how it was proved. */
export function linearText(layout: LinearLayout, changes: boolean, outcome: LinearOutcome, style: Style): string {
  const file = style.bold(printable(layout.image.source.name));
  const sizes = `${layout.image.source.size} bytes become ${layout.output.size}, ${holes(layout)} of them zeros between sections`;
  switch (outcome.kind) {
    case 'checked':
      return `${file}: ${changes ? `would change: ${sizes}` : 'is linear already, nothing to change'}\n`;
    case 'planned':
      return `${file}: ${changes ? sizes : 'is linear already, nothing to change'}\n${mapText(layout, style)}${tagsText(layout)}`;
    case 'written': {
      const { verdict, output } = outcome;
      const to = changes ? `written to ${printable(output)}` : `is linear already, ${printable(output)} is the same`;
      const proof =
        layout.mb2 === undefined
          ? 'verified: the layout is linear, every section holds what it held'
          : 'verified: UEFI and Multiboot2 leave the same bytes in memory, every section holds what it held';
      return `${file}: ${to}, ${sizes}\n${tagsText(layout)}  ${proof}\n${adviceText(verdict, style)}`;
    }
  }
}

/** Zeros that stand in the file only because their addresses lie between two sections. */
function holes({ placement }: LinearLayout): bigint {
  const used = placement.pieces.reduce((sum, { start, end }) => sum + (end - start), 0n);
  return placement.fileSize - used;
}

function mapText({ image, placement }: LinearLayout, style: Style): string {
  const { headerSize, distance } = placement;
  const head = ['SECTION', 'RVA', 'IN MEMORY', 'WAS AT', 'SIZE', 'WILL BE AT', 'SIZE', '', 'LOADED BY'];
  const by: Readonly<Record<PlacedSection['role'], string>> = {
    image: 'both',
    bss: 'both, as zeros',
    tail: 'UEFI',
  };
  const rows = placement.sections.flatMap((section) =>
    section.members.map((member, index) => {
      const first = index === 0;
      const raw = first ? [place(section.PointerToRawData), place(section.SizeOfRawData)] : ['joined', ''];
      return [
        printable(member.name),
        hex(member.VirtualAddress),
        hex(member.VirtualSize),
        place(member.PointerToRawData),
        place(member.SizeOfRawData),
        ...raw,
        sectionFlags(section.Characteristics),
        by[section.role],
      ];
    }),
  );
  const wasHeaders = image.optionalHeader.SizeOfHeaders;
  rows.unshift(['headers', '0x0', hex(headerSize), '0x0', hex(wasHeaders), '0x0', hex(headerSize), '', 'UEFI']);
  const text = table([head.map((title) => ({ text: title, paint: style.dim })), ...rows], '  ');
  return `${text}  file offset = RVA - ${hex(distance)} for all that both load\n`;
}

function place(value: bigint): string {
  return value === 0n ? '-' : hex(value);
}

function tagsText(layout: LinearLayout): string {
  const { mb2, mb1, fileAlignment } = layout;
  if (mb2 === undefined) return '  Multiboot2: left as it is\n';
  const { load_addr, load_end_addr, bss_end_addr, header_addr } = mb2.address;
  const how = {
    update: 'tags brought up to date, the header stays where it is',
    append: 'tags appended to the header',
    gap: 'header moved in front of the sections',
  }[mb2.how];
  const proof =
    mb2.filler === undefined
      ? ''
      : `  over filler at RVA ${hexRange(mb2.filler.range.start, mb2.filler.range.end)}: all ${hex(mb2.filler.byte)}, ` +
        `none of ${counted(mb2.filler.symbols, 'symbol')} in it, none of ${counted(mb2.filler.relocations, 'relocation')} aimed at it\n`;
  const rows = [
    ['load', `${hexRange(load_addr, load_end_addr)} from file offset ${hex(layout.placement.headerSize)}`],
    ['zero', hexRange(load_end_addr, bss_end_addr)],
    ['header', `${hex(header_addr)} at file offset ${hex(mb2.offset)}`],
    ['entry', `${hex(mb2.entry)} (${mb2.entryFrom})${efi(mb2.values.entryEfi64)}`],
    ...(mb1 === undefined ? [] : [['Multiboot 1', `header at file offset ${hex(mb1.offset)}, the same addresses`]]),
    ['FileAlignment', hex(fileAlignment)],
  ];
  return `  Multiboot2: ${how}\n${proof}${table(rows, '    ')}`;
}

function efi(entry: bigint | undefined): string {
  return entry === undefined ? '' : `, with UEFI boot services ${hex(entry)}`;
}

/** The report of `linearize`, for `--json`. */
export function linearJson(
  layout: LinearLayout,
  changes: boolean,
  outcome: LinearOutcome,
): { readonly [key: string]: Json } {
  const { image, output, placement, mb2, mb1, fileAlignment, sizeOfImage, warnings } = layout;
  return {
    file: image.source.name,
    changed: changes,
    written:
      outcome.kind === 'written'
        ? { output: outcome.output, findings: findingsJson(outcome.verdict.findings, 'linearize') }
        : null,
    size: { before: image.source.size, after: output.size, holes: holes(layout) },
    headerSize: placement.headerSize,
    distance: placement.distance,
    fileAlignment,
    sizeOfImage,
    sections: placement.sections.map((section) => ({
      name: section.name,
      role: section.role,
      rva: section.VirtualAddress,
      memorySize: section.VirtualSize,
      offset: section.PointerToRawData,
      fileSize: section.SizeOfRawData,
      characteristics: BigInt(section.Characteristics),
      members: section.members.map(({ name, PointerToRawData, SizeOfRawData }) => ({
        name,
        offset: PointerToRawData,
        fileSize: SizeOfRawData,
      })),
    })),
    multiboot2:
      mb2 === undefined
        ? null
        : {
            how: mb2.how,
            offset: mb2.offset,
            headerAddr: mb2.address.header_addr,
            loadAddr: mb2.address.load_addr,
            loadEndAddr: mb2.address.load_end_addr,
            bssEndAddr: mb2.address.bss_end_addr,
            entry: mb2.entry,
            entryFrom: mb2.entryFrom,
            entryEfi64: mb2.values.entryEfi64 ?? null,
            filler:
              mb2.filler === undefined
                ? null
                : {
                    start: mb2.filler.range.start,
                    end: mb2.filler.range.end,
                    byte: BigInt(mb2.filler.byte),
                    symbols: mb2.filler.symbols,
                    relocations: mb2.filler.relocations,
                  },
          },
    multiboot1: mb1 === undefined ? null : { offset: mb1.offset, flags: BigInt(mb1.flags) },
    warnings: [...warnings],
  };
}
