import type { NoteDoc } from './note-doc.js';

const OUT_OF_BOUNDS = '"ELF start or entries are out of bounds"';

/** Notes that hold addresses of a PV kernel. Behaviour: libelf-dominfo.c, elf_xen_addr_calc_check(). */
export const addressDocs = {
  ENTRY: {
    does: [
      `The first instruction of a PV guest. It is a virtual address: the guest starts with paging on, at the addresses
      that VIRT_BASE and PADDR_OFFSET give. Kernels that also boot on bare hardware keep e_entry for that and name the
      Xen entry here; in Linux it is startup_xen.`,
      `Accepted range: from the first byte of the kernel, kstart, to the address behind its last byte, kend, both ends
      included. kstart is the lowest p_paddr + VIRT_BASE - PADDR_OFFSET, kend the same of the highest p_paddr +
      p_memsz.`,
    ],
    readers: [
      ['PV DomU', 'initial instruction pointer'],
      ['PV dom0', 'initial instruction pointer'],
      ['PVH DomU', 'ignored: PHYS32_ENTRY is used'],
      ['PVH dom0', 'ignored: PHYS32_ENTRY is used'],
      ['GRUB (PV)', 'used; read with 8 bytes from an ELF64 whatever the size in the note'],
    ],
    mistakes: [
      ['a physical address', OUT_OF_BOUNDS],
      ['0, or outside the kernel', OUT_OF_BOUNDS],
      ['absent, e_entry physical', `${OUT_OF_BOUNDS} as soon as VIRT_BASE is high`],
      ['4 bytes in an ELF64', `the upper half reads as zero: ${OUT_OF_BOUNDS} for a high kernel`],
      ['size not 1, 2, 4 or 8', 'reads as 0'],
      ['inside, but not at code', 'accepted; the guest dies at once: "d0v0 Unhandled: vec 14, #PF"'],
    ],
    examples: [
      'xen-elfpatch patch vmlinux --set ENTRY=sym:startup_xen -o vmlinux.xen',
      'xen-elfpatch patch vmlinux --set ENTRY=0xffffffff81000000 -o vmlinux.xen',
    ],
    see: ['VIRT_BASE', 'PADDR_OFFSET', 'PHYS32_ENTRY', 'pv'],
  },
  HYPERCALL_PAGE: {
    does: [
      `Xen writes 128 small functions of 32 bytes into this page of the guest before it starts: hypercall number N is a
      call to page + 32 * N. It must be a whole page of its own inside the image, 4096-aligned, with nothing else in it.
      Without the note a 64-bit PV guest can still make hypercalls with the syscall instruction; current Linux does and
      no longer carries this note.`,
      `PVH guests do not use it: they ask for the page at run time, through an MSR that CPUID names (explain pvh).`,
    ],
    readers: [
      ['PV DomU', 'the page is filled by a hypercall of the toolstack'],
      ['PV dom0', 'the page is filled; the address is checked first'],
      ['PVH DomU', 'ignored'],
      ['PVH dom0', 'ignored'],
    ],
    mistakes: [
      ['outside the initial area', 'dom0: "Invalid HYPERCALL_PAGE field in ELF notes."'],
      ['0, or 4 bytes in an ELF64', 'dom0: "Invalid HYPERCALL_PAGE field in ELF notes."'],
      ['the same, DomU', 'not checked by the toolstack; the hypercall that fills the page fails'],
      ['not page aligned', 'accepted; the stubs land elsewhere and the guest crashes on its first call'],
      ['over the entry code', 'accepted; the entry code is overwritten before it runs'],
      ['at the very end', 'if it reaches past the initial area Xen itself dies: "FATAL PAGE FAULT"'],
      ['a page number', 'only the legacy string holds a page number; the note holds an address'],
    ],
    examples: ['xen-elfpatch patch vmlinux --set HYPERCALL_PAGE=sym:hypercall_page -o vmlinux.xen'],
    see: ['ENTRY', 'legacy', 'pv'],
  },
  VIRT_BASE: {
    releases: 'From Xen 4.16 on it is taken as 0 for PVH, whatever the note says.',
    does: [
      `A PV guest starts in a virtual area in which Xen has already mapped the kernel. VIRT_BASE is the address at which
      (guest) physical address 0 appears in it. Every PT_LOAD is placed at p_paddr + VIRT_BASE - PADDR_OFFSET; p_vaddr is
      not looked at. For a kernel with true physical addresses in p_paddr the right value is p_vaddr - p_paddr of its
      text, for Linux 0xffffffff80000000, with PADDR_OFFSET 0.`,
      'A kernel linked so that p_vaddr = p_paddr, low and starting at some megabytes, needs neither note.',
    ],
    readers: [
      ['PV DomU', 'used'],
      ['PV dom0', 'used; the area must stay clear of 0xffff800000000000 to 0xffff880000000000'],
      ['PVH DomU', 'taken as 0 since 4.16'],
      ['PVH dom0', 'taken as 0 since 4.16'],
      ['GRUB (PV)', 'used, must be page aligned; read with 8 bytes from an ELF64'],
    ],
    mistakes: [
      ['too high or too low', `kernel and entry disagree: ${OUT_OF_BOUNDS}`],
      ['above kstart', OUT_OF_BOUNDS],
      ['missing, PADDR_OFFSET there', '"ELF_PADDR_OFFSET set, VIRT_BASE unset"'],
      ['not page aligned', 'GRUB: "unaligned virt_base"; as dom0 Xen itself dies: "GENERAL PROTECTION FAULT"'],
      ["in Xen's own area", '"DOM0 image overlaps with Xen private area."'],
    ],
    examples: ['xen-elfpatch patch vmlinux --set VIRT_BASE=0xffffffff80000000 --set PADDR_OFFSET=0 -o out'],
    see: ['PADDR_OFFSET', 'ENTRY', 'pv'],
  },
  PADDR_OFFSET: {
    releases:
      'From Xen 4.16 on it is taken as 0 for PVH. Up to 4.17 PADDR_OFFSET without VIRT_BASE refuses PVH as well.',
    does: [
      `Two habits exist. Linux writes physical addresses into p_paddr and needs PADDR_OFFSET 0. Linkers that are given
      nothing write p_paddr = p_vaddr; with high addresses (NetBSD, FreeBSD) PADDR_OFFSET must then equal VIRT_BASE,
      which takes it off again.`,
      `The default differs from that of the old __xen_guest string, which without ELF_PADDR_OFFSET takes the value of
      VIRT_BASE. patch --from-legacy writes the number out, so nothing changes when notes replace the string.`,
    ],
    readers: [
      ['PV DomU', 'used'],
      ['PV dom0', 'used'],
      ['PVH DomU', 'taken as 0 since 4.16'],
      ['PVH dom0', 'taken as 0 since 4.16'],
    ],
    mistakes: [
      ['without VIRT_BASE', '"ELF_PADDR_OFFSET set, VIRT_BASE unset"'],
      ['0, while p_paddr = p_vaddr', `for a high kernel: ${OUT_OF_BOUNDS}`],
      ['VIRT_BASE, p_paddr physical', OUT_OF_BOUNDS],
      ['off by a page', 'accepted; every address is a page off and the guest crashes'],
    ],
    examples: [
      'xen-elfpatch patch vmlinux --set PADDR_OFFSET=0 --set VIRT_BASE=0xffffffff80000000 -o out',
      'xen-elfpatch patch netbsd --set VIRT_BASE=0xffffffff80000000 --set PADDR_OFFSET=0xffffffff80000000 -o out',
    ],
    see: ['VIRT_BASE', 'legacy'],
  },
  HV_START_LOW: {
    does: [
      `A 32-bit PV guest shares its address space with a part of Xen at the top. This is the lowest address at which
      that part may begin; Xen rounds it up to 2 MiB. Linux and the BSDs also write it into 64-bit kernels, where it has
      no effect.`,
    ],
    readers: [
      ['PV DomU', 'ignored by the toolstack'],
      ['PV dom0', '32-bit kernels only'],
      ['PVH DomU', 'ignored'],
      ['PVH dom0', 'ignored'],
    ],
    mistakes: [['above 0xf5800000', '32-bit dom0: refused']],
    examples: ['xen-elfpatch patch vmlinux32 --set HV_START_LOW=0xf5800000 -o out'],
    see: ['PAE_MODE'],
  },
  INIT_P2M: {
    does: [
      `A PV guest gets a table that translates its own page numbers to those of the machine: 8 bytes per page, 2 MiB per
      GiB of memory. It is normally mapped right behind the kernel, inside the initial area. This note moves it to a
      virtual address of its own, so that a guest with much memory does not have its low area filled.`,
      `The check that it stays outside the kernel is made for PVH too, where the kernel's physical addresses are
      compared: in an image for both, keep it out of either range.`,
    ],
    readers: [
      ['PV DomU', '64-bit: used when page aligned and below VIRT_BASE, else dropped'],
      ['PV dom0', '64-bit: used; 32-bit: a warning, then ignored'],
      ['PVH DomU', 'no effect, but the range check still refuses'],
      ['PVH dom0', 'no effect, but the range check still refuses'],
    ],
    mistakes: [
      ['inside the kernel', '"P->M table base is out of bounds"'],
      ['over the initial area', 'dom0: Xen panics'],
    ],
    examples: ['xen-elfpatch patch vmlinux --set INIT_P2M=0x8000000000 -o vmlinux.xen'],
    see: ['VIRT_BASE', 'MOD_START_PFN'],
  },
} as const satisfies Record<string, NoteDoc>;
