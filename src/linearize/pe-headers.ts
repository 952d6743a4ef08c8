/** The PE headers of the result: new places for sections and symbols; whatever does not depend on them stays. */
import { alignUp } from '../bytes/align.js';
import type { ByteSource, Write } from '../bytes/source.js';
import { hex } from '../errors/hex.js';
import { fail } from '../errors/patch-error.js';
import {
  DataDirectory,
  FileHeader,
  NAME_SIZE,
  OptionalHeader,
  PE,
  SECTION_ENTRY,
  SectionHeader,
} from '../pe/headers.js';
import { directoryOffset, fileHeaderOffset, optionalHeaderOffset, type PeImage, sectionTable } from '../pe/image.js';
import { DIRECTORY_SECURITY } from '../pe/names.js';
import type { Placement } from './place.js';

/** FileAlignment is at most this when it is worked out. */
const MOST = 0x1000n;

/** The FileAlignment to write. Errors: `linear.file-align`. */
export function chooseFileAlignment(image: PeImage, placement: Placement, wish: 'auto' | 'keep' | bigint): bigint {
  if (wish === 'keep') return image.optionalHeader.FileAlignment;
  const values = [
    placement.headerSize,
    ...placement.sections.flatMap(({ PointerToRawData, SizeOfRawData }) => [PointerToRawData, SizeOfRawData]),
  ];
  const all = values.reduce((bits, value) => bits | value, MOST);
  // The lowest bit set anywhere divides everything. shim refuses odd values, so 1 is never written.
  const largest = all & -all;
  if (wish === 'auto') return largest > 1n ? largest : 2n;
  if (wish < 1n || (wish & (wish - 1n)) !== 0n || values.some((value) => value % wish !== 0n)) {
    const wanted = `a power of two up to ${hex(largest)}, which divides every raw pointer and size`;
    fail('linear.file-align', { file: image.source.name }, { value: wish, wanted });
  }
  return wish;
}

/** SizeOfImage stays, unless a section ends behind it. */
export function sizeOfImage({ optionalHeader, sections }: PeImage): bigint {
  const { SizeOfImage, SectionAlignment } = optionalHeader;
  const end = sections.reduce(
    (most, s) => (s.VirtualAddress + s.VirtualSize > most ? s.VirtualAddress + s.VirtualSize : most),
    0n,
  );
  return end > SizeOfImage ? alignUp(end, SectionAlignment) : SizeOfImage;
}

export interface HeaderValues {
  readonly fileAlignment: bigint;
  readonly sizeOfImage: bigint;
  readonly dropSignature: boolean;
}

/** The header structures as writes; CheckSum is 0 in them. */
export function headerWrites(image: PeImage, placement: Placement, values: HeaderValues): Write[] {
  const { fileHeader, optionalHeader, directories } = image;
  const { sections, headerSize, PointerToSymbolTable } = placement;
  const table = sectionTable(image);
  // Joined sections leave entries at the end of the table free: they become zeros.
  const tableBytes = new Uint8Array(Number(table.end - table.start));
  for (const [index, section] of sections.entries()) {
    tableBytes.set(section.rawName, index * SECTION_ENTRY);
    const header = {
      VirtualSize: section.VirtualSize,
      VirtualAddress: section.VirtualAddress,
      SizeOfRawData: section.SizeOfRawData,
      PointerToRawData: section.PointerToRawData,
      PointerToRelocations: 0n,
      PointerToLinenumbers: 0n,
      NumberOfRelocations: section.members[0]?.NumberOfRelocations ?? 0,
      NumberOfLinenumbers: section.members[0]?.NumberOfLinenumbers ?? 0,
      Characteristics: section.Characteristics,
    };
    SectionHeader.encodeInto(tableBytes, index * SECTION_ENTRY + NAME_SIZE, header, PE);
  }
  const writes: Write[] = [
    {
      offset: fileHeaderOffset(image),
      bytes: FileHeader.encode({ ...fileHeader, NumberOfSections: sections.length, PointerToSymbolTable }, PE),
    },
    {
      offset: optionalHeaderOffset(image),
      bytes: OptionalHeader.encode(
        {
          ...optionalHeader,
          FileAlignment: values.fileAlignment,
          SizeOfHeaders: headerSize,
          SizeOfImage: values.sizeOfImage,
          CheckSum: 0,
        },
        PE,
      ),
    },
    { offset: table.start, bytes: tableBytes },
  ];
  if (values.dropSignature && directories.length > DIRECTORY_SECURITY) {
    writes.push({ offset: directoryOffset(image, DIRECTORY_SECURITY), bytes: new Uint8Array(DataDirectory.size(PE)) });
  }
  return writes;
}

const CHUNK = 0x100000n;

/** Where the CheckSum field stands. */
export function checkSumOffset(image: { readonly peOffset: bigint }): bigint {
  return optionalHeaderOffset(image) + BigInt(OptionalHeader.offsetOf('CheckSum', PE));
}

/**
 * The PE checksum: all 16-bit words added with the carry brought round, plus the size of the file. The field itself
 * counts as zero.
 */
export function peCheckSum(source: ByteSource, fieldAt: bigint): number {
  let sum = 0;
  for (let at = 0n; at < source.size; at += CHUNK) {
    const length = source.size - at < CHUNK ? source.size - at : CHUNK;
    const bytes = source.read(at, length, 'bytes of the checksum');
    const from = Number(fieldAt - at);
    for (let i = 0; i < 4; i++) if (from + i >= 0 && from + i < bytes.length) bytes[from + i] = 0;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const even = bytes.length & ~1;
    // A chunk holds half a million words: their plain sum stays exact, and the carries are brought round once.
    let words = 0;
    for (let i = 0; i < even; i += 2) words += view.getUint16(i, true);
    if (even < bytes.length) words += bytes[even] ?? 0;
    sum += words;
    while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  }
  return (sum + Number(source.size)) % 2 ** 32;
}
