import type { Message } from './message.js';

const XEN = 'Xen';
const LOOK = ['xen-elfpatch notes kernel.elf'];

/**
 * Messages of Xen's parser and dom0 builder. Sources: xen/common/libelf/libelf-dominfo.c, xen/arch/x86/pv/dom0_build.c,
 * xen/arch/x86/hvm/dom0_build.c.
 */
export const xenMessages: readonly Message[] = [
  {
    by: XEN,
    says: ["Not a Xen-ELF image: No ELF notes or '__xen_guest' section found"],
    cause: 'The file has no PT_NOTE, no SHT_NOTE section and no __xen_guest section; or a PT_NOTE with p_offset 0.',
    cure: 'Give it the notes of the kind of guest it is.',
    commands: ['xen-elfpatch patch kernel.elf --preset pv -o kernel.xen'],
  },
  {
    by: XEN,
    says: [
      "Will only load images built for the generic loader or Linux images (Not '…' and '…') or with PHYS32_ENTRY set",
    ],
    cause:
      'Notes were found, but among those owned by exactly Xen there is no LOADER that begins with generic and no GUEST_OS ' +
      'that begins with linux. With two empty values in the message no Xen note was found at all: another owner, an ' +
      'empty or zeroed PT_NOTE, or records padded to 8 bytes, which Xen reads in steps of 4.',
    cure: 'Look at what is there; then add LOADER, or rewrite the notes.',
    commands: [...LOOK, 'xen-elfpatch patch kernel.elf --set LOADER=generic --set XEN_VERSION=xen-3.0 -o kernel.xen'],
  },
  {
    by: XEN,
    says: ["Xen will only load images built for Xen v3.0 (Not '…')"],
    cause: 'XEN_VERSION is missing or does not begin with xen-3.0. It names the interface, not the release.',
    cure: 'Set it to xen-3.0.',
    commands: ['xen-elfpatch patch kernel.elf --set XEN_VERSION=xen-3.0 -o kernel.xen'],
  },
  {
    by: XEN,
    says: ['ELF_PADDR_OFFSET set, VIRT_BASE unset'],
    cause: 'The note PADDR_OFFSET is there without VIRT_BASE.',
    cure: 'Set both, or neither.',
    commands: ['xen-elfpatch patch kernel.elf --unset PADDR_OFFSET -o kernel.xen'],
  },
  {
    by: XEN,
    says: ['ELF: VIRT_BASE unset, using …', 'ELF_PADDR_OFFSET unset, using …'],
    cause:
      'A remark, not a refusal: the note is missing and Xen takes 0 (with a __xen_guest string, PADDR_OFFSET takes the value ' +
      'of VIRT_BASE). For a kernel linked at a high address "out of bounds" follows.',
    cure: 'Say both, where the kernel is not linked at 0.',
    commands: ['xen-elfpatch patch kernel.elf --preset pv -o kernel.xen'],
  },
  {
    by: XEN,
    says: ['ELF start or entries are out of bounds'],
    cause:
      'The entry does not lie between the first and the last byte of the kernel as Xen computes them: p_paddr + VIRT_BASE ' +
      '- PADDR_OFFSET for PV, p_paddr for PVH. Usual reasons: ENTRY is physical or PHYS32_ENTRY virtual; VIRT_BASE is ' +
      'missing; PADDR_OFFSET is 0 although p_paddr = p_vaddr; a value of 4 bytes for a 64-bit address; a descriptor whose ' +
      'size is not 1, 2, 4 or 8 and reads as 0; no PT_LOAD with a flag in p_flags.',
    cure: 'Compare the notes with the PT_LOADs; the presets work them out. dom0=verbose makes Xen print its numbers.',
    commands: [...LOOK, 'xen-elfpatch patch kernel.elf --preset pv -o kernel.xen'],
  },
  {
    by: XEN,
    says: ['P->M table base is out of bounds'],
    cause: 'INIT_P2M points into the kernel. For a PVH start the physical range is compared.',
    cure: 'Move it, or remove it: the table then follows the kernel.',
    commands: ['xen-elfpatch patch kernel.elf --unset INIT_P2M -o kernel.xen'],
  },
  {
    by: XEN,
    says: [
      'Could not construct domain 0',
      'Could not construct d0',
      'Could not set up DOM0 guest OS',
      'Error … constructing d…',
    ],
    cause:
      'The panic that ends every refused dom0 kernel; the reason is the ERROR line above it. With no such line, FEATURES ' +
      'requires (!) a feature that Xen does not know.',
    cure: 'Correct the feature string.',
    commands: [...LOOK, "xen-elfpatch patch kernel.elf --set 'FEATURES=!writable_page_tables' -o kernel.xen"],
    kind: 'ending',
  },
  {
    by: XEN,
    says: ['broken ELF: out of range access', 'broken ELF: too many ELF notes', 'broken ELF: …'],
    cause:
      'A string without NUL at the end of the file, a range beyond the end of the file, or more than 65536 notes. Only a ' +
      'remark: no image is refused for it, but the note in question is lost.',
    cure: 'Rewriting the notes ends it.',
    commands: ['xen-elfpatch verify kernel.elf --for xen-dom0-pv'],
  },
  {
    by: XEN,
    says: ['excessively long string'],
    cause: 'A string note runs on for 4096 characters without a NUL. Xen ignores that note.',
    cure: 'Write the note again; the NUL is part of what patch writes.',
    commands: [...LOOK, 'xen-elfpatch patch kernel.elf --set LOADER=generic -o kernel.xen'],
  },
  {
    by: XEN,
    says: ['ELF: phdr overflow (off … > size …)', 'ELF: shdr overflow (off … > size …)'],
    cause: 'The program or section header table lies beyond the end of the file: cut short, wrong class or byte order.',
    cure: 'The file is damaged; take it from the linker again.',
    commands: ['xen-elfpatch verify kernel.elf --for xen-dom0-pv'],
  },
  {
    by: XEN,
    says: ['ELF: not an ELF binary', 'Not enough memory to relocate the dom0 kernel image'],
    cause: 'The file is neither an ELF nor anything that Xen can unpack.',
    cure: 'Give the linked kernel, or a bzImage.',
    commands: ['xen-elfpatch notes kernel.elf'],
  },
  {
    by: XEN,
    says: ['Found 32-bit PV kernel, but CONFIG_PV32 missing'],
    cause: 'The kernel is an ELF32 and this Xen was built without 32-bit PV.',
    cure: 'Use a 64-bit kernel, PVH, or for a guest the PV shim (pvshim=1).',
    commands: [],
  },
  {
    by: XEN,
    says: ['Mismatch between Xen and DOM0 kernel'],
    cause: 'e_machine is not EM_X86_64, the file is big endian, or a 32-bit kernel has no PAE_MODE.',
    cure: 'A 32-bit kernel wants PAE_MODE=yes; the rest is a matter of the link.',
    commands: ['xen-elfpatch patch kernel32.elf --set PAE_MODE=yes -o kernel.xen'],
  },
  {
    by: XEN,
    says: ['Kernel does not support Dom0 operation'],
    cause: 'SUPPORTED_FEATURES is there without bit 11 (dom0), or its size is not a multiple of 4.',
    cure: 'Set the bit.',
    commands: ['xen-elfpatch patch kernel.elf --preset pv+dom0 -o kernel.xen'],
  },
  {
    by: XEN,
    says: ['Dom0 requires supervisor-mode execution'],
    cause: 'FEATURES requires supervisor_mode_kernel (with !), which a PV dom0 cannot have.',
    cure: 'Take the ! away.',
    commands: ["xen-elfpatch patch kernel.elf --set 'FEATURES=supervisor_mode_kernel' -o kernel.xen"],
  },
  {
    by: XEN,
    says: ['Invalid HYPERCALL_PAGE field in ELF notes.'],
    cause: 'The address is 0, physical, of 4 bytes in an ELF64, or outside the area that Xen maps for the kernel.',
    cure: 'It is the virtual address of a page of its own in the image.',
    commands: ['xen-elfpatch patch vmlinux --set HYPERCALL_PAGE=sym:hypercall_page -o vmlinux.xen'],
  },
  {
    by: XEN,
    says: ['DOM0 image overlaps with Xen private area.'],
    cause: 'The kernel, or the area behind it, touches 0xffff800000000000 to 0xffff880000000000.',
    cure: 'VIRT_BASE is wrong, or the kernel is linked at an address that belongs to Xen.',
    commands: LOOK,
  },
  {
    by: XEN,
    says: ['Failed to load the kernel binary'],
    cause: 'Copying a segment failed: non-canonical addresses, or p_filesz larger than p_memsz.',
    cure: 'The program headers are wrong.',
    commands: ['xen-elfpatch verify kernel.elf --for xen-dom0-pv'],
  },
  {
    by: XEN,
    says: [
      'Domain 0 allocation is too small for kernel image',
      'Not enough RAM for domain 0 allocation',
      'unable to allocate memory with order …',
      'Failed to setup Dom0 physical memory map',
    ],
    cause: 'The image spans more memory than dom0 gets. Often two segments lie far apart because one p_paddr is wrong.',
    cure: 'Check p_paddr of each PT_LOAD, or give dom0 more memory (dom0_mem=).',
    commands: ['xen-elfpatch verify kernel.elf --for xen-dom0-pv'],
  },
  {
    by: XEN,
    says: [
      'GENERAL PROTECTION FAULT',
      'FATAL PAGE FAULT',
      'FATAL TRAP: vec …',
      'FATAL TRAP: vector = …',
      'DOUBLE FAULT',
      'Early fatal page fault at …',
      'Unknown interrupt (cr2=…)',
      'Xen BUG at …',
      'Xen BUG at arch/x86/pv/dom0_build.c',
      'Assertion … failed at …',
    ],
    cause:
      'Xen itself fell, not the guest. Where it happens while dom0 is built: VIRT_BASE is not page aligned, or ' +
      'HYPERCALL_PAGE reaches beyond the end of the initial area. Later, or with RIP e008 in code that builds no domain, it ' +
      'is a fault of Xen or of the machine.',
    cure: 'Align both to 4096; else report it to Xen, with the whole log.',
    commands: LOOK,
  },
  {
    by: XEN,
    says: ['Domain 0 expects too high a hypervisor start address'],
    cause: 'A 32-bit PV dom0 whose HV_START_LOW, rounded up to 2 MiB, is above 0xf5800000.',
    cure: 'Lower it, or leave it out.',
    commands: ['xen-elfpatch patch kernel32.elf --unset HV_START_LOW -o kernel.xen'],
  },
  {
    by: XEN,
    says: ['DOM0 P2M table overlaps with the initial mapping'],
    cause: 'INIT_P2M points into the area that Xen maps for dom0: kernel, initrd, page tables, stack.',
    cure: 'Move it away from the kernel, or remove it.',
    commands: ['xen-elfpatch patch kernel.elf --unset INIT_P2M -o kernel.xen'],
  },
  {
    by: XEN,
    says: [
      'Hardware Dom0 crashed: rebooting machine in … seconds.',
      'Dom0 crashed: rebooting machine in … seconds.',
      "Hardware Dom0 crashed: 'noreboot' set - not rebooting.",
      'Hardware Dom0 crashed: Executing kexec image on cpu…',
      'Domain 0 crashed: rebooting machine in … seconds.',
      "Domain 0 crashed: 'noreboot' set - not rebooting.",
    ],
    cause: 'Dom0 was built and entered, and then died. The lines above say how; the notes were good enough for Xen.',
    cure: 'See "Unhandled: vec 14" or "Triple fault" for the usual ways. A Linux without a root file system ends here too.',
    commands: ['xen-elfpatch verify kernel.elf --for xen-dom0-pv'],
  },
  {
    by: XEN,
    says: [
      'Hardware Dom0 halted: halting machine',
      'Hardware Dom0 shutdown: rebooting machine',
      'Hardware Dom0 shutdown: watchdog rebooting machine',
      'Domain 0 halted: halting machine',
      'Domain 0 shutdown: rebooting machine',
    ],
    cause: 'The kernel ran and asked for this itself (SCHEDOP_shutdown).',
    cure: 'Nothing is wrong with the image.',
    commands: [],
  },
  {
    by: XEN,
    says: [
      'Multi part input',
      'Decoding failed',
      'crc error',
      'length error',
      'XZ-compressed data is corrupt',
      'ZSTD-compressed data is corrupt',
      'LZMA data is corrupt',
      '-- System halted',
    ],
    cause:
      'Xen could not unpack the kernel: a gzip file of more than one member, or a compressed payload with bytes between the ' +
      'end of the stream and its size word. Where Linux itself says "Decoding failed" or "is corrupt" and then "System ' +
      'halted", the output overran the stream in its buffer: init_size is too small.',
    cure: 'Let patch write the payload; it follows the rules of every unpacker.',
    commands: ['xen-elfpatch verify vmlinuz', 'xen-elfpatch patch vmlinuz --preset pv+dom0 -o vmlinuz.xen'],
  },
  {
    by: `${XEN}, xen.efi`,
    says: ['ERR: Xen must be loaded at a 2Mb boundary!'],
    cause: 'load_addr of the Multiboot2 address tag is not a multiple of 2 MiB; the loader aligns that address.',
    cure: 'linearize writes the address of the first section.',
    commands: ['xen-elfpatch linearize --verify xen.mb.efi', 'xen-elfpatch linearize xen.efi -o xen.mb.efi'],
  },
  {
    by: `${XEN}, xen.efi`,
    says: ['Unsupported relocation type'],
    cause: 'shim did not load .reloc because it is marked discardable, and Xen reads garbage in its place.',
    cure: 'Take the mark away, then sign.',
    commands: ['xen-elfpatch linearize xen.efi --keep-reloc -o xen.mb.efi'],
  },
  {
    by: XEN,
    says: [
      'd0v0 Unhandled: vec 14, #PF[…]',
      'unhandled page fault (ec=…)',
      '*** Dumping Dom… vcpu#… state: ***',
      'Unhandled: vec …, #…',
      'Unhandled … fault/trap […] on VCPU …',
      'Unhandled … fault/trap [#…, ec=…]',
      'Unhandled general protection fault fault/trap [#…, ec=…]',
      'Unhandled page fault fault/trap [#…, ec=…]',
      'Unhandled invalid opcode fault/trap [#…, ec=…]',
      'domain_crash_sync called from entry.S',
      'domain_crash called from …',
      'Domain … (vcpu#…) crashed on cpu#…',
      'Domain … reported crashed by domain … on cpu#…',
    ],
    cause:
      'The kernel was accepted and entered, and the guest fell, not Xen: ENTRY is inside the image but not at code, ' +
      'PADDR_OFFSET is a page off, HYPERCALL_PAGE lies over code or is not page aligned; or it is a PVH kernel that was ' +
      'started as PV, of which vec 13 (#GP) at the first instructions is the usual sign. In the register dump RIP e033 (or ' +
      'e019) is code of the guest; e008 would be Xen.',
    cure: 'Compare the values with the symbols. For a PVH kernel say type="pvh" in xl, dom0=pvh on Xen’s command line.',
    commands: [
      'xen-elfpatch verify kernel.elf --for xen-pv --for xen-pvh',
      'xen-elfpatch patch vmlinux --set ENTRY=sym:startup_xen --dry-run',
    ],
  },
  {
    by: `${XEN}, PVH dom0`,
    says: ['Unable to parse kernel for ELFNOTES', 'Unable to init ELF', 'Failed to load Dom0 kernel'],
    cause: 'The parser refused the notes; its ERROR line is above.',
    cure: 'See that line.',
    commands: ['xen-elfpatch notes kernel.elf'],
    kind: 'ending',
  },
  {
    by: `${XEN}, PVH dom0`,
    says: ['Unable to find XEN_ELFNOTE_PHYS32_ENTRY address'],
    cause: 'The kernel has notes for PV and no PHYS32_ENTRY, or its value is 0xffffffff.',
    cure: 'Add the note, if the kernel has a PVH entry.',
    commands: ['xen-elfpatch patch kernel.elf --preset pvh+dom0 -o kernel.xen'],
  },
  {
    by: `${XEN}, PVH dom0`,
    says: [
      'Address conflict and not relocatable',
      // Others begin a line with the same words.
      '(XEN) Failed to load kernel: -1',
      '(XEN) […] Failed to load kernel: -1',
      '(XEN) ELF: Failed to load kernel',
    ],
    cause: 'The physical addresses of the image are not free RAM on this machine, or it is too large.',
    cure: 'A kernel that finds out where it runs may say so, for Xen 4.19 and later.',
    commands: ['xen-elfpatch patch vmlinux --set PHYS32_RELOC=0x200000,0x1000000,0x3fffffff -o vmlinux.xen'],
  },
  {
    by: `${XEN}, PVH`,
    says: [
      'Triple fault - invoking HVM shutdown action …',
      'Failed vm entry (exit reason …)',
      'VMRESUME error: …',
      'VMLAUNCH error: …',
      'Bad rIP … for mode …',
      'MMIO emulation failed (…)',
    ],
    cause: 'The kernel was entered and crashed: 64-bit code at PHYS32_ENTRY, no stack, or a segment load without GDT.',
    cure: 'The note may point at the wrong symbol; otherwise it is the code. explain pvh gives the state at entry.',
    commands: ['xen-elfpatch patch kernel.elf --set PHYS32_ENTRY=phys:pvh_start --dry-run'],
  },
  {
    by: `${XEN}, PVH dom0`,
    says: ['SVM Insn len emulation failed'],
    cause: 'Nothing to do with the image: emulated SVM without the next-RIP feature meets rdtscp, which Linux uses.',
    cure: 'Under QEMU: -cpu EPYC,-rdtscp (explain pvh).',
    commands: [],
  },
  {
    by: `${XEN}, PVH dom0`,
    says: [
      'HVM: Hardware Assisted Paging (HAP) not detected',
      'Error creating d0: -95',
      'Presently, iommu must be enabled for PVH hardware domain',
    ],
    cause: 'Nothing to do with the image: a PVH dom0 needs nested paging and an IOMMU.',
    cure: 'Under QEMU: -machine q35 -cpu EPYC,-rdtscp -device amd-iommu (explain pvh).',
    commands: [],
  },
  {
    by: XEN,
    says: ['Panic on CPU …:', 'Manual reset required', 'Reboot in five seconds...'],
    cause:
      'The frame that Xen prints around a panic. What was wrong stands in the line below "Panic on CPU", or in the ERROR line above.',
    cure: 'Ask for that line.',
    commands: ['xen-elfpatch verify kernel.elf --for xen-dom0-pv --for xen-dom0-pvh'],
    kind: 'remark',
  },
  {
    by: `${XEN}, PV`,
    says: ['Bad L… flags …', 'Error getting mfn … (pfn …) from L… entry'],
    cause:
      'The kernel runs, and Xen refuses an entry of its page tables: a frame number that is not its own. A PV kernel maps machine ' +
      'frames, from the list in start_info; one that writes pseudo-physical numbers, or that is no PV kernel, ends here.',
    cure: 'The notes were good enough to enter it; the page tables are the code of the kernel.',
    commands: ['xen-elfpatch verify kernel.elf --for xen-pv --for xen-pvh'],
  },
  {
    by: `${XEN}, a remark`,
    says: ['Pagetable walk from …:', 'Faulting linear address: …', '[error_code=…]'],
    cause:
      'Part of a register dump. Whose fault it is, the lines around it say: RIP e033 (or e019) is the guest, e008 Xen itself; ' +
      '"Unhandled" and "crashed on cpu" are the guest, "FATAL" is Xen.',
    cure: 'Ask for the line that names the fault.',
    commands: ['xen-elfpatch verify kernel.elf --for xen-dom0-pv --for xen-dom0-pvh'],
    kind: 'remark',
  },
  {
    by: `${XEN}, a remark`,
    says: [
      'ELF: note: …',
      'ELF: note: unknown (…)',
      'ELF: phdr: paddr=… memsz=…',
      'ELF: memory: … -> …',
      'ELF: addresses:',
      'ELF: using notes from SHT_NOTE section',
      'Dom0 kernel: …-bit, … paddr … -> …',
      'Dom0 kernel: …-bit, PAE, lsb',
      'Xen  kernel: …-bit, …',
      '*** Building a PV Dom0 ***',
      '*** Building a PVH Dom0 ***',
      '*** LOADING DOMAIN 0 ***',
    ],
    cause:
      'What Xen read, and no refusal. A note that is "unknown" is newer than this Xen, or belongs to others; it is passed over. ' +
      '"using notes from SHT_NOTE section" means that no PT_NOTE has notes of Xen, and other loaders will see none.',
    cure: 'notes shows the same without a boot; a refusal is a line with ERROR, or a panic.',
    commands: ['xen-elfpatch notes kernel.elf', 'xen-elfpatch verify kernel.elf --for xen-dom0-pv'],
    kind: 'remark',
  },
];
