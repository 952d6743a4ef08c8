/** The COFF string table, behind the symbols ("COFF String Table"). Its first word is its own size, the word included. */
import { type Range, rangeOf } from '../../base/bytes/range.js';
import { type ByteSource, fits } from '../../base/bytes/source.js';
import { CoffSymbol, type FileHeader, PE } from './headers.js';

/** Tables above this size are not held in memory; Xen's has about 200 KiB. */
const LARGEST = 0x1000000n;

/** Where the symbols stand: empty in a stripped image that keeps its strings. Undefined when there is no table. */
export function symbolTableRange({ PointerToSymbolTable, NumberOfSymbols }: FileHeader): Range | undefined {
  if (PointerToSymbolTable === 0n) return undefined;
  return rangeOf(PointerToSymbolTable, BigInt(NumberOfSymbols) * BigInt(CoffSymbol.size(PE)));
}

/** Where the strings stand; undefined when there are none or they do not fit the file. */
export function stringTableRange(source: ByteSource, header: FileHeader): Range | undefined {
  const symbols = symbolTableRange(header);
  if (symbols === undefined || !fits(symbols.end, 4n, source.size)) return undefined;
  const head = source.read(symbols.end, 4n, 'COFF string table');
  const size = BigInt(new DataView(head.buffer, head.byteOffset, 4).getUint32(0, true));
  // A size below its own four bytes means an empty table, which some tools write as 0.
  const whole = size < 4n ? 4n : size;
  return fits(symbols.end, whole, source.size) ? rangeOf(symbols.end, whole) : undefined;
}

/** The bytes of the string table, its size word included, so that an offset is an index. */
export function readStringTable(source: ByteSource, header: FileHeader): Uint8Array | undefined {
  const range = stringTableRange(source, header);
  if (range === undefined || range.end - range.start > LARGEST) return undefined;
  return source.read(range.start, range.end - range.start, 'COFF string table');
}
