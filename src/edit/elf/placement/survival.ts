/**
 * What later tools will do to the result. Predicted from how the notes are covered: GNU tools rebuild segments from
 * allocated sections, eu-strip keeps only what a section describes, LLVM's tools go by segments, and a flat binary is made
 * of allocated sections at their addresses.
 */
import { compare } from '../../../base/bytes/range.js';
import { type ElfImage, isAllocated, loads } from '../../../formats/elf/image.js';
import { SHT_NOTE, SHT_NULL, SHT_PROGBITS } from '../../../formats/elf/names.js';
import { sectionName } from '../../../formats/elf/section-names.js';
import { SURVIVORS, type Survivor } from '../plan/placement-options.js';
import type { Layout, Survival } from './layout.js';

/** What decides whether notes survive: how sections cover them, whether they are in memory, where the table is. */
export type Covering = Pick<Layout, 'cover' | 'loaded' | 'placement'>;

/** The verdict of every tool on a layout. */
export function survivalOf(image: ElfImage, layout: Covering): Survival[] {
  return SURVIVORS.map((tool) => ({ tool, ...verdict(tool, image, layout) }));
}

/** The tools of `wanted` that the layout does not survive. */
export function lostTo(image: ElfImage, layout: Covering, wanted: readonly Survivor[]): Survival[] {
  return survivalOf(image, layout).filter(
    ({ tool, verdict: v }) => wanted.includes(tool) && v !== 'kept' && v !== 'kept with a warning',
  );
}

type Verdict = Omit<Survival, 'tool'>;

function verdict(tool: Survivor, image: ElfImage, layout: Covering): Verdict {
  switch (tool) {
    case 'strip':
    case 'objcopy':
      return gnu(image, layout);
    case 'llvm-strip':
    case 'llvm-objcopy':
      return { verdict: 'kept', why: 'LLVM tools keep what a segment holds' };
    case 'eu-strip':
      return elfutils(image, layout);
    case 'flat':
      return flat(layout);
  }
}

function gnu(image: ElfImage, { cover, loaded, placement }: Covering): Verdict {
  if (image.sections.length === 0) {
    return { verdict: 'broken', why: 'GNU tools rebuild segments from sections, and the image has none' };
  }
  if (hasBytesOutsideSections(image)) {
    return {
      verdict: 'broken',
      why: 'a PT_LOAD holds bytes that no allocated section covers; GNU tools drop them, patched or not',
    };
  }
  if (placement === 'new-table') {
    return {
      verdict: 'broken',
      why: 'GNU tools put the program headers in front of their PT_LOAD, at an address of nothing',
    };
  }
  if (cover === 'none') return { verdict: 'dropped', why: 'no section covers the notes' };
  if (cover === 'allocated' && !loaded) {
    return { verdict: 'kept with a warning', why: 'the note section is marked allocated outside every PT_LOAD' };
  }
  const table = placement === 'move-table' ? '; the program header table moves back if it fits' : '';
  return { verdict: 'kept', why: `a section covers the notes${table}` };
}

/**
 * Does some PT_LOAD hold memory that no allocated section describes? mkelf32's and GRUB's images do, and GNU strip and
 * objcopy damage those whatever notes they have.
 */
function hasBytesOutsideSections(image: ElfImage): boolean {
  const sorted = image.sections.filter(isAllocated).sort((a, b) => compare(a.sh_addr, b.sh_addr));
  // reach[i]: the highest end among sorted[0..i].
  const reach: bigint[] = [];
  for (const { sh_addr, sh_size } of sorted) {
    const last = reach.at(-1) ?? 0n;
    reach.push(sh_addr + sh_size > last ? sh_addr + sh_size : last);
  }
  return loads(image).some(({ segment: s }) => {
    if (s.p_filesz === 0n) return false;
    const end = s.p_vaddr + s.p_memsz;
    const below = lowerBound(sorted.length, (i) => (sorted[i]?.sh_addr ?? 0n) >= end);
    return (reach[below - 1] ?? 0n) < end;
  });
}

/** The first index for which `isAtOrAbove` holds; it must hold for all behind that one. */
function lowerBound(length: number, isAtOrAbove: (index: number) => boolean): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isAtOrAbove(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

function elfutils(image: ElfImage, { cover, placement, loaded }: Covering): Verdict {
  if (image.sections.length > 0 && !hasSomethingToStrip(image)) {
    return { verdict: 'kept', why: 'there is nothing to strip, so eu-strip leaves the image alone' };
  }
  if (cover === 'none') {
    return { verdict: 'broken', why: 'no section covers the notes, so eu-strip leaves the PT_NOTE dangling' };
  }
  if (cover === 'plain') {
    const table = placement === 'move-table' ? ' and clears the moved program header table' : '';
    return {
      verdict: 'broken',
      why: `eu-strip moves sections that are not allocated and leaves the PT_NOTE behind${table}`,
    };
  }
  return {
    verdict: 'kept',
    why: loaded ? 'the note section is part of a PT_LOAD' : 'the note section is marked allocated',
  };
}

/** eu-strip removes what is not allocated but notes, comments and linker warnings; without any it rewrites nothing. */
function hasSomethingToStrip(image: ElfImage): boolean {
  return image.sections.some((section, index) => {
    if (index === 0 || index === image.shstrndx || isAllocated(section)) return false;
    if (section.sh_type === SHT_NULL || section.sh_type === SHT_NOTE) return false;
    return section.sh_type !== SHT_PROGBITS || !/^\.(comment$|gnu\.warning\.)/.test(sectionName(image, index));
  });
}

function flat({ cover, loaded }: Covering): Verdict {
  if (cover === 'allocated' && !loaded) {
    return {
      verdict: 'broken',
      why: 'objcopy -O binary writes allocated sections at their address, and this one is at 0',
    };
  }
  return {
    verdict: 'kept',
    why: 'the flat binary is the same as without the edit, or holds the notes where they are loaded',
  };
}
