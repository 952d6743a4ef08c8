/** Laws of what the linear file kept of its input. They know which bytes may change, and nothing of the writer's plan. */

import { contains, normalize, type Range, rangeOf, subtract } from '../../base/bytes/range.js';
import { fits } from '../../base/bytes/source.js';
import { hex, hexRange } from '../../base/errors/hex.js';
import type { Mb2Header } from '../../formats/multiboot/mb2.js';
import { FileHeader, OptionalHeader } from '../../formats/pe/headers.js';
import { hasRawData, memoryRange, type PeImage, type PeSection, sectionTable } from '../../formats/pe/image.js';
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
import type { Violation } from '../check.js';
import { type KeptCheck, partOf } from './check.js';
import { debugEdits, exactly, headerEdits, isOldHeader, mb1Edits, memoryDifferences } from './kept-memory.js';
import { isSameTable, sameAddresses, sameRest, sameTable } from './kept-symbols.js';
import { pictureDifferences } from './memory-image.js';

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

/** The end of the last section in memory. */
function endInMemory({ sections }: PeImage): bigint {
  return sections.reduce((most, s) => (memoryRange(s).end > most ? memoryRange(s).end : most), 0n);
}

function isReadOnlyData({ Characteristics }: PeSection): boolean {
  const wanted = IMAGE_SCN_CNT_INITIALIZED_DATA | IMAGE_SCN_MEM_READ;
  return (Characteristics & ~IMAGE_SCN_MEM_DISCARDABLE) === wanted;
}

/** What a new layout changes in the headers; joined sections change their number. */
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
