/** Did the COFF symbols keep names and addresses, and the bytes behind them stay? */

import { differingRanges, newBlocks } from '../../base/bytes/byte-comparison.js';
import type { Range } from '../../base/bytes/range.js';
import { CoffSymbol, PE } from '../../formats/pe/headers.js';
import type { PeImage } from '../../formats/pe/image.js';
import { DIRECTORY_SECURITY } from '../../formats/pe/names.js';
import { sectionOf, symbolRecords } from '../../formats/pe/symbols.js';
import type { Violation } from '../check.js';

/** The bytes behind the symbols: strings, then whatever was appended to the input; a signature may follow or be gone. */
export function* sameRest(image: PeImage, now: bigint, input: PeImage, was: bigint): Generator<Violation> {
  const end = ({ source, directories }: PeImage) => {
    const signature = directories[DIRECTORY_SECURITY];
    const cut = signature !== undefined && signature.Size > 0n ? signature.VirtualAddress : source.size;
    return cut < source.size ? cut : source.size;
  };
  const lengths = [end(image) - now, end(input) - was];
  const length = lengths.reduce((least, x) => (x < least ? x : least));
  if (length <= 0n) return;
  const [difference] = differingRanges(
    { source: image.source, offset: now },
    { source: input.source, offset: was },
    length,
    newBlocks(length),
  );
  if (difference !== undefined)
    yield { offset: now + difference.start, part: 'strings and overlay', text: 'differ from the input' };
  if (image.source.size - now < end(input) - was)
    yield { offset: now, part: 'strings and overlay', text: 'are shorter than in the input' };
}

/** The tables are the same, record for record; the first that differs. */
export function* sameTable(image: PeImage, now: Range, input: PeImage, was: Range): Generator<Violation> {
  const length = was.end - was.start;
  if (length === 0n) return;
  const [difference] = differingRanges(
    { source: image.source, offset: now.start },
    { source: input.source, offset: was.start },
    length,
    newBlocks(length),
  );
  if (difference === undefined) return;
  const index = difference.start / BigInt(CoffSymbol.size(PE));
  yield { offset: now.start + difference.start, part: 'COFF symbols', text: `record ${index} differs from the input` };
}

/** Are all bytes of the tables the same, and mean the same: do the sections that were there bear their old numbers? */
export function isSameTable(image: PeImage, now: Range, input: PeImage, was: Range): boolean {
  const isOld = input.sections.every(
    ({ VirtualAddress }, index) => image.sections[index]?.VirtualAddress === VirtualAddress,
  );
  return isOld && sameTable(image, now, input, was).next().done === true;
}

/** Where sections were joined, numbers and values differ; addresses must not. */
export function* sameAddresses(image: PeImage, input: PeImage): Generator<Violation> {
  const part = 'COFF symbols';
  const before = symbolRecords(input);
  let index = 0;
  for (const { symbol, offset } of symbolRecords(image)) {
    const was = before.next().value?.symbol;
    if (was === undefined) return yield { offset, part, text: `symbol ${index} was not there` };
    const [now, then] = [placeOf(image, symbol), placeOf(input, was)];
    const rest = { SectionNumber: 0, Value: 0n };
    const kept =
      CoffSymbol.encode({ ...symbol, ...rest }, PE).join() === CoffSymbol.encode({ ...was, ...rest }, PE).join();
    if (now !== then || !kept) return yield { offset, part, text: `symbol ${index} has another name, kind or address` };
    index += 1;
  }
}

/** The address of a symbol in a section, as 32 bits; of others the special number that says what they are. */
function placeOf(image: PeImage, symbol: CoffSymbol): string {
  const section = sectionOf(image, symbol);
  if (section === undefined) return `${symbol.SectionNumber}: ${symbol.Value}`;
  return `${BigInt.asUintN(32, section.VirtualAddress + symbol.Value)}`;
}
