/** COFF symbols ("COFF Symbol Table"), read in windows, so memory does not depend on their number. */
import { fits } from '../../base/bytes/source.js';
import { stringAt } from '../../base/bytes/string-at.js';
import { equalBytes, latin1, latin1Bytes } from '../../base/bytes/text.js';
import { fail } from '../../base/errors/patch-error.js';
import { CoffSymbol, PE } from './headers.js';
import type { PeImage, PeSection } from './image.js';
import { readStringTable, symbolTableRange } from './string-table.js';

const RECORD = CoffSymbol.size(PE);
const PER_WINDOW = 0x2000;
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

/** Calls `visit` for every symbol. Errors: those of symbolRecords. */
export function eachSymbol(image: PeImage, visit: (record: SymbolRecord) => void): void {
  for (const record of symbolRecords(image)) visit(record);
}

/** Every symbol in order, auxiliary records skipped. Errors: `read.truncated` when the table leaves the file. */
export function* symbolRecords({ source, fileHeader }: PeImage): Generator<SymbolRecord> {
  const range = symbolTableRange(fileHeader);
  if (range === undefined) return;
  const part = 'COFF symbol table';
  if (!fits(range.start, range.end - range.start, source.size)) {
    const have = range.start < source.size ? source.size - range.start : 0n;
    fail('read.truncated', { file: source.name, offset: range.start, part }, { need: range.end - range.start, have });
  }
  const most = BigInt(PER_WINDOW * RECORD);
  const buffer = new Uint8Array(Number(range.end - range.start < most ? range.end - range.start : most));
  let skip = 0;
  for (let offset = range.start; offset < range.end; offset += most) {
    const rest = range.end - offset;
    const length = rest < most ? rest : most;
    const bytes = buffer.subarray(0, Number(length));
    source.readInto(offset, bytes, part);
    for (let at = 0; at < bytes.length; at += RECORD) {
      if (skip > 0) {
        skip -= 1;
        continue;
      }
      const symbol = CoffSymbol.decode(bytes, at, PE);
      skip = symbol.NumberOfAuxSymbols;
      yield { symbol, offset: offset + BigInt(at) };
    }
  }
}

/** The symbols that stand in a section and bear the name, one at a time. Errors: `read.truncated`. */
export function* symbolsNamed(image: PeImage, name: string): Generator<PlacedSymbol> {
  const strings = name.length > SHORT_NAME ? readStringTable(image.source, image.fileHeader) : undefined;
  const wanted = latin1Bytes(name);
  for (const { symbol } of symbolRecords(image)) {
    const section = sectionOf(image, symbol);
    if (section === undefined || !bears(symbol, wanted, strings)) continue;
    const rva = BigInt.asUintN(32, section.VirtualAddress + symbol.Value);
    yield { name, rva, section, storageClass: symbol.StorageClass };
  }
}

/** The names of symbols in sections that have at most `longest` bytes. Errors: `read.truncated`. */
export function* symbolNames(image: PeImage, longest: number): Generator<string> {
  const strings = longest > SHORT_NAME ? readStringTable(image.source, image.fileHeader) : undefined;
  for (const { symbol } of symbolRecords(image)) {
    if (sectionOf(image, symbol) === undefined) continue;
    const name = nameOf(symbol, strings, longest);
    if (name !== '') yield name;
  }
}

/** Empty where it has none of that length. */
function nameOf({ NameZeroes, NameOffset }: CoffSymbol, strings: Uint8Array | undefined, longest: number): string {
  const bytes =
    NameZeroes === 0 ? strings?.subarray(NameOffset, NameOffset + longest + 1) : shortName(NameZeroes, NameOffset);
  const end = bytes === undefined ? 0 : bytes.indexOf(0);
  if (bytes === undefined || (end < 0 && bytes.length > SHORT_NAME)) return '';
  return String.fromCharCode(...bytes.subarray(0, end < 0 ? bytes.length : end));
}

function shortName(zeroes: number, offset: number): Uint8Array {
  const bytes = new Uint8Array(SHORT_NAME);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, zeroes, true);
  view.setUint32(4, offset, true);
  return bytes;
}

/** The section a symbol stands in; undefined for absolute, debugging and undefined symbols. */
export function sectionOf({ sections }: PeImage, { SectionNumber }: CoffSymbol): PeSection | undefined {
  return SectionNumber === 0 ? undefined : sections[SectionNumber - 1];
}

/** Compared where they stand: a table may hold one name of megabytes, and every symbol may point to it. */
function bears({ NameZeroes, NameOffset }: CoffSymbol, name: Uint8Array, strings: Uint8Array | undefined): boolean {
  if (NameZeroes === 0) {
    if (strings === undefined || NameOffset + name.length > strings.length) return false;
    const end = strings[NameOffset + name.length] ?? 0;
    return end === 0 && equalBytes(name, strings.subarray(NameOffset, NameOffset + name.length));
  }
  return stringAt(shortName(NameZeroes, NameOffset), 0) === latin1(name);
}
