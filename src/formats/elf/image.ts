/** A read ELF image and the questions one may ask it. */
import { overlaps } from '../../base/bytes/range.js';
import type { ByteSource } from '../../base/bytes/source.js';
import { type FileRange, fileRange, type Paddr, paddr, type Vaddr, type VaddrRange, vaddrRange } from './address.js';
import { Ehdr, EI_NIDENT, Phdr, Shdr } from './headers.js';
import { PT_LOAD, PT_NULL, SHF_ALLOC, SHT_NOBITS, SHT_NULL } from './names.js';
import type { Encoding } from './struct.js';

/** A read image: what its headers say, checked for their own sizes only, and the bytes behind them. */
export interface ElfImage {
  readonly source: ByteSource;
  readonly encoding: Encoding;
  readonly ident: Uint8Array;
  /** The fields as they stand in the file, escapes included. */
  readonly header: Ehdr;
  /** The program header table; its length is the resolved count. */
  readonly segments: readonly Phdr[];
  /** The section header table; empty when there is none. */
  readonly sections: readonly Shdr[];
  /** Resolved index of the section-name table; 0 when sections have no names. */
  readonly shstrndx: number;
}

/** Bytes of the ELF header. */
export function ehdrSize(encoding: Encoding): bigint {
  return BigInt(EI_NIDENT + Ehdr.size(encoding));
}

/** Where the program header table stands in the file. */
export function phdrTable({ header, segments, encoding }: ElfImage): FileRange {
  return fileRange(header.e_phoff, BigInt(segments.length * Phdr.size(encoding)));
}

/** Where the section header table stands; empty at 0 when there is none. */
export function shdrTable({ header, sections, encoding }: ElfImage): FileRange {
  return sections.length === 0
    ? fileRange(0n, 0n)
    : fileRange(header.e_shoff, BigInt(sections.length * Shdr.size(encoding)));
}

/** File bytes of a segment. */
export function segmentFileRange(segment: Phdr): FileRange {
  return fileRange(segment.p_offset, segment.p_filesz);
}

/** File bytes of a section; none for NOBITS and the null section. */
export function sectionFileRange(section: Shdr): FileRange {
  const size = hasFileBytes(section) ? section.sh_size : 0n;
  return fileRange(section.sh_offset, size);
}

/** File bytes that the headers claim: ELF header, both tables, sections and segments with bytes. May overlap. */
export function* rangesInUse(image: ElfImage): Generator<FileRange> {
  yield fileRange(0n, ehdrSize(image.encoding));
  yield phdrTable(image);
  yield shdrTable(image);
  for (const section of image.sections) if (hasFileBytes(section)) yield sectionFileRange(section);
  for (const segment of image.segments)
    if (segment.p_filesz > 0n && segment.p_type !== PT_NULL) yield segmentFileRange(segment);
}

/** Does the section occupy bytes of the file? */
export function hasFileBytes({ sh_type, sh_size }: Shdr): boolean {
  return sh_type !== SHT_NOBITS && sh_type !== SHT_NULL && sh_size > 0n;
}

/** Does the section occupy memory at run time (SHF_ALLOC)? */
export function isAllocated({ sh_flags }: Shdr): boolean {
  return (sh_flags & SHF_ALLOC) !== 0n;
}

/** The first section that occupies some of these virtual addresses; in a PT_LOAD or, as .bss may, in none. */
export function allocatedAt({ sections }: ElfImage, addresses: VaddrRange): number | undefined {
  const index = sections.findIndex((s) => isAllocated(s) && overlaps(vaddrRange(s.sh_addr, s.sh_size), addresses));
  return index < 0 ? undefined : index;
}

/** The PT_LOAD entries with their index in the table. */
export function loads({ segments }: ElfImage): { readonly index: number; readonly segment: Phdr }[] {
  return segments.flatMap((segment, index) => (segment.p_type === PT_LOAD ? [{ index, segment }] : []));
}

/** The PT_LOAD whose memory holds this virtual address, the first in table order. */
export function loadAtVaddr(image: ElfImage, vaddr: Vaddr): Phdr | undefined {
  return loads(image).find(({ segment: s }) => s.p_memsz > 0n && vaddr >= s.p_vaddr && vaddr - s.p_vaddr < s.p_memsz)
    ?.segment;
}

/** The PT_LOAD whose memory holds this physical address. */
export function loadAtPaddr(image: ElfImage, paddr: Paddr): Phdr | undefined {
  return loads(image).find(({ segment: s }) => s.p_memsz > 0n && paddr >= s.p_paddr && paddr - s.p_paddr < s.p_memsz)
    ?.segment;
}

/** The PT_LOAD whose file bytes hold all of this file range. */
export function loadAtOffset(image: ElfImage, { start, end }: FileRange): Phdr | undefined {
  return loads(image).find(({ segment: s }) => start >= s.p_offset && end <= s.p_offset + s.p_filesz && s.p_filesz > 0n)
    ?.segment;
}

/** The physical address of a virtual one, through the PT_LOAD that holds it. */
export function toPhysical(image: ElfImage, vaddr: Vaddr): Paddr | undefined {
  const load = loadAtVaddr(image, vaddr);
  return load === undefined ? undefined : paddr(vaddr - load.p_vaddr + load.p_paddr);
}

/** The largest address the class can hold, plus one. */
export function addressSpace({ bits }: Encoding): bigint {
  return 1n << BigInt(bits);
}
