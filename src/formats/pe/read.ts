/**
 * Bytes to PeImage (Microsoft, "PE Format"). Takes PE32+ of any machine and refuses what makes the headers unreadable;
 * whether sections make sense is a question for those who load or move them.
 */
import { contains, rangeOf } from '../../base/bytes/range.js';
import { type ByteSource, fits } from '../../base/bytes/source.js';
import { stringAt } from '../../base/bytes/string-at.js';
import { hex, hexBytes } from '../../base/errors/hex.js';
import { fail } from '../../base/errors/patch-error.js';
import {
  DataDirectory,
  FileHeader,
  NAME_SIZE,
  OptionalHeader,
  OptionalHeader32,
  PE,
  SECTION_ENTRY,
  SectionHeader,
} from './headers.js';
import {
  fileHeaderOffset,
  optionalHeaderOffset,
  type PeImage,
  type PeSection,
  SIGNATURE_SIZE,
  sectionTable,
} from './image.js';
import { PE32, PE32PLUS } from './names.js';
import { sectionNames } from './section-names.js';

/** Bytes of the DOS header; its last four say where the PE headers are. */
const DOS_HEADER = 64n;
const MOST_DIRECTORIES = 16;
/** `PE\0\0`. */
const SIGNATURE = '50 45 00 00';

/** Does the file begin like a DOS or PE program (`MZ`)? */
export function looksLikePe(source: ByteSource): boolean {
  if (source.size < 2n) return false;
  const [m, z] = source.read(0n, 2n, 'magic');
  return m === 0x4d && z === 0x5a;
}

/**
 * Reads the headers of an image; its contents stay on disk.
 * Errors: `pe.not-pe`, `pe.not-pe32plus`, `pe.bad-header`, `read.truncated`.
 */
export function readPe(source: ByteSource): PeImage {
  const file = source.name;
  const peOffset = findPeHeader(source);
  const fileHeader = readFileHeader(source, peOffset);
  const optionalAt = optionalHeaderOffset({ peOffset });
  const place = { file, offset: optionalAt, part: 'optional header' };
  const { SizeOfOptionalHeader } = fileHeader;
  if (SizeOfOptionalHeader < 2) {
    fail('pe.not-pe32plus', place, { found: 'no optional header, as in an object file' });
  }
  const optional = source.read(optionalAt, BigInt(SizeOfOptionalHeader), 'optional header');
  const magic = new DataView(optional.buffer, optional.byteOffset, 2).getUint16(0, true);
  if (magic !== PE32PLUS) {
    fail('pe.not-pe32plus', place, { found: magic === PE32 ? 'PE32, the 32-bit format' : `magic ${hex(magic)}` });
  }
  const refuse = (field: string, found: string, wanted: string) =>
    fail('pe.bad-header', place, { field, found, wanted });
  if (SizeOfOptionalHeader < OptionalHeader.size(PE)) {
    refuse('SizeOfOptionalHeader', hex(SizeOfOptionalHeader), `at least ${hex(OptionalHeader.size(PE))}`);
  }
  const optionalHeader = OptionalHeader.decode(optional, 0, PE);
  const count = optionalHeader.NumberOfRvaAndSizes;
  if (count > MOST_DIRECTORIES) refuse('NumberOfRvaAndSizes', `${count}`, `at most ${MOST_DIRECTORIES}`);
  const wantedSize = OptionalHeader.size(PE) + count * DataDirectory.size(PE);
  // UEFI firmware insists on this sum too (EDK2 BasePeCoff.c, PeCoffLoaderGetPeHeader).
  if (SizeOfOptionalHeader !== wantedSize) {
    refuse('SizeOfOptionalHeader', hex(SizeOfOptionalHeader), `${hex(wantedSize)} for ${count} directories`);
  }
  const directories = Array.from({ length: count }, (_, index) =>
    DataDirectory.decode(optional, OptionalHeader.size(PE) + index * DataDirectory.size(PE), PE),
  );

  const table = sectionTable({ peOffset, fileHeader });
  const bare = readSections(source, { peOffset, fileHeader });
  if (!contains(rangeOf(0n, optionalHeader.SizeOfHeaders), table)) {
    refuse(
      'SizeOfHeaders',
      hex(optionalHeader.SizeOfHeaders),
      `at least ${hex(table.end)}, the end of the section table`,
    );
  }
  const names = sectionNames(
    source,
    fileHeader,
    bare.map(({ rawName }) => rawName),
  );
  const sections = bare.map((section, index) => ({ ...section, name: names[index] ?? '' }));
  return { source, peOffset, fileHeader, optionalHeader, directories, sections };
}

function findPeHeader(source: ByteSource): bigint {
  const file = source.name;
  if (!looksLikePe(source)) {
    const start = source.read(0n, source.size < 2n ? source.size : 2n, 'magic');
    const found = start.length === 0 ? 'an empty file' : hexBytes(start);
    fail('pe.not-pe', { file, offset: 0n }, { found, wanted: '4d 5a (MZ)' });
  }
  const peOffset = readPeOffset(source);
  if (peOffset < DOS_HEADER) {
    const context = { field: 'e_lfanew', found: hex(peOffset), wanted: `at least ${hex(DOS_HEADER)}` };
    fail('pe.bad-header', { file, offset: 60n, part: 'DOS header' }, context);
  }
  const signature = source.read(peOffset, SIGNATURE_SIZE, 'PE signature');
  if (hexBytes(signature) !== SIGNATURE) {
    const context = { found: hexBytes(signature), wanted: `${SIGNATURE} (PE)` };
    fail('pe.not-pe', { file, offset: peOffset, part: 'PE signature' }, context);
  }
  return peOffset;
}

/** Field e_lfanew of the DOS header. Errors: `read.truncated`. */
function readPeOffset(source: ByteSource): bigint {
  const dos = source.read(0n, DOS_HEADER, 'DOS header');
  return BigInt(new DataView(dos.buffer, dos.byteOffset, dos.length).getUint32(60, true));
}

function readFileHeader(source: ByteSource, peOffset: bigint): FileHeader {
  const size = BigInt(FileHeader.size(PE));
  return FileHeader.decode(source.read(fileHeaderOffset({ peOffset }), size, 'COFF file header'), 0, PE);
}

/** The section table with names as they stand in it. Errors: `read.truncated`. */
function readSections(source: ByteSource, headers: Pick<PeImage, 'peOffset' | 'fileHeader'>): PeSection[] {
  const { start, end } = sectionTable(headers);
  const bytes = source.read(start, end - start, 'section table');
  return Array.from({ length: headers.fileHeader.NumberOfSections }, (_, index) => {
    const rawName = bytes.slice(index * SECTION_ENTRY, index * SECTION_ENTRY + NAME_SIZE);
    const header = SectionHeader.decode(bytes, index * SECTION_ENTRY + NAME_SIZE, PE);
    return { index, name: stringAt(rawName, 0), rawName, ...header };
  });
}

/** The headers of a file that is PE among other things, as far as they can be read. */
export interface PeHeaders {
  readonly peOffset: bigint;
  readonly fileHeader: FileHeader;
  /** Undefined when it is of neither format, or ends before Subsystem; what the file does not hold of it is 0. */
  readonly optionalHeader: OptionalHeader | OptionalHeader32 | undefined;
  /** Those that both the counts and the sizes of the headers leave room for. */
  readonly directories: readonly DataDirectory[];
  /** Where the data directories stand in the file. */
  readonly directoriesOffset: bigint;
  /** Long names are not looked up. None when the table is not in the file. */
  readonly sections: readonly PeSection[];
}

/**
 * Reads the same headers of a Linux boot image, or of a file that is only to be recognised: UEFI firmware decides what it
 * takes, nothing is refused here. Unlike readPe() it takes PE32 as well, any place of the PE header, sizes that do not agree,
 * and headers that the file ends in. Undefined when the file is not PE at all.
 */
export function readPeHeaders(source: ByteSource): PeHeaders | undefined {
  if (!looksLikePe(source) || source.size < DOS_HEADER) return undefined;
  const peOffset = readPeOffset(source);
  const wanted = SIGNATURE_SIZE + BigInt(FileHeader.size(PE));
  if (!fits(peOffset, wanted, source.size) || !hasSignature(source, peOffset)) return undefined;
  const fileHeader = readFileHeader(source, peOffset);
  const table = sectionTable({ peOffset, fileHeader });
  const isThere = fits(table.start, table.end - table.start, source.size);
  return {
    peOffset,
    fileHeader,
    ...readOptionalHeader(source, peOffset, fileHeader),
    sections: isThere ? readSections(source, { peOffset, fileHeader }) : [],
  };
}

/** Bytes of the optional header that its fields up to Subsystem take, in both formats. */
const LEAST_OPTIONAL = OptionalHeader.offsetOf('Subsystem', PE);

function readOptionalHeader(
  source: ByteSource,
  peOffset: bigint,
  { SizeOfOptionalHeader }: FileHeader,
): Pick<PeHeaders, 'optionalHeader' | 'directories' | 'directoriesOffset'> {
  const start = optionalHeaderOffset({ peOffset });
  const none = { optionalHeader: undefined, directories: [], directoriesOffset: start };
  const have = source.size - start < BigInt(SizeOfOptionalHeader) ? source.size - start : BigInt(SizeOfOptionalHeader);
  if (have < BigInt(LEAST_OPTIONAL)) return none;
  const bytes = new Uint8Array(Math.max(SizeOfOptionalHeader, OptionalHeader.size(PE)));
  source.readInto(start, bytes.subarray(0, Number(have)), 'optional header');
  const wide = OptionalHeader.decode(bytes, 0, PE);
  if (wide.Magic !== PE32 && wide.Magic !== PE32PLUS) return none;
  const optionalHeader = wide.Magic === PE32PLUS ? wide : OptionalHeader32.decode(bytes, 0, PE);
  const size = wide.Magic === PE32PLUS ? OptionalHeader.size(PE) : OptionalHeader32.size(PE);
  const entry = DataDirectory.size(PE);
  const room = Math.max(0, Math.floor((Number(have) - size) / entry));
  const count = Math.min(optionalHeader.NumberOfRvaAndSizes, MOST_DIRECTORIES, room);
  const directories = Array.from({ length: count }, (_, index) =>
    DataDirectory.decode(bytes, size + index * entry, PE),
  );
  return { optionalHeader, directories, directoriesOffset: start + BigInt(size) };
}

function hasSignature(source: ByteSource, peOffset: bigint): boolean {
  return hexBytes(source.read(peOffset, SIGNATURE_SIZE, 'PE signature')) === SIGNATURE;
}

/** Does a PE file have a section of this (short) name? */
export function hasPeSection(source: ByteSource, name: string): boolean {
  return readPeHeaders(source)?.sections.some((section) => section.name === name) === true;
}
