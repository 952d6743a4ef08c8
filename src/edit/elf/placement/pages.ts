/**
 * What pages ask of a layout: execve maps whole pages of the file, so that a PT_LOAD's offset and address agree within a page,
 * whatever its p_align says (Linux, fs/binfmt_elf.c: elf_map; ld -N and lld -n write p_align 8).
 */
import { type ElfImage, loads } from '../../../formats/elf/image.js';
import { EM_386, EM_X86_64 } from '../../../formats/elf/names.js';

/** The largest page that systems of a machine map with; PCs have 4 KiB, others up to 64 KiB (System V ABI supplements). */
const PC_PAGE = 0x1000n;
const OTHER_PAGE = 0x10000n;

/** Bytes of the largest page that systems of the image's machine map with. */
export function largestPage({ header: { e_machine } }: ElfImage): bigint {
  return e_machine === EM_386 || e_machine === EM_X86_64 ? PC_PAGE : OTHER_PAGE;
}

/** The largest power of two up to `page` by which address and offset may differ. */
export function commonAlign(distance: bigint, page: bigint): bigint {
  let align = page;
  while (align > 1n && distance % align !== 0n) align /= 2n;
  return align;
}

/** A multiple by which all file bytes may move together without a PT_LOAD that could be mapped no longer being so. */
export function mappedStep(image: ElfImage): bigint {
  return loads(image)
    .filter(({ segment }) => segment.p_filesz > 0n)
    .reduce((step, { segment: { p_vaddr, p_offset } }) => commonAlign(p_vaddr - p_offset, step), largestPage(image));
}
