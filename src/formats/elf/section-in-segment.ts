/**
 * Which sections a segment holds, as binutils sees it: tools that rebuild segments out of sections go by this (include/elf/
 * internal.h, ELF_SECTION_IN_SEGMENT). Of two headers alone; no byte of the file is read.
 */
import type { Phdr, Shdr } from './headers.js';
import {
  PT_DYNAMIC,
  PT_GNU_EH_FRAME,
  PT_GNU_RELRO,
  PT_GNU_STACK,
  PT_LOAD,
  PT_NOTE,
  PT_PHDR,
  PT_TLS,
  SHF_ALLOC,
  SHF_TLS,
  SHT_NOBITS,
} from './names.js';

const HOLD_TLS: ReadonlySet<number> = new Set([PT_TLS, PT_GNU_RELRO, PT_LOAD]);
const HOLD_ALLOCATED_ONLY: ReadonlySet<number> = new Set([
  PT_LOAD,
  PT_DYNAMIC,
  PT_GNU_EH_FRAME,
  PT_GNU_STACK,
  PT_GNU_RELRO,
]);

/** Does the segment hold all of the section? Empty sections at either end of a PT_NOTE or PT_DYNAMIC are outside. */
export function sectionInSegment(section: Shdr, segment: Phdr): boolean {
  const { p_type, p_offset, p_filesz, p_vaddr, p_memsz } = segment;
  const isTls = (section.sh_flags & SHF_TLS) !== 0n;
  const isAlloc = (section.sh_flags & SHF_ALLOC) !== 0n;
  const hasBytes = section.sh_type !== SHT_NOBITS;
  if (isTls ? !HOLD_TLS.has(p_type) : p_type === PT_TLS || p_type === PT_PHDR) return false;
  if (!isAlloc && HOLD_ALLOCATED_ONLY.has(p_type)) return false;
  // .tbss takes no room but in PT_TLS.
  const size = isTls && !hasBytes && p_type !== PT_TLS ? 0n : section.sh_size;
  const { sh_offset, sh_addr } = section;
  if (hasBytes && !(sh_offset >= p_offset && sh_offset - p_offset + size <= p_filesz)) return false;
  if (isAlloc && !(sh_addr >= p_vaddr && sh_addr - p_vaddr + size <= p_memsz)) return false;
  if ((p_type !== PT_DYNAMIC && p_type !== PT_NOTE) || section.sh_size !== 0n || p_memsz === 0n) return true;
  const inFile = !hasBytes || (sh_offset > p_offset && sh_offset - p_offset < p_filesz);
  return inFile && (!isAlloc || (sh_addr > p_vaddr && sh_addr - p_vaddr < p_memsz));
}
