import type { NoteDoc } from './note-doc.js';

const OUT_OF_BOUNDS = '"ELF start or entries are out of bounds"';

/** The notes of a PVH kernel. Behaviour: libelf-dominfo.c; QEMU hw/i386/x86-common.c; rust-vmm linux-loader. */
export const pvhDocs = {
  PHYS32_ENTRY: {
    releases:
      'Xen 4.7 to 4.10 ask for LOADER and XEN_VERSION as well; from 4.11 to 4.15 it opens the gate for a PV start too. Linux writes 4 bytes today and wrote 8 in ' +
      'older 64-bit kernels; every reader takes both.',
    does: [
      `The note that makes a kernel bootable as PVH, under Xen as well as by QEMU -kernel, Firecracker and Cloud
      Hypervisor. It is a physical address: the guest starts in 32-bit protected mode with paging off. The code there
      must be 32-bit code even in a 64-bit kernel; explain pvh gives the machine state.`,
      `The value is cut to 32 bits. It has to lie inside the loaded image, from the lowest p_paddr to the highest p_paddr
      + p_memsz; Xen accepts both ends, other loaders do not check at all. Write 4 bytes, once, in a PT_NOTE with p_align
      4: patch does so.`,
    ],
    readers: [
      ['PV DomU', 'ignored (since 4.16)'],
      ['PV dom0', 'ignored (since 4.16)'],
      ['PVH DomU', 'required'],
      ['PVH dom0', 'required'],
      ['QEMU', 'the first type-18 note of any owner, in the last PT_NOTE that has one; sections are not read'],
      ['Firecracker', 'the first in the last PT_NOTE, ELF64 only; without it: 64-bit entry at e_entry'],
      ['Cloud Hypervisor', 'the same; without it the kernel is refused'],
      ['GRUB', 'never: GRUB has no PVH loader'],
    ],
    mistakes: [
      ['missing', 'QEMU: "Error loading uncompressed kernel without PVH ELF Note"'],
      ['missing, under xl', '"image not capable of booting inside a HVM container"'],
      ['missing, PVH dom0', '"Unable to find XEN_ELFNOTE_PHYS32_ENTRY address"'],
      ['a virtual address', `cut to 32 bits; Xen: ${OUT_OF_BOUNDS}; QEMU jumps there and hangs`],
      ['0', `QEMU: as if missing; Xen: ${OUT_OF_BOUNDS}`],
      ['0xffffffff', 'Xen: as if missing'],
      ['size not 1, 2, 4 or 8', `reads as 0; Xen: ${OUT_OF_BOUNDS}`],
      ['64-bit code at the address', 'accepted everywhere; triple fault or hang'],
      ['wrong, in an ELF32, under xl', 'started at e_entry as if it were firmware, with no message'],
      ['a PT_NOTE with p_align 8', 'QEMU: garbage entry or "without PVH ELF Note"; with p_align 0 QEMU dies'],
      ['another PT_NOTE behind it', 'Firecracker, Cloud Hypervisor: as if missing'],
    ],
    examples: [
      'xen-elfpatch patch kernel.elf --preset pvh -o kernel.pvh',
      'xen-elfpatch patch kernel.elf --set PHYS32_ENTRY=phys:pvh_start_xen -o kernel.pvh',
      'xen-elfpatch patch kernel.elf --set PHYS32_ENTRY=0x100000 -o kernel.pvh',
    ],
    see: ['pvh', 'loaders', 'PHYS32_RELOC'],
  },
  PHYS32_RELOC: {
    does: [
      `Up to three 32-bit numbers: the alignment of the load address, the lowest address allowed, and the highest address
      that the last byte may have. Left out, they are the largest p_align of the image if that is at least 4096, else 2
      MiB; 0; and 0xffffffff. The dom0 builder uses them when p_paddr to the end of the image is not free RAM on the
      machine: it moves the whole image, and the entry with it. The kernel must find out where it runs; Linux does.`,
      'No other loader reads it: xl, QEMU and the other VMMs always load at p_paddr.',
    ],
    readers: [
      ['PV DomU', 'ignored'],
      ['PV dom0', 'ignored'],
      ['PVH DomU', 'ignored'],
      ['PVH dom0', 'used when the image does not fit where it wants to be'],
    ],
    mistakes: [
      ['missing, address taken', '"Address conflict and not relocatable"'],
      ['no place in the range', 'refused'],
      ['size not a multiple of 4', 'reads as zeros: alignment 0, never placeable'],
      ['on a kernel that cannot move', 'it is moved and crashes at its first absolute address'],
    ],
    examples: ['xen-elfpatch patch vmlinux --set PHYS32_RELOC=0x200000,0x1000000,0x3fffffff -o vmlinux.xen'],
    see: ['PHYS32_ENTRY', 'pvh'],
  },
} as const satisfies Record<string, NoteDoc>;
