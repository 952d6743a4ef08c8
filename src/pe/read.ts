/**
 * Bytes to PeImage (Microsoft, "PE Format"). Takes PE32+ of any machine and refuses what makes the headers unreadable;
 * whether sections make sense is a question for those who load or move them.
 */
import { contains, rangeOf } from '../bytes/range.js';
import type { ByteSource } from '../bytes/source.js';
import { hex, hexBytes } from '../errors/hex.js';
import { fail } from '../errors/patch-error.js';
import { DataDirectory, FileHeader, NAME_SIZE, OptionalHeader, PE, SECTION_ENTRY, SectionHeader } from './headers.js';
import { fileHeaderOffset, optionalHeaderOffset, type PeImage, SIGNATURE_SIZE, sectionTable } from './image.js';
import { PE32, PE32PLUS } from './names.js';
import { sectionNames } from './section-names.js';

/** Bytes of the DOS header; its last four say where the PE headers are. */
const DOS_HEADER = 64n;
const MOST_DIRECTORIES = 16;

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
  const headerBytes = source.read(fileHeaderOffset({ peOffset }), BigInt(FileHeader.size(PE)), 'COFF file header');
  const fileHeader = FileHeader.decode(headerBytes, 0, PE);
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
  const tableBytes = source.read(table.start, table.end - table.start, 'section table');
  if (!contains(rangeOf(0n, optionalHeader.SizeOfHeaders), table)) {
    refuse(
      'SizeOfHeaders',
      hex(optionalHeader.SizeOfHeaders),
      `at least ${hex(table.end)}, the end of the section table`,
    );
  }
  const bare = Array.from({ length: fileHeader.NumberOfSections }, (_, index) => ({
    index,
    rawName: tableBytes.slice(index * SECTION_ENTRY, index * SECTION_ENTRY + NAME_SIZE),
    ...SectionHeader.decode(tableBytes, index * SECTION_ENTRY + NAME_SIZE, PE),
  }));
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
  const dos = source.read(0n, DOS_HEADER, 'DOS header');
  const peOffset = BigInt(new DataView(dos.buffer, dos.byteOffset, dos.length).getUint32(60, true));
  if (peOffset < DOS_HEADER) {
    const context = { field: 'e_lfanew', found: hex(peOffset), wanted: `at least ${hex(DOS_HEADER)}` };
    fail('pe.bad-header', { file, offset: 60n, part: 'DOS header' }, context);
  }
  const signature = source.read(peOffset, SIGNATURE_SIZE, 'PE signature');
  if (hexBytes(signature) !== '50 45 00 00') {
    const context = { found: hexBytes(signature), wanted: '50 45 00 00 (PE)' };
    fail('pe.not-pe', { file, offset: peOffset, part: 'PE signature' }, context);
  }
  return peOffset;
}
