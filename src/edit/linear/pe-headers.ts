/** The PE headers of the result: new places for sections and symbols; whatever does not depend on them stays. */
import { alignUp } from '../../base/bytes/align.js';
import type { Write } from '../../base/bytes/source.js';
import { hex } from '../../base/errors/hex.js';
import { fail } from '../../base/errors/patch-error.js';
import {
  DataDirectory,
  FileHeader,
  NAME_SIZE,
  OptionalHeader,
  PE,
  SECTION_ENTRY,
  SectionHeader,
} from '../../formats/pe/headers.js';
import {
  directoryOffset,
  fileHeaderOffset,
  optionalHeaderOffset,
  type PeImage,
  sectionTable,
} from '../../formats/pe/image.js';
import { DIRECTORY_SECURITY } from '../../formats/pe/names.js';
import type { Placement } from './place.js';
import { FOUR_GIB } from './preconditions.js';

/** FileAlignment is at most this when it is worked out. */
const MOST = 0x1000n;

/** The FileAlignment to write. Errors: `linear.file-align`. */
export function chooseFileAlignment(image: PeImage, placement: Placement, options: 'auto' | 'keep' | bigint): bigint {
  if (options === 'keep') return image.optionalHeader.FileAlignment;
  const values = [
    placement.headerSize,
    ...placement.sections.flatMap(({ PointerToRawData, SizeOfRawData }) => [PointerToRawData, SizeOfRawData]),
  ];
  const all = values.reduce((bits, value) => bits | value, MOST);
  // The lowest bit set anywhere divides everything. shim refuses odd values, so 1 is never written.
  const largest = all & -all;
  if (options === 'auto') return largest > 1n ? largest : 2n;
  if (options < 1n || (options & (options - 1n)) !== 0n || values.some((value) => value % options !== 0n)) {
    const wanted = `a power of two up to ${hex(largest)}, which divides every raw pointer and size`;
    fail('linear.file-align', { file: image.source.name }, { value: options, wanted });
  }
  return options;
}

/** SizeOfImage stays, unless a section ends behind it. Errors: `pe.too-big`. */
export function sizeOfImage({ optionalHeader, sections, source }: PeImage): bigint {
  const { SizeOfImage, SectionAlignment } = optionalHeader;
  const end = sections.reduce(
    (most, s) => (s.VirtualAddress + s.VirtualSize > most ? s.VirtualAddress + s.VirtualSize : most),
    0n,
  );
  if (end <= SizeOfImage) return SizeOfImage;
  const size = alignUp(end, SectionAlignment);
  if (size >= FOUR_GIB) fail('pe.too-big', { file: source.name }, { what: 'SizeOfImage', value: size });
  return size;
}

/** Values of the PE headers of the result that depend on the layout. */
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
