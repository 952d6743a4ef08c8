/**
 * Every message that the notes on loaders and releases name, as whole lines, and the entry that answers it: each line has one
 * answer, and no other.
 */
import { describe, expect, it } from 'vitest';
import { findMessages } from '../../src/explain/messages/match.js';
import { MESSAGES } from '../../src/explain/messages/message-pages.js';

/** By program and first wording of the entry. */
const LINES: readonly (readonly [by: string, entry: string, lines: readonly string[]])[] = [
  [
    'QEMU',
    'elfboot unsupported flags = …',
    ['elfboot unsupported flags = 10000', 'qemu-system-x86_64: elfboot unsupported flags = 4'],
  ],
  [
    'QEMU',
    'Error while loading elf kernel',
    ['qemu: Error while loading elf kernel', 'qemu-system-x86_64: Error while loading elf kernel'],
  ],
  [
    'QEMU',
    'Error loading uncompressed kernel without PVH ELF Note',
    ['Error loading uncompressed kernel without PVH ELF Note'],
  ],
  [
    'QEMU',
    'Some ROM regions are overlapping',
    [
      'qemu-system-x86_64: Some ROM regions are overlapping',
      'rom: requested regions overlap (rom mb: addr=0x0000000000100000',
      'These ROM regions might have been loaded by direct user request or by default.',
    ],
  ],
  [
    'QEMU',
    'Cannot load x86-64 image, give a 32bit one.',
    ['qemu-system-x86_64: Cannot load x86-64 image, give a 32bit one.'],
  ],
  [
    'QEMU',
    'invalid load_addr address',
    [
      'qemu: invalid load_addr address',
      'invalid header_addr address',
      'invalid load_end_addr address',
      'invalid bss_end_addr address',
      'kernel does not fit in address space',
      'fread() failed',
    ],
  ],
  [
    'QEMU',
    'invalid kernel header',
    [
      'qemu: linux kernel too old to load a ram disk',
      'qemu: invalid kernel header',
      'qemu-system-x86_64: -kernel foo: invalid kernel header',
    ],
  ],
  [
    'QEMU',
    'could not open kernel file …',
    [
      "qemu: could not load kernel 'vmlinux': No such file or directory",
      "qemu: could not open kernel file 'foo': No such file or directory",
    ],
  ],
  ['QEMU, a remark', "multiboot knows VBE. we don't", ["qemu: multiboot knows VBE. we don't"]],
  [
    'Firecracker, Cloud Hypervisor',
    'Invalid Elf magic number',
    [
      'Cannot load kernel due to invalid memory configuration or invalid kernel image. Kernel Loader: Invalid Elf magic number',
      'Unable to read elf header',
      'Invalid Elf magic number',
      'Unable to read program header',
      'Unable to read kernel image',
      'cloud-hypervisor: Error booting VM: VmBoot(KernelLoad(Elf(InvalidElfMagicNumber)))',
      'Error: RunWithApi(BuildMicroVMError(StartMicroVMError(KernelLoader(Elf(InvalidElfMagicNumber)))))',
      "Firecracker panicked at 'Cannot load kernel: Invalid Elf magic number'",
      'ReadKernelImage',
    ],
  ],
  [
    'Firecracker, Cloud Hypervisor',
    'Invalid program header size',
    ['Invalid program header size', 'Invalid program header offset'],
  ],
  ['Firecracker, Cloud Hypervisor', 'Unable to read note header', ['Unable to read note header']],
  ['Firecracker, Cloud Hypervisor', 'Invalid PVH note header', ['Invalid PVH note header', 'InvalidPvhNote']],
  ['Firecracker, Cloud Hypervisor', 'Invalid alignment', ['Invalid alignment']],
  [
    'Firecracker, Cloud Hypervisor',
    'KernelMissingPvhHeader',
    [
      'PVH entry not present',
      'PvhEntryNotPresent',
      'KernelMissingPvhHeader',
      'Kernel lacks PVH header',
      'VmBoot(KernelMissingPvhHeader)',
      'Cannot load kernel: Kernel lacks PVH header',
      'Error booting VM: VmBoot(KernelMissingPvhHeader)',
    ],
  ],
  [
    'Firecracker, Cloud Hypervisor',
    'Cannot load kernel due to invalid memory configuration or invalid kernel image',
    [
      'Cannot load kernel due to invalid memory configuration or invalid kernel image: Kernel Loader: failed to load ELF kernel image',
    ],
  ],
  ['Firecracker, Cloud Hypervisor', 'Invalid entry address', ['InvalidEntryAddress']],
  [
    'Firecracker, Cloud Hypervisor',
    'Trying to load big-endian binary on little-endian machine',
    ['BigEndianElfOnLittle'],
  ],
  ['Firecracker, Cloud Hypervisor', 'Invalid bzImage', ['InvalidBzImage']],
  ['Alioth', 'Cannot find payload entry point', ['Not a 64-bit kernel', 'Cannot find payload entry point']],
  [
    'StratoVirt',
    'No Note header contains PVH entry info in ELF kernel image.',
    ['No Note header contains PVH entry info in ELF kernel image.'],
  ],
  [
    'GRUB for Xen',
    'not xen image',
    [
      'error: version too old for xen boot',
      'error: not xen image.',
      'error: unknown ELF type.',
      'Xen is not supported: error: ../../grub-core/loader/i386/xen.c:812:not xen image.',
    ],
  ],
  ['GRUB for Xen', 'no XEN note found', ['error: no XEN note.', 'error: no XEN note found.']],
  ['GRUB for Xen', 'invalid loader', ['error: ../../grub-core/loader/i386/xen_fileXX.c:123:invalid loader.']],
  ['GRUB for Xen', 'incompatible architecture', ['error: incompatible architecture: need a PAE kernel.']],
  ['GRUB for Xen', 'unaligned virt_base', ['error: unaligned virt_base.']],
  [
    'GRUB, multiboot',
    'no multiboot header found',
    ['error: no multiboot header found.', 'error: ../../grub-core/loader/multiboot.c:401:no multiboot header found.'],
  ],
  ['GRUB, multiboot', 'unsupported flag', ['error: unsupported flag: 0x8.', 'error: unsupported tag: 0x8.']],
  [
    'GRUB, multiboot',
    'invalid arch-independent ELF magic',
    ['error: invalid arch-independent ELF magic.', 'error: invalid arch-dependent ELF magic.'],
  ],
  ['GRUB, multiboot', 'this ELF file is not of the right type', ['error: this ELF file is not of the right type.']],
  ['GRUB, multiboot', 'program header at a too high offset', ['error: program header at a too high offset.']],
  [
    'GRUB, multiboot',
    'segment crosses 4 GiB border',
    ['error: segment crosses 4 GiB border.', 'error: overlap detected.'],
  ],
  [
    'GRUB, multiboot',
    'attempt to seek outside of the file',
    [
      'error: premature end of file /boot/xen.',
      'error: premature end of file /boot/kernel.elf.',
      'error: attempt to seek outside of the file.',
    ],
  ],
  ['GRUB, multiboot', "entry point isn't in a segment", ["error: entry point isn't in a segment."]],
  [
    'GRUB, multiboot',
    'ELF files with relocs are not supported yet',
    ['error: ELF files with relocs are not supported yet.'],
  ],
  ['GRUB, multiboot', 'invalid entry point for ELF64', ['error: invalid entry point for ELF64.']],
  [
    'GRUB, multiboot',
    'load address tag without entry address tag',
    [
      'error: load address tag without entry address tag',
      'error: load address tag without entry address tag.',
      'free magic is broken at 0x7ff8a560: 0x0',
    ],
  ],
  [
    'GRUB, a remark',
    'you need to load the kernel first',
    [
      'error: you need to load the kernel first.',
      'error: no suitable video mode found.',
      'no suitable video mode found',
      'grub> error: you need to load the kernel first.',
    ],
  ],
  ['kexec', 'ELF Note corrupted !', ['ELF Note corrupted !', 'ELF Note corrupted!']],
  [
    'kexec, a remark',
    'kexec_load failed',
    ['kexec_load failed: Invalid argument', 'kexec_load failed: Cannot assign requested address'],
  ],
  [
    'kexec',
    'Cannot determine the file type',
    ['Cannot determine the file type of xen.gz', 'kexec -l xen.gz: Cannot determine the file type of xen.gz'],
  ],
  [
    'kexec',
    'Could not find a free area of memory',
    ['Could not find a free area of memory of 0x16000 bytes...', 'ELF exec load failed'],
  ],
  [
    'UEFI tools (ukify, objcopy)',
    'Not enough header space to add section',
    [
      'Not enough header space to add section',
      'ValueError: Not enough header space to add section',
      'objcopy: xen.efi[.config]: section below image base',
      'ukify: section below image base',
    ],
  ],
  [
    'signing tools (sbsign, sbverify)',
    'gap in section table',
    [
      'gap in section table',
      'warning: gap in section table:',
      'warning: data remaining[8192 vs 9000]: gaps between PE/COFF sections?',
    ],
  ],
  ['Xen, xen.efi', 'ERR: Xen must be loaded at a 2Mb boundary!', ['ERR: Xen must be loaded at a 2Mb boundary!']],
  [
    'GRUB, Secure Boot',
    'bad shim signature',
    [
      'error: bad shim signature.',
      'prohibited by secure boot policy',
      'error: ../../grub-core/kern/efi/sb.c:182:prohibited by secure boot policy.',
    ],
  ],
  ['Xen, xen.efi', 'Unsupported relocation type', ['Unsupported relocation type']],
  [
    'UEFI firmware, Secure Boot',
    'Access Denied',
    ['Access Denied', 'BdsDxe: failed to start Boot0001 "UEFI QEMU HARDDISK" from PciRoot(0x0): Access Denied'],
  ],
  ['shim, a remark', 'addr is not page aligned', ['addr is not page aligned']],
  ['pe-library', 'Binary with symbols is not supported now', ['Binary with symbols is not supported now']],
  ['Xen', 'Panic on CPU …:', ['Manual reset required', '(XEN) Panic on CPU 0:']],
  ['Linux', 'Unable to mount root fs on unknown-block(…,…)', ['Unable to mount root fs']],
  [
    'Xen',
    'ELF: not an ELF binary',
    ['(XEN) ELF: not an ELF binary', 'xc: error: panic: xg_dom_x86.c: meminit_hvm: not enough memory'],
  ],
  [
    'Xen, a remark',
    'ELF: note: …',
    [
      '(XEN) *** Building a PV Dom0 ***',
      '(XEN) *** Building a PVH Dom0 ***',
      '(XEN) ELF: phdr: paddr=0x1000000 memsz=0x1200000',
      '(XEN) ELF: memory: 0x1000000 -> 0x3400000',
      '(XEN) ELF: note: GUEST_OS = "linux"',
      '(XEN) ELF: note: XEN_VERSION = "xen-3.0"',
      '(XEN) ELF: note: unknown (0xd)',
      '(XEN) ELF: note: unknown (0x13)',
      '(XEN) ELF: note: SUPPORTED_FEATURES = 0x8801',
      '(XEN) ELF: addresses:',
      '(XEN) Dom0 kernel: 64-bit, PAE, lsb, paddr 0x1000000 -> 0x3400000',
      '(XEN)  Xen  kernel: 64-bit, lsb',
      '(XEN)  Dom0 kernel: 64-bit, lsb, paddr 0x1000000 -> 0x3400000',
    ],
  ],
  [
    'Xen',
    'ELF: VIRT_BASE unset, using …',
    ['(XEN) ELF: VIRT_BASE unset, using 0', '(XEN) ELF_PADDR_OFFSET unset, using 0'],
  ],
  [
    'Xen',
    "Not a Xen-ELF image: No ELF notes or '__xen_guest' section found",
    [
      "(XEN) ERROR: Not a Xen-ELF image: No ELF notes or '__xen_guest' section found",
      "(XEN) ELF: ERROR: Not a Xen-ELF image: No ELF notes or '__xen_guest' section found",
      "xc: error: panic: xc_dom_elfloader.c:... ERROR: Not a Xen-ELF image: No ELF notes or '__xen_guest' section found",
      'elf_xen_note_check: ERROR: Not a Xen-ELF image',
    ],
  ],
  [
    'Xen',
    "Will only load images built for the generic loader or Linux images (Not '…' and '…') or with PHYS32_ENTRY set",
    [
      "(XEN) ERROR: Will only load images built for the generic loader or Linux images (Not '' and '') or with PHYS32_ENTRY set",
      '(XEN) ERROR: Will only load images built for the generic loader or Linux images',
      "(XEN) ERROR: Will only load images built for the generic loader or Linux images (Not 'grub' and 'NetBSD')",
    ],
  ],
  [
    'Xen',
    "Xen will only load images built for Xen v3.0 (Not '…')",
    [
      '(XEN) ERROR: Xen will only load images built for Xen v3.0',
      "(XEN) ERROR: Xen will only load images built for Xen v3.0 (Not 'xen-4.0')",
    ],
  ],
  [
    'Xen',
    'ELF start or entries are out of bounds',
    [
      '(XEN) ERROR: ELF start or entries are out of bounds',
      '(XEN) ELF: ERROR: ELF start or entries are out of bounds.',
      'xc: error: panic: xg_dom_elfloader.c: xc_dom_parse_elf_kernel: ERROR: ELF start or entries are out of bounds',
      'domainbuilder: detail: elf_xen_addr_calc_check: ERROR: ELF start or entries are out of bounds.: Invalid kernel',
    ],
  ],
  ['Xen', 'P->M table base is out of bounds', ['(XEN) P->M table base is out of bounds']],
  [
    'Xen',
    'broken ELF: out of range access',
    [
      '(XEN) broken ELF: out of range access',
      '(XEN) Xen warning: dom0 kernel broken ELF: out of range access',
      'warning: broken ELF: too many ELF notes',
    ],
  ],
  ['Xen', 'excessively long string', ['(XEN) Warning: Kernel is broken ELF: excessively long string']],
  ['Xen', 'Mismatch between Xen and DOM0 kernel', ['(XEN) Mismatch between Xen and DOM0 kernel']],
  ['Xen', 'Kernel does not support Dom0 operation', ['(XEN) Kernel does not support Dom0 operation']],
  ['Xen', 'Found 32-bit PV kernel, but CONFIG_PV32 missing', ['(XEN) Found 32-bit PV kernel, but CONFIG_PV32 missing']],
  [
    'Xen',
    'Domain 0 expects too high a hypervisor start address',
    ['(XEN) Domain 0 expects too high a hypervisor start address.'],
  ],
  ['Xen', 'Dom0 requires supervisor-mode execution', ['(XEN) Dom0 requires supervisor-mode execution']],
  [
    'Xen',
    'Could not construct domain 0',
    [
      '(XEN) Panic on CPU 0: Could not construct domain 0',
      '(XEN) Could not construct d0',
      '(XEN) Could not set up DOM0 guest OS',
    ],
  ],
  ['Xen', 'Invalid HYPERCALL_PAGE field in ELF notes.', ['(XEN) Invalid HYPERCALL_PAGE field in ELF notes.']],
  ['Xen', 'DOM0 image overlaps with Xen private area.', ['(XEN) DOM0 image overlaps with Xen private area.']],
  ['Xen', 'Failed to load the kernel binary', ['(XEN) Failed to load the kernel binary']],
  [
    'Xen, PVH dom0',
    'Address conflict and not relocatable',
    [
      '(XEN) Failed to load kernel: -22',
      '(XEN) Failed to load kernel: -1',
      '(XEN) Address conflict and not relocatable',
      '(XEN) ELF: Failed to load kernel',
    ],
  ],
  [
    'Xen, PVH dom0',
    'Unable to find XEN_ELFNOTE_PHYS32_ENTRY address',
    ['(XEN) Unable to find XEN_ELFNOTE_PHYS32_ENTRY address'],
  ],
  [
    'Xen, PVH dom0',
    'Unable to parse kernel for ELFNOTES',
    ['(XEN) Unable to parse kernel for ELFNOTES', '(XEN) Unable to init ELF', '(XEN) Failed to load Dom0 kernel'],
  ],
  [
    'Xen',
    'Domain 0 allocation is too small for kernel image',
    [
      '(XEN) Failed to setup Dom0 physical memory map',
      '(XEN) d0: unable to allocate memory with order 9!',
      '(XEN) Domain 0 allocation is too small for kernel image',
      '(XEN) Not enough RAM for domain 0 allocation',
    ],
  ],
  [
    'Xen, PVH dom0',
    'HVM: Hardware Assisted Paging (HAP) not detected',
    [
      '(XEN) Error creating d0: -95',
      '(XEN) Presently, iommu must be enabled for PVH hardware domain',
      '(XEN) HVM: Hardware Assisted Paging (HAP) not detected',
    ],
  ],
  [
    'Xen',
    'DOM0 P2M table overlaps with the initial mapping',
    ['(XEN) DOM0 P2M table overlaps with the initial mapping'],
  ],
  [
    'Xen',
    'Multi part input',
    [
      '(XEN) Multi part input',
      '(XEN) crc error',
      '(XEN) length error',
      '(XEN) bunzip2: Decoding failed',
      '(XEN) LZ4: Decoding failed',
      'XZ-compressed data is corrupt',
      'ZSTD-compressed data is corrupt',
      '-- System halted',
    ],
  ],
  [
    'Xen',
    'd0v0 Unhandled: vec 14, #PF[…]',
    [
      '(XEN) d0v0: unhandled page fault (ec=0000)',
      '(XEN) d1v0 Unhandled page fault fault/trap [#14, ec=0000]',
      '(XEN) domain_crash_sync called from entry.S: fault at ffff82d08033c16f create_bounce_frame+0x15d/0x177',
      '(XEN) domain_crash_sync called from entry.S',
      '(XEN) Domain 1 (vcpu#0) crashed on cpu#2:',
      '(XEN) *** Dumping Dom1 vcpu#0 state: ***',
      '(XEN) Unhandled: vec 13, #GP[0000]',
      '(XEN) d0v0 Unhandled: vec 14, #PF[0000]',
    ],
  ],
  [
    'Xen, a remark',
    'Pagetable walk from …:',
    [
      '(XEN) Pagetable walk from 0000000000000000:',
      '(XEN) Faulting linear address: 0000000000000000',
      '(XEN) [error_code=0000]',
    ],
  ],
  [
    'Xen',
    'Hardware Dom0 crashed: rebooting machine in … seconds.',
    [
      '(XEN) Domain 0 crashed: rebooting machine in 5 seconds.',
      '(XEN) Hardware Dom0 crashed: Executing kexec image on cpu0',
    ],
  ],
  [
    'Xen',
    'Hardware Dom0 halted: halting machine',
    [
      '(XEN) Hardware Dom0 halted: halting machine',
      '(XEN) Hardware Dom0 shutdown: rebooting machine',
      '(XEN) Hardware Dom0 shutdown: watchdog rebooting machine',
    ],
  ],
  [
    'Xen, PVH',
    'Triple fault - invoking HVM shutdown action …',
    [
      '(XEN) d0v0 Triple fault - invoking HVM shutdown action 1',
      '(XEN) d2v0 Triple fault - invoking HVM shutdown action 1',
      '(XEN) *** Triple fault - invoking HVM shutdown action 1 ***',
      '(XEN) Failed vm entry (exit reason 0x80000021) caused by invalid guest state (0).',
      '(XEN) d0v0 VMRESUME error: 0x7',
      '(XEN) d1v0 Bad rIP ffffffff81000000 for mode 8',
      '(XEN) d5v0 MMIO emulation failed (1): d5v0 32bit @ 0010:00100000 -> 00 00',
    ],
  ],
  [
    'Xen, PVH dom0',
    'SVM Insn len emulation failed',
    ['(XEN) SVM Insn len emulation failed (1): d0v0 64bit @ 0008:ffffffff81000000'],
  ],
  [
    'Xen',
    'GENERAL PROTECTION FAULT',
    [
      '(XEN) Early fatal page fault at e008:ffff82d0402a1234 (cr2=0000000000000000, ec=0000)',
      '(XEN) Unknown interrupt (cr2=0000000000000000)',
      '(XEN) FATAL PAGE FAULT',
      '(XEN) DOUBLE FAULT -- system shutdown',
      '(XEN) GENERAL PROTECTION FAULT',
      '(XEN) Panic on CPU 0: FATAL TRAP: vec 2, NMI[0000]',
    ],
  ],
  [
    'Xen, PV',
    'Bad L… flags …',
    [
      '(XEN) mm.c:2345:d0v0 Bad L1 flags 400000',
      '(XEN) arch/x86/mm.c:1088:d0v0 Error getting mfn 7fffff (pfn ffffffffffffffff) from L1 entry',
      '(XEN) arch/x86/mm.c:1088:d0v0 Error getting mfn 7fffff (pfn ffffffffffffffff) from L1 entry 00000007fffff063 for l1e_owner d0, pg_owner d0',
    ],
  ],
  [
    'xl (libxl, libxenguest)',
    'xc_dom_parse_image failed',
    [
      'xl: libxl: error: libxl_create.c:1265:domcreate_rebuild_done: cannot (re-)build domain: -3',
      'libxl: error: libxl_create.c:1278:domcreate_rebuild_done: Domain 5:cannot (re-)build domain: -3',
      'libxl: error: libxl_dom.c:571:libxl__build_dom: xc_dom_parse_image failed: No such file or directory',
      'libxl: error: libxl_dom.c:571:libxl__build_dom: xc_dom_parse_image failed',
      'libxl: error: libxl_dom.c:638:libxl__build_dom: xc_dom_boot_mem_init failed: Operation not supported',
      'libxl: error: libxl_dom.c:638:libxl__build_dom: xc_dom_kernel_file failed: Cannot allocate memory',
      'libxl: error: libxl_dom.c:1194:libxl__build_hvm: hvm building failed',
      'libxl: error: libxl_domain.c:1001:domain_destroy_callback: Domain 5:Unable to destroy guest',
      'libxl: error: libxl_domain.c:1183:libxl__destroy_domid: Domain 5:Non-existant domain',
    ],
  ],
  [
    'xl (libxl, libxenguest)',
    'xc_dom_find_loader: no loader found: Invalid kernel',
    [
      'xc: error: panic: xc_dom_core.c:702: xc_dom_find_loader: no loader found: Invalid kernel',
      'xc: error: panic: xg_dom_core.c:689: xc_dom_find_loader: no loader found: Invalid kernel',
    ],
  ],
  [
    'xl (libxl, libxenguest)',
    'loader probe failed',
    [
      'domainbuilder: detail: loader probe failed',
      'domainbuilder: detail: loader probe OK',
      'xc_dom_parse_elf_kernel: called',
    ],
  ],
  [
    'xl (libxl, libxenguest)',
    'Kernel does not support unprivileged (DomU) operation',
    [
      'xc: error: panic: xg_dom_elfloader.c:175: xc_dom_check_required_features: Kernel does not support unprivileged (DomU) operation: Invalid kernel',
    ],
  ],
  [
    'xl (libxl, libxenguest)',
    'xc_dom_guest_type: image not capable of booting inside a HVM container: Invalid kernel',
    [
      'xc: error: panic: xg_dom_x86.c: xc_dom_guest_type: image not capable of booting inside a HVM container: Invalid kernel',
    ],
  ],
  [
    'xl (libxl, libxenguest)',
    'xc_dom_guest_type: unknown image type …',
    ['xc: error: panic: xg_dom_elfloader.c:83: xc_dom_guest_type: unknown image type xen-3.0-x86_32: Invalid kernel'],
  ],
  [
    'xl (libxl, libxenguest)',
    'xc_dom_parse_hvm_kernel: ELF image is not 32bit: Invalid kernel',
    ['xc: error: panic: xg_dom_hvmloader.c: xc_dom_parse_hvm_kernel: ELF image is not 32bit: Invalid kernel'],
  ],
  [
    'xl (libxl, libxenguest)',
    'guest type … not supported by xen kernel, sorry',
    [
      'xc: error: panic: xg_dom_boot.c:133: xc_dom_compat_check: guest type xen-3.0-x86_32 not supported by xen kernel, sorry: Invalid kernel',
    ],
  ],
  [
    'xl (libxl, libxenguest)',
    'unsupported feature requested',
    ['xc: error: panic: xg_dom_core.c: xc_dom_parse_image: unsupported feature requested: Invalid argument'],
  ],
  [
    'xl (libxl, libxenguest)',
    'kernel is not a bzImage: Invalid kernel',
    [
      'xc: error: panic: xc_dom_bzimageloader.c:583: xc_dom_probe_bzimage_kernel: kernel is not a bzImage: Invalid kernel',
    ],
  ],
  [
    'xl (libxl, libxenguest)',
    'Memory usage limit reached',
    ['XZ: Memory usage limit reached', 'xc_try_xz_decode: XZ: Memory usage limit reached'],
  ],
  ['xl (libxl, libxenguest)', 'File format not recognized', ['_xc_try_lzma_decode: XZ: File format not recognized']],
  [
    'xl (libxl, libxenguest)',
    'decompress support unavailable',
    [
      'xc_try_zstd_decode: ZSTD decompress support unavailable',
      'xc_try_bzip2_decode: BZIP2 decompress support unavailable',
    ],
  ],
  ['xl (libxl, libxenguest)', 'Src size is incorrect', ['xc_dom_probe_bzimage_kernel: ZSTD: Src size is incorrect']],
  [
    'xl (libxl, libxenguest)',
    'inflate failed (rc=…)',
    [
      'xc_dom_do_gunzip: inflate failed (rc=-5)',
      'xc: error: panic: xc_dom_core.c: xc_dom_do_gunzip: inflate failed (rc=-5): Internal error',
    ],
  ],
  [
    'xl (libxl, libxenguest)',
    'arch hooks not set: Internal error',
    ['xc: error: panic: xg_dom_x86.c:1933: arch_setup_bootlate: arch hooks not set: Internal error'],
  ],
  ['xl (libxl, libxenguest)', 'Kernel image is empty', ['Kernel image is too large: Invalid kernel']],
  [
    'xl (libxl, libxenguest)',
    "can't allocate low memory for domain",
    [
      "xc: error: panic: xg_dom_core.c:359: xc_dom_boot_mem_init: can't allocate low memory for domain: Out of memory",
      'xc: error: Could not allocate memory for HVM guest.',
    ],
  ],
  [
    'xl (libxl, libxenguest)',
    'PV guest with auto-translated physmap is not supported',
    ['PV guest with auto-translated physmap is not supported'],
  ],
  [
    'xl (libxl, libxenguest)',
    "xc_dom_alloc_pad: segment boundary isn't page aligned (…)",
    ["segment boundary isn't page aligned (0x100040)"],
  ],
  [
    'readnotes',
    'File … is not an ELF image',
    ['File readnotes.elf is not an ELF image', 'readnotes: File vmlinuz is not an ELF image'],
  ],
  [
    'file, readelf',
    'bad note description size …',
    [
      'bad note description size 0xc0010001',
      'readelf: Warning: note with invalid namesz and/or descsz found at offset 0x64',
      'readelf: Warning: Corrupt note: only 4 bytes left, not enough for a full note',
      'file xen: bad note description size 0xc0010001',
    ],
  ],
  [
    'binutils (strip, objcopy)',
    "allocated section '…' not in segment",
    [
      "ld: warning: allocated section `.note.Xen' not in segment",
      "objcopy: warning: allocated section `.note.Xen' not in segment",
      "objcopy: foo: warning: allocated section `.notes' not in segment",
    ],
  ],
  [
    "Xen's build (mkelf32)",
    'Expect precisly … program header; found ….',
    ['Expect precisly 1 program header; found 2.', 'Expect precisly 2 program headers; found 3.'],
  ],
  [
    "Xen's build (mkelf32)",
    'Input image must be a little-endian Elf image.',
    [
      'Input image must be a little-endian Elf image.',
      'Bad program header class - we only do 64-bit!.',
      'Bad program header size (32 != 56).',
    ],
  ],
  [
    "Xen's build (mkelf32)",
    'Expected .note section within .text section!',
    ['Expected .note section within .text section!'],
  ],
  ["Xen's build (mkelf32)", 'No Multiboot1 header found', ['No Multiboot1 header found']],
  [
    'kexec',
    'Base address: … is not page aligned',
    [
      'Base address: 0x100b40 is not page aligned',
      'Overlapping memory segments at 0x47e000',
      'Invalid memory segment 0x1000000 - 0x33fffff',
    ],
  ],
  [
    'UEFI firmware',
    'Out of resources',
    [
      'BdsDxe: failed to load Boot0001 "xen" from HD(1,GPT): Load Error',
      'Error: Image at 0007E2B000 start failed: Out of Resources',
    ],
  ],
  [
    'QEMU',
    'Segmentation fault',
    ['QEMU: [139]    4711 segmentation fault (core dumped)  qemu-system-x86_64 -kernel kernel.elf'],
  ],
  [
    'QEMU',
    'Floating point exception',
    ['./run.sh: line 3: 4711 Floating point exception(core dumped) qemu-system-x86_64 -kernel vmlinux'],
  ],
];

describe.each(LINES)('%s: %s', (by, entry, lines) => {
  it.each(lines)('%s', (line) => {
    expect(findMessages(line, MESSAGES).map((message) => [message.by, message.says[0]])).toEqual([[by, entry]]);
  });
});
