/**
 * What differs between two PE images. Sections are matched by name and compared as they stand in memory: a new layout of
 * the file is a difference of places, and not of every byte behind it.
 */

import { newBlocks, sameStretch } from '../../base/bytes/byte-comparison.js';
import { overlaps, type Range, rangeOf } from '../../base/bytes/range.js';
import type { ByteSource } from '../../base/bytes/source.js';
import { findMb1 } from '../../formats/multiboot/mb1.js';
import { findMb2, type Mb2Header, mb2Values } from '../../formats/multiboot/mb2.js';
import { FileHeader, OptionalHeader, SectionHeader } from '../../formats/pe/headers.js';
import {
  copiedSize,
  hasRawData,
  memoryRange,
  type PeImage,
  type PeSection,
  rawRange,
  sectionTable,
} from '../../formats/pe/image.js';
import { METADATA_SECTIONS } from '../../formats/pe/metadata-sections.js';
import { DIRECTORY_SECURITY, directoryName } from '../../formats/pe/names.js';
import { pictureDifferences } from '../../verify/pe/memory-image.js';
import { verifyPe } from '../../verify/pe/verify.js';
import { type ByteComparison, type ByteDifference, type ByteGroup, RANGES_KEPT } from './bytes.js';
import { type EntryDifference, type FieldDifference, fieldsOf } from './fields.js';
import { FILE_HEADER_WORDS, OPTIONAL_HEADER_WORDS, SECTION_WORDS, TAG_WORDS } from './pe-words.js';
import type { FilePlace } from './places.js';

/** How two PE images differ. */
export interface PeDifference {
  readonly same: boolean;
  /** Nothing in memory differs but Multiboot headers and file pointers, as after `linearize`. */
  readonly onlyLayout: boolean;
  readonly header: readonly FieldDifference[];
  readonly multiboot2: readonly FieldDifference[];
  readonly sections: readonly EntryDifference[];
  /** Bytes in memory are named by their RVA, others by their place in the second file. */
  readonly bytes: ByteComparison;
}

/** Compares two PE images. Errors: `read.truncated` for sections that leave the file. */
export function diffPe(a: PeImage, b: PeImage): PeDifference {
  const { size } = a.source;
  const [first, second] = [whole(a.source), whole(b.source)];
  if (size === b.source.size && sameStretch(first, second, size, newBlocks(size))) {
    const bytes = { ranges: [], groups: [], count: 0, bytes: 0n };
    return { same: true, onlyLayout: true, header: [], multiboot2: [], sections: [], bytes };
  }
  const pairs = pairsOf(a, b);
  return {
    same: false,
    onlyLayout: verifyPe(b, a).every(({ check }) => !check.startsWith('linear.kept-')) && sameStamps(pairs, a, b),
    header: headerFields(a, b),
    multiboot2: fieldsOf(Object.keys(TAG_WORDS), tagsOf(a.source), tagsOf(b.source), TAG_WORDS),
    sections: pairs.flatMap(sectionDifference),
    bytes: differingBytes(a, b, pairs),
  };
}

/** Do sections that say what an image is, which may be brought up to date, say the same? */
function sameStamps(pairs: readonly Pair[], a: PeImage, b: PeImage): boolean {
  return pairs.every(({ before, after }) => {
    if (before === undefined || after === undefined || !METADATA_SECTIONS.includes(before.name)) return true;
    if (before.VirtualSize !== after.VirtualSize) return false;
    const [found] = pictureDifferences(contents(a, before), contents(b, after), { start: 0n, end: after.VirtualSize });
    return found === undefined;
  });
}

function whole(source: ByteSource) {
  return { source, offset: 0n };
}

interface Pair {
  readonly before: PeSection | undefined;
  readonly after: PeSection | undefined;
}

/** The first section of a name with the first of that name. */
function pairsOf(a: PeImage, b: PeImage): Pair[] {
  const left = new Map<string, PeSection[]>();
  // Taken from the end, so the last comes first.
  for (const section of b.sections.toReversed()) {
    const same = left.get(section.name);
    if (same === undefined) left.set(section.name, [section]);
    else same.push(section);
  }
  const pairs = a.sections.map((before): Pair => ({ before, after: left.get(before.name)?.pop() }));
  const fresh = [...left.values()].flatMap((sections) => sections.toReversed());
  return [...pairs, ...fresh.map((after): Pair => ({ before: undefined, after }))];
}

function headerFields(a: PeImage, b: PeImage): FieldDifference[] {
  const names = (struct: { readonly fields: object }) => Object.keys(struct.fields);
  const directories = Array.from({ length: Math.max(a.directories.length, b.directories.length) }, (_, index) => {
    const text = ({ directories: all }: PeImage) => {
      const entry = all[index];
      return entry === undefined
        ? 'missing'
        : `0x${entry.VirtualAddress.toString(16)}, 0x${entry.Size.toString(16)} bytes`;
    };
    const [before, after] = [text(a), text(b)];
    return before === after ? [] : [{ field: directoryName(index), before, after, meaning: 'address and size' }];
  });
  return [
    ...fieldsOf(['e_lfanew'], { e_lfanew: a.peOffset }, { e_lfanew: b.peOffset }, {}),
    ...fieldsOf(names(FileHeader), a.fileHeader, b.fileHeader, FILE_HEADER_WORDS),
    ...fieldsOf(names(OptionalHeader), a.optionalHeader, b.optionalHeader, OPTIONAL_HEADER_WORDS),
    ...directories.flat(),
  ];
}

/** What the Multiboot2 header says, by name; what is not there says so. */
function tagsOf(source: ByteSource): Record<string, bigint | string> {
  const header = findMb2(source);
  const values = header === undefined || header.problem !== undefined ? undefined : mb2Values(header);
  const none = 'none';
  return {
    offset: header?.offset ?? none,
    tags: header === undefined ? none : listOf(header),
    header_addr: values?.address?.header_addr ?? none,
    load_addr: values?.address?.load_addr ?? none,
    load_end_addr: values?.address?.load_end_addr ?? none,
    bss_end_addr: values?.address?.bss_end_addr ?? none,
    entry: values?.entry ?? none,
    entryEfi64: values?.entryEfi64 ?? none,
  };
}

function listOf({ tags }: Mb2Header): string {
  return tags.map(({ type }) => type).join(' ');
}

function sectionDifference({ before, after }: Pair): EntryDifference[] {
  const name = (before ?? after)?.name ?? '';
  if (before === undefined || after === undefined) {
    return [{ before: before?.index, after: after?.index, name, fields: [] }];
  }
  const fields = fieldsOf(Object.keys(SectionHeader.fields), before, after, SECTION_WORDS);
  return fields.length === 0 && before.index === after.index
    ? []
    : [{ before: before.index, after: after.index, name, fields }];
}

function differingBytes(a: PeImage, b: PeImage, pairs: readonly Pair[]): ByteComparison {
  const ranges: ByteDifference[] = [];
  const groups = new Map<string, ByteGroup>();
  let count = 0;
  let total = 0n;
  const add = ({ start, end }: Range, place: FilePlace, kind: ByteDifference['kind'] = 'changed') => {
    if (start >= end) return;
    const key = `${kind} ${place.name}`;
    const group = groups.get(key) ?? { place, kind, ranges: 0, bytes: 0n, first: start };
    group.ranges += 1;
    group.bytes += end - start;
    groups.set(key, group);
    count += 1;
    total += end - start;
    if (ranges.length < RANGES_KEPT) ranges.push({ kind, start, end, place });
  };
  /** Two stretches of the files against each other; what only one has is listed as such. */
  const stretches = (before: Range, after: Range, place: FilePlace, first: bigint) => {
    const [long, short] = [before.end - before.start, after.end - after.start];
    const both = long < short ? long : short;
    const picture = (source: ByteSource, from: bigint) => ({ source, pieces: [{ start: 0n, end: both, from }] });
    const found = pictureDifferences(picture(a.source, before.start), picture(b.source, after.start), {
      start: 0n,
      end: both,
    });
    for (const range of found) add({ start: first + range.start, end: first + range.end }, place);
    add(rangeOf(first + both, short - both), place, 'only in the second');
    add(rangeOf(before.start + both, long - both), place, 'only in the first');
  };
  const stub = (image: PeImage) => ({ start: 0n, end: image.peOffset });
  stretches(stub(a), stub(b), { kind: 'header', name: 'DOS header and stub', loaded: false }, 0n);
  const behind: FilePlace = { kind: 'header', name: 'headers behind the section table', loaded: false };
  const [tableA, tableB] = [headersBehindTable(a), headersBehindTable(b)];
  const length = tableA.length > tableB.length ? tableA.length : tableB.length;
  for (const { start, end } of pictureDifferences(tableA.picture, tableB.picture, { start: 0n, end: length })) {
    add({ start: tableB.start + start, end: tableB.start + end }, behind);
  }
  const [oldHeaders, newHeaders] = [multibootHeaders(a), multibootHeaders(b)];
  for (const { before, after } of pairs) {
    if (before === undefined || after === undefined) {
      const only = before ?? after;
      if (only === undefined) continue;
      const place = { kind: 'section', name: `section ${only.name}`, loaded: true } as const;
      add(memoryRange(only), place, before === undefined ? 'only in the second' : 'only in the first');
      continue;
    }
    const name = `section ${after.name}`;
    const size = before.VirtualSize > after.VirtualSize ? before.VirtualSize : after.VirtualSize;
    for (const range of pictureDifferences(contents(a, before), contents(b, after), { start: 0n, end: size })) {
      const isIn = (headers: readonly Range[], { PointerToRawData }: PeSection) =>
        headers.some((header) =>
          overlaps(header, { start: PointerToRawData + range.start, end: PointerToRawData + range.end }),
        );
      const inHeader = isIn(oldHeaders, before) || isIn(newHeaders, after);
      const place: FilePlace = {
        kind: 'section',
        name: inHeader ? `Multiboot headers in ${name}` : name,
        loaded: true,
      };
      add({ start: after.VirtualAddress + range.start, end: after.VirtualAddress + range.end }, place);
    }
  }
  const [restA, restB] = [restOf(a), restOf(b)];
  stretches(
    restA,
    restB,
    { kind: 'table', name: 'COFF symbols, strings and what follows', loaded: false },
    restB.start,
  );
  const [signedA, signedB] = [signatureOf(a), signatureOf(b)];
  stretches(signedA, signedB, { kind: 'table', name: 'signatures', loaded: false }, signedB.start);
  return { ranges, groups: [...groups.values()], count, bytes: total };
}

/** What the headers hold behind the section table: bound imports, or a Multiboot2 header. Else zeros. */
function headersBehindTable(image: PeImage) {
  const { source, optionalHeader } = image;
  const start = sectionTable(image).end;
  const end = optionalHeader.SizeOfHeaders < source.size ? optionalHeader.SizeOfHeaders : source.size;
  const length = end > start ? end - start : 0n;
  return { start, length, picture: { source, pieces: [{ start: 0n, end: length, from: start }] } };
}

function multibootHeaders({ source }: PeImage): Range[] {
  const [mb2, mb1] = [findMb2(source), findMb1(source)];
  return [
    ...(mb2 === undefined ? [] : [rangeOf(mb2.offset, BigInt(mb2.bytes.length))]),
    ...(mb1 === undefined ? [] : [rangeOf(mb1.offset, mb1.size)]),
  ];
}

/** A section as it stands in memory, from its own start on. */
function contents({ source }: PeImage, section: PeSection) {
  return { source, pieces: [{ start: 0n, end: copiedSize(section), from: section.PointerToRawData }] };
}

/** The signatures that end the file; an empty range at its end where it has none. */
function signatureOf({ source, directories }: PeImage): Range {
  const table = directories[DIRECTORY_SECURITY];
  const none = { start: source.size, end: source.size };
  if (table === undefined || table.Size === 0n || table.VirtualAddress + table.Size !== source.size) return none;
  return { start: table.VirtualAddress, end: source.size };
}

/** The file behind the raw data of its sections, up to its signatures. */
function restOf(all: PeImage): Range {
  const { source, sections, fileHeader, ...image } = all;
  const { start: stop } = signatureOf(all);
  const headers = sectionTable({ ...image, fileHeader }).end;
  const end = sections
    .filter(hasRawData)
    .reduce((most, s) => (rawRange(s).end > most ? rawRange(s).end : most), headers);
  const { PointerToSymbolTable: symbols } = fileHeader;
  const start = symbols > end && symbols < stop ? symbols : end;
  return { start: start < stop ? start : stop, end: stop };
}
