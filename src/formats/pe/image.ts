/** A read PE image and the questions one may ask it. */
import { type Range, rangeOf } from '../../base/bytes/range.js';
import { type ByteSource, fits } from '../../base/bytes/source.js';
import { DataDirectory, FileHeader, OptionalHeader, PE, SECTION_ENTRY, type SectionHeader } from './headers.js';
import { IMAGE_SCN_MEM_EXECUTE } from './names.js';

/** A section header with its name, long names resolved. */
export interface PeSection extends SectionHeader {
  /** Place in the section table, from 0. Symbols count from 1. */
  readonly index: number;
  readonly name: string;
  /** The eight bytes of the name field as they stand. */
  readonly rawName: Uint8Array;
}

/** A read PE image. */
export interface PeImage {
  readonly source: ByteSource;
  /** Where the signature `PE\0\0` stands (e_lfanew). */
  readonly peOffset: bigint;
  readonly fileHeader: FileHeader;
  readonly optionalHeader: OptionalHeader;
  readonly directories: readonly DataDirectory[];
  readonly sections: readonly PeSection[];
}

/** Bytes of the signature in front of the COFF file header. */
export const SIGNATURE_SIZE = 4n;

/** Where the COFF file header stands in the file. */
export function fileHeaderOffset({ peOffset }: { readonly peOffset: bigint }): bigint {
  return peOffset + SIGNATURE_SIZE;
}

/** Where the optional header stands in the file. */
export function optionalHeaderOffset(image: { readonly peOffset: bigint }): bigint {
  return fileHeaderOffset(image) + BigInt(FileHeader.size(PE));
}

/** Where an entry of the data directories stands in the file. */
export function directoryOffset(image: { readonly peOffset: bigint }, index: number): bigint {
  return optionalHeaderOffset(image) + BigInt(OptionalHeader.size(PE) + index * DataDirectory.size(PE));
}

/** Where the section table stands in the file. */
export function sectionTable({ peOffset, fileHeader }: Pick<PeImage, 'peOffset' | 'fileHeader'>): Range {
  const start = optionalHeaderOffset({ peOffset }) + BigInt(fileHeader.SizeOfOptionalHeader);
  return rangeOf(start, BigInt(fileHeader.NumberOfSections * SECTION_ENTRY));
}

/** File bytes of a section; none when it has no raw data. */
export function rawRange({ PointerToRawData, SizeOfRawData }: SectionHeader): Range {
  return rangeOf(PointerToRawData, SizeOfRawData);
}

/** Addresses of a section, relative to the image base. */
export function memoryRange({ VirtualAddress, VirtualSize }: SectionHeader): Range {
  return rangeOf(VirtualAddress, VirtualSize);
}

/** Does the section have bytes in the file? */
export function hasRawData({ SizeOfRawData }: SectionHeader): boolean {
  return SizeOfRawData > 0n;
}

/** Bytes that a loader copies: no more than the section has in memory (EDK2 BasePeCoff.c, PeCoffLoaderLoadImage). */
export function copiedSize({ SizeOfRawData, VirtualSize }: SectionHeader): bigint {
  return SizeOfRawData < VirtualSize ? SizeOfRawData : VirtualSize;
}

/** Is the section mapped executable? */
export function isExecutable({ Characteristics }: Pick<SectionHeader, 'Characteristics'>): boolean {
  return (Characteristics & IMAGE_SCN_MEM_EXECUTE) !== 0;
}

/** The section whose memory holds all of `[rva, rva + size)`, the first in table order. */
export function sectionAtRva(
  { sections }: Pick<PeImage, 'sections'>,
  rva: bigint,
  size: bigint = 1n,
): PeSection | undefined {
  return sections.find((s) => rva >= s.VirtualAddress && fits(rva - s.VirtualAddress, size, s.VirtualSize));
}

/** Where the bytes `[rva, rva + size)` stand in the file; undefined when they are not loaded from there. */
export function fileOffsetOf(image: PeImage, rva: bigint, size: bigint = 1n): bigint | undefined {
  const section = sectionAtRva(image, rva, size);
  if (section === undefined || !fits(rva - section.VirtualAddress, size, copiedSize(section))) return undefined;
  return section.PointerToRawData + (rva - section.VirtualAddress);
}

/** A data directory that is there and not empty. */
export function directory({ directories }: Pick<PeImage, 'directories'>, index: number): DataDirectory | undefined {
  const found = directories[index];
  return found === undefined || found.Size === 0n || found.VirtualAddress === 0n ? undefined : found;
}
