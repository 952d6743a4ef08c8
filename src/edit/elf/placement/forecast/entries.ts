/** Symbols and relocations as tools go through them: one table in one look. Tables larger than that are taken to be sound. */
import { fits } from '../../../../base/bytes/source.js';
import { type Shdr, Sym } from '../../../../formats/elf/headers.js';
import type { ElfImage } from '../../../../formats/elf/image.js';
import { nativeSize } from '../../../../formats/elf/struct.js';

/** Bytes of a table that are gone through; a kernel's symbols take a few megabytes. */
const LIMIT = 0x1000000n;

/** Bytes of a word in either class. */
const WORD = 4;

/** Is there a symbol of which this holds? The first entry of a table is none. */
export function someSymbol(image: ElfImage, table: Shdr, holds: (symbol: Sym) => boolean): boolean {
  const bytes = bytesOf(image, table);
  const size = Sym.size(image.encoding);
  for (let at = size; at + size <= bytes.length; at += size) {
    if (holds(Sym.decode(bytes, at, image.encoding))) return true;
  }
  return false;
}

/** The highest number of a symbol that relocations name; 0 where they name none. */
export function highestSymbol(image: ElfImage, relocations: Shdr, entrySize: number): number {
  const bytes = bytesOf(image, relocations);
  const { bits, endian } = image.encoding;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // r_info follows r_offset; the symbol is its upper part.
  const word = nativeSize(image.encoding);
  let highest = 0;
  for (let at = word; at + entrySize - word <= bytes.length; at += entrySize) {
    const upper = bits === 64 && endian === 'little' ? 4 : 0;
    const info = view.getUint32(at + upper, endian === 'little');
    highest = Math.max(highest, bits === 64 ? info : info >>> 8);
  }
  return highest;
}

/** The sections that a group names, behind its word of flags. */
export function groupMembers(image: ElfImage, group: Shdr): readonly number[] {
  const bytes = bytesOf(image, group);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const words = Array.from({ length: Math.floor(bytes.length / WORD) }, (_, index) =>
    view.getUint32(index * WORD, image.encoding.endian === 'little'),
  );
  return words.slice(1);
}

function bytesOf({ source }: ElfImage, { sh_offset, sh_size }: Shdr): Uint8Array {
  if (sh_size > LIMIT || !fits(sh_offset, sh_size, source.size)) return new Uint8Array(0);
  return source.read(sh_offset, sh_size, 'entries of a table');
}
