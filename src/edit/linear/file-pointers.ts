/** What else holds a file offset or a section number: debug entries, and symbols when sections were joined. */

import type { Piece } from '../../base/bytes/pieces.js';
import { compare } from '../../base/bytes/range.js';
import { countWhile } from '../../base/bytes/sorted.js';
import type { Write } from '../../base/bytes/source.js';
import { fail } from '../../base/errors/patch-error.js';
import { debugEntries } from '../../formats/pe/debug.js';
import { CoffSymbol, DebugEntry, PE } from '../../formats/pe/headers.js';
import { fileOffsetOf, type PeImage } from '../../formats/pe/image.js';
import { symbolTableRange } from '../../formats/pe/string-table.js';
import { symbolRecords } from '../../formats/pe/symbols.js';
import type { PlacedSection } from './place.js';

/** From an offset in the input to the one in the result; undefined for bytes that are not taken over. */
export function offsetMap(pieces: readonly Piece[]): (offset: bigint) => bigint | undefined {
  const sorted = pieces
    .flatMap(({ start, end, from }) => (from === undefined ? [] : [{ from, to: from + (end - start), start }]))
    .sort((a, b) => compare(a.from, b.from));
  return (offset) => {
    const piece = sorted[countWhile(sorted, ({ to }) => to <= offset)];
    return piece === undefined || offset < piece.from ? undefined : piece.start + (offset - piece.from);
  };
}

/** The file pointers of the debug directory, mapped. Errors: `linear.debug-pointer`. */
export function debugWrites(image: PeImage, pieces: readonly Piece[]): Write[] {
  const map = offsetMap(pieces);
  const field = BigInt(DebugEntry.offsetOf('PointerToRawData', PE));
  return debugEntries(image).flatMap(({ entry, offset }, index) => {
    if (entry.PointerToRawData === 0n) return [];
    // The RVA is what loaders use; an entry without one is found by its old place.
    const old = entry.AddressOfRawData === 0n ? undefined : fileOffsetOf(image, entry.AddressOfRawData);
    const target = map(old ?? entry.PointerToRawData);
    const at = map(offset + field);
    if (target === undefined || at === undefined) {
      const place = { file: image.source.name, offset, part: `debug entry ${index}` };
      return fail('linear.debug-pointer', place, { offset: entry.PointerToRawData });
    }
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, Number(target), true);
    return [{ offset: at, bytes }];
  });
}

/** The symbol table with the section numbers and values that joined sections need; none when nothing was joined. */
export function symbolWrites(image: PeImage, sections: readonly PlacedSection[], newOffset: bigint): Write[] {
  const range = symbolTableRange(image.fileHeader);
  if (range === undefined || range.start === range.end || sections.length === image.sections.length) return [];
  const moved = new Map<number, { readonly number: number; readonly by: bigint }>();
  for (const [index, section] of sections.entries()) {
    for (const member of section.members) {
      moved.set(member.index + 1, { number: index + 1, by: member.VirtualAddress - section.VirtualAddress });
    }
  }
  const bytes = image.source.read(range.start, range.end - range.start, 'COFF symbol table');
  for (const { symbol, offset } of symbolRecords(image)) {
    const to = moved.get(symbol.SectionNumber);
    if (to === undefined) continue;
    const value = { ...symbol, SectionNumber: to.number, Value: BigInt.asUintN(32, symbol.Value + to.by) };
    CoffSymbol.encodeInto(bytes, Number(offset - range.start), value, PE);
  }
  return [{ offset: newOffset, bytes }];
}
