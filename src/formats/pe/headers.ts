/**
 * The PE structures, each declared once (Microsoft, "PE Format": "COFF File Header", "Optional Header", "Section Table",
 * "COFF Symbol Table", "Debug Directory", "The .reloc Section", "The Attribute Certificate Table"). Field names are those
 * of winnt.h.
 */
import { type Encoding, struct, type ValueOf } from '../../base/bytes/struct.js';

/** PE32+ as the declaration engine sees it: little-endian, wide fields of 8 bytes. */
export const PE: Encoding = { bits: 64, endian: 'little' };

/** COFF file header, behind the signature `PE\0\0`. */
export const FileHeader = struct('IMAGE_FILE_HEADER', {
  Machine: 'half',
  NumberOfSections: 'half',
  TimeDateStamp: 'word',
  PointerToSymbolTable: 'place',
  NumberOfSymbols: 'word',
  SizeOfOptionalHeader: 'half',
  Characteristics: 'half',
});
export type FileHeader = ValueOf<typeof FileHeader>;

/** Fields at the same place of PE32 and PE32+: up to ImageBase, and from SectionAlignment on. */
const BEFORE_IMAGE_BASE = {
  Magic: 'half',
  MajorLinkerVersion: 'byte',
  MinorLinkerVersion: 'byte',
  SizeOfCode: 'place',
  SizeOfInitializedData: 'place',
  SizeOfUninitializedData: 'place',
  AddressOfEntryPoint: 'place',
  BaseOfCode: 'place',
} as const;
const BEHIND_IMAGE_BASE = {
  SectionAlignment: 'place',
  FileAlignment: 'place',
  MajorOperatingSystemVersion: 'half',
  MinorOperatingSystemVersion: 'half',
  MajorImageVersion: 'half',
  MinorImageVersion: 'half',
  MajorSubsystemVersion: 'half',
  MinorSubsystemVersion: 'half',
  Win32VersionValue: 'word',
  SizeOfImage: 'place',
  SizeOfHeaders: 'place',
  CheckSum: 'word',
  Subsystem: 'half',
  DllCharacteristics: 'half',
} as const;

/** Optional header of PE32+, in front of the data directories. */
export const OptionalHeader = struct('IMAGE_OPTIONAL_HEADER64', {
  ...BEFORE_IMAGE_BASE,
  ImageBase: 'native',
  ...BEHIND_IMAGE_BASE,
  SizeOfStackReserve: 'native',
  SizeOfStackCommit: 'native',
  SizeOfHeapReserve: 'native',
  SizeOfHeapCommit: 'native',
  LoaderFlags: 'word',
  NumberOfRvaAndSizes: 'word',
});
export type OptionalHeader = ValueOf<typeof OptionalHeader>;

/** Optional header of PE32, in front of the data directories. */
export const OptionalHeader32 = struct('IMAGE_OPTIONAL_HEADER32', {
  ...BEFORE_IMAGE_BASE,
  BaseOfData: 'place',
  ImageBase: 'place',
  ...BEHIND_IMAGE_BASE,
  SizeOfStackReserve: 'place',
  SizeOfStackCommit: 'place',
  SizeOfHeapReserve: 'place',
  SizeOfHeapCommit: 'place',
  LoaderFlags: 'word',
  NumberOfRvaAndSizes: 'word',
});
export type OptionalHeader32 = ValueOf<typeof OptionalHeader32>;

/** One entry of the data directories. In entry 4 the address is a file offset, in all others an RVA. */
export const DataDirectory = struct('IMAGE_DATA_DIRECTORY', { VirtualAddress: 'place', Size: 'place' });
export type DataDirectory = ValueOf<typeof DataDirectory>;

/** Bytes of a section's name, in front of the fields of SectionHeader. */
export const NAME_SIZE = 8;

/** Section header behind its name. */
export const SectionHeader = struct('IMAGE_SECTION_HEADER', {
  VirtualSize: 'place',
  VirtualAddress: 'place',
  SizeOfRawData: 'place',
  PointerToRawData: 'place',
  PointerToRelocations: 'place',
  PointerToLinenumbers: 'place',
  NumberOfRelocations: 'half',
  NumberOfLinenumbers: 'half',
  Characteristics: 'word',
});
export type SectionHeader = ValueOf<typeof SectionHeader>;

/** Bytes of one entry of the section table. */
export const SECTION_ENTRY = NAME_SIZE + SectionHeader.size(PE);

/** COFF symbol. A name of up to 8 bytes fills the first two fields; of a longer one the first is 0. */
export const CoffSymbol = struct('IMAGE_SYMBOL', {
  NameZeroes: 'word',
  NameOffset: 'word',
  Value: 'place',
  SectionNumber: 'half',
  Type: 'half',
  StorageClass: 'byte',
  NumberOfAuxSymbols: 'byte',
});
export type CoffSymbol = ValueOf<typeof CoffSymbol>;

/** Entry of the debug directory. */
export const DebugEntry = struct('IMAGE_DEBUG_DIRECTORY', {
  Characteristics: 'word',
  TimeDateStamp: 'word',
  MajorVersion: 'half',
  MinorVersion: 'half',
  Type: 'word',
  SizeOfData: 'place',
  AddressOfRawData: 'place',
  PointerToRawData: 'place',
});
export type DebugEntry = ValueOf<typeof DebugEntry>;

/** Head of a block of base relocations; 16-bit entries follow. */
export const RelocationBlock = struct('IMAGE_BASE_RELOCATION', { VirtualAddress: 'place', SizeOfBlock: 'place' });
export type RelocationBlock = ValueOf<typeof RelocationBlock>;

/** Head of a certificate. */
export const Certificate = struct('WIN_CERTIFICATE', {
  dwLength: 'place',
  wRevision: 'half',
  wCertificateType: 'half',
});
export type Certificate = ValueOf<typeof Certificate>;
