/**
 * Images that binutils does not read, or reads and will not write: "file format not recognized", "unable to modify due to
 * errors" (bfd/elfcode.h, elf_object_p and elf_swap_shdr_in; bfd/elf.c, bfd_section_from_shdr; of 2.40).
 */
import { isAlignment } from '../../../../base/bytes/align.js';
import { type Shdr, Sym } from '../../../../formats/elf/headers.js';
import { type ElfImage, isAllocated } from '../../../../formats/elf/image.js';
import {
  SHF_INFO_LINK,
  SHF_OS_NONCONFORMING,
  SHN_LORESERVE,
  SHT_DYNSYM,
  SHT_GNU_VERSYM,
  SHT_GROUP,
  SHT_HIUSER,
  SHT_LOOS,
  SHT_LOPROC,
  SHT_LOUSER,
  SHT_NOBITS,
  SHT_PREINIT_ARRAY,
  SHT_REL,
  SHT_RELA,
  SHT_RELR,
  SHT_STRTAB,
  SHT_SYMTAB,
} from '../../../../formats/elf/names.js';
import { type Demands, endsBehindFile, isNameless, refusal } from './refusal.js';

/** Why binutils refuses the image; undefined where it does not. */
export function bfdRefusal(image: ElfImage): string | undefined {
  const { sections, shstrndx } = image;
  const [zero] = sections;
  if (zero !== undefined && zero.sh_type !== SHT_NOBITS && endsBehindFile(zero, image))
    return 'section 0 ends behind the file';
  if (sections.length > 0 && sections[shstrndx]?.sh_type !== SHT_STRTAB) {
    return `the table of section names is section ${shstrndx}, which is no string table`;
  }
  return refusal(image, DEMANDS);
}

const DEMANDS: Demands = {
  sections: [
    { fault: 'ends behind the file', breaks: (s, image) => s.sh_type !== SHT_NOBITS && endsBehindFile(s, image) },
    {
      fault: 'links to a section that is not there',
      breaks: ({ sh_link }, { sections }) => sh_link >= sections.length && !isOrder(sh_link),
    },
    {
      fault: 'is about a section that is not there',
      breaks: ({ sh_type, sh_flags, sh_info }, { sections }) =>
        (sh_type === SHT_REL || sh_type === SHT_RELA || (sh_flags & SHF_INFO_LINK) !== 0n) &&
        sh_info >= sections.length,
    },
    {
      fault: 'has a name outside the table of names',
      breaks: (s, image) => image.shstrndx !== 0 && s.sh_name > 0 && isNameless(s, image),
    },
    {
      fault: 'has entries of another size than its type',
      breaks: (s, image) => s.sh_entsize !== (entrySize(s, image) ?? s.sh_entsize),
    },
    {
      fault: 'has more local symbols than symbols',
      breaks: ({ sh_type, sh_info, sh_size, sh_entsize }) =>
        (sh_type === SHT_SYMTAB || sh_type === SHT_DYNSYM) && sh_size > 0n && BigInt(sh_info) * sh_entsize > sh_size,
    },
    {
      fault: 'is a group without members',
      breaks: ({ sh_type, sh_size, sh_entsize }) =>
        sh_type === SHT_GROUP &&
        (sh_entsize !== GROUP_ENTRY || sh_size < 2n * GROUP_ENTRY || sh_size % GROUP_ENTRY !== 0n),
    },
    { fault: 'is of a type that binutils does not know', breaks: isUnknown },
  ],
  segments: [
    {
      fault: 'is aligned to what is no power of two',
      breaks: ({ p_align }) => p_align !== 0n && !isAlignment(p_align),
    },
  ],
};

const GROUP_ENTRY = 4n;
const VERSYM_ENTRY = 2n;

/** SHN_BEFORE and SHN_AFTER of Solaris. */
function isOrder(sh_link: number): boolean {
  return sh_link === SHN_LORESERVE || sh_link === SHN_LORESERVE + 1;
}

/** The size that entries of such a section must have; undefined where any will do. */
function entrySize({ sh_type }: Shdr, { encoding }: ElfImage): bigint | undefined {
  const word = BigInt(encoding.bits / 8);
  switch (sh_type) {
    case SHT_SYMTAB:
    case SHT_DYNSYM:
      return BigInt(Sym.size(encoding));
    case SHT_REL:
      return 2n * word;
    case SHT_RELA:
      return 3n * word;
    case SHT_RELR:
      return word;
    case SHT_GNU_VERSYM:
      return VERSYM_ENTRY;
    default:
      return undefined;
  }
}

/** The type of x86-64's unwind tables, SHT_X86_64_UNWIND. */
const UNWIND = SHT_LOPROC + 1;

function isUnknown(section: Shdr): boolean {
  const { sh_type, sh_flags } = section;
  if (sh_type < SHT_LOOS) return (sh_type > SHT_DYNSYM && sh_type < SHT_PREINIT_ARRAY - 2) || sh_type > SHT_RELR;
  if (sh_type < SHT_LOPROC) return (sh_flags & SHF_OS_NONCONFORMING) !== 0n;
  if (sh_type < SHT_LOUSER) return sh_type !== UNWIND;
  return sh_type > SHT_HIUSER || isAllocated(section);
}
