/**
 * The PE header that makes a bzImage an EFI program: where its checksum, its certificate table and the sizes that depend
 * on init_size stand (PE format specification; Linux arch/x86/boot/header.S).
 */
import { type Range, rangeOf } from '../../base/bytes/range.js';
import type { ByteSource } from '../../base/bytes/source.js';
import { DataDirectory, NAME_SIZE, OptionalHeader, PE, SECTION_ENTRY, SectionHeader } from '../pe/headers.js';
import { hasRawData, optionalHeaderOffset, sectionTable } from '../pe/image.js';
import { DIRECTORY_SECURITY } from '../pe/names.js';
import { type PeHeaders, readPeHeaders } from '../pe/read.js';

/** A 32-bit field of the file. */
export interface Field32 {
  readonly what: string;
  readonly offset: bigint;
  readonly value: number;
}

/** Where a section of a boot image stands in the file. */
export interface StubSection {
  readonly index: number;
  readonly name: string;
  readonly range: Range;
  /** File offset of its PointerToRawData. */
  readonly pointer: bigint;
}

/** What the PE headers of a boot image say that a rewrite has to keep true. File ranges. */
export interface EfiStub {
  readonly checksum: Field32;
  /** The directory entry, 8 bytes; undefined when the header has no such entry. */
  readonly certificateEntry: Range | undefined;
  /** The certificate table itself; undefined: not signed. Not yet held against the file's size. */
  readonly certificate: Range | undefined;
  /** Sections with data in the file, in the order of the table. Not yet held against the file's size. */
  readonly sections: readonly StubSection[];
  /** What begins in the file begins at a multiple of this. */
  readonly fileAlignment: bigint;
  /** Sizes that grow with init_size: only the layout before Linux 6.7 has them. */
  readonly initSizes: readonly Field32[];
}

/** Reads the PE header of a bzImage; undefined when it has none (no EFI stub). Nothing that firmware might take is refused. */
export function readEfiStub(source: ByteSource): EfiStub | undefined {
  const headers = readPeHeaders(source);
  if (headers?.optionalHeader === undefined) return undefined;
  const { optionalHeader } = headers;
  const start = optionalHeaderOffset(headers);
  // The same place in PE32 and PE32+.
  const field = (what: 'CheckSum' | 'SizeOfCode' | 'SizeOfImage'): Field32 => ({
    what,
    offset: start + BigInt(OptionalHeader.offsetOf(what, PE)),
    value: Number(optionalHeader[what]),
  });
  return {
    checksum: field('CheckSum'),
    ...certificateOf(headers),
    sections: sectionsOf(headers),
    fileAlignment: optionalHeader.FileAlignment,
    initSizes: growingSizes(headers, [field('SizeOfCode'), field('SizeOfImage')]),
  };
}

function certificateOf({
  directories,
  directoriesOffset,
}: PeHeaders): Pick<EfiStub, 'certificateEntry' | 'certificate'> {
  const entry = directories[DIRECTORY_SECURITY];
  if (entry === undefined) return { certificateEntry: undefined, certificate: undefined };
  const size = DataDirectory.size(PE);
  return {
    certificateEntry: rangeOf(directoriesOffset + BigInt(DIRECTORY_SECURITY * size), BigInt(size)),
    // Unlike all other directories this one holds a file offset.
    certificate: entry.Size === 0n ? undefined : rangeOf(entry.VirtualAddress, entry.Size),
  };
}

function sectionsOf(headers: PeHeaders): StubSection[] {
  const table = sectionTable(headers).start;
  const pointer = BigInt(NAME_SIZE + SectionHeader.offsetOf('PointerToRawData', PE));
  return headers.sections.filter(hasRawData).map(({ index, name, PointerToRawData, SizeOfRawData }) => ({
    index,
    name,
    range: rangeOf(PointerToRawData, SizeOfRawData),
    pointer: table + BigInt(index * SECTION_ENTRY) + pointer,
  }));
}

/**
 * Before Linux 6.7 .text covered init_size and the sizes say so: told by a .reloc section, no .data, and a .text that is
 * larger in memory than in the file.
 */
function growingSizes(headers: PeHeaders, sizes: readonly Field32[]): readonly Field32[] {
  const { sections } = headers;
  const text = sections.find(({ name }) => name === '.text');
  const old =
    text !== undefined &&
    text.VirtualSize > text.SizeOfRawData &&
    sections.some(({ name }) => name === '.reloc') &&
    !sections.some(({ name }) => name === '.data');
  if (!old) return [];
  const at = text.index * SECTION_ENTRY + NAME_SIZE + SectionHeader.offsetOf('VirtualSize', PE);
  const offset = sectionTable(headers).start + BigInt(at);
  return [...sizes, { what: 'VirtualSize of .text', offset, value: Number(text.VirtualSize) }];
}
