/**
 * What memory holds after loading, as intervals: by UEFI firmware at ImageBase, and by a Multiboot loader that follows the
 * address tag. Addresses are relative to the image base; what no piece covers is zeros.
 */

import { differingRanges, newBlocks, type Stretch, ZEROS } from '../../base/bytes/byte-comparison.js';
import type { Piece } from '../../base/bytes/pieces.js';
import type { Range } from '../../base/bytes/range.js';
import type { ByteSource } from '../../base/bytes/source.js';
import type { AddressTag } from '../../formats/multiboot/tags.js';
import type { SectionHeader } from '../../formats/pe/headers.js';
import { copiedSize, type PeImage } from '../../formats/pe/image.js';

/** Memory as pieces of one file, sorted and disjoint. */
export interface MemoryImage {
  readonly source: ByteSource;
  readonly pieces: readonly Piece[];
}

/**
 * What firmware makes of the sections: of each the smaller of VirtualSize and SizeOfRawData bytes (EDK2 BasePeCoff.c,
 * PeCoffLoaderLoadImage), nothing relocated. The caller has made sure that sections ascend and lie in the file.
 */
export function pePicture({ source, sections }: PeImage): MemoryImage {
  const pieces = sections
    .filter((section) => copiedSize(section) > 0n)
    .map((section) => ({
      start: section.VirtualAddress,
      end: section.VirtualAddress + copiedSize(section),
      from: section.PointerToRawData,
    }));
  return { source, pieces };
}

/**
 * What a flat loader makes of the address tag (Multiboot2, "The address tag of Multiboot2 header"; GRUB
 * grub-core/loader/multiboot_mbi2.c): the bytes [load_addr, load_end_addr) in one stretch, up to the end of the file where
 * load_end_addr is 0, the rest zeros. A short read is no error to it.
 */
export function flatPicture(source: ByteSource, headerOffset: bigint, tag: AddressTag, physBase: bigint): MemoryImage {
  const from = headerOffset - (tag.header_addr - tag.load_addr);
  const start = tag.load_addr - physBase;
  const have = from >= 0n && from < source.size ? source.size - from : 0n;
  const asked = tag.load_end_addr === 0n ? have : tag.load_end_addr - tag.load_addr;
  const size = asked < have ? asked : have;
  return { source, pieces: size > 0n ? [{ start, end: start + size, from }] : [] };
}

/** The picture without the bytes of some sections: zeros there. */
export function without({ source, pieces }: MemoryImage, sections: readonly SectionHeader[]): MemoryImage {
  const starts = new Set(sections.map(({ VirtualAddress }) => VirtualAddress));
  return { source, pieces: pieces.filter(({ start }) => !starts.has(start)) };
}

/** Where two memories differ inside a window, in order. What comes from the same place of the same file is not read. */
export function* pictureDifferences(a: MemoryImage, b: MemoryImage, window: Range): Generator<Range> {
  let blocks: ReturnType<typeof newBlocks> | undefined;
  let i = 0;
  let j = 0;
  for (let at = window.start; at < window.end; ) {
    while ((a.pieces[i]?.end ?? at + 1n) <= at) i += 1;
    while ((b.pieces[j]?.end ?? at + 1n) <= at) j += 1;
    const left = pieceAt(a.pieces[i], at);
    const right = pieceAt(b.pieces[j], at);
    const end = [window.end, left.until, right.until].reduce((least, x) => (x < least ? x : least));
    const same = a.source === b.source && left.from === right.from;
    if (!same && (left.from !== undefined || right.from !== undefined)) {
      blocks ??= newBlocks(window.end - window.start);
      const found = differingRanges(stretch(a, left.from), stretch(b, right.from), end - at, blocks);
      for (const range of found) yield { start: at + range.start, end: at + range.end };
    }
    at = end;
  }
}

const FOREVER = 1n << 64n;

function pieceAt(piece: Piece | undefined, at: bigint): { from: bigint | undefined; until: bigint } {
  if (piece?.from === undefined) return { from: undefined, until: FOREVER };
  if (piece.start > at) return { from: undefined, until: piece.start };
  return { from: piece.from + (at - piece.start), until: piece.end };
}

function stretch({ source }: MemoryImage, from: bigint | undefined): Stretch {
  return from === undefined ? { source: ZEROS, offset: 0n } : { source, offset: from };
}
