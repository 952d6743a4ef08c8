/** Laws of what the linear file kept of its input. They know which bytes may change, and nothing of the writer's plan. */

import { differingRanges, newBlocks } from '../../base/bytes/byte-comparison.js';
import { contains, normalize, type Range, rangeOf, subtract } from '../../base/bytes/range.js';
import { fits } from '../../base/bytes/source.js';
import { hex, hexRange } from '../../base/errors/hex.js';
import { MB1_CHECKSUM_AT, MB1_HEAD_SIZE, mb1FlagsAt } from '../../formats/multiboot/mb1.js';
import {
  MB2_ARCHITECTURE_I386,
  MB2_HEAD_SIZE,
  MB2_LENGTH_AT,
  type Mb2Header,
  mb2HeaderAt,
} from '../../formats/multiboot/mb2.js';
import { TAG_ADDRESS, TAG_ENTRY, TAG_HEAD_SIZE } from '../../formats/multiboot/tags.js';
import { debugEntries } from '../../formats/pe/debug.js';
import { CoffSymbol, DebugEntry, FileHeader, OptionalHeader, PE } from '../../formats/pe/headers.js';
import {
  fileOffsetOf,
  hasRawData,
  memoryRange,
  type PeImage,
  type PeSection,
  rawRange,
  sectionTable,
} from '../../formats/pe/image.js';
import { METADATA_SECTIONS } from '../../formats/pe/metadata-sections.js';
import {
  DIRECTORY_BASERELOC,
  DIRECTORY_SECURITY,
  directoryName,
  IMAGE_SCN_CNT_INITIALIZED_DATA,
  IMAGE_SCN_CNT_UNINITIALIZED_DATA,
  IMAGE_SCN_MEM_DISCARDABLE,
  IMAGE_SCN_MEM_READ,
} from '../../formats/pe/names.js';
import { symbolTableRange } from '../../formats/pe/string-table.js';
import { sectionOf, symbolRecords } from '../../formats/pe/symbols.js';
import type { Violation } from '../check.js';
import { type KeptCheck, partOf } from './check.js';
import { pePicture, pictureDifferences } from './memory-image.js';
import type { LinearSubject } from './subject.js';

const SHOWN = 8;

/** Checks that a linear image kept what its input had. */
export const keptChecks: readonly KeptCheck[] = [
  {
    name: 'linear.kept-header',
    needs: 'baseline',
    because: 'entry, image base, alignment in memory and directories decide how firmware loads and starts the image',
    *run({ subject: { image, mb2 }, input }) {
      const part = 'optional header';
      yield* sameFields('COFF file header', FileHeader, image.fileHeader, input.fileHeader, FREE_FILE_FIELDS);
      yield* sameFields(part, OptionalHeader, image.optionalHeader, input.optionalHeader, FREE_OPTIONAL_FIELDS);
      const [size, wasSize] = [image.optionalHeader.SizeOfImage, input.optionalHeader.SizeOfImage];
      // It rises only for a section that ends behind it.
      if (size !== wasSize && (size < wasSize || image.sections.every((s) => memoryRange(s).end <= wasSize))) {
        yield { part, text: `SizeOfImage is ${hex(size)}, it was ${hex(wasSize)}` };
      }
      yield* sameHeaderBytes(image, mb2, input);
      for (const [index, was] of input.directories.entries()) {
        const now = image.directories[index];
        // Signing and dropping a signature change this one, and nothing else.
        if (index === DIRECTORY_SECURITY || now === undefined) continue;
        if (now.VirtualAddress !== was.VirtualAddress || now.Size !== was.Size) {
          yield {
            part,
            text: `the ${directoryName(index)} is ${hex(now.Size)} bytes at ${hex(now.VirtualAddress)}, it was ${hex(was.Size)} at ${hex(was.VirtualAddress)}`,
          };
        }
      }
    },
  },
  {
    name: 'linear.kept-sections',
    needs: 'baseline',
    because: 'code finds its data, and firmware its relocations, where the linker put them',
    *run({ subject: { image }, input }) {
      const homes = homesOf(image, input);
      const parts = new Map<PeSection | undefined, number>();
      for (const home of homes) parts.set(home, (parts.get(home) ?? 0) + 1);
      for (const [index, was] of input.sections.entries()) {
        const now = homes[index];
        if (now === undefined) {
          yield { part: partOf(was), text: `the section at RVA ${hex(was.VirtualAddress)} is gone` };
          continue;
        }
        const alone = parts.get(now) === 1;
        if (now.VirtualAddress === was.VirtualAddress && now.name !== was.name) {
          yield { part: partOf(was), text: `is now called ${now.name}` };
        }
        if (alone && now.VirtualSize !== was.VirtualSize && !METADATA_SECTIONS.includes(was.name)) {
          yield { part: partOf(was), text: `VirtualSize is ${hex(now.VirtualSize)}, it was ${hex(was.VirtualSize)}` };
        }
        const lost = changedFlags(input, was, now, alone);
        if (lost !== 0)
          yield {
            part: partOf(was),
            text: `Characteristics are ${hex(now.Characteristics)}, they were ${hex(was.Characteristics)}`,
          };
      }
      const known = new Set(input.sections.map(({ VirtualAddress }) => VirtualAddress));
      const end = endInMemory(input);
      for (const section of image.sections) {
        if (known.has(section.VirtualAddress)) continue;
        // Data behind all that was there is nothing that the image's own code knows of.
        const level = section.VirtualAddress >= end && isReadOnlyData(section) ? 'warning' : 'error';
        yield { part: partOf(section), text: 'was not there', level };
      }
    },
  },
  {
    name: 'linear.kept-bytes',
    needs: 'baseline',
    because:
      'no instruction and no datum may change, but for the Multiboot header and the file offsets of debug entries',
    *run({ subject, input }) {
      const end = endInMemory(input);
      const allowed = normalize([
        ...headerEdits(subject, input),
        ...mb1Edits(subject),
        ...debugEdits(input),
        ...[...input.sections, ...subject.image.sections]
          .filter(({ name }) => METADATA_SECTIONS.includes(name))
          .map(memoryRange),
      ]);
      let count = 0;
      for (const range of memoryDifferences(subject, input, end)) {
        for (const rest of subtract(range, allowed)) {
          for (const { start, end: stop } of exactly(subject, input, rest)) {
            if (isOldHeader(subject, input, start)) continue;
            count += 1;
            if (count > SHOWN) return;
            const section = input.sections.find((s) => start >= s.VirtualAddress && start < memoryRange(s).end);
            const part = section === undefined ? undefined : partOf(section);
            yield { part, text: `memory at RVA ${hexRange(start, stop)} is not what it was` };
          }
        }
      }
    },
  },
  {
    name: 'linear.kept-symbols',
    needs: 'baseline',
    because: 'debuggers must find every symbol at its old address',
    *run({ subject: { image }, input }) {
      const part = 'COFF symbols';
      const [now, was] = [symbolTableRange(image.fileHeader), symbolTableRange(input.fileHeader)];
      if (
        image.fileHeader.NumberOfSymbols !== input.fileHeader.NumberOfSymbols ||
        (now === undefined) !== (was === undefined)
      ) {
        yield {
          part,
          text: `there are ${image.fileHeader.NumberOfSymbols}, there were ${input.fileHeader.NumberOfSymbols}`,
        };
        return;
      }
      if (now === undefined || was === undefined) return;
      if (image.sections.length === input.sections.length) yield* sameTable(image, now, input, was);
      else if (!isSameTable(image, now, input, was)) yield* sameAddresses(image, input);
      yield* sameRest(image, now.end, input, was.end);
    },
  },
];

/** What a new layout changes in the headers; joined sections change their number. */
/** The end of the last section in memory. */
function endInMemory({ sections }: PeImage): bigint {
  return sections.reduce((most, s) => (memoryRange(s).end > most ? memoryRange(s).end : most), 0n);
}

function isReadOnlyData({ Characteristics }: PeSection): boolean {
  const wanted = IMAGE_SCN_CNT_INITIALIZED_DATA | IMAGE_SCN_MEM_READ;
  return (Characteristics & ~IMAGE_SCN_MEM_DISCARDABLE) === wanted;
}

const FREE_FILE_FIELDS: readonly string[] = ['PointerToSymbolTable', 'NumberOfSections', 'NumberOfSymbols'];
const FREE_OPTIONAL_FIELDS: readonly string[] = ['FileAlignment', 'SizeOfHeaders', 'SizeOfImage', 'CheckSum'];

function* sameFields(
  part: string,
  { fields }: { readonly fields: object },
  image: object,
  input: object,
  free: readonly string[],
): Generator<Violation> {
  const [now, was] = [image as Record<string, number | bigint>, input as Record<string, number | bigint>];
  for (const field of Object.keys(fields)) {
    if (free.includes(field) || now[field] === was[field]) continue;
    yield { part, text: `${field} is ${hex(now[field] ?? 0)}, it was ${hex(was[field] ?? 0)}` };
  }
}

/** The DOS header and stub, and what stands behind the section table but for a Multiboot2 header that moved there. */
function* sameHeaderBytes(image: PeImage, mb2: Mb2Header | undefined, input: PeImage): Generator<Violation> {
  const part = 'headers';
  if (image.peOffset !== input.peOffset) {
    yield { part, text: `the PE header is at ${hex(image.peOffset)}, it was at ${hex(input.peOffset)}` };
    return;
  }
  // Headers may have become shorter where nothing but zeros stood.
  const headers = ({ source, optionalHeader: { SizeOfHeaders: size } }: PeImage) => {
    return { source, pieces: [{ start: 0n, end: size < source.size ? size : source.size, from: 0n }] };
  };
  const behind = { start: sectionTable(input).end, end: input.optionalHeader.SizeOfHeaders };
  const moved = mb2 === undefined ? [] : [rangeOf(mb2.offset, BigInt(mb2.bytes.length))];
  // A longer table stands on filler, of which nobody knows.
  const table = sectionTable(image).end;
  const longer = { start: behind.start, end: table < behind.end ? table : behind.end };
  if (longer.start < longer.end && isFiller(input, longer)) moved.push(longer);
  for (const { start, end } of [{ start: 0n, end: input.peOffset }, ...subtract(behind, moved)]) {
    const [found] = pictureDifferences(headers(input), headers(image), { start, end });
    if (found !== undefined) yield { offset: found.start, part, text: 'differ from the input' };
  }
}

/** Is a range of the headers all zeros or all 0xff, as far as the file has it? */
function isFiller({ source }: PeImage, { start, end }: Range): boolean {
  if (!fits(start, end - start, source.size)) return false;
  const bytes = source.read(start, end - start, 'bytes behind the section table');
  return (bytes[0] === 0 || bytes[0] === 0xff) && bytes.every((byte) => byte === bytes[0]);
}

/** The bytes behind the symbols: strings, then whatever was appended to the input; a signature may follow or be gone. */
function* sameRest(image: PeImage, now: bigint, input: PeImage, was: bigint): Generator<Violation> {
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

function* sameTable(image: PeImage, now: Range, input: PeImage, was: Range): Generator<Violation> {
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
function isSameTable(image: PeImage, now: Range, input: PeImage, was: Range): boolean {
  const isOld = input.sections.every(
    ({ VirtualAddress }, index) => image.sections[index]?.VirtualAddress === VirtualAddress,
  );
  return isOld && sameTable(image, now, input, was).next().done === true;
}

/** Where sections were joined, numbers and values differ; addresses must not. */
function* sameAddresses(image: PeImage, input: PeImage): Generator<Violation> {
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

/** For each input section the one that holds it now: itself, or the one it was joined with. */
function homesOf({ sections }: PeImage, input: PeImage): (PeSection | undefined)[] {
  let at = 0;
  return input.sections.map((was) => {
    while (at + 1 < sections.length && (sections[at + 1]?.VirtualAddress ?? 0n) <= was.VirtualAddress) at += 1;
    const home = sections[at];
    if (home === undefined || home.VirtualAddress > was.VirtualAddress) return undefined;
    // What says what the image is may become shorter.
    const same = home.VirtualAddress === was.VirtualAddress && METADATA_SECTIONS.includes(was.name);
    return same || contains(memoryRange(home), memoryRange(was)) ? home : undefined;
  });
}

/** Flags that differ and may not: DISCARDABLE may come to the relocations and go, zeros in the file make a section initialized. */
function changedFlags(input: PeImage, was: PeSection, now: PeSection, alone: boolean): number {
  let wanted = was.Characteristics;
  const relocations = input.directories[DIRECTORY_BASERELOC]?.VirtualAddress ?? 0n;
  const { start, end } = memoryRange(was);
  const isRelocations = relocations >= start && relocations < end;
  const discardable = now.Characteristics & IMAGE_SCN_MEM_DISCARDABLE;
  // Of joined sections only what all were is discardable.
  if (isRelocations || !alone) wanted = (wanted & ~IMAGE_SCN_MEM_DISCARDABLE) | discardable;
  if (!hasRawData(was) && hasRawData(now) && (wanted & IMAGE_SCN_CNT_UNINITIALIZED_DATA) !== 0) {
    wanted = (wanted & ~IMAGE_SCN_CNT_UNINITIALIZED_DATA) | IMAGE_SCN_CNT_INITIALIZED_DATA;
  }
  // A joined section has the flags of all its parts.
  return alone ? wanted ^ now.Characteristics : wanted & ~now.Characteristics;
}

function* memoryDifferences({ image, orderly }: LinearSubject, input: PeImage, end: bigint): Generator<Range> {
  if (!orderly) return;
  yield* pictureDifferences(pePicture(input), pePicture(image), { start: 0n, end });
}

/** Single bytes: a comparison tells differences that stand close together as one range. */
function* exactly({ image }: LinearSubject, input: PeImage, range: Range): Generator<Range> {
  for (let at = range.start; at < range.end; at += 1n) {
    if (byteAt(image, at) !== byteAt(input, at)) yield rangeOf(at, 1n);
  }
}

function byteAt(image: PeImage, rva: bigint): number {
  const offset = fileOffsetOf(image, rva);
  return offset === undefined ? 0 : (image.source.read(offset, 1n, 'byte')[0] ?? 0);
}

/** RVA of a file offset in a section; undefined in the headers. */
function rvaOf({ sections }: PeImage, offset: bigint): bigint | undefined {
  const home = sections.find((s) => hasRawData(s) && offset >= s.PointerToRawData && offset < rawRange(s).end);
  return home === undefined ? undefined : offset - home.PointerToRawData + home.VirtualAddress;
}

/** The header's length and checksum, what stands from the old end tag on, and the two tags. */
function headerEdits({ image, mb2 }: LinearSubject, input: PeImage): Range[] {
  const start = mb2 === undefined ? undefined : rvaOf(image, mb2.offset);
  if (mb2 === undefined || start === undefined) return [];
  const old = headerAt(input, start, BigInt(mb2.bytes.length));
  const oldEnd = BigInt((old?.bytes.length ?? mb2.bytes.length) - TAG_HEAD_SIZE);
  return [
    rangeOf(start + MB2_LENGTH_AT, 8n),
    { start: start + oldEnd, end: start + BigInt(mb2.bytes.length) },
    ...mb2.tags
      .filter(({ type }) => type === TAG_ADDRESS || type === TAG_ENTRY)
      .map(({ at, size }) => rangeOf(start + BigInt(at), BigInt(size))),
  ];
}

/** The input's own header at an RVA. */
function headerAt(input: PeImage, rva: bigint, most: bigint): Mb2Header | undefined {
  const offset = fileOffsetOf(input, rva, most);
  if (offset === undefined) return undefined;
  const header = mb2HeaderAt(input.source.read(offset, most, 'Multiboot2 header'), 0, offset);
  return header?.architecture === MB2_ARCHITECTURE_I386 ? header : undefined;
}

function mb1Edits({ image, mb1 }: LinearSubject): Range[] {
  if (mb1?.fields === undefined) return [];
  const start = rvaOf(image, mb1.offset);
  return start === undefined ? [] : [rangeOf(start, mb1.size)];
}

function debugEdits(input: PeImage): Range[] {
  const field = BigInt(DebugEntry.offsetOf('PointerToRawData', PE));
  return debugEntries(input).flatMap(({ offset }) => {
    const rva = rvaOf(input, offset);
    return rva === undefined ? [] : [rangeOf(rva + field, 4n)];
  });
}

/**
 * Is this byte part of the mark of an old header that had to stop being one: the magic of a Multiboot2 header that now stands elsewhere,
 * or the checksum of a Multiboot 1 header without addresses?
 */
function isOldHeader({ mb2, mb1, image }: LinearSubject, input: PeImage, rva: bigint): boolean {
  const word = rva & ~3n;
  const before = (at: bigint, size: bigint) => {
    const offset = fileOffsetOf(input, at, size);
    return offset === undefined ? undefined : input.source.read(offset, size, 'old header');
  };
  const moved = mb2 !== undefined && rvaOf(image, mb2.offset) === undefined;
  const old2 = moved ? before(word, BigInt(MB2_HEAD_SIZE)) : undefined;
  if (old2 !== undefined && mb2HeaderAt(old2, 0, 0n)?.architecture === MB2_ARCHITECTURE_I386) return true;
  const old1 = mb1?.fields === undefined ? undefined : before(word - MB1_CHECKSUM_AT, BigInt(MB1_HEAD_SIZE));
  return old1 !== undefined && mb1FlagsAt(old1, 0) !== undefined;
}
