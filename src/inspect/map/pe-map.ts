/** The map of a PE image: its parts in the file, and its sections in memory as UEFI firmware loads them. */
import { compare, rangeOf } from '../../base/bytes/range.js';
import { PF_R, PF_W, PF_X } from '../../formats/elf/names.js';
import { findMb1 } from '../../formats/multiboot/mb1.js';
import { findMb2 } from '../../formats/multiboot/mb2.js';
import { certificateTable } from '../../formats/pe/certificates.js';
import { copiedSize, type PeImage, type PeSection, sectionTable } from '../../formats/pe/image.js';
import {
  IMAGE_SCN_MEM_EXECUTE,
  IMAGE_SCN_MEM_READ,
  IMAGE_SCN_MEM_WRITE,
  peMachineName,
} from '../../formats/pe/names.js';
import { stringTableRange, symbolTableRange } from '../../formats/pe/string-table.js';
import { bandsOf, CLAIM_LIMIT, type Claim } from './bands.js';
import type { ImageMap } from './image-map.js';
import type { MemoryBand } from './memory.js';

/** Sections that are drawn in memory. */
const LOAD_LIMIT = 1024;

/**
 * Memory by linked address (ImageBase and RVA), or by the physical one at which Multiboot loaders put a linear image: the
 * RVA. Errors: `read.truncated` for certificates that leave the file.
 */
export function peMap(image: PeImage, by: 'p_vaddr' | 'p_paddr' = 'p_vaddr'): ImageMap {
  const { source, sections, optionalHeader, fileHeader } = image;
  const { ImageBase, AddressOfEntryPoint } = optionalHeader;
  const base = by === 'p_vaddr' ? ImageBase : 0n;
  const kind = `PE32+, ${peMachineName(fileHeader.Machine)}, ${sections.length} sections`;
  return {
    name: source.name,
    size: source.size,
    kind: 'pe',
    format: kind,
    entry: ImageBase + AddressOfEntryPoint,
    entryName: 'PE entry',
    loads: new Map(
      sections.map((s) => [s.index, { name: s.name, flags: flagsOf(s), vaddr: ImageBase + s.VirtualAddress }]),
    ),
    file: bandsOf(source, claimsOf(image)),
    memory: sections
      .filter(({ VirtualSize }) => VirtualSize > 0n)
      .slice(0, LOAD_LIMIT)
      .map((section): MemoryBand => {
        const start = base + section.VirtualAddress;
        const entered = AddressOfEntryPoint - section.VirtualAddress;
        return {
          ...rangeOf(start, section.VirtualSize),
          load: section.index,
          name: section.name,
          flags: flagsOf(section),
          p_vaddr: ImageBase + section.VirtualAddress,
          p_paddr: section.VirtualAddress,
          filesz: copiedSize(section),
          offset: section.PointerToRawData,
          notes: [],
          entry: entered >= 0n && entered < section.VirtualSize ? start + entered : undefined,
        };
      })
      .sort((a, b) => compare(a.start, b.start)),
    notes: new Map(),
  };
}

function flagsOf({ Characteristics }: PeSection): number {
  const has = (bit: number, flag: number) => ((Characteristics & bit) === 0 ? 0 : flag);
  return has(IMAGE_SCN_MEM_READ, PF_R) | has(IMAGE_SCN_MEM_WRITE, PF_W) | has(IMAGE_SCN_MEM_EXECUTE, PF_X);
}

function claimsOf(image: PeImage): Claim[] {
  const { source, sections, fileHeader } = image;
  const table = sectionTable(image);
  const plain = { load: undefined, rank: 2 };
  const data = (name: string, range: { start: bigint; end: bigint } | undefined): Claim[] =>
    range === undefined ? [] : [{ ...plain, ...range, kind: 'data', name }];
  const header = (name: string, range: { start: bigint; end: bigint }): Claim => {
    return { ...plain, ...range, kind: 'header', name, rank: 4 };
  };
  const [mb2, mb1] = [findMb2(source), findMb1(source)];
  return [
    header('DOS and PE headers', { start: 0n, end: table.start }),
    { ...plain, ...table, kind: 'table', name: `section headers (${sections.length})`, rank: 3 },
    ...sections.slice(0, CLAIM_LIMIT).map(
      (section): Claim => ({
        // Padding behind VirtualSize is part of no section in memory: it is not copied.
        ...rangeOf(section.PointerToRawData, copiedSize(section)),
        kind: 'load',
        name: section.name || `section ${section.index}`,
        rank: 1,
        load: section.index,
      }),
    ),
    ...data('COFF symbols', symbolTableRange(fileHeader)),
    ...data('COFF strings', stringTableRange(source, fileHeader)),
    ...data('certificates', certificateTable(image)),
    ...(mb2 === undefined ? [] : [header('Multiboot2 header', rangeOf(mb2.offset, BigInt(mb2.bytes.length)))]),
    ...(mb1 === undefined ? [] : [header('Multiboot header', rangeOf(mb1.offset, mb1.size))]),
  ];
}
