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
    says: ['incompatible architecture', 'incompatible architecture: need a PAE kernel'],
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
    cure: 'Fix the headers, or take the file from the linker again.',
    commands: ['xen-elfpatch verify kernel.elf --for multiboot'],
  },
  {
    by: `${GRUB}, multiboot`,
    says: [
      'invalid section header table offset in e_shoff',
      'invalid number of section header table entries in sh_size',
      'invalid number of section header table entries in e_shnum',
    ],
    cause:
      'GRUB 2.12 and later refuse a Multiboot kernel without section headers (e_shoff 0, or e_shnum 0); GRUB 2.06 starts it. A ' +
      'tool such as sstrip, or a linker script, took them away.',
    cure: 'Keep the section header table: strip leaves it, sstrip does not.',
    commands: ['xen-elfpatch verify kernel.elf --for multiboot@2.06 --for multiboot@2.12'],
  },
  {
    by: `${GRUB}, multiboot`,
    says: [
      'ELF section header region is larger than the file size',
      'invalid section header table index in e_shstrndx',
      'invalid section header table index in sh_link',
      'invalid number of program header table entries in sh_info',
    ],
    cause:
      'GRUB 2.12 and later look at the counts of the ELF header before they load: the section header table must end in the file, ' +
      'and an e_shstrndx or e_phnum of 65535 says that section 0 has the number. The file was cut short, or its header is wrong.',
    cure: 'Copy the kernel again, or link it again: a cut file has lost more than this table.',
    commands: ['xen-elfpatch verify kernel.elf --for multiboot@2.12'],
  },
  {
    by: `${GRUB}, multiboot`,
    says: ['segment crosses 4 GiB border', 'address is out of range', 'overlap detected'],
    cause:
      'p_paddr of a PT_LOAD is high or two overlap: often p_paddr = p_vaddr, written by a tool or a linker script. A PT_LOAD ' +
      'of size 0 that touches another counts as an overlap, too.',
    cure: 'Physical addresses belong into p_paddr: AT(ADDR(.section) - base) in the linker script.',
    commands: ['xen-elfpatch verify kernel.elf --for multiboot'],
  },
  {
    by: `${GRUB}, multiboot`,
    says: ['invalid min/max address and/or load size', "couldn't find suitable memory target"],
    cause:
      'A Multiboot2 header has tag 10: the image may be moved, between two addresses. The image is longer than what lies between ' +
      'them, or the machine has no memory there.',
    cure: 'The header is made by the kernel; its source has to change. `--memory` says how much the machine has.',
    commands: ['xen-elfpatch verify kernel.elf --for multiboot2 --memory 256M'],
  },
  {
    by: `${GRUB}, multiboot`,
    says: [
      'unsupported flag',
      'unsupported tag',
      'unsupported tag: …',
      'unsupported information tag: …',
      'unsupported information tag',
    ],
    cause:
      'The header asks for something GRUB does not know: a mandatory flag (bits 3 to 15), a tag or information not marked ' +
      'optional. Or the tags are not padded to 8, or lack the end tag: GRUB goes on behind header_length.',
    cure: 'The header is made by the kernel; its source has to change.',
    commands: ['xen-elfpatch verify kernel.elf --for multiboot --for multiboot2'],
  },
  {
    by: `${GRUB}, multiboot`,
    says: ['invalid arch-independent ELF magic', 'invalid arch-dependent ELF magic'],
    cause:
      'The file has a header, and GRUB cannot load it as an ELF: big endian, ELF64 with EM_386 or the other way round, or no ' +
      'ELF at all, such as an xen.efi as it was linked.',
    cure: 'Of an xen.efi: linearize it. Else class and machine have to agree.',
    commands: ['xen-elfpatch linearize xen.efi -o xen.mb.efi', 'xen-elfpatch verify kernel.elf --for multiboot2'],
  },
  {
    by: `${GRUB}, multiboot`,
    says: ['this ELF file is not of the right type'],
    cause: 'e_type is neither ET_EXEC nor ET_DYN: an object file that was not linked.',
    cure: 'Link it.',
    commands: [],
  },
  {
    by: `${GRUB}, multiboot`,
    says: ['invalid entry point for ELF64'],
    cause: 'The physical entry of an ELF64 is at or above 4 GiB.',
    cure: 'Physical addresses belong into p_paddr; e_entry may be virtual, if a PT_LOAD maps it.',
    commands: ['xen-elfpatch verify kernel.elf --for multiboot'],
  },
  {
    by: `${GRUB}, multiboot`,
    says: ['ELF files with relocs are not supported yet'],
    cause: 'Multiboot 2 only: the image keeps relocation sections (ld --emit-relocs).',
    cure: 'Remove them behind the link: objcopy --remove-section of .rel* sections.',
    commands: ['xen-elfpatch verify kernel.elf --for multiboot2'],
  },
  {
    by: `${GRUB}, multiboot`,
    says: ['load address tag without entry address tag', 'free magic is broken'],
    cause: 'The Multiboot2 header of a flat image is incomplete: tag 3 is missing, or load_end_addr is 0 or wrong.',
    cure: 'linearize writes both tags and proves them.',
    commands: ['xen-elfpatch linearize --verify xen.mb.efi', 'xen-elfpatch linearize xen.efi -o xen.mb.efi'],
  },
  {
    by: `${GRUB}, a remark`,
    says: ['you need to load the kernel first', 'no suitable video mode found', 'Booting in blind mode'],
    cause:
      'No reason. The first follows a multiboot, linux or xen_hypervisor command that failed: what it said stands above. The ' +
      'others are about the screen, and the kernel is started all the same.',
    cure: 'Look at the line above; with a serial line the screen does not matter.',
    commands: ['xen-elfpatch verify kernel.elf --for multiboot --for multiboot2'],
    kind: 'ending',
  },
  {
    by: `${GRUB}, Secure Boot`,
    says: [
      'bad shim signature',
      'bad shim loader signature',
      'bad shim lock signature',
      'shim protocols not found',
      'prohibited by secure boot policy',
    ],
    cause:
      'shim verifies what multiboot2 loads as a PE file: an ELF cannot carry a signature, and any edit breaks the one that ' +
      'was there. GRUB 2.14 hands it to shim as a program to load, not only to check. Debian’s GRUB refuses module2 files altogether in this state.',
    cure: 'Linearize xen.efi and sign it last.',
    commands: ['xen-elfpatch linearize xen.efi --keep-reloc -o xen.mb.efi'],
  },
  {
    by: 'kexec',
    says: ['Could not find a free area of memory', 'ELF exec load failed'],
    cause:
      'kexec took the file for a plain ELF kernel whose addresses are not free; Xen’s image wants its multiboot loader.',
    cure: 'Choose the type: kexec --type=multiboot-x86 (or multiboot2-x86).',
    commands: ['xen-elfpatch verify xen --for kexec'],
  },
  {
    by: 'kexec, a remark',
    says: ['kexec_load failed'],
    cause:
      'kexec-tools took the file and the running kernel refused to load it: no right to (root, lockdown, Secure Boot), a kexec ' +
      'that is switched off, or memory that is not there.',
    cure: 'Nothing is wrong with the notes or headers that kexec-tools reads.',
    commands: [],
    kind: 'ending',
  },
  {
    by: 'kexec',
    says: ['Cannot determine the file type', 'Not a bzImage'],
    cause:
      'No loader of kexec knows the file: a gzip file, another e_machine than 386, 486 or x86-64, an object file, or headers that ' +
      'are not exact (entry sizes, versions, a segment beyond the end of the file).',
    cure: 'Unpack it first; else fix the headers.',
    commands: ['xen-elfpatch verify xen --for kexec'],
  },
  {
    by: 'kexec',
    says: ['Base address: … is not page aligned', 'Overlapping memory segments at …', 'Invalid memory segment … - …'],
    cause:
      'kexec copies whole pages: each PT_LOAD must have a p_paddr that is a multiple of 4096, share no page with another, and ' +
      'lie in memory of the running machine. What ld and lld lay out by themselves fails the first.',
    cure: 'Link with a script that starts each segment at a page (ALIGN(4096)), at addresses that are memory; or load it by a Multiboot header: kexec --type=multiboot-x86.',
    commands: ['xen-elfpatch verify kernel.elf --for kexec', 'xen-elfpatch layout kernel.elf --physical'],
  },
  {
    by: 'kexec',
    says: ['No ELF program header'],
    cause: 'e_phnum or e_phoff is 0: an object file, or one of which the program headers were cut off.',
    cure: 'Take the kernel from the linker.',
    commands: ['xen-elfpatch verify xen --for kexec'],
  },
  {
    by: 'kexec',
    says: ['Bad section header(…) entsize: …', 'Requires an ELF interpreter'],
    cause: 'The section headers are damaged, or the file is a program for an operating system.',
    cure: 'Take the kernel from the linker again.',
    commands: ['xen-elfpatch verify xen --for kexec'],
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
    by: 'UEFI firmware',
    says: ['Out of resources', 'Load Error'],
    cause:
      'For xen.efi: a section that the linker put in front, often a note section of a compiler plugin (annobin), makes the ' +
      'image larger or lower than the firmware can place.',
    cure: 'Look at its sections, and drop the stray note sections in the linker script.',
    commands: ['xen-elfpatch notes xen.efi'],
  },
  {
    by: 'UEFI Shell',
    says: ['Command Error Status: Unsupported'],
    cause:
      'The file is no PE image for this machine (an ELF such as xen or vmlinux, or 32-bit), or its relocations were ' +
      'taken out.',
    cure: 'Start xen.efi, or a vmlinuz with EFI stub; verify names the header that is refused.',
    commands: ['xen-elfpatch verify xen.efi --for uefi'],
  },
  {
    by: 'UEFI firmware, Secure Boot',
    says: ['Access Denied', 'Security Violation', 'Verification failed: (0x1A) Security Violation'],
    cause: 'The image has no signature that this machine trusts, or was changed after it was signed.',
    cure: 'Sign it last, with a key that is in db or enrolled by shim; every edit takes the signature off.',
    commands: ['xen-elfpatch notes xen.efi'],
  },
  {
    by: 'shim',
    says: [
      'Verifying shim SBAT data failed: Security Policy Violation',
      'Something has gone seriously wrong: SBAT self-check failed: …',
      'SBAT self-check failed',
    ],
    cause:
      'shim itself is older than the SBAT level that another system wrote into the variables of the firmware: no kernel was ' +
      'looked at.',
    cure: 'Install a newer shim; until then start with Secure Boot off, where mokutil --set-sbat-policy delete lowers the level.',
    commands: ['xen-elfpatch notes shimx64.efi'],
  },
  {
    by: 'shim, of what it starts',
    says: ['Verification failed: Security Policy Violation', 'Bootloader has not verified loaded image'],
    cause: 'The SBAT section of the image is missing, or a component in it has a generation that was revoked.',
    cure: 'stamp --sbat writes the section into an xen.efi; sign it last.',
    commands: ['xen-elfpatch verify xen.efi --for shim'],
  },
  {
    by: 'shim, of headers',
    says: [
      'File Alignment is invalid (…)',
      'Image header too large',
      'Image header overflows data directory',
      'Image sections overflow image size',
      'Image sections overflow section headers',
      'Platform does not support this image',
      'Unsupported image - Relocations have been stripped',
      'Unsupported image type',
      'Malformed security header',
      'Entry point is invalid',
      'Entry point is not within sections',
      '… sections contain entry point',
      'Image has multiple relocation sections',
      'Image has no relocation entry',
      'Relocation section is invalid',
      'Section … has negative size',
      'Section … has invalid base address',
      'Section … has zero size',
      'Section … is inside image headers',
      'Section … has invalid raw address',
      'Relocation section address is invalid',
    ],
    cause:
      'shim reads the headers of a PE image more strictly than firmware does. It prints this where SHIM_VERBOSE is set; else ' +
      'there is the status alone, or GRUB’s "bad shim loader signature".',
    cure: 'verify names the header and its value; link or make the image anew, then sign it.',
    commands: ['xen-elfpatch verify xen.efi --for shim'],
  },
  {
    by: 'shim, a remark',
    says: ['addr is not page aligned'],
    cause: 'shim 16 says it of sections that begin inside a page (.buildid and .reloc of Xen) and goes on.',
    cure: 'Nothing has to be done.',
    commands: ['xen-elfpatch notes xen.efi'],
    kind: 'remark',
  },
  {
    by: 'signing tools (sbsign, sbverify)',
    says: ['gap in section table', 'data remaining[… vs …]: gaps between PE/COFF sections?'],
    cause:
      'The sections of the image leave bytes of the file uncovered; a signature counts bytes, and such files may be hashed ' +
      'in another way by the firmware.',
    cure: 'linearize lays sections without gaps, before the image is signed.',
    commands: ['xen-elfpatch linearize xen.efi --keep-reloc -o xen.mb.efi'],
  },
  {
    by: 'pe-library',
    says: ['Binary with symbols is not supported now'],
    cause: 'This library of npm takes no PE image with COFF symbols, which every xen.efi has.',
    cure: 'stamp and linearize keep the symbols.',
    commands: ['xen-elfpatch stamp xen.efi'],
  },
  {
    by: 'UEFI tools (ukify, objcopy)',
    says: ['Not enough header space to add section', 'section below image base'],
    cause:
      'The headers of an xen.efi leave no room for another section header, and its sections begin right behind them.',
    cure: 'linearize lays the image out anew; the result has room for ukify. Sign it last.',
    commands: ['xen-elfpatch linearize xen.efi --keep-reloc -o xen.mb.efi'],
  },
  {
    by: 'readnotes',
    says: ['File … is not an ELF image'],
    cause:
      'readnotes opens an ELF, a gzip file of one, and a bzImage with a gzip payload or none; and it refuses an ELF of which the ' +
      'header tables lie behind the end of the file.',
    cure: 'notes looks into the other payloads, too, and prints the same lines with --format readnotes.',
    commands: ['xen-elfpatch notes vmlinuz'],
  },
  {
    by: 'Linux',
    says: ['Unable to mount root fs on unknown-block(…,…)', 'VFS: Cannot open root device'],
    cause: 'Linux came up and found no disk: its notes and headers were good.',
    cure: 'Nothing is wrong with the image; give it a root= and an initrd.',
    commands: [],
    kind: 'remark',
  },
  {
    by: 'patchelf',
    says: [
      'unsupported overlap of SHT_NOTE and PT_NOTE',
      'cannot normalize PT_NOTE segment: non-contiguous SHT_NOTE sections',
    ],
    cause: 'patchelf wants one note section for each PT_NOTE, without gaps; linkers put several into one segment.',
    cure: 'The image is good. patch and stamp edit its notes; a rewrite makes them contiguous.',
    commands: ['xen-elfpatch notes kernel.elf', 'xen-elfpatch fix kernel.elf --for qemu-pvh'],
  },
  {
    by: 'file, readelf',
    says: [
      'bad note description size …',
      'corrupt note',
      'note with invalid namesz and/or descsz found at offset …',
      'Corrupt note: only … bytes left, not enough for a full note',
    ],
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
