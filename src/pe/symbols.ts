/** COFF symbols ("COFF Symbol Table"), read in windows, so memory does not depend on their number. */
import { fits } from '../bytes/source.js';
import { stringAt } from '../bytes/string-at.js';
import { fail } from '../errors/patch-error.js';
import { CoffSymbol, PE } from './headers.js';
import type { PeImage, PeSection } from './image.js';
import { readStringTable, symbolTableRange } from './string-table.js';

const RECORD = CoffSymbol.size(PE);
const PER_WINDOW = 0x10000;
/** A name held in the record itself is at most this long. */
const SHORT_NAME = 8;

/** A symbol and where its record stands in the file. */
export interface SymbolRecord {
  readonly symbol: CoffSymbol;
  readonly offset: bigint;
}

/** A symbol that stands in a section, with its address relative to the image base. */
export interface PlacedSymbol {
  readonly name: string;
  readonly rva: bigint;
  readonly section: PeSection;
  readonly storageClass: number;
}

/**
 * Calls `visit` for every symbol, auxiliary records skipped.
 * Errors: `read.truncated` when the table leaves the file.
 */
export function eachSymbol({ source, fileHeader }: PeImage, visit: (record: SymbolRecord) => void): void {
  const range = symbolTableRange(fileHeader);
  if (range === undefined) return;
  const part = 'COFF symbol table';
  if (!fits(range.start, range.end - range.start, source.size)) {
    const have = range.start < source.size ? source.size - range.start : 0n;
    fail('read.truncated', { file: source.name, offset: range.start, part }, { need: range.end - range.start, have });
  }
  let skip = 0;
  for (let offset = range.start; offset < range.end; offset += BigInt(PER_WINDOW * RECORD)) {
    const rest = range.end - offset;
    const length = rest < BigInt(PER_WINDOW * RECORD) ? rest : BigInt(PER_WINDOW * RECORD);
    const bytes = source.read(offset, length, part);
    for (let at = 0; at < bytes.length; at += RECORD) {
      if (skip > 0) {
        skip -= 1;
        continue;
      }
      const symbol = CoffSymbol.decode(bytes, at, PE);
      skip = symbol.NumberOfAuxSymbols;
      visit({ symbol, offset: offset + BigInt(at) });
    }
  }
}

/** The symbols that stand in a section and bear one of the names. Errors: `read.truncated`. */
export function findPeSymbols(image: PeImage, names: readonly string[]): PlacedSymbol[] {
  const strings = names.some(({ length }) => length > SHORT_NAME)
    ? readStringTable(image.source, image.fileHeader)
    : undefined;
  const found: PlacedSymbol[] = [];
  eachSymbol(image, ({ symbol }) => {
    const section = sectionOf(image, symbol);
    if (section === undefined) return;
    const name = symbolName(symbol, strings);
    if (!names.includes(name)) return;
    found.push({ name, rva: section.VirtualAddress + symbol.Value, section, storageClass: symbol.StorageClass });
  });
  return found;
}

/** The section a symbol stands in; undefined for absolute, debugging and undefined symbols. */
export function sectionOf({ sections }: PeImage, { SectionNumber }: CoffSymbol): PeSection | undefined {
  return SectionNumber === 0 ? undefined : sections[SectionNumber - 1];
}

function symbolName({ NameZeroes, NameOffset }: CoffSymbol, strings: Uint8Array | undefined): string {
  if (NameZeroes === 0) return strings === undefined ? '' : stringAt(strings, NameOffset);
  const bytes = new Uint8Array(SHORT_NAME);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, NameZeroes, true);
  view.setUint32(4, NameOffset, true);
  return stringAt(bytes, 0);
}
