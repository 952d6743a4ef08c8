/**
 * What llvm-strip and llvm-objcopy do: they keep every segment with its bytes, move whole segments only, and write the tables
 * anew; some tables they refuse (llvm/lib/ObjCopy/ELF/ELFObject.cpp: layoutSegments, initialize, removeSectionReferences).
 */
import { contains } from '../../../../base/bytes/range.js';
import { fits } from '../../../../base/bytes/source.js';
import {
  type ElfImage,
  hasFileBytes,
  isAllocated,
  sectionFileRange,
  segmentFileRange,
} from '../../../../formats/elf/image.js';
import { SHT_DYNSYM, SHT_NULL, SHT_REL, SHT_RELA, SHT_STRTAB, SHT_SYMTAB } from '../../../../formats/elf/names.js';
import { kept, loadsBroken, type Outcome } from './outcome.js';

/** The outcome of llvm-objcopy without options that name sections. */
export function llvmObjcopy(image: ElfImage): Outcome {
  const why = refusedTable(image);
  return why === undefined ? kept('LLVM tools keep what a segment holds') : loadsBroken(why);
}

/** The outcome of llvm-strip, which removes what is neither allocated nor in a segment. */
export function llvmStrip(image: ElfImage): Outcome {
  const { sections, segments, shstrndx } = image;
  const files = segments.map(segmentFileRange);
  const stays = (index: number) => {
    const section = sections[index];
    if (section === undefined || index === 0 || index === shstrndx || isAllocated(section)) return true;
    return hasFileBytes(section) && files.some((file) => contains(file, sectionFileRange(section)));
  };
  const holder = sections.findIndex(
    ({ sh_type, sh_link }, index) => sh_type !== SHT_NULL && stays(index) && !stays(sh_link),
  );
  if (holder > 0 && holder !== shstrndx) {
    return loadsBroken(
      `llvm-strip refuses to remove section ${sections[holder]?.sh_link}, to which section ${holder} refers`,
    );
  }
  return llvmObjcopy(image);
}

function refusedTable({ sections, source }: ElfImage): string | undefined {
  for (const [index, section] of sections.entries()) {
    if (
      section.sh_type === SHT_STRTAB &&
      hasFileBytes(section) &&
      fits(section.sh_offset, section.sh_size, source.size)
    ) {
      const [last] = source.read(section.sh_offset + section.sh_size - 1n, 1n, 'end of names');
      if (last !== 0) return `LLVM tools refuse the string table of section ${index}, which does not end with a NUL`;
    }
    const relocates = (section.sh_type === SHT_REL || section.sh_type === SHT_RELA) && !isAllocated(section);
    const symbols = sections[section.sh_link]?.sh_type;
    if (relocates && section.sh_link !== 0 && symbols !== SHT_SYMTAB && symbols !== SHT_DYNSYM) {
      return `LLVM tools refuse the relocations of section ${index}, which refer to no symbol table`;
    }
  }
  return undefined;
}
