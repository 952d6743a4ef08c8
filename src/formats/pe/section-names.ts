/**
 * Section names. A long one is `/` and a decimal offset into the COFF string table, or `//` and six base-64 digits where
 * the offset is wider than seven decimals (LLVM and GNU extensions of "Section Table (Section Headers)").
 */
import type { ByteSource } from '../../base/bytes/source.js';
import { stringAt } from '../../base/bytes/string-at.js';
import type { FileHeader } from './headers.js';
import { readStringTable } from './string-table.js';

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Names are cut here: all sections may point to the same megabytes. Real ones have some twenty characters. */
const LONGEST = 1024;

/** The names of all sections. A long name that leads nowhere stays as it is written. */
export function sectionNames(source: ByteSource, header: FileHeader, rawNames: readonly Uint8Array[]): string[] {
  const short = rawNames.map((raw) => stringAt(raw, 0));
  if (!short.some((name) => longNameOffset(name) !== undefined)) return short;
  const strings = readStringTable(source, header);
  return short.map((name) => {
    const at = longNameOffset(name);
    return at === undefined || strings === undefined || at >= strings.length
      ? name
      : stringAt(strings.subarray(at, at + LONGEST), 0);
  });
}

function longNameOffset(name: string): number | undefined {
  if (/^\/\d{1,7}$/.test(name)) return Number(name.slice(1));
  if (!/^\/\/[A-Za-z0-9+/]{6}$/.test(name)) return undefined;
  return [...name.slice(2)].reduce((value, digit) => value * 64 + DIGITS.indexOf(digit), 0);
}
