/** What `notes` has to say about a PE image: it has no ELF notes; what loaders read instead. */
import { hex, hexRange } from '../base/errors/hex.js';
import { printable } from '../base/printable.js';
import { type PeStamps, peStampsOf } from '../edit/pe/stamps.js';
import { findMb2, type Mb2Values, mb2Values } from '../formats/multiboot/mb2.js';
import { tagName } from '../formats/multiboot/tags.js';
import { peBuildId } from '../formats/pe/debug.js';
import type { PeImage } from '../formats/pe/image.js';
import { peMachineName } from '../formats/pe/names.js';
import { bytesToJson, type Json } from './json.js';
import { peStampRows, peStampsJson } from './pe-stamp-report.js';
import { type Style, table } from './text.js';

/** What `notes` shows of a PE image. */
export interface PeFacts {
  readonly file: string;
  readonly machine: string;
  readonly sections: number;
  readonly buildId: Uint8Array | undefined;
  readonly stamps: PeStamps;
  /** What GRUB would find; undefined without a header. */
  readonly multiboot2:
    | {
        readonly offset: bigint;
        readonly tags: readonly string[];
        /** Why the tags cannot be read to the end. */
        readonly problem: string | undefined;
        readonly values: Mb2Values;
        /** With an address tag a Multiboot2 loader takes the file as it stands, whatever its format. */
        readonly loadable: boolean;
      }
    | undefined;
}

/** Everything is read here and now, so the image need not stay open. Errors: `pe.directory`. */
export function peFacts(image: PeImage): PeFacts {
  const header = findMb2(image.source);
  return {
    file: image.source.name,
    machine: peMachineName(image.fileHeader.Machine),
    sections: image.sections.length,
    buildId: peBuildId(image),
    stamps: peStampsOf(image),
    multiboot2:
      header === undefined
        ? undefined
        : {
            offset: header.offset,
            tags: header.tags.map(({ type }) => tagName(type)),
            problem: header.problem,
            values: mb2Values(header),
            loadable: header.problem === undefined && mb2Values(header).address !== undefined,
          },
  };
}

/** The report of `notes` on one PE image, for people. */
export function peText({ file, machine, sections, buildId, stamps, multiboot2 }: PeFacts, style: Style): string {
  const rows = [
    ['ELF notes', 'none: a PE image has no place for them, and UEFI and Multiboot loaders read none'],
    ['build-id', buildId === undefined ? 'none' : bytesToJson(buildId)],
    ...peStampRows(stamps),
  ];
  if (multiboot2 === undefined) rows.push(['Multiboot2', 'no header']);
  else {
    const { offset, tags, loadable, problem, values } = multiboot2;
    rows.push(['Multiboot2', `header at ${hex(offset)}: ${tags.join(', ')}`]);
    if (problem !== undefined) rows.push(['', `malformed: ${problem}`]);
    rows.push(...valueRows(values));
    rows.push([
      '',
      loadable ? 'loadable as it stands' : 'no address tag, so loaders want ELF and refuse it (see linearize)',
    ]);
  }
  return `${style.bold(printable(file))}: PE32+, ${machine}, ${sections} sections\n${table(rows, '  ')}`;
}

/** What the tags say, one line for each that decides how the image is loaded. */
function valueRows({ address, entry, entryEfi64, relocatable, keepsBootServices }: Mb2Values): string[][] {
  const rows: string[][] = [];
  if (address !== undefined) {
    const { load_addr, load_end_addr, bss_end_addr } = address;
    rows.push(['  loads', `${hexRange(load_addr, load_end_addr)}, zeros up to ${hex(bss_end_addr)}`]);
  }
  if (relocatable !== undefined) {
    const { min_addr, max_addr, align } = relocatable;
    rows.push(['  may move', `${hex(min_addr)} to ${hex(max_addr)}, to multiples of ${hex(align)}`]);
  }
  if (entry !== undefined) rows.push(['  entry', `${hex(entry)}, 32-bit`]);
  if (entryEfi64 !== undefined) {
    const used = keepsBootServices ? '' : ', which no boot loader takes without the boot services tag';
    rows.push(['  on UEFI', `${hex(entryEfi64)}, 64-bit${used}`]);
  }
  return rows;
}

/** The report of `notes` on one PE image, for `--json`. */
export function peJson({ file, machine, buildId, stamps, multiboot2 }: PeFacts): { readonly [key: string]: Json } {
  return {
    file,
    format: 'pe',
    machine,
    buildId: buildId === undefined ? null : bytesToJson(buildId),
    multiboot2: multiboot2 === undefined ? null : multiboot2Json(multiboot2),
    notes: [],
    ...peStampsJson(stamps),
  };
}

function multiboot2Json({ offset, tags, loadable, problem, values }: NonNullable<PeFacts['multiboot2']>): Json {
  const { address, entry, entryEfi64, relocatable } = values;
  return {
    offset,
    tags: [...tags],
    loadable,
    problem: problem ?? null,
    headerAddr: address?.header_addr ?? null,
    loadAddr: address?.load_addr ?? null,
    loadEndAddr: address?.load_end_addr ?? null,
    bssEndAddr: address?.bss_end_addr ?? null,
    entry: entry ?? null,
    entryEfi64: entryEfi64 ?? null,
    relocatable:
      relocatable === undefined
        ? null
        : { min: relocatable.min_addr, max: relocatable.max_addr, align: relocatable.align },
  };
}
