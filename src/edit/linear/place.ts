/**
 * The linear placement. Image sections stand at RVA − K for one distance K and tile the file; behind them the tail, then
 * symbols, strings and whatever followed the sections. Pure: numbers in, numbers out.
 */
import { alignUp } from '../../base/bytes/align.js';
import type { Piece } from '../../base/bytes/pieces.js';
import { type Range, subtract } from '../../base/bytes/range.js';
import type { ByteSource } from '../../base/bytes/source.js';
import { hex } from '../../base/errors/hex.js';
import { fail } from '../../base/errors/patch-error.js';
import { certificateTable } from '../../formats/pe/certificates.js';
import { SECTION_ENTRY } from '../../formats/pe/headers.js';
import { copiedSize, hasRawData, type PeImage, rawRange, sectionTable } from '../../formats/pe/image.js';
import type { Part } from './merge.js';
import { FOUR_GIB } from './preconditions.js';

/** Headers end at a page: file offsets and addresses then agree modulo 4096, as debuggers like it. */
const HEADER_SIZE = 0x1000n;
/** Raw data behind the image starts at multiples of the least FileAlignment that the PE format allows. */
export const TAIL_UNIT = 0x200n;

/** A section of the result with its place in the file. */
export interface PlacedSection extends Part {
  readonly PointerToRawData: bigint;
  readonly SizeOfRawData: bigint;
}

/** Where everything of a PE image stands in a linear file. File offsets, RVAs and sizes in bytes. */
export interface Placement {
  /** H: where the first raw data starts. */
  readonly headerSize: bigint;
  /** Headers up to here hold something; behind it, up to H, are zeros. */
  readonly headerEnd: bigint;
  /** K: RVA minus file offset of every image section. */
  readonly distance: bigint;
  readonly sections: readonly PlacedSection[];
  /** F: the lowest RVA, where the flat load begins. */
  readonly loadStart: bigint;
  /** E: the end of the last image section. */
  readonly loadEnd: bigint;
  /** The end of the bss run, E without one. */
  readonly bssEnd: bigint;
  /** New file offset of the symbol table; 0 when there is none. */
  readonly PointerToSymbolTable: bigint;
  readonly pieces: readonly Piece[];
  readonly fileSize: bigint;
  readonly warnings: readonly string[];
}

/** Errors: `linear.header-size`, `pe.overlap`, `pe.too-big`. */
export function place(image: PeImage, parts: readonly Part[], wanted: bigint | undefined): Placement {
  const { source } = image;
  const headerEnd = endOfHeaders(image, parts.length);
  const loadStart = parts[0]?.VirtualAddress ?? 0n;
  const headerSize = chooseHeaderSize(image, headerEnd, loadStart, wanted);
  const distance = loadStart - headerSize;
  // From here on K is settled, and with it the file offset of everything that is loaded.

  const lastImage = parts.findLast(({ role }) => role === 'image');
  const lastBss = parts.findLast(({ role }) => role === 'bss');
  const loadEnd = endOf(lastImage) ?? loadStart;
  const sections: PlacedSection[] = [];
  const pieces: Piece[] = [{ start: 0n, end: headerEnd, from: 0n }];
  let end = headerSize;
  for (const [index, part] of parts.entries()) {
    const { start, size } = rawPlace(part, parts[index + 1], end, distance);
    sections.push({ ...part, PointerToRawData: start, SizeOfRawData: size });
    if (size === 0n) continue;
    for (const member of part.members) {
      const at = start + (member.VirtualAddress - part.VirtualAddress);
      const taken = copiedSize(member);
      if (taken > 0n) pieces.push({ start: at, end: at + taken, from: member.PointerToRawData });
    }
    end = start + size;
  }
  const trailing = trailingData(image);
  const warnings = [...trailing.warnings];
  const { PointerToSymbolTable } = image.fileHeader;
  let symbols = 0n;
  for (const range of trailing.ranges) {
    if (PointerToSymbolTable >= range.start && PointerToSymbolTable < range.end) {
      symbols = end + (PointerToSymbolTable - range.start);
    }
    pieces.push({ start: end, end: end + (range.end - range.start), from: range.start });
    end += range.end - range.start;
  }
  if (end >= FOUR_GIB) fail('pe.too-big', { file: source.name }, { what: 'the size of the linear file', value: end });
  return {
    headerSize,
    headerEnd,
    distance,
    sections,
    loadStart,
    loadEnd,
    bssEnd: endOf(lastBss) ?? loadEnd,
    PointerToSymbolTable: symbols,
    pieces,
    fileSize: end,
    warnings,
  };
}

function endOf(part: Part | undefined): bigint | undefined {
  return part === undefined ? undefined : part.VirtualAddress + part.VirtualSize;
}

/** An image section reaches to the next one; the last one, and every tail section, to a multiple of the tail unit. */
function rawPlace(part: Part, next: Part | undefined, end: bigint, distance: bigint): { start: bigint; size: bigint } {
  switch (part.role) {
    case 'bss':
      return { start: 0n, size: 0n };
    case 'image': {
      const start = part.VirtualAddress - distance;
      const stop =
        next?.role === 'image' ? next.VirtualAddress - distance : alignUp(start + part.VirtualSize, TAIL_UNIT);
      return { start, size: stop - start };
    }
    case 'tail': {
      const taken = part.members.reduce((sum, member) => sum + copiedSize(member), 0n);
      return taken === 0n ? { start: 0n, size: 0n } : { start: end, size: alignUp(end + taken, TAIL_UNIT) - end };
    }
  }
}

/** The end of what the headers hold: the section table, and bytes behind it that are not zero (bound imports, a gap header). */
function endOfHeaders(image: PeImage, sections: number): bigint {
  const table = sectionTable(image);
  const behind = { start: table.end, end: image.optionalHeader.SizeOfHeaders };
  const last = lastNonZero(image.source, behind);
  return last ?? table.start + BigInt(sections * SECTION_ENTRY);
}

function chooseHeaderSize(image: PeImage, needed: bigint, loadStart: bigint, wanted: bigint | undefined): bigint {
  const place = { file: image.source.name, part: 'headers' };
  const table = sectionTable(image).end;
  const least = needed > table ? needed : table;
  if (least > loadStart) {
    const context = { first: 'headers', second: `section ${image.sections[0]?.name}`, start: loadStart, end: least };
    fail('pe.overlap', place, { ...context, where: 'memory' });
  }
  if (wanted !== undefined) {
    if (wanted < least || wanted > loadStart || wanted % 8n !== 0n) {
      const context = { size: wanted, wanted: `a multiple of 8 from ${hex(least)} to ${hex(loadStart)}` };
      fail('linear.header-size', place, context);
    }
    return wanted;
  }
  const usual = alignUp(least, 8n) > HEADER_SIZE ? alignUp(least, HEADER_SIZE) : HEADER_SIZE;
  return usual < loadStart ? usual : loadStart;
}

/** What follows the raw data in the input and goes along: symbols, strings, an overlay; not the signature. */
function trailingData(image: PeImage): { ranges: Range[]; warnings: string[] } {
  const { source, sections, fileHeader, optionalHeader } = image;
  const warnings: string[] = [];
  const rawEnd = sections
    .filter(hasRawData)
    .reduce((end, s) => (rawRange(s).end > end ? rawRange(s).end : end), optionalHeader.SizeOfHeaders);
  const { PointerToSymbolTable: symbols } = fileHeader;
  if (symbols !== 0n && symbols < rawEnd) {
    const place = { file: source.name, offset: symbols, part: 'COFF symbols' };
    fail('pe.bad-header', place, {
      field: 'PointerToSymbolTable',
      found: hex(symbols),
      wanted: 'a place behind the sections',
    });
  }
  const signature = certificateTable(image);
  let start = rawEnd;
  // Alignment in front of the symbols is not data.
  if (symbols !== 0n && lastNonZero(source, { start: rawEnd, end: symbols }) === undefined) start = symbols;
  const whole = { start, end: source.size };
  const ranges = signature === undefined ? [whole] : subtract(whole, [signature]);
  const lost = bytesOfNobody(image, rawEnd);
  if (lost !== undefined) {
    warnings.push(`bytes in no section, the last at file offset ${hex(lost)}, are not taken over: nothing loads them`);
  }
  if (signature !== undefined) warnings.push('the signature is dropped; sign the result');
  return { ranges: ranges.filter((range) => range.start < range.end), warnings };
}

/** A byte between headers and raw data, or between the raw data of two sections, that is not zero. */
function bytesOfNobody({ source, sections, optionalHeader }: PeImage, rawEnd: bigint): bigint | undefined {
  const claimed = [{ start: 0n, end: optionalHeader.SizeOfHeaders }, ...sections.filter(hasRawData).map(rawRange)];
  const found = subtract({ start: 0n, end: rawEnd }, claimed).map((hole) => lastNonZero(source, hole));
  const last = found.findLast((end) => end !== undefined);
  return last === undefined ? undefined : last - 1n;
}

const CHUNK = 0x40000n;

/** The end of the last byte that is not zero, searched from behind; undefined when all are zero. */
function lastNonZero(source: ByteSource, { start, end }: Range): bigint | undefined {
  const buffer = new Uint8Array(Number(end - start < CHUNK ? (end > start ? end - start : 0n) : CHUNK));
  for (let stop = end; stop > start; ) {
    const from = stop - start > CHUNK ? stop - CHUNK : start;
    const bytes = buffer.subarray(0, Number(stop - from));
    source.readInto(from, bytes, 'filler');
    const at = bytes.findLastIndex((byte) => byte !== 0);
    if (at >= 0) return from + BigInt(at) + 1n;
    stop = from;
  }
  return undefined;
}
