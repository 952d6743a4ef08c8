/**
 * Is an address among the bytes that the file gives a segment? The zeros behind them, up to p_memsz, are no code. Differences are
 * compared, for sums may be above what an address can be.
 */

import type { Phdr } from '../../formats/elf/headers.js';

/** By the physical address, which is how boot loaders place segments. */
export function hasPhysical({ p_paddr, p_filesz }: Pick<Phdr, 'p_paddr' | 'p_filesz'>, address: bigint): boolean {
  return address >= p_paddr && address - p_paddr < p_filesz;
}

/** By the virtual address, by which the image was linked. */
export function hasVirtual({ p_vaddr, p_filesz }: Pick<Phdr, 'p_vaddr' | 'p_filesz'>, address: bigint): boolean {
  return address >= p_vaddr && address - p_vaddr < p_filesz;
}
