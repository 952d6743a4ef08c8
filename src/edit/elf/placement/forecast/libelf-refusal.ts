/** Images that eu-strip gives up on (elfutils 0.188: src/strip.c, handle_elf; libelf/elf_getdata.c, elf32_updatenull.c). */
import { isAlignment } from '../../../../base/bytes/align.js';
import { type Shdr, Sym } from '../../../../formats/elf/headers.js';
import { type ElfImage, hasFileBytes } from '../../../../formats/elf/image.js';
import {
  ET_REL,
  SHF_COMPRESSED,
  SHF_GROUP,
  SHF_INFO_LINK,
  SHN_LORESERVE,
  SHN_XINDEX,
  SHT_DYNAMIC,
  SHT_DYNSYM,
  SHT_FINI_ARRAY,
  SHT_GNU_HASH,
  SHT_GNU_VERNEED,
  SHT_GNU_VERSYM,
  SHT_GROUP,
  SHT_HASH,
  SHT_INIT_ARRAY,
  SHT_PREINIT_ARRAY,
  SHT_REL,
  SHT_RELA,
  SHT_STRTAB,
  SHT_SYMTAB,
  SHT_SYMTAB_SHNDX,
} from '../../../../formats/elf/names.js';
import { nativeSize } from '../../../../formats/elf/struct.js';
import { groupMembers, someSymbol } from './entries.js';
import { type Demands, endsBehindFile, isNameless, refusal } from './refusal.js';

/** Why eu-strip refuses the image; undefined where it does not. `stays`: the sections whose bytes it will copy. */
export function libelfRefusal(image: ElfImage, stays: readonly boolean[]): string | undefined {
  const { sections, shstrndx } = image;
  if (sections.length > 0 && sections[shstrndx]?.sh_type !== SHT_STRTAB) {
    return `the table of section names is section ${shstrndx}, which is no string table`;
  }
  return refusal(image, HEADERS) ?? refusal(image, CONTENTS, (index) => stays[index] === true);
}

/** Of every section. */
const HEADERS: Demands = {
  sections: [
    {
      fault: 'belongs to a group that does not stand in front of it',
      breaks: ({ sh_flags }, image, index) => (sh_flags & SHF_GROUP) !== 0n && !isGrouped(image, index),
    },
    {
      fault: 'is a group that is not sound',
      breaks: (section, image) =>
        section.sh_type === SHT_GROUP &&
        (section.sh_size < 4n ||
          section.sh_size % 4n !== 0n ||
          endsBehindFile(section, image) ||
          groupMembers(image, section).some((index) => index >= image.sections.length)),
    },
    {
      fault: 'is a second table of versions for the same symbols',
      breaks: ({ sh_type, sh_link }, { sections }, index) =>
        sh_type === SHT_GNU_VERSYM &&
        sections.some((s, i) => i < index && s.sh_type === SHT_GNU_VERSYM && s.sh_link === sh_link),
    },
    { fault: 'has a name outside the table of names', breaks: (s, image) => isNameless(s, image) },
    {
      fault: 'links to a section that is not there',
      breaks: ({ sh_link }, { sections }) => sh_link >= sections.length,
    },
  ],
  segments: [],
};

/** Of those that stay. */
const CONTENTS: Demands = {
  sections: [
    {
      fault: 'is about a section that is not there',
      breaks: ({ sh_type, sh_flags, sh_info }, { sections }) =>
        (sh_type === SHT_REL || sh_type === SHT_RELA || (sh_flags & SHF_INFO_LINK) !== 0n) &&
        sh_info >= sections.length,
    },
    { fault: 'ends behind the file', breaks: (s, image) => hasFileBytes(s) && endsBehindFile(s, image) },
    {
      fault: 'is no whole number of entries',
      breaks: (s, image) =>
        hasFileBytes(s) && (s.sh_flags & SHF_COMPRESSED) === 0n && s.sh_size % entrySize(s, image) !== 0n,
    },
    { fault: 'is aligned to what is no power of two', breaks: ({ sh_addralign }) => !isAlignment(sh_addralign) },
    {
      fault: 'is no whole number of the entries that its header names',
      breaks: (s, image) => {
        const entry = writtenEntrySize(s, image);
        return entry !== 0n && s.sh_size % entry !== 0n;
      },
    },
    {
      fault: 'is a group, and the image is no relocatable file',
      breaks: ({ sh_type }, { header }) => sh_type === SHT_GROUP && header.e_type !== ET_REL,
    },
    { fault: 'has fewer versions than symbols', breaks: lacksVersions },
    { fault: 'has a symbol of a section that is not there', breaks: hasStraySymbol },
  ],
  segments: [],
};

/** S/390 and Alpha have hash tables of 8-byte words in ELF64. */
const WIDE_HASH: ReadonlySet<number> = new Set([22, 0x9026]);

/** Bytes of what libelf takes such a section for: a byte where it has no structure. */
function entrySize({ sh_type }: Shdr, { encoding, header }: ElfImage): bigint {
  const word = BigInt(nativeSize(encoding));
  switch (sh_type) {
    case SHT_SYMTAB:
    case SHT_DYNSYM:
      return BigInt(Sym.size(encoding));
    case SHT_REL:
    case SHT_DYNAMIC:
      return 2n * word;
    case SHT_RELA:
      return 3n * word;
    case SHT_INIT_ARRAY:
    case SHT_FINI_ARRAY:
    case SHT_PREINIT_ARRAY:
      return word;
    case SHT_HASH:
      return encoding.bits === 64 && WIDE_HASH.has(header.e_machine) ? 8n : 4n;
    case SHT_GROUP:
    case SHT_SYMTAB_SHNDX:
      return 4n;
    case SHT_GNU_HASH:
      return encoding.bits === 64 ? 1n : 4n;
    case SHT_GNU_VERSYM:
      return 2n;
    case SHT_GNU_VERNEED:
      return 16n;
    default:
      return 1n;
  }
}

/** Types whose sh_entsize libelf sets itself when it writes; it believes the header of all others, of those without bytes as well. */
const SET_WHEN_WRITTEN: ReadonlySet<number> = new Set([
  SHT_SYMTAB,
  SHT_DYNSYM,
  SHT_REL,
  SHT_RELA,
  SHT_DYNAMIC,
  SHT_HASH,
  SHT_GROUP,
  SHT_SYMTAB_SHNDX,
]);

/** The sh_entsize that is written; 0 asks nothing of the size. */
function writtenEntrySize(section: Shdr, image: ElfImage): bigint {
  return SET_WHEN_WRITTEN.has(section.sh_type) ? entrySize(section, image) : section.sh_entsize;
}

/** Does a group in front of the section name it among its members? */
function isGrouped(image: ElfImage, index: number): boolean {
  return image.sections.some(
    (group, at) => at < index && group.sh_type === SHT_GROUP && groupMembers(image, group).includes(index),
  );
}

/** Symbols with a table of versions; that must have one for each of them, and only dynamic symbols may have one. */
function lacksVersions({ sh_type, sh_size }: Shdr, { sections, encoding }: ElfImage, index: number): boolean {
  if (sh_type !== SHT_DYNSYM && sh_type !== SHT_SYMTAB) return false;
  const versions = sections.find((s) => s.sh_type === SHT_GNU_VERSYM && s.sh_link === index);
  if (versions === undefined) return false;
  return sh_type === SHT_SYMTAB || versions.sh_size / 2n < sh_size / BigInt(Sym.size(encoding));
}

function hasStraySymbol(section: Shdr, image: ElfImage): boolean {
  const { sh_type } = section;
  if (sh_type !== SHT_DYNSYM && sh_type !== SHT_SYMTAB) return false;
  const { sections } = image;
  const hasWide = sections.some((s) => s.sh_type === SHT_SYMTAB_SHNDX);
  return someSymbol(image, section, ({ st_shndx }) =>
    st_shndx < SHN_LORESERVE ? st_shndx >= sections.length : st_shndx === SHN_XINDEX && !hasWide,
  );
}
