/** What cannot be laid out anew, refused before anything is planned, so that the rest needs no special cases. */
import { compare, type Range, rangeOf } from '../../base/bytes/range.js';
import { checkInside } from '../../base/bytes/source.js';
import { hex } from '../../base/errors/hex.js';
import { fail } from '../../base/errors/patch-error.js';
import { certificateTable } from '../../formats/pe/certificates.js';
import { hasRawData, memoryRange, type PeImage, type PeSection, rawRange } from '../../formats/pe/image.js';
import { IMAGE_FILE_MACHINE_AMD64, peMachineName } from '../../formats/pe/names.js';
import { stringTableRange, symbolTableRange } from '../../formats/pe/string-table.js';

/** File offsets and addresses are 32 bits wide. */
export const FOUR_GIB = 1n << 32n;

interface Named extends Range {
  readonly what: string;
}

/**
 * Refuses PE images that cannot be made linear.
 * Errors: `pe.machine`, `pe.signed`, `pe.bad-header`, `pe.section-order`, `pe.overlap`, `pe.coff-tables`, `pe.too-big`,
 * `read.truncated`.
 */
export function refuseUnfit(image: PeImage, { dropSignature }: { readonly dropSignature: boolean }): void {
  const { source, fileHeader } = image;
  const file = source.name;
  if (fileHeader.Machine !== IMAGE_FILE_MACHINE_AMD64) {
    fail('pe.machine', { file, part: 'COFF file header' }, { found: peMachineName(fileHeader.Machine) });
  }
  refuseUnmovable(image, dropSignature ? undefined : '--drop-signature');
}

/**
 * Refuses PE images, of whatever machine, whose parts cannot be moved in the file. `drop`: the option that would take a
 * signature off; undefined where it comes off.
 * Errors: those of refuseUnfit() but `pe.machine`.
 */
export function refuseUnmovable(image: PeImage, drop: '--drop-signature' | '--strip-signature' | undefined): void {
  const { source, fileHeader, optionalHeader, sections } = image;
  const file = source.name;
  const signature = certificateTable(image);
  if (signature !== undefined && drop !== undefined) {
    const context = { size: signature.end - signature.start, at: signature.start, option: drop };
    fail('pe.signed', { file, offset: signature.start }, context);
  }
  if (source.size >= FOUR_GIB) fail('pe.too-big', { file }, { what: 'the size of the file', value: source.size });
  const { SectionAlignment, SizeOfHeaders } = optionalHeader;
  const place = { file, part: 'optional header' };
  if (SectionAlignment === 0n || (SectionAlignment & (SectionAlignment - 1n)) !== 0n) {
    const context = { field: 'SectionAlignment', found: hex(SectionAlignment), wanted: 'a power of two' };
    fail('pe.bad-header', place, context);
  }
  checkInside(source, 0n, SizeOfHeaders, 'headers (SizeOfHeaders)');
  if (!sections.some(hasRawData)) {
    fail(
      'pe.bad-header',
      { file, part: 'section table' },
      {
        field: 'the number of sections with data',
        found: '0',
        wanted: 'at least one',
      },
    );
  }
  for (const section of sections) refuseSection(image, section);
  refuseDisorder(file, sections);
  const symbols = symbolTableRange(fileHeader);
  // A size that leads out of the file is no size; the word itself has to be there.
  const strings = stringTableRange(source, fileHeader) ?? rangeOf(symbols?.end ?? 0n, 4n);
  const inFile: Named[] = [
    { what: 'headers', start: 0n, end: SizeOfHeaders },
    ...sections.filter(hasRawData).map((s) => ({ what: `section ${s.name}`, ...rawRange(s) })),
    ...(symbols === undefined
      ? []
      : [
          { what: 'COFF symbols', ...symbols },
          { what: 'COFF strings', ...strings },
        ]),
    ...(signature === undefined ? [] : [{ what: 'certificates', ...signature }]),
  ];
  for (const { start, end, what } of inFile) checkInside(source, start, end - start, what);
  refuseOverlap(file, 'file', inFile);
}

function refuseSection({ source }: PeImage, section: PeSection): void {
  const place = { file: source.name, part: `section ${section.name}` };
  const { PointerToRelocations, PointerToLinenumbers, VirtualAddress, VirtualSize } = section;
  if (PointerToRelocations !== 0n) fail('pe.coff-tables', place, { section: section.name, what: 'relocations' });
  if (PointerToLinenumbers !== 0n) fail('pe.coff-tables', place, { section: section.name, what: 'line numbers' });
  if (VirtualSize === 0n && hasRawData(section)) {
    fail('pe.bad-header', place, { field: 'VirtualSize', found: '0', wanted: 'the size of its data' });
  }
  if (VirtualAddress + VirtualSize >= FOUR_GIB) {
    fail('pe.too-big', place, { what: 'the end of the section in memory', value: VirtualAddress + VirtualSize });
  }
}

/** Sections ascend and share no address; each also stands behind what the headers fill in memory. */
function refuseDisorder(file: string, sections: readonly PeSection[]): void {
  for (const [index, section] of sections.entries()) {
    const before = sections[index - 1];
    if (before === undefined) continue;
    const place = { file, part: `section ${section.name}` };
    if (section.VirtualAddress <= before.VirtualAddress) {
      const context = {
        first: before.name,
        second: section.name,
        at: section.VirtualAddress,
        before: before.VirtualAddress,
      };
      fail('pe.section-order', place, context);
    }
    const { end } = memoryRange(before);
    if (end > section.VirtualAddress) {
      const shared = { start: section.VirtualAddress, end };
      fail('pe.overlap', place, {
        first: `section ${before.name}`,
        second: `section ${section.name}`,
        ...shared,
        where: 'memory',
      });
    }
  }
}

function refuseOverlap(file: string, where: 'file' | 'memory', ranges: readonly Named[]): void {
  const sorted = ranges.filter(({ start, end }) => start < end).sort((a, b) => compare(a.start, b.start));
  for (const [index, range] of sorted.entries()) {
    const before = sorted[index - 1];
    if (before === undefined || before.end <= range.start) continue;
    const shared = { start: range.start, end: before.end < range.end ? before.end : range.end };
    fail('pe.overlap', { file, offset: range.start }, { first: before.what, second: range.what, ...shared, where });
  }
}
