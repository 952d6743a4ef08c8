/**
 * Where strip and objcopy of binutils put segments and sections: they keep no segment but build each one anew from the sections
 * that it holds (bfd/elf.c of 2.40: copy_elf_program_header, assign_file_positions_for_load_sections). Computed from headers.
 */
import { compare } from '../../../../base/bytes/range.js';
import type { Phdr, Shdr } from '../../../../formats/elf/headers.js';
import { type ElfImage, ehdrSize, loads, phdrTable } from '../../../../formats/elf/image.js';
import {
  ET_DYN,
  PT_LOAD,
  PT_PHDR,
  PT_TLS,
  SHF_ALLOC,
  SHF_TLS,
  SHT_GROUP,
  SHT_NOBITS,
  SHT_NULL,
  SHT_REL,
  SHT_RELA,
  SHT_STRTAB,
  SHT_SYMTAB,
  SHT_SYMTAB_SHNDX,
} from '../../../../formats/elf/names.js';
import { sectionInSegment } from '../../../../formats/elf/section-in-segment.js';

/** A section as bfd holds it: with a load address of its own. */
export interface Section {
  readonly index: number;
  readonly shdr: Shdr;
  readonly lma: bigint;
}

/** A segment to be built, and what it is built from. */
interface Entry {
  readonly index: number;
  readonly segment: Phdr;
  readonly sections: readonly Section[];
  readonly filehdr: boolean;
  readonly phdrs: boolean;
  readonly paddrValid: boolean;
  /** From the address of the first section to that of the segment. */
  readonly vaddrOffset: bigint;
}

/** What bfd makes of an image. */
export interface Rebuilt {
  /** The loads as they will stand, by the index they have. */
  readonly loads: ReadonlyMap<number, Pick<Phdr, 'p_vaddr' | 'p_paddr' | 'p_memsz'>>;
  /** For each program header, the sections whose bytes it will show. */
  readonly held: readonly (readonly number[])[];
  /** Why it gives up, or bends what it writes; undefined when it does neither. */
  readonly trouble: string | undefined;
}

const NO_SECTION: ReadonlySet<number> = new Set([SHT_NULL, SHT_SYMTAB, SHT_SYMTAB_SHNDX, SHT_GROUP]);

/** Rebuilds the headers as bfd does. */
export function rebuild(image: ElfImage): Rebuilt {
  const sections = sectionsOf(image);
  const map = image.segments.map((segment, index) => ({ segment, index }));
  const entries = mapOf(image, map, sections);
  const built = new Map<number, Pick<Phdr, 'p_vaddr' | 'p_paddr' | 'p_memsz'>>();
  const held = entries.map((entry) => entry.sections.map(({ index }) => index));
  let trouble: string | undefined;
  const headers = ehdrSize(image.encoding) + (phdrTable(image).end - phdrTable(image).start);
  let off = headers;
  for (const entry of entries.filter(({ segment }) => segment.p_type === PT_LOAD).toSorted(byLoadOrder)) {
    const load = place(image, entry, off, headers);
    off = load.off;
    trouble ??= load.trouble;
    built.set(entry.index, load);
  }
  const alone = entries.find(
    ({ segment, filehdr, phdrs, sections: own }) =>
      segment.p_type !== PT_LOAD && segment.p_type !== PT_PHDR && own.length > 0 && (filehdr || phdrs),
  );
  if (alone !== undefined)
    trouble ??= `it refuses program header ${alone.index}, which holds headers and is no PT_LOAD`;
  const table = entries.find(({ segment }) => segment.p_type === PT_PHDR);
  if (table !== undefined && !entries.some(({ segment, phdrs }) => segment.p_type === PT_LOAD && phdrs)) {
    trouble ??= 'it refuses a PT_PHDR that no PT_LOAD covers';
  }
  return { loads: built, held, trouble };
}

/** The sections that bfd knows, with the load address (lma) that it gives each. */
export function sectionsOf(image: ElfImage): Section[] {
  const { segments, shstrndx } = image;
  const noPaddr = segments.every(({ p_paddr }) => p_paddr === 0n);
  const keepsVma = noPaddr && loads(image).filter(({ segment }) => segment.p_memsz !== 0n).length > 1;
  return image.sections.flatMap((shdr, index) => {
    const isAlloc = (shdr.sh_flags & SHF_ALLOC) !== 0n;
    // Shared objects may have their symbol table in memory.
    const isMapped = shdr.sh_type === SHT_SYMTAB && isAlloc && image.header.e_type === ET_DYN;
    if (index === 0 || index === shstrndx || (NO_SECTION.has(shdr.sh_type) && !isMapped)) return [];
    if (!isAlloc && (shdr.sh_type === SHT_STRTAB || shdr.sh_type === SHT_REL || shdr.sh_type === SHT_RELA)) return [];
    return [{ index, shdr, lma: isAlloc && !keepsVma ? lmaOf(segments, shdr) : shdr.sh_addr }];
  });
}

function lmaOf(segments: readonly Phdr[], shdr: Shdr): bigint {
  let lma = shdr.sh_addr;
  for (const segment of segments) {
    const fits = segment.p_type === PT_TLS || (segment.p_type === PT_LOAD && (shdr.sh_flags & SHF_TLS) === 0n);
    if (!fits || !sectionInSegment(shdr, segment)) continue;
    const from = shdr.sh_type === SHT_NOBITS ? shdr.sh_addr - segment.p_vaddr : shdr.sh_offset - segment.p_offset;
    lma = segment.p_paddr + from;
    if (shdr.sh_addr >= segment.p_vaddr && shdr.sh_addr + shdr.sh_size <= segment.p_vaddr + segment.p_memsz) break;
  }
  return lma;
}

function mapOf(
  image: ElfImage,
  segments: readonly { readonly segment: Phdr; readonly index: number }[],
  sections: readonly Section[],
): Entry[] {
  const { encoding } = image;
  const anyPaddr = image.segments.some(({ p_paddr }) => p_paddr !== 0n);
  const ehsize = ehdrSize(encoding);
  const table = phdrTable(image);
  let included = false;
  return segments.map(({ segment, index }) => {
    const own = sections.filter(({ shdr }) => sectionInSegment(shdr, segment));
    const filehdr = segment.p_offset === 0n && segment.p_filesz >= ehsize;
    const holdsTable =
      segment.p_offset <= table.start && segment.p_offset + segment.p_filesz >= table.end && table.start < table.end;
    const phdrs = (!included || segment.p_type !== PT_LOAD) && holdsTable;
    if (segment.p_type === PT_LOAD && phdrs) included = true;
    const allocated = own.filter(({ shdr }) => (shdr.sh_flags & SHF_ALLOC) !== 0n);
    const agrees = allocated.every(({ shdr, lma }) => {
      const from = shdr.sh_type === SHT_NOBITS ? shdr.sh_addr - segment.p_vaddr : shdr.sh_offset - segment.p_offset;
      return lma - segment.p_paddr === from;
    });
    const paddrValid = anyPaddr && agrees;
    const lowest = allocated.reduce<bigint | undefined>(
      (least, { lma }) => (least === undefined || lma < least ? lma : least),
      undefined,
    );
    const size = (filehdr ? ehsize : 0n) + (phdrs ? table.end - table.start : 0n);
    const vaddrOffset = own.length === 0 ? segment.p_vaddr : paddrValid ? segment.p_paddr + size - (lowest ?? 0n) : 0n;
    return { index, segment, sections: own, filehdr, phdrs, paddrValid, vaddrOffset };
  });
}

/** PT_LOADs with the ELF header first, then by physical address (elf_sort_segments). */
function byLoadOrder(a: Entry, b: Entry): number {
  if (a.filehdr !== b.filehdr) return a.filehdr ? -1 : 1;
  const [left, right] = [lmaOfEntry(a), lmaOfEntry(b)];
  return left < right ? -1 : left > right ? 1 : a.index - b.index;
}

function lmaOfEntry({ segment, sections: [first], paddrValid, vaddrOffset }: Entry): bigint {
  if (paddrValid) return segment.p_paddr;
  return first === undefined ? 0n : first.lma + vaddrOffset;
}

/** Sections of a segment by load address; what is not loaded behind what is, empty ones first (elf_sort_sections). */
function byAddress(a: Section, b: Section): number {
  const isBehind = ({ shdr }: Section) =>
    shdr.sh_type === SHT_NOBITS && (shdr.sh_flags & SHF_TLS) === 0n && shdr.sh_size !== 0n;
  const sizeOf = ({ shdr }: Section) => (shdr.sh_type === SHT_NOBITS ? 0n : shdr.sh_size);
  return (
    compare(a.lma, b.lma) ||
    compare(a.shdr.sh_addr, b.shdr.sh_addr) ||
    Number(isBehind(a)) - Number(isBehind(b)) ||
    compare(sizeOf(a), sizeOf(b)) ||
    a.index - b.index
  );
}

interface Placed extends Pick<Phdr, 'p_vaddr' | 'p_paddr' | 'p_memsz'> {
  /** The next free byte of the file. */
  readonly off: bigint;
  readonly trouble: string | undefined;
}

function place({ encoding }: ElfImage, entry: Entry, from: bigint, headers: bigint): Placed {
  const { segment, filehdr, phdrs, paddrValid } = entry;
  const sections = entry.sections.toSorted(byAddress);
  const [first] = sections;
  const mask = (1n << BigInt(encoding.bits)) - 1n;
  const ehsize = ehdrSize(encoding);
  let off = from;
  let p_vaddr = first === undefined ? entry.vaddrOffset : first.shdr.sh_addr + entry.vaddrOffset;
  let p_paddr = paddrValid ? segment.p_paddr : first === undefined ? 0n : first.lma + entry.vaddrOffset;
  const empty = sections.length > 0 && sections.every(({ shdr }) => shdr.sh_type === SHT_NOBITS);
  let borrowed = 0n;
  if (sections.length > 0) {
    const align = segment.p_align > 1n ? segment.p_align : 1n;
    const bias = (((p_vaddr - off) % align) + align) % align;
    off += bias;
    if (empty) borrowed = bias;
  }
  let filesz = 0n;
  let memsz = 0n;
  let trouble: string | undefined;
  if (filehdr) {
    filesz = ehsize;
    if (sections.length > 0) {
      if (p_vaddr < off || (!paddrValid && p_paddr < off)) {
        return { p_vaddr, p_paddr, p_memsz: 0n, off, trouble: 'it finds no room for the program headers and gives up' };
      }
      p_vaddr -= off;
      if (!paddrValid) p_paddr -= off;
    }
  }
  if (phdrs) {
    filesz += headers - ehsize;
    if (!filehdr) trouble = 'it puts the program headers in front of the sections of their PT_LOAD';
  }
  memsz = filesz;
  if (filehdr || phdrs) {
    const adjust = off - filesz;
    if (!empty) filesz += adjust;
    memsz += adjust;
  }
  for (const [position, { shdr, lma, index }] of sections.entries()) {
    const nobits = shdr.sh_type === SHT_NOBITS;
    const isTls = (shdr.sh_flags & SHF_TLS) !== 0n;
    if (!nobits || !isTls) {
      const end = p_paddr + memsz;
      let adjust = lma - end;
      if (adjust !== 0n && (lma < end || end > mask)) {
        // Moving one without bytes moves nothing, as long as the PT_LOAD holds as much as it did.
        if (!nobits && shdr.sh_size > 0n)
          trouble ??= `it adjusts section ${index}, which does not follow the one before it`;
        adjust = 0n;
      }
      memsz += adjust;
      if (!nobits) {
        borrowed = 0n;
        if (filesz + adjust < memsz) adjust = memsz - filesz;
      }
      if (!nobits || position === 0) {
        off += adjust;
        if (nobits) borrowed += adjust;
      }
      if (!nobits) filesz += adjust;
    }
    if (!nobits) {
      off += shdr.sh_size;
      filesz += shdr.sh_size;
      memsz += shdr.sh_size;
    } else if (!isTls) memsz += shdr.sh_size;
  }
  off -= borrowed;
  return { p_vaddr: p_vaddr & mask, p_paddr: p_paddr & mask, p_memsz: memsz, off, trouble };
}
