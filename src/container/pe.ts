/**
 * The PE header that makes a bzImage an EFI program: where its checksum, its certificate table and the sizes that depend
 * on init_size stand (PE format specification; Linux arch/x86/boot/header.S).
 */
import { type Range, rangeOf } from '../bytes/range.js';
import { type ByteSource, fits } from '../bytes/source.js';
import { latin1 } from '../bytes/text.js';
import { type Encoding, struct } from '../elf/struct.js';

/** PE headers and the setup header of Linux are little-endian on every machine; `native` fields are 8 bytes. */
export const LITTLE: Encoding = { bits: 64, endian: 'little' };

/** COFF header, behind the signature "PE\0\0". */
const Coff = struct('PE_Coff', {
  Signature: 'word',
  Machine: 'half',
  NumberOfSections: 'half',
  TimeDateStamp: 'word',
  PointerToSymbolTable: 'word',
  NumberOfSymbols: 'word',
  SizeOfOptionalHeader: 'half',
  Characteristics: 'half',
});

/** The part of the optional header that PE32 and PE32+ have in common. */
const Optional = struct('PE_Optional', {
  Magic: 'half',
  LinkerVersion: 'half',
  SizeOfCode: 'word',
  SizeOfInitializedData: 'word',
  SizeOfUninitializedData: 'word',
  AddressOfEntryPoint: 'word',
  BaseOfCode: 'word',
  /** PE32: BaseOfData and ImageBase. PE32+: both halves of ImageBase. */
  ImageBaseLow: 'word',
  ImageBaseHigh: 'word',
  SectionAlignment: 'word',
  FileAlignment: 'word',
  OperatingSystemVersion: 'word',
  ImageVersion: 'word',
  SubsystemVersion: 'word',
  Win32VersionValue: 'word',
  SizeOfImage: 'word',
  SizeOfHeaders: 'word',
  CheckSum: 'word',
});

const Section = struct('PE_Section', {
  NameLow: 'word',
  NameHigh: 'word',
  VirtualSize: 'word',
  VirtualAddress: 'word',
  SizeOfRawData: 'word',
  PointerToRawData: 'word',
  PointerToRelocations: 'word',
  PointerToLinenumbers: 'word',
  NumberOfRelocations: 'half',
  NumberOfLinenumbers: 'half',
  Characteristics: 'word',
});

const Directory = struct('PE_DataDirectory', { VirtualAddress: 'word', Size: 'word' });

const SIGNATURE = 0x4550;
const PE32 = 0x10b;
const PE32_PLUS = 0x20b;
/** Index of the certificate table among the data directories. */
const CERTIFICATE = 4;

/** A 32-bit field of the file. */
export interface Field32 {
  readonly what: string;
  readonly offset: bigint;
  readonly value: number;
}

export interface PeHeader {
  readonly checksum: Field32;
  /** The directory entry, 8 bytes; undefined when the header has no such entry. */
  readonly certificateEntry: Range | undefined;
  /** The certificate table itself; undefined: not signed. Not yet held against the file's size. */
  readonly certificate: Range | undefined;
  /** Sizes that grow with init_size: only the layout before Linux 6.7 has them. */
  readonly initSizes: readonly Field32[];
}

interface Headers {
  readonly at: bigint;
  readonly coff: ReturnType<typeof Coff.decode>;
}

function readCoff(source: ByteSource): Headers | undefined {
  if (!fits(0n, 0x40n, source.size)) return undefined;
  const dos = source.read(0n, 0x40n, 'DOS header');
  if (dos[0] !== 0x4d || dos[1] !== 0x5a) return undefined;
  const at = BigInt(new DataView(dos.buffer, dos.byteOffset + 0x3c, 4).getUint32(0, true));
  const size = BigInt(Coff.size(LITTLE));
  if (!fits(at, size, source.size)) return undefined;
  const coff = Coff.decode(source.read(at, size, 'PE header'), 0, LITTLE);
  return coff.Signature === SIGNATURE ? { at, coff } : undefined;
}

function readSections(source: ByteSource, { at, coff }: Headers) {
  const start = at + BigInt(Coff.size(LITTLE)) + BigInt(coff.SizeOfOptionalHeader);
  const entry = Section.size(LITTLE);
  const size = BigInt(coff.NumberOfSections * entry);
  if (!fits(start, size, source.size)) return [];
  const bytes = source.read(start, size, 'PE section table');
  return Array.from({ length: coff.NumberOfSections }, (_, i) => ({
    name: latin1(bytes.subarray(i * entry, i * entry + 8)).replace(/\0+$/, ''),
    at: start + BigInt(i * entry),
    header: Section.decode(bytes, i * entry, LITTLE),
  }));
}

/** Does a PE file have a section of this name? */
export function hasPeSection(source: ByteSource, name: string): boolean {
  const headers = readCoff(source);
  return headers !== undefined && readSections(source, headers).some((section) => section.name === name);
}

/** Reads the PE header of a bzImage; undefined when it has none (no EFI stub). */
export function readPe(source: ByteSource): PeHeader | undefined {
  const headers = readCoff(source);
  if (headers === undefined) return undefined;
  const optionalAt = headers.at + BigInt(Coff.size(LITTLE));
  const optionalSize = BigInt(Optional.size(LITTLE));
  if (BigInt(headers.coff.SizeOfOptionalHeader) < optionalSize || !fits(optionalAt, optionalSize, source.size)) {
    return undefined;
  }
  const optional = Optional.decode(source.read(optionalAt, optionalSize, 'PE optional header'), 0, LITTLE);
  if (optional.Magic !== PE32 && optional.Magic !== PE32_PLUS) return undefined;
  const field = (name: 'CheckSum' | 'SizeOfCode' | 'SizeOfImage'): Field32 => ({
    what: name,
    offset: optionalAt + BigInt(Optional.offsetOf(name, LITTLE)),
    value: optional[name],
  });
  const entry = certificateEntry(source, headers, optionalAt, optional.Magic === PE32_PLUS);
  return {
    checksum: field('CheckSum'),
    ...certificateOf(source, entry),
    initSizes: growingSizes(source, headers, [field('SizeOfCode'), field('SizeOfImage')]),
  };
}

function certificateEntry(source: ByteSource, { coff }: Headers, optionalAt: bigint, plus: boolean): Range | undefined {
  const directories = plus ? 112n : 96n;
  const size = BigInt(Directory.size(LITTLE));
  const offset = directories + BigInt(CERTIFICATE) * size;
  if (offset + size > BigInt(coff.SizeOfOptionalHeader)) return undefined;
  if (!fits(optionalAt + offset, size, source.size)) return undefined;
  const count = source.read(optionalAt + directories - 4n, 4n, 'NumberOfRvaAndSizes');
  if (new DataView(count.buffer, count.byteOffset, 4).getUint32(0, true) <= CERTIFICATE) return undefined;
  return rangeOf(optionalAt + offset, size);
}

function certificateOf(
  source: ByteSource,
  entry: Range | undefined,
): Pick<PeHeader, 'certificateEntry' | 'certificate'> {
  if (entry === undefined) return { certificateEntry: undefined, certificate: undefined };
  const { VirtualAddress, Size } = Directory.decode(
    source.read(entry.start, entry.end - entry.start, 'certificate table entry'),
    0,
    LITTLE,
  );
  // Unlike all other directories this one holds a file offset.
  const certificate = Size === 0 ? undefined : rangeOf(BigInt(VirtualAddress), BigInt(Size));
  return { certificateEntry: entry, certificate };
}

/**
 * Before Linux 6.7 .text covered init_size and the sizes say so: told by a .reloc section, no .data, and a .text that is
 * larger in memory than in the file.
 */
function growingSizes(source: ByteSource, headers: Headers, sizes: readonly Field32[]): readonly Field32[] {
  const sections = readSections(source, headers);
  const text = sections.find(({ name }) => name === '.text');
  const old =
    text !== undefined &&
    text.header.VirtualSize > text.header.SizeOfRawData &&
    sections.some(({ name }) => name === '.reloc') &&
    !sections.some(({ name }) => name === '.data');
  if (!old) return [];
  const offset = text.at + BigInt(Section.offsetOf('VirtualSize', LITTLE));
  return [...sizes, { what: 'VirtualSize of .text', offset, value: text.header.VirtualSize }];
}
