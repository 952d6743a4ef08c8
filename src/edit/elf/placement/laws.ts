/** The laws that a layout obeys before it is taken: its parts are inside the file, apart from one another, and aligned. */
import { compare, type Range, rangeOf } from '../../../base/bytes/range.js';
import { hexRange } from '../../../base/errors/hex.js';
import { Phdr, Shdr } from '../../../formats/elf/headers.js';
import { type ElfImage, ehdrSize } from '../../../formats/elf/image.js';
import type { Layout } from './layout.js';

interface Part extends Range {
  readonly what: string;
}

/** The law that a layout breaks, in one line; undefined when it breaks none. */
export function brokenLaw(image: ElfImage, layout: Layout): string | undefined {
  const { encoding } = image;
  const word = BigInt(encoding.bits / 8);
  const table = (what: string, offset: bigint, count: number, entry: number): Part[] =>
    count === 0 ? [] : [{ what, ...rangeOf(offset, BigInt(count * entry)) }];
  const parts: Part[] = [
    { what: 'ELF header', ...rangeOf(0n, ehdrSize(encoding)) },
    ...table('program header table', layout.header.e_phoff, layout.segments.length, Phdr.size(encoding)),
    ...table('section header table', layout.header.e_shoff, layout.sections.length, Shdr.size(encoding)),
    ...(layout.copies ?? []).map(({ what, to, size }) => ({ what, ...rangeOf(to, size) })),
    ...layout.blobs.map((blob) => ({ what: blob.what, ...rangeOf(blob.offset, BigInt(blob.bytes.length)) })),
  ];
  const outside = parts.find(({ end }) => end > layout.fileSize);
  if (outside !== undefined) return `${outside.what} ends behind the file`;

  const sorted = parts.filter(({ start, end }) => start < end).sort((a, b) => compare(a.start, b.start));
  for (const [index, part] of sorted.entries()) {
    const next = sorted[index + 1];
    if (next !== undefined && next.start < part.end)
      return `${part.what} and ${next.what} overlap at ${hexRange(next.start, part.end)}`;
  }
  if (
    layout.segments.length > 0 &&
    layout.header.e_phoff % word !== 0n &&
    layout.header.e_phoff !== image.header.e_phoff
  ) {
    return 'the program header table is not aligned';
  }
  const notes = layout.noteRange;
  if (notes !== undefined && (notes.start === 0n || notes.start % 4n !== 0n))
    return 'the notes are not aligned, or at offset 0';
  return undefined;
}
