import type { Message } from './message.js';

const GRUB = 'GRUB';

/** Messages of GRUB (grub-core/loader/i386/xen*.c, multiboot*.c), kexec-tools, and tools that read notes. */
export const bootMessages: readonly Message[] = [
  {
    by: `${GRUB} for Xen`,
    says: ['no XEN note found', 'no XEN note'],
    cause: 'No note owned by Xen in any PT_NOTE or note section, and no __xen_guest section.',
    cure: 'Give the kernel its PV notes. GRUB cannot start PVH kernels.',
    commands: ['xen-elfpatch patch kernel.elf --preset pv -o kernel.xen'],
  },
  {
    by: `${GRUB} for Xen`,
    says: ['not xen image', 'version too old for xen boot', 'unknown ELF type'],
    cause:
      'The file is no ELF for x86 and no bzImage with a payload that GRUB can unpack. A kernel compressed with zstd looks ' +
      'like that to GRUB.',
    cure: 'Give the unpacked vmlinux.',
    commands: ['xen-elfpatch notes vmlinux'],
  },
  {
    by: `${GRUB} for Xen`,
    says: ['invalid loader'],
    cause: 'LOADER is there and not exactly generic.',
    cure: 'Set it.',
    commands: ['xen-elfpatch patch kernel.elf --set LOADER=generic -o kernel.xen'],
  },
  {
    by: `${GRUB} for Xen`,
    says: ['unaligned virt_base'],
    cause: 'VIRT_BASE is not page aligned. In an ELF64 GRUB reads 8 bytes, even where the note has 4.',
    cure: 'Write it with 8 bytes.',
    commands: ['xen-elfpatch patch vmlinux --set VIRT_BASE=0xffffffff80000000 -o vmlinux.xen'],
  },
  {
    by: `${GRUB} for Xen`,
    says: ['incompatible architecture'],
    cause: 'A 64-bit GRUB got a 32-bit kernel, or the i386 one a kernel without PAE.',
    cure: 'Match the two; PAE_MODE=yes for 32-bit kernels.',
    commands: ['xen-elfpatch patch kernel32.elf --set PAE_MODE=yes -o kernel.xen'],
  },
  {
    by: `${GRUB}, multiboot`,
    says: ['no multiboot header found'],
    cause:
      'No header in the first 8 KiB (multiboot 1) or 32 KiB (multiboot 2): pushed out by notes or headers in front of it, or ' +
      'never there. GRUB has no PVH loader, so a PVH kernel needs a multiboot header as well to start from GRUB.',
    cure: 'Take a placement that moves nothing.',
    commands: ['xen-elfpatch patch kernel.elf --preset pvh --placement append -o kernel.pvh'],
  },
  {
    by: `${GRUB}, multiboot`,
    says: ['program header at a too high offset'],
    cause: 'The program header table ends beyond the first 8 KiB (multiboot 1) or 32 KiB (multiboot 2).',
    cure: 'The table was moved by some tool; patch does not move it in a multiboot image.',
    commands: ['xen-elfpatch verify kernel.elf --for multiboot'],
  },
  {
    by: `${GRUB}, multiboot`,
    says: ["entry point isn't in a segment"],
    cause: 'No program header covers e_entry.',
    cure: 'Wrong e_entry, or the kernel was changed by a tool that lost a PT_LOAD.',
    commands: ['xen-elfpatch verify kernel.elf --for multiboot'],
  },
  {
    by: `${GRUB}, multiboot`,
    says: ['attempt to seek outside of the file', 'premature end of file'],
    cause: 'The section header table or a segment lies beyond the end of the file: truncated, or e_shoff is stale.',
    cure: 'Mend the headers, or take the file from the linker again.',
    commands: ['xen-elfpatch verify kernel.elf --for multiboot'],
  },
  {
    by: `${GRUB}, multiboot`,
    says: ['segment crosses 4 GiB border', 'overlap detected'],
    cause:
      'p_paddr of a PT_LOAD is high or two overlap: often p_paddr = p_vaddr, written by a tool or a linker script.',
    cure: 'Physical addresses belong into p_paddr.',
    commands: ['xen-elfpatch verify kernel.elf --for multiboot'],
  },
  {
    by: 'kexec',
    says: ['ELF Note corrupted !', 'ELF Note corrupted!'],
    cause:
      'The records of the first PT_NOTE do not end exactly where the segment ends: trailing zeros, an alignment gap before a ' +
      '.note.gnu.property, or a short size.',
    cure: 'fix writes the records anew, without gaps and of the exact size.',
    commands: ['xen-elfpatch notes kernel.elf', 'xen-elfpatch fix kernel.elf --for kexec -o kernel.fixed'],
  },
  {
    by: `${GRUB}, multiboot`,
    says: [
      'invalid arch-independent ELF magic',
      'invalid arch-dependent ELF magic',
      'this ELF file is not of the right type',
    ],
    cause:
      'Class, byte order or machine do not go together: GRUB takes ELF32 with EM_386 and ELF64 with EM_X86_64, ' +
      'little-endian, ET_EXEC or ET_DYN.',
    cure: 'Relink for the right machine. No edit of notes changes what the code is.',
    commands: ['xen-elfpatch verify kernel.elf --for multiboot --rules'],
  },
  {
    by: `${GRUB}, multiboot`,
    says: ['unsupported flag: …', 'relocs not supported'],
    cause:
      'The multiboot header asks for something mandatory that GRUB does not know, or the image still has relocations.',
    cure: 'Flags 0 to 15 of the header are mandatory; link finally, without -r or --emit-relocs.',
    commands: ['xen-elfpatch verify kernel.elf --for multiboot'],
  },
  {
    by: 'kexec',
    says: ['Cannot determine the file type of …'],
    cause:
      'None of its loaders takes the file: compressed Xen (unpack it), section headers that are not there, or notes that ' +
      'it cannot read.',
    cure: 'fix says which it is and mends headers and notes; a gzip file has to be unpacked first.',
    commands: ['xen-elfpatch fix kernel.elf --for kexec'],
  },
  {
    by: 'kexec',
    says: ['Could not find a free area of memory of … bytes', 'ELF exec load failed'],
    cause: 'Xen went through the loader for plain ELF, which wants its segments where other things are.',
    cure: 'Name the loader: kexec --type=multiboot-x86 (or multiboot2-x86).',
    commands: ['xen-elfpatch verify xen --for multiboot --for multiboot2'],
  },
  {
    by: 'UEFI firmware',
    says: ['Out of resources', 'Load Error'],
    cause:
      'For xen.efi: a section that the linker put in front, often a note section of a compiler plugin (annobin), makes the ' +
      'image larger or lower than the firmware can place.',
    cure: 'Look at its sections, and drop the stray note sections in the linker script.',
    commands: ['xen-elfpatch notes xen.efi'],
  },
  {
    by: 'file, readelf',
    says: ['bad note description size …', 'corrupt note'],
    cause:
      'The reader lost the record boundaries: records padded to 4 in a segment that says 8, or a gap in front of an 8-aligned ' +
      'note.',
    cure: 'Rewrite the notes: contiguous, p_align 4.',
    commands: ['xen-elfpatch notes kernel.elf'],
  },
  {
    by: 'binutils (strip, objcopy)',
    says: ["allocated section '…' not in segment"],
    cause:
      'A note section is marked allocated and lies in no PT_LOAD. The notes are kept; a flat binary made of it is not.',
    cure: 'Use a placement in memory, or a section that is not allocated (explain survival).',
    commands: ['xen-elfpatch patch kernel.elf --preset pvh --placement extend -o kernel.pvh'],
  },
];
