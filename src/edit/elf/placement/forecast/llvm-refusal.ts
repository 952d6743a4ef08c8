/**
 * Images that llvm-objcopy and llvm-strip refuse (llvm/lib/ObjCopy/ELF/ELFObject.cpp: ELFBuilder; llvm/include/llvm/Object/ELF.h).
 */

import { type Shdr, Sym } from '../../../../formats/elf/headers.js';
import { type ElfImage, hasFileBytes, isAllocated } from '../../../../formats/elf/image.js';
import {
  SHN_ABS,
  SHN_COMMON,
  SHN_LORESERVE,
  SHN_UNDEF,
  SHN_XINDEX,
  SHT_DYNSYM,
  SHT_GROUP,
  SHT_NOBITS,
  SHT_REL,
  SHT_RELA,
  SHT_STRTAB,
  SHT_SYMTAB,
  SHT_SYMTAB_SHNDX,
} from '../../../../formats/elf/names.js';
import { nativeSize } from '../../../../formats/elf/struct.js';
import { groupMembers, highestSymbol, someSymbol } from './entries.js';
import { type Demands, endsBehindFile, isNameless, refusal } from './refusal.js';

/** Why LLVM's tools refuse the image; undefined where they do not. */
export function llvmRefusal(image: ElfImage): string | undefined {
  const { sections, shstrndx, header, encoding } = image;
  if (sections.length > 0 && header.e_shoff % BigInt(nativeSize(encoding)) !== 0n)
    return 'the section headers are not aligned';
  if ((shstrndx !== 0 || header.e_shstrndx !== 0) && !isStrings(sections[shstrndx])) {
    return `the table of section names is section ${shstrndx}, which is no string table`;
  }
  return refusal(image, DEMANDS);
}

/** Sections whose bytes are not read as such, but entry by entry, or not at all. */
const NOT_READ: ReadonlySet<number> = new Set([SHT_NOBITS, SHT_SYMTAB_SHNDX]);
/** Types whose link has rules of their own. */
const OWN_LINK: ReadonlySet<number> = new Set([SHT_STRTAB, SHT_SYMTAB, SHT_REL, SHT_RELA, SHT_GROUP, SHT_SYMTAB_SHNDX]);

const DEMANDS: Demands = {
  sections: [
    { fault: 'ends behind the file', breaks: (s, image) => isRead(s) && endsBehindFile(s, image) },
    { fault: 'has a name outside the table of names', breaks: (s, image) => s.sh_name > 0 && isNameless(s, image) },
    {
      fault: 'is a second symbol table',
      breaks: ({ sh_type }, { sections }, index) =>
        sh_type === SHT_SYMTAB && sections.findIndex((s) => s.sh_type === SHT_SYMTAB) < index,
    },
    { fault: 'holds names and does not end with a NUL', breaks: isUnterminated },
    {
      fault: 'has entries of another size than its type',
      breaks: (s, image) =>
        s.sh_size % (entrySize(s, image) ?? 1n) !== 0n || s.sh_entsize !== (entrySize(s, image) ?? s.sh_entsize),
    },
    {
      fault: 'links to a section that is not there',
      breaks: ({ sh_type, sh_link }, { sections }) =>
        (!OWN_LINK.has(sh_type) || sh_type === SHT_SYMTAB) && sh_link >= sections.length,
    },
    {
      fault: 'is a symbol table without names',
      breaks: ({ sh_type, sh_link }, { sections }) => sh_type === SHT_SYMTAB && !isStrings(sections[sh_link]),
    },
    { fault: 'has relocations by symbols of another table than its own', breaks: isMislinked },
    {
      fault: 'has relocations for a section that is not there',
      breaks: ({ sh_type, sh_info }, { sections }) => isRelocation(sh_type) && sh_info >= sections.length,
    },
    { fault: 'has a symbol whose section or name is not there', breaks: hasStraySymbol },
    { fault: 'has a relocation by a symbol that is not there', breaks: hasStrayRelocation },
    { fault: 'is a group that is not sound', breaks: isUnsoundGroup },
  ],
  segments: [
    {
      fault: 'ends behind the file',
      breaks: ({ p_offset, p_filesz }, { source }) => p_offset + p_filesz > source.size,
    },
  ],
};

function isStrings(section: Shdr | undefined): boolean {
  return section?.sh_type === SHT_STRTAB && !isAllocated(section);
}

function isRelocation(sh_type: number): boolean {
  return sh_type === SHT_REL || sh_type === SHT_RELA;
}

/** Tables that are made anew are not read as bytes. */
function isRead(section: Shdr): boolean {
  const { sh_type } = section;
  if (NOT_READ.has(sh_type)) return false;
  return isAllocated(section) || (sh_type !== SHT_STRTAB && !isRelocation(sh_type)) || sh_type === SHT_SYMTAB;
}

/** Names of sections and symbols end with a NUL, and there is one. */
function isUnterminated(section: Shdr, image: ElfImage, index: number): boolean {
  const { sections, shstrndx, source } = image;
  const { sh_type, sh_offset, sh_size } = section;
  if (sh_type !== SHT_STRTAB) return false;
  const isUsed = index === shstrndx || sections.some((s) => s.sh_type === SHT_SYMTAB && s.sh_link === index);
  if (!isUsed) return false;
  if (endsBehindFile(section, image) || !hasFileBytes(section)) return true;
  return source.read(sh_offset + sh_size - 1n, 1n, 'end of names')[0] !== 0;
}

/** Entries that are read one by one. */
function entrySize(section: Shdr, { encoding }: ElfImage): bigint | undefined {
  const word = BigInt(nativeSize(encoding));
  if (section.sh_type === SHT_SYMTAB) return BigInt(Sym.size(encoding));
  if (isAllocated(section)) return undefined;
  return section.sh_type === SHT_REL ? 2n * word : section.sh_type === SHT_RELA ? 3n * word : undefined;
}

/** Loaded relocations are by dynamic symbols, others by the symbol table. */
function isMislinked(section: Shdr, { sections }: ElfImage): boolean {
  const { sh_type, sh_link } = section;
  if (!isRelocation(sh_type) || sh_link === SHN_UNDEF) return false;
  return sections[sh_link]?.sh_type !== (isAllocated(section) ? SHT_DYNSYM : SHT_SYMTAB);
}

/** A group has words, names sections that are there, and a symbol that is. */
function isUnsoundGroup(section: Shdr, image: ElfImage): boolean {
  const { sh_type, sh_size, sh_addralign, sh_link, sh_info } = section;
  if (sh_type !== SHT_GROUP) return false;
  const { sections } = image;
  if (sh_addralign % 4n !== 0n || sh_size === 0n || sh_size % 4n !== 0n) return true;
  const symbols = sections[sh_link];
  const isNamed =
    symbols?.sh_type === SHT_SYMTAB && BigInt(sh_info) < symbols.sh_size / BigInt(Sym.size(image.encoding));
  if (sh_link !== SHN_UNDEF && !isNamed) return true;
  return groupMembers(image, section).some((index) => index === 0 || index >= sections.length);
}

/** A symbol in a section that is not there, or with a name outside the table of names. */
function hasStraySymbol(section: Shdr, image: ElfImage): boolean {
  if (section.sh_type !== SHT_SYMTAB) return false;
  const { sections } = image;
  const names = sections[section.sh_link]?.sh_size ?? 0n;
  const hasWide = sections.some(({ sh_type }) => sh_type === SHT_SYMTAB_SHNDX);
  const isStray = (index: number) => {
    if (index < sections.length || index === SHN_ABS || index === SHN_COMMON) return false;
    if (index < SHN_LORESERVE) return true;
    return index === SHN_XINDEX ? !hasWide : index > (OWN_INDICES.get(image.header.e_machine) ?? 0);
  };
  return someSymbol(image, section, ({ st_shndx, st_name }) => isStray(st_shndx) || BigInt(st_name) >= names);
}

/** A relocation by a symbol that is not there. */
function hasStrayRelocation(section: Shdr, image: ElfImage): boolean {
  const size = entrySize(section, image);
  // MIPS has its own way to write r_info.
  if (!isRelocation(section.sh_type) || size === undefined || image.header.e_machine === EM_MIPS) return false;
  const symbols = image.sections.find(({ sh_type }) => sh_type === SHT_SYMTAB);
  const count = Number((symbols?.sh_size ?? 0n) / BigInt(Sym.size(image.encoding)));
  const highest = highestSymbol(image, section, Number(size));
  return highest > 0 && highest >= count;
}

const EM_MIPS = 8;

/** The last of the section indices that MIPS, Hexagon and AMDGPU have for themselves. */
const OWN_INDICES: ReadonlyMap<number, number> = new Map([
  [EM_MIPS, SHN_LORESERVE + 4],
  [164, SHN_LORESERVE + 4],
  [224, SHN_LORESERVE],
]);
