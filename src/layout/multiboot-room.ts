/** How far from the start of the file Multiboot loaders look (GRUB for program headers, QEMU and GRUB for headers). */
import type { MultibootHeader } from '../elf/multiboot.js';

/** Bytes at the start of the file that a loader of this version reads (Multiboot 0.6.96, Multiboot2). */
export function multibootWindow({ version }: MultibootHeader): bigint {
  return version === 1 ? 0x2000n : 0x8000n;
}

/** The last offset at which every loader still finds the header: QEMU wants all 48 bytes of version 1 in the window. */
export function lastMultibootOffset(header: MultibootHeader): bigint {
  return multibootWindow(header) - (header.version === 1 ? 52n : 16n);
}
