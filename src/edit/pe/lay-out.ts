/** From an image and the sections that it is to hold to every byte of the result. Pure: nothing is written. */
import { isAlignment } from '../../base/bytes/align.js';
import { PiecedSource } from '../../base/bytes/pieces.js';
import { type ByteSource, OverlaySource, type Write } from '../../base/bytes/source.js';
import { latin1Bytes } from '../../base/bytes/text.js';
import { hex } from '../../base/errors/hex.js';
import { fail } from '../../base/errors/patch-error.js';
import { certificateTable } from '../../formats/pe/certificates.js';
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
import { ChecksummedSource } from '../linear/check-sum.js';
import { debugWrites } from '../linear/file-pointers.js';
import { refuseUnmovable } from '../linear/preconditions.js';
import { type PePlacement, placeSections } from './place.js';
import { type PeStampWish, type WantedSection, wantedSections } from './wish.js';

/** The planned result of `stamp` on a PE image. */
export interface PeStampLayout {
  readonly image: PeImage;
  /** What changes; empty where the image holds it all already. */
  readonly wanted: readonly WantedSection[];
  /** Undefined where nothing changes. */
  readonly placement: PePlacement | undefined;
  readonly stripped: boolean;
  /** The whole result. */
  readonly output: ByteSource;
  readonly warnings: readonly string[];
}

/**
 * Decides everything about a stamped image.
 * Errors: `pe.*`, `stamp.bad-metadata`, `linear.debug-pointer`, `read.*`.
 */
export function layOutStamped(image: PeImage, wish: PeStampWish): PeStampLayout {
  const wanted = wantedSections(image, wish);
  const signature = certificateTable(image);
  const stripped = signature !== undefined && wish.stripSignature;
  if (wanted.length === 0 && !stripped)
    return { image, wanted, placement: undefined, stripped, output: image.source, warnings: [] };
  refuseUnmovable(image, wish.stripSignature ? undefined : '--strip-signature');
  refuseAlignment(image);
  // From here on parts of the image may move.
  const placement = placeSections(image, wanted);
  const taken = new PiecedSource(image.source, placement.pieces, placement.fileSize);
  const edits: Write[] = [...headerWrites(image, placement, stripped), ...debugWrites(image, placement.pieces)];
  for (const { bytes, header } of placement.sections) {
    if (bytes !== undefined) edits.push({ offset: header.PointerToRawData, bytes });
  }
  const whole = new OverlaySource(taken, edits, placement.fileSize);
  return {
    image,
    wanted,
    placement,
    stripped,
    // 0 says that there is none, and stays.
    output: image.optionalHeader.CheckSum === 0 ? whole : new ChecksummedSource(whole, image),
    warnings: stripped ? ['the signature is dropped; sign the result'] : [],
  };
}

/** Errors: `pe.bad-header`. */
function refuseAlignment({ source, optionalHeader: { FileAlignment } }: PeImage): void {
  if (isAlignment(FileAlignment)) return;
  const context = { field: 'FileAlignment', found: hex(FileAlignment), wanted: 'a power of two' };
  fail('pe.bad-header', { file: source.name, part: 'optional header' }, context);
}

/** The headers of the result; whatever does not depend on the sections stays. */
function headerWrites(image: PeImage, placement: PePlacement, stripped: boolean): Write[] {
  const { fileHeader, optionalHeader, directories } = image;
  const { sections, PointerToSymbolTable, headerSize, sizeOfImage } = placement;
  const table = new Uint8Array(sections.length * SECTION_ENTRY);
  for (const [index, { name, old, header }] of sections.entries()) {
    table.set(old?.rawName ?? latin1Bytes(name), index * SECTION_ENTRY);
    SectionHeader.encodeInto(table, index * SECTION_ENTRY + NAME_SIZE, header, PE);
  }
  const file = { ...fileHeader, NumberOfSections: sections.length, PointerToSymbolTable };
  const optional = { ...optionalHeader, SizeOfHeaders: headerSize, SizeOfImage: sizeOfImage };
  const writes: Write[] = [
    { offset: fileHeaderOffset(image), bytes: FileHeader.encode(file, PE) },
    { offset: optionalHeaderOffset(image), bytes: OptionalHeader.encode(optional, PE) },
    { offset: sectionTable(image).start, bytes: table },
  ];
  if (stripped && directories.length > DIRECTORY_SECURITY) {
    writes.push({ offset: directoryOffset(image, DIRECTORY_SECURITY), bytes: new Uint8Array(DataDirectory.size(PE)) });
  }
  return writes;
}
