/**
 * What llvm-strip and llvm-objcopy do: they keep every segment with its bytes, move whole segments only, and write the tables
 * anew; some tables they refuse (llvm/lib/ObjCopy/ELF/ELFObject.cpp: layoutSegments, initialize, removeSectionReferences).
 */
import { contains, overlaps } from '../../../../base/bytes/range.js';
import type { FileRange } from '../../../../formats/elf/address.js';
import type { Shdr } from '../../../../formats/elf/headers.js';
import {
  type ElfImage,
  hasFileBytes,
  isAllocated,
  loads,
  sectionFileRange,
  segmentFileRange,
} from '../../../../formats/elf/image.js';
import { SHT_GROUP, SHT_NULL, SHT_REL, SHT_RELA, SHT_SYMTAB, SHT_SYMTAB_SHNDX } from '../../../../formats/elf/names.js';
import { llvmRefusal } from './llvm-refusal.js';
import { firstNonZero, kept, loadsBroken, type Outcome } from './outcome.js';

/** The outcome of llvm-objcopy without options that name sections. */
export function llvmObjcopy(image: ElfImage): Outcome {
  const empty = image.sections.findIndex(({ sh_type, sh_size }) => sh_type === SHT_SYMTAB && sh_size === 0n);
  if (empty > 0) return loadsBroken(`llvm-objcopy crashes on the symbol table of section ${empty}, which has no entry`);
  return unlessRefused(image);
}

function unlessRefused(image: ElfImage): Outcome {
  const why = llvmRefusal(image);
  return why === undefined
    ? kept('LLVM tools keep what a segment holds')
    : loadsBroken(`LLVM tools refuse the image: ${why}`);
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
    ({ sh_type, sh_link }, index) =>
      sh_type !== SHT_NULL && stays(index) && !stays(sh_link) && !isForgotten(sections, sh_type, sh_link),
  );
  if (holder > 0 && holder !== shstrndx) {
    return loadsBroken(
      `llvm-strip refuses to remove section ${sections[holder]?.sh_link}, to which section ${holder} refers`,
    );
  }
  const emptied = sections.findIndex(
    (section, index) =>
      isRelocation(section) && index > 0 && stays(index) && section.sh_info > 0 && !stays(section.sh_info),
  );
  const lost = emptied > 0 ? firstNonZero(image, loadedBytes(image, sections[emptied])) : undefined;
  if (lost !== undefined) {
    return loadsBroken(
      `llvm-strip clears section ${emptied}, whose relocations are for section ${sections[emptied]?.sh_info}`,
    );
  }
  return unlessRefused(image);
}

function isRelocation({ sh_type }: Shdr): boolean {
  return sh_type === SHT_REL || sh_type === SHT_RELA;
}

/** A link to the symbol table is no reason to keep it, but for relocations. */
function isForgotten(sections: readonly Shdr[], sh_type: number, sh_link: number): boolean {
  const isPlain = sh_type !== SHT_REL && sh_type !== SHT_RELA && sh_type !== SHT_GROUP && sh_type !== SHT_SYMTAB_SHNDX;
  return isPlain && sections[sh_link]?.sh_type === SHT_SYMTAB;
}

/** The bytes of a section that a PT_LOAD shows. */
function loadedBytes(image: ElfImage, section: Shdr | undefined): FileRange[] {
  if (section === undefined) return [];
  const range = sectionFileRange(section);
  return loads(image).some(({ segment }) => overlaps(segmentFileRange(segment), range)) ? [range] : [];
}
