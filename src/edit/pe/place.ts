/**
 * Where new and changed sections stand. A changed one keeps its address; a new one comes behind all others, in memory and
 * in the file. What has to move in the file moves as a whole, by one distance from the place where something grew. Pure:
 * numbers in, numbers out.
 */
import { alignUp } from '../../base/bytes/align.js';
import type { Piece } from '../../base/bytes/pieces.js';
import { compare, type Range } from '../../base/bytes/range.js';
import { fits } from '../../base/bytes/source.js';
import { hex } from '../../base/errors/hex.js';
import { fail } from '../../base/errors/patch-error.js';
import { hasLinuxMagic } from '../../formats/linux/boot-header.js';
import { findMb2 } from '../../formats/multiboot/mb2.js';
import { GRUB_MB2 } from '../../formats/multiboot/windows.js';
import { certificateTable } from '../../formats/pe/certificates.js';
import { SECTION_ENTRY, type SectionHeader } from '../../formats/pe/headers.js';
import {
  hasRawData,
  memoryRange,
  type PeImage,
  type PeSection,
  rawRange,
  sectionTable,
} from '../../formats/pe/image.js';
import { IMAGE_SCN_CNT_INITIALIZED_DATA, IMAGE_SCN_MEM_READ } from '../../formats/pe/names.js';
import { FOUR_GIB } from '../linear/preconditions.js';
import type { WantedSection } from './wish.js';

/** Data that is read: what objcopy, ukify and linkers give such sections. */
const FLAGS = IMAGE_SCN_CNT_INITIALIZED_DATA | IMAGE_SCN_MEM_READ;

/** Where the fields of a bzImage begin that boot loaders read (Documentation/arch/x86/boot.rst). */
const SENTINEL = 0x1efn;

/** A section of the result. */
export interface PlacedSection {
  readonly name: string;
  readonly header: SectionHeader;
  /** Undefined for a new one. */
  readonly old: PeSection | undefined;
  /** The bytes that it is to hold; undefined leaves what it holds. */
  readonly bytes: Uint8Array | undefined;
}

/** Where everything of the result stands. */
export interface PePlacement {
  readonly headerSize: bigint;
  readonly sections: readonly PlacedSection[];
  readonly PointerToSymbolTable: bigint;
  /** What is taken over from the input. */
  readonly pieces: readonly Piece[];
  readonly fileSize: bigint;
  readonly sizeOfImage: bigint;
}

/**
 * Places the sections. The image went through refuseUnfit(): sections ascend, share nothing and lie in the file.
 * Errors: `pe.no-header-room`, `pe.no-section-room`, `pe.too-big`.
 */
export function placeSections(image: PeImage, wanted: readonly WantedSection[]): PePlacement {
  const { source, optionalHeader, fileHeader, sections } = image;
  const unit = optionalHeader.FileAlignment > 0n ? optionalHeader.FileAlignment : 1n;
  for (const { name, bytes, old } of wanted) {
    if (old === undefined || hasRawData(old)) continue;
    const context = { name, size: BigInt(bytes.length), room: 0n, why: 'it has no data in the file' };
    fail('pe.no-section-room', { file: source.name, part: `section ${name}` }, context);
  }
  const fresh = wanted.filter(({ old }) => old === undefined);
  const growth = headerGrowth(image, BigInt(fresh.length * SECTION_ENTRY));
  const headerSize = optionalHeader.SizeOfHeaders + growth;
  const pieces: Piece[] = [];
  const moved = new Map<PeSection, SectionHeader>();
  // Where in the input the walk is, and how far everything from there on moves.
  let from = 0n;
  let by = 0n;
  const take = (end: bigint) => {
    if (end > from) pieces.push({ start: from + by, end: end + by, from });
    from = end;
  };
  take(optionalHeader.SizeOfHeaders);
  by += growth;
  for (const section of sections.filter(hasRawData).sort((a, b) => compare(a.PointerToRawData, b.PointerToRawData))) {
    take(section.PointerToRawData);
    const PointerToRawData = section.PointerToRawData + by;
    const change = wanted.find(({ old }) => old === section);
    if (change === undefined) {
      take(rawRange(section).end);
      moved.set(section, { ...section, PointerToRawData });
      continue;
    }
    const size = alignUp(BigInt(change.bytes.length), unit);
    const SizeOfRawData = size > section.SizeOfRawData ? size : section.SizeOfRawData;
    // What it held goes, and with it the bytes behind it up to its end in the file.
    from = rawRange(section).end;
    by += SizeOfRawData - section.SizeOfRawData;
    refuseGrowth(image, section, change, by !== growth);
    moved.set(section, { ...section, PointerToRawData, SizeOfRawData, VirtualSize: BigInt(change.bytes.length) });
  }
  // Symbols, strings and what else was appended come behind the new sections; a signature does not come along.
  const signature = certificateTable(image);
  const end = signature?.start ?? source.size;
  const keepsPlace = hasLinuxMagic(source);
  if (keepsPlace) take(end);
  const behind: PlacedSection[] = [];
  let offset = alignUp(from + by, unit);
  let rva = sections.reduce((most, s) => (memoryRange(s).end > most ? memoryRange(s).end : most), headerSize);
  for (const { name, bytes } of fresh) {
    const size = alignUp(BigInt(bytes.length), unit);
    const VirtualAddress = alignUp(rva, optionalHeader.SectionAlignment);
    behind.push({ name, bytes, old: undefined, header: newHeader(BigInt(bytes.length), VirtualAddress, size, offset) });
    offset += size;
    rva = VirtualAddress + BigInt(bytes.length);
  }
  if (fresh.length > 0) by = offset - from;
  const { PointerToSymbolTable } = fileHeader;
  const symbols =
    PointerToSymbolTable === 0n
      ? 0n
      : PointerToSymbolTable >= from
        ? PointerToSymbolTable + by
        : movedOffset(pieces, PointerToSymbolTable);
  take(end);
  if (signature !== undefined && signature.end < source.size) {
    from = signature.end;
    by -= signature.end - signature.start;
    take(source.size);
  }
  const last = pieces.at(-1)?.end ?? 0n;
  const fileSize = last > offset ? last : offset;
  // It stays where it covers everything, a multiple of SectionAlignment or not.
  const { SizeOfImage, SectionAlignment } = optionalHeader;
  const sizeOfImage = rva > SizeOfImage ? alignUp(rva, SectionAlignment) : SizeOfImage;
  for (const [what, value] of [
    ['the size of the file', fileSize],
    ['SizeOfImage', sizeOfImage],
  ] as const) {
    if (value >= FOUR_GIB) fail('pe.too-big', { file: source.name }, { what, value });
  }
  return {
    headerSize,
    sections: [
      ...sections.map((old): PlacedSection => {
        const bytes = wanted.find((change) => change.old === old)?.bytes;
        return { name: old.name, header: moved.get(old) ?? old, old, bytes };
      }),
      ...behind,
    ],
    PointerToSymbolTable: symbols,
    pieces,
    fileSize,
    sizeOfImage,
  };
}

function movedOffset(pieces: readonly Piece[], offset: bigint): bigint {
  const home = pieces.find(({ start, end, from = 0n }) => offset >= from && offset < from + (end - start));
  return home === undefined ? offset : home.start + (offset - (home.from ?? 0n));
}

function newHeader(
  size: bigint,
  VirtualAddress: bigint,
  SizeOfRawData: bigint,
  PointerToRawData: bigint,
): SectionHeader {
  return {
    VirtualSize: size,
    VirtualAddress,
    SizeOfRawData,
    PointerToRawData,
    PointerToRelocations: 0n,
    PointerToLinenumbers: 0n,
    NumberOfRelocations: 0,
    NumberOfLinenumbers: 0,
    Characteristics: FLAGS,
  };
}

/** By how much the headers have to grow for so many bytes of section table. Errors: `pe.no-header-room`. */
function headerGrowth(image: PeImage, need: bigint): bigint {
  const { source, sections, optionalHeader } = image;
  if (need === 0n) return 0n;
  const table = sectionTable(image);
  const firstRaw = sections
    .filter(hasRawData)
    .reduce((least, s) => (s.PointerToRawData < least ? s.PointerToRawData : least), optionalHeader.SizeOfHeaders);
  const end = firstRaw < optionalHeader.SizeOfHeaders ? firstRaw : optionalHeader.SizeOfHeaders;
  const used = endOfFiller(image, { start: table.end, end });
  const have = (used ?? end) - table.end;
  if (have >= need) return 0n;
  const refuse = (why: string) =>
    fail('pe.no-header-room', { file: source.name, part: 'section table' }, { need, have, at: table.end, why });
  if (used !== undefined) refuse(`other bytes stand at ${hex(used)}`);
  if (hasLinuxMagic(source)) refuse('a boot loader finds the kernel by the number of sectors in front of it');
  const unit = optionalHeader.FileAlignment > 8n ? optionalHeader.FileAlignment : 8n;
  const growth = alignUp(need - have, unit);
  const lowest = sections[0]?.VirtualAddress ?? 0n;
  if (optionalHeader.SizeOfHeaders + growth > lowest) refuse(`the first section begins at RVA ${hex(lowest)}`);
  const mb2 = findMb2(source);
  if (mb2 !== undefined && mb2.offset + BigInt(mb2.bytes.length) + growth > GRUB_MB2.bytes) {
    refuse('the Multiboot2 header would no longer be in the first 32 KiB');
  }
  return growth;
}

/** Where bytes begin that are no filler; undefined when all of the range is. Linux fills up to its boot sector with 0xff. */
function endOfFiller({ source }: PeImage, { start, end }: Range): bigint | undefined {
  if (end <= start || !fits(start, end - start, source.size)) return undefined;
  const stop = hasLinuxMagic(source) && start < SENTINEL && end > SENTINEL ? SENTINEL : end;
  const bytes = source.read(start, stop - start, 'bytes behind the section table');
  const filler = bytes[0] === 0xff ? 0xff : 0;
  const at = bytes.findIndex((byte) => byte !== filler);
  if (at >= 0) return start + BigInt(at);
  return stop < end ? stop : undefined;
}

/** A section grows up to the next address; where a flat loader copies what follows, not at all. Errors: `pe.no-section-room`. */
function refuseGrowth(image: PeImage, section: PeSection, { name, bytes }: WantedSection, moves: boolean): void {
  const { sections, source } = image;
  const size = BigInt(bytes.length);
  const next = sections[section.index + 1]?.VirtualAddress ?? FOUR_GIB - 1n;
  const refuse = (room: bigint, why: string) =>
    fail('pe.no-section-room', { file: source.name, part: `section ${name}` }, { name, size, room, why });
  const room = next - section.VirtualAddress;
  if (size > room) refuse(room, `the next section begins at RVA ${hex(next)}`);
  if (moves && hasLinuxMagic(source)) refuse(section.SizeOfRawData, 'and nothing behind it may move in a boot image');
}
