/**
 * Headers that refer to other parts of the file, and to each other. Where such a reference is wrong before an edit, nobody
 * could tell afterwards whether the edit broke it: sections are found by name and index, a program finds its own headers by
 * PT_PHDR, and counts are taken from section header 0 only behind the escape (gABI, "ELF Header", "Section Header").
 */
import { isAlignment } from '../bytes/align.js';
import { contains, rangeOf } from '../bytes/range.js';
import { fits } from '../bytes/source.js';
import type { Phdr } from '../elf/headers.js';
import { type ElfImage, loads, phdrTable, sectionFileRange, segmentFileRange } from '../elf/image.js';
import {
  PN_XNUM,
  PT_PHDR,
  SHF_INFO_LINK,
  SHN_LORESERVE,
  SHN_XINDEX,
  SHT_NULL,
  SHT_REL,
  SHT_RELA,
  SHT_STRTAB,
} from '../elf/names.js';
import { hex } from '../errors/hex.js';

/** The index of a header and what is wrong with it, in the words of an error. */
export type Unsound = readonly [index: number, what: string];

/** PT_PHDR names the program header table, and is loaded where it says. */
export function* unsoundPhdrSegments(image: ElfImage): Generator<Unsound> {
  const table = phdrTable(image);
  const size = table.end - table.start;
  let seen = 0;
  for (const [index, s] of image.segments.entries()) {
    if (s.p_type !== PT_PHDR) continue;
    if (seen++ > 0) yield [index, 'found a second PT_PHDR, wanted one at most'];
    else if (s.p_offset !== table.start || s.p_filesz !== size || s.p_memsz !== size) {
      const wanted = `wanted the program header table at ${hex(table.start)}, ${size} bytes`;
      yield [index, `found PT_PHDR over ${s.p_filesz} bytes at ${hex(s.p_offset)}, ${wanted}`];
    } else if (!loads(image).some(({ segment }) => holds(segment, s))) {
      yield [index, `found PT_PHDR at ${hex(s.p_vaddr)}, wanted it in a PT_LOAD that puts the table there`];
    }
  }
}

function holds(load: Phdr, { p_offset, p_vaddr, p_filesz }: Phdr): boolean {
  const inFile = contains(segmentFileRange(load), rangeOf(p_offset, p_filesz));
  return inFile && p_vaddr - load.p_vaddr === p_offset - load.p_offset;
}

/** Section header 0 and the fields that escape into it say each number once. */
export function* unsoundCounts({ header, sections, segments, shstrndx }: ElfImage): Generator<Unsound> {
  const [first] = sections;
  if (first === undefined) return;
  const lateNames = shstrndx >= SHN_LORESERVE;
  if (header.e_shstrndx === SHN_XINDEX && !lateNames) {
    yield [0, `found e_shstrndx 0xffff for section ${shstrndx}, wanted the index itself below ${hex(SHN_LORESERVE)}`];
  }
  if (header.e_shnum === 0 && sections.length < SHN_LORESERVE) {
    yield [0, `found e_shnum 0 for ${sections.length} sections, wanted the count itself below ${hex(SHN_LORESERVE)}`];
  }
  const { sh_size, sh_link, sh_info, ...others } = first;
  const wanted = [
    ['sh_size', sh_size, header.e_shnum === 0 ? BigInt(sections.length) : 0n],
    ['sh_link', BigInt(sh_link), lateNames ? BigInt(shstrndx) : 0n],
    ['sh_info', BigInt(sh_info), header.e_phnum === PN_XNUM ? BigInt(segments.length) : 0n],
    ...Object.entries(others).map(([field, value]) => [field, BigInt(value), 0n] as const),
  ] as const;
  for (const [field, found, want] of wanted) {
    if (found !== want) yield [0, `found ${field} ${hex(found)} in section header 0, wanted ${hex(want)}`];
  }
}

/** sh_link and sh_info lead to sections that are there, alignments are powers of two, names have an end. */
export function* unsoundReferences(image: ElfImage): Generator<Unsound> {
  const { sections } = image;
  const names = endOfNames(image);
  for (const [index, s] of sections.entries()) {
    if (names !== undefined && s.sh_name !== 0 && BigInt(s.sh_name) >= names) {
      yield [index, `found sh_name ${hex(s.sh_name)}, wanted the start of a string in ${hex(names)} bytes of names`];
    }
    if (index === 0 || s.sh_type === SHT_NULL) continue;
    if (!isAlignment(s.sh_addralign)) {
      yield [index, `found sh_addralign ${hex(s.sh_addralign)}, wanted 0 or a power of two`];
    }
    const infoIsIndex = s.sh_type === SHT_REL || s.sh_type === SHT_RELA || (s.sh_flags & SHF_INFO_LINK) !== 0n;
    if (s.sh_link >= sections.length) yield [index, `found sh_link ${s.sh_link}, wanted one below ${sections.length}`];
    if (infoIsIndex && s.sh_info >= sections.length) {
      yield [index, `found sh_info ${s.sh_info}, wanted an index below ${sections.length}`];
    }
  }
}

/** Names are looked for their last end in pieces of this size. */
const PIECE = 0x1000n;

/** Bytes of the section-name table up to its last NUL; undefined when there is no table, or it is not one. */
function endOfNames(image: ElfImage): bigint | undefined {
  const table = image.sections[image.shstrndx];
  if (image.shstrndx === 0 || table?.sh_type !== SHT_STRTAB) return undefined;
  const { start, end } = sectionFileRange(table);
  if (!fits(start, end - start, image.source.size)) return undefined;
  for (let stop = end; stop > start; ) {
    const from = stop - start > PIECE ? stop - PIECE : start;
    const nul = image.source.read(from, stop - from, 'section-name table').lastIndexOf(0);
    if (nul >= 0) return from + BigInt(nul) + 1n - start;
    stop = from;
  }
  return 0n;
}
