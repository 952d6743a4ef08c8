/** COFF symbols ("COFF Symbol Table"), read in windows, so memory does not depend on their number. */
import { fits } from '../../base/bytes/source.js';
import { latin1Bytes } from '../../base/bytes/text.js';
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

/** Where the fields stand that are looked at without the rest. */
const [SECTION_AT, VALUE_AT, CLASS_AT, AUX_AT] = (
  ['SectionNumber', 'Value', 'StorageClass', 'NumberOfAuxSymbols'] as const
).map((field) => CoffSymbol.offsetOf(field, PE)) as [number, number, number, number];

/** Records of a symbol table that follow each other. */
interface Window {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Of the first byte, in the file. */
  readonly offset: bigint;
  /** Where the symbols' records begin in these bytes, auxiliary ones left out. */
  readonly places: readonly number[];
}

/** The table in windows that share one buffer. Errors: `read.truncated` when the table leaves the file. */
function* windows({ source, fileHeader }: PeImage): Generator<Window> {
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
    const bytes = buffer.subarray(0, Number(rest < most ? rest : most));
    source.readInto(offset, bytes, part);
    const places: number[] = [];
    for (let at = 0; at < bytes.length; at += RECORD) {
      if (skip > 0) {
        skip -= 1;
        continue;
      }
      skip = bytes[at + AUX_AT] ?? 0;
      places.push(at);
    }
    yield { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), offset, places };
  }
}

/** Every symbol in order, auxiliary records skipped. Errors: `read.truncated` when the table leaves the file. */
export function* symbolRecords(image: PeImage): Generator<SymbolRecord> {
  for (const { bytes, offset, places } of windows(image)) {
    for (const at of places) yield { symbol: CoffSymbol.decode(bytes, at, PE), offset: offset + BigInt(at) };
  }
}

/**
 * Calls `visit` for every symbol with its SectionNumber and Value, as the record has them: a table of a whole kernel is gone through
 * without an object for each. Errors: `read.truncated` when the table leaves the file.
 */
export function eachAddress(image: PeImage, visit: (sectionNumber: number, value: number) => void): void {
  for (const { view, places } of windows(image)) {
    for (const at of places) visit(view.getUint16(at + SECTION_AT, true), view.getUint32(at + VALUE_AT, true));
  }
}

/** The symbols that stand in a section and bear the name, one at a time. Errors: `read.truncated`. */
export function* symbolsNamed(image: PeImage, name: string): Generator<PlacedSymbol> {
  const strings = name.length > SHORT_NAME ? readStringTable(image.source, image.fileHeader) : undefined;
  const wanted = latin1Bytes(name);
  for (const { bytes, view, places } of windows(image)) {
    for (const at of places) {
      if (!bears(bytes, view, at, wanted, strings)) continue;
      const section = image.sections[view.getUint16(at + SECTION_AT, true) - 1];
      if (section === undefined) continue;
      const rva = BigInt.asUintN(32, section.VirtualAddress + BigInt(view.getUint32(at + VALUE_AT, true)));
      yield { name, rva, section, storageClass: view.getUint8(at + CLASS_AT) };
    }
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
function bears(
  record: Uint8Array,
  view: DataView,
  at: number,
  name: Uint8Array,
  strings: Uint8Array | undefined,
): boolean {
  const isLong = view.getUint32(at, true) === 0;
  const held = isLong ? strings : record;
  const from = isLong ? view.getUint32(at + 4, true) : at;
  if (held === undefined || from + name.length > held.length) return false;
  if (!isLong && name.length > SHORT_NAME) return false;
  for (let i = 0; i < name.length; i += 1) if (held[from + i] !== name[i]) return false;
  return (!isLong && name.length === SHORT_NAME) || (held[from + name.length] ?? 0) === 0;
}
