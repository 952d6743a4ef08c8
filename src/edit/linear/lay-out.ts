/** The passes that turn an image and options into a linear layout. Pure: nothing is written. */
import { PiecedSource } from '../../base/bytes/pieces.js';
import { OverlaySource, type Write } from '../../base/bytes/source.js';
import { directory, type PeImage } from '../../formats/pe/image.js';
import { DIRECTORY_BASERELOC } from '../../formats/pe/names.js';
import { ChecksummedSource } from './check-sum.js';
import { classify } from './classify.js';
import { debugWrites, symbolWrites } from './file-pointers.js';
import type { LinearLayout } from './layout.js';
import { planMb1 } from './mb1-plan.js';
import { planMb2 } from './mb2-plan.js';
import { partsOf } from './merge.js';
import { DEFAULT_LINEAR_OPTIONS, type LinearOptions } from './options.js';
import { chooseFileAlignment, headerWrites, sizeOfImage } from './pe-headers.js';
import { place } from './place.js';
import { refuseUnfit } from './preconditions.js';

/**
 * Decides everything about the linear form of an image.
 * Errors: `pe.*`, `mb2.*`, `mb1.*`, `linear.*`, `read.*`.
 */
export function layOutLinear(image: PeImage, options: LinearOptions = DEFAULT_LINEAR_OPTIONS): LinearLayout {
  refuseUnfit(image, options);
  // From here on sections ascend, share nothing and lie inside the file.
  const roles = classify(image, options);
  const parts = partsOf(image, roles, options, directory(image, DIRECTORY_BASERELOC)?.VirtualAddress);
  const placement = place(image, parts, options.headerSize);
  // From here on no offset changes.
  const linear = new PiecedSource(image.source, placement.pieces, placement.fileSize);
  const mb2 = options.mb2 === 'none' ? undefined : planMb2(image, placement, linear, options);
  const mb1 = mb2 === undefined ? undefined : planMb1(image, placement, linear, mb2, options.mb1);

  const fileAlignment = chooseFileAlignment(image, placement, options.fileAlign);
  const size = sizeOfImage(image);
  const edits: Write[] = [
    ...headerWrites(image, placement, { fileAlignment, sizeOfImage: size, dropSignature: options.dropSignature }),
    ...debugWrites(image, placement.pieces),
    ...symbolWrites(image, placement.sections, placement.PointerToSymbolTable),
    ...(mb2?.writes ?? []),
    ...(mb1?.writes ?? []),
  ];
  return {
    image,
    options,
    placement,
    mb2,
    mb1,
    fileAlignment,
    sizeOfImage: size,
    output: new ChecksummedSource(new OverlaySource(linear, edits, placement.fileSize), image),
    warnings: [...placement.warnings, ...sizeWarning(image, size), ...(mb2?.warnings ?? [])],
  };
}

function sizeWarning({ optionalHeader }: PeImage, size: bigint): string[] {
  const old = optionalHeader.SizeOfImage;
  return size === old
    ? []
    : [`SizeOfImage rises from 0x${old.toString(16)} to 0x${size.toString(16)}: a section ends behind it`];
}
