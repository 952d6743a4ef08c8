/**
 * What eu-strip does: it leaves program headers and allocated sections where they are, and writes the sections that are neither
 * allocated nor removed one behind the other after them (elfutils 0.188, src/strip.c, handle_elf). What no section covers is
 * zeros afterwards. In place it leaves an image alone that has nothing to strip; with -o it writes all of it anew.
 */
import { alignUp } from '../../../../base/bytes/align.js';
import { compare, normalize, overlaps, type Range, rangeOf, subtract } from '../../../../base/bytes/range.js';
import { fits, READ_LIMIT } from '../../../../base/bytes/source.js';
import { hex } from '../../../../base/errors/hex.js';
import { Shdr, Sym } from '../../../../formats/elf/headers.js';
import {
  type ElfImage,
  ehdrSize,
  hasFileBytes,
  isAllocated,
  loads,
  phdrTable,
  sectionFileRange,
} from '../../../../formats/elf/image.js';
import {
  SHF_INFO_LINK,
  SHN_LORESERVE,
  SHT_DYNSYM,
  SHT_NOBITS,
  SHT_NOTE,
  SHT_NULL,
  SHT_PROGBITS,
  SHT_REL,
  SHT_RELA,
} from '../../../../formats/elf/names.js';
import { sectionName } from '../../../../formats/elf/section-names.js';
import { libelfRefusal } from './libelf-refusal.js';
import { firstNonZero, kept, loadsBroken, noteSegments, notesBroken, type Outcome, uncovered } from './outcome.js';

/** The outcome of `eu-strip FILE`. */
export function euStrip(image: ElfImage): Outcome {
  const stays = staying(image);
  const removes = stays.some((stay, index) => !stay && index > 0 && index !== image.shstrndx);
  if (!removes) return kept('there is nothing to strip, so eu-strip leaves the image alone');
  const refused = libelfRefusal(image, stays);
  if (refused !== undefined) return kept(`eu-strip refuses the image and leaves it alone: ${refused}`);
  return written(image, stays);
}

/** The outcome of `eu-strip -o OUT FILE`. */
export function euStripTo(image: ElfImage): Outcome {
  if (image.sections.length === 0) return loadsBroken('without section headers eu-strip writes an empty file');
  const stays = staying(image);
  const refused = libelfRefusal(image, stays);
  if (refused !== undefined) return loadsBroken(`eu-strip refuses the image: ${refused}`);
  return written(image, stays);
}

/** Which sections eu-strip keeps; the name table is written anew. */
function staying(image: ElfImage): boolean[] {
  const { sections } = image;
  const stays = sections.map((_, index) => index > 0 && index !== image.shstrndx && !isStripped(image, index));
  // A section that one which stays refers to stays as well.
  for (let again = true; again; ) {
    again = false;
    for (const [index, { sh_type, sh_link, sh_info, sh_flags }] of sections.entries()) {
      const relocates = sh_type === SHT_REL || sh_type === SHT_RELA;
      // Relocations for no section at all count as for one that stays.
      if (!stays[index] && relocates && index > 0 && (sh_info === 0 || stays[sh_info])) again = stays[index] = true;
      if (!stays[index]) continue;
      const named = [sh_link, ...(relocates || (sh_flags & SHF_INFO_LINK) !== 0n ? [sh_info] : [])];
      for (const other of named) if (other > 0 && stays[other] === false) again = stays[other] = true;
    }
  }
  return stays;
}

/** Not allocated, and neither notes nor comments nor linker warnings. */
function isStripped(image: ElfImage, index: number): boolean {
  const section = image.sections[index];
  if (section === undefined || isAllocated(section) || section.sh_type === SHT_NOTE) return false;
  if (section.sh_type === SHT_NULL) return true;
  return section.sh_type !== SHT_PROGBITS || !/^\.(comment$|gnu\.warning\.)/.test(sectionName(image, index));
}

function written(image: ElfImage, stays: readonly boolean[]): Outcome {
  const { sections } = image;
  const renumbered = loadedSymbolsChange(image, stays);
  if (renumbered !== undefined) {
    return loadsBroken(
      `eu-strip renumbers the sections that the symbols of section ${renumbered} name, which is loaded`,
    );
  }
  const { places, end } = newPlaces(image, stays);
  const fixed = sections.flatMap((section, index) => (places.get(index) === section.sh_offset ? [index] : []));
  for (const { index, segment } of loads(image)) {
    const lost = firstNonZero(image, uncovered(image, segment, fixed));
    if (lost !== undefined)
      return loadsBroken(
        `eu-strip clears the bytes at ${hex(lost.start)} of PT_LOAD ${index}, which no section covers`,
      );
  }
  const headers = BigInt((stays.filter(Boolean).length + 2) * Shdr.size(image.encoding));
  const shdrs = rangeOf(alignUp(end, BigInt(image.encoding.bits / 8)), headers);
  const cut = loads(image).find(({ segment: s }) => s.p_filesz > 0n && s.p_offset + s.p_filesz > shdrs.end);
  if (cut !== undefined) return loadsBroken(`eu-strip ends the file at ${hex(shdrs.end)}, inside PT_LOAD ${cut.index}`);
  const spoilt = headersSpoilt(image, places, shdrs);
  if (spoilt !== undefined) return loadsBroken(spoilt);
  for (const { segment } of noteSegments(image)) {
    const lost = firstNonZero(image, uncovered(image, segment, fixed));
    if (lost === undefined) continue;
    const moved = sections.some(
      (s, index) => hasFileBytes(s) && !fixed.includes(index) && overlaps(sectionFileRange(s), lost),
    );
    return notesBroken(
      moved
        ? 'eu-strip moves the section of the notes, which is not allocated, and leaves the PT_NOTE behind'
        : 'no section covers the notes, and eu-strip clears them',
    );
  }
  return kept('the sections of the notes and of every PT_LOAD are allocated, and stay where they are');
}

/** A loaded symbol table with symbols of sections that go or get another number: old linkers put section symbols into .dynsym. */
function loadedSymbolsChange(image: ElfImage, stays: readonly boolean[]): number | undefined {
  let next = 1;
  const numbers = stays.map((stay) => (stay ? next++ : 0));
  const { sections, encoding, source } = image;
  const entry = Sym.size(encoding);
  const index = sections.findIndex((section, at) => {
    if (section.sh_type !== SHT_DYNSYM || !isAllocated(section) || !stays[at] || section.sh_size > READ_LIMIT)
      return false;
    if (!fits(section.sh_offset, section.sh_size, source.size)) return false;
    const bytes = source.read(section.sh_offset, section.sh_size, 'dynamic symbols');
    for (let place = entry; place + entry <= bytes.length; place += entry) {
      const { st_shndx } = Sym.decode(bytes, place, encoding);
      if (st_shndx > 0 && st_shndx < SHN_LORESERVE && numbers[st_shndx] !== st_shndx) return true;
    }
    return false;
  });
  return index < 0 ? undefined : index;
}

/**
 * Are the ELF header and the program header table written over? libelf writes them first, then the sections by their offsets,
 * with zeros from the end of each to the start of the next, then the section headers (libelf/elf32_updatefile.c). One of no
 * size sends it back as well.
 */
function headersSpoilt(image: ElfImage, places: ReadonlyMap<number, bigint>, shdrs: Range): string | undefined {
  const ehdr = rangeOf(0n, ehdrSize(image.encoding));
  const table = phdrTable(image);
  const kept = [...places].flatMap(([index, at]) => {
    const section = image.sections[index];
    if (section === undefined || section.sh_type === SHT_NOBITS) return [];
    return [{ index, at, size: section.sh_size, same: at === section.sh_offset }];
  });
  const sorted = kept.toSorted((a, b) => compare(a.at, b.at) || compare(a.size, b.size) || a.index - b.index);
  // What stands in these two and is no longer right.
  let spoilt: readonly Range[] = [];
  const write = (range: Range, same: boolean) => {
    if (same) spoilt = spoilt.flatMap((r) => subtract(r, [range]));
    else spoilt = [...spoilt, ...[ehdr, table].flatMap((header) => common(header, range))];
  };
  let last = (image.header.e_phoff > ehdr.end ? image.header.e_phoff : ehdr.end) + (table.end - table.start);
  for (const { at, size, same } of sorted) {
    if (at > last) write({ start: last, end: at }, false);
    write(rangeOf(at, size), same);
    last = at + size;
  }
  if (shdrs.start > last) write({ start: last, end: shdrs.start }, false);
  write(shdrs, false);
  const lost = firstNonZero(image, normalize(spoilt));
  if (lost === undefined) return undefined;
  if (overlaps(lost, ehdr)) return 'eu-strip writes over the ELF header';
  return 'eu-strip writes over the program header table, which no section covers';
}

/** What two ranges share. */
function common(a: Range, b: Range): Range[] {
  return overlaps(a, b) ? [{ start: a.start > b.start ? a.start : b.start, end: a.end < b.end ? a.end : b.end }] : [];
}

/** Where the sections that stay will stand, and the end of the last, the new name table behind them. */
function newPlaces(
  { sections, segments }: ElfImage,
  stays: readonly boolean[],
): { places: Map<number, bigint>; end: bigint } {
  const places = new Map<number, bigint>();
  let end = 0n;
  const put = (index: number, section: Shdr) => {
    const free = segments.length === 0 || !isAllocated(section) || section.sh_offset === 0n;
    // An alignment of 0 makes it compute 0.
    const at = !free ? section.sh_offset : section.sh_addralign === 0n ? 0n : alignUp(end, section.sh_addralign);
    places.set(index, at);
    const last = at + (hasFileBytes(section) ? section.sh_size : 0n);
    if (last > end) end = last;
  };
  // Where an allocated one comes behind one of either kind, the allocated ones are put first.
  const firstAllocated = sections.findIndex((s, index) => index > 0 && isAllocated(s));
  const firstPlain = sections.findIndex((s, index) => index > 0 && !isAllocated(s));
  const mixed =
    firstPlain > 0 &&
    firstAllocated > 0 &&
    sections.some((s, index) => index > firstPlain && index > firstAllocated && isAllocated(s));
  const rounds = mixed ? [true, false] : [undefined];
  for (const round of rounds) {
    for (const [index, section] of sections.entries()) {
      if (stays[index] && (round === undefined || round === isAllocated(section))) put(index, section);
    }
  }
  return { places, end };
}
