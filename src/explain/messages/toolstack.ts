import type { Message } from './message.js';

const XL = 'xl (libxl, libxenguest)';

/** Messages of the toolstack. Sources: tools/libs/guest/xg_dom_*.c in xen.git. */
export const toolstackMessages: readonly Message[] = [
  {
    by: XL,
    says: ['failed to allocate … pages (v=…, p=…)'],
    cause: 'Xen has not as much free memory as memory= asks for; the kernel plays no part in it.',
    cure: 'xl info tells how much is free (free_memory): give the guest less, or dom0 (dom0_mem=).',
    commands: ['xen-elfpatch verify kernel.elf --for xen-pv --memory 256M'],
  },
  {
    by: XL,
    says: ['xc_dom_find_loader: no loader found: Invalid kernel'],
    cause:
      'Every loader looked at the file and none took it. The reason is swallowed: it may be any of the checks that Xen ' +
      'names when the same file is tried as dom0.',
    cure:
      'A PVH kernel wants type="pvh" in the configuration of the guest: xl takes it for PV otherwise. Of a PV kernel check ' +
      'the notes: LOADER, XEN_VERSION, VIRT_BASE, ENTRY, FEATURES (explain xen-pv); fix finds the edit.',
    commands: ['xen-elfpatch verify kernel.elf --for xen-pv --for xen-pvh', 'xen-elfpatch fix kernel.elf --for xen-pv'],
  },
  {
    by: XL,
    says: ['xc_dom_guest_type: image not capable of booting inside a HVM container: Invalid kernel'],
    cause: 'type="pvh" was asked for and the kernel has notes for PV only.',
    cure: 'Use type="pv", or add PHYS32_ENTRY if the kernel has a PVH entry.',
    commands: ['xen-elfpatch patch kernel.elf --preset pvh -o kernel.pvh'],
  },
  {
    by: XL,
    says: ['xc_dom_parse_hvm_kernel: ELF image is not 32bit: Invalid kernel'],
    cause:
      'In a PVH guest an ELF64 whose notes do not hold is tried as HVM firmware, which must be 32-bit. The real fault is in ' +
      'the notes: PHYS32_ENTRY missing or outside the image, or an unknown required feature.',
    cure: 'The number of bits is not the problem; fix the notes.',
    commands: [
      'xen-elfpatch verify kernel.elf --for xen-pvh',
      'xen-elfpatch patch kernel.elf --preset pvh -o kernel.pvh',
    ],
  },
  {
    by: XL,
    says: ['kernel is not a bzImage: Invalid kernel'],
    cause: 'The complaint of the loader that was tried last. For an ELF the reason lies with its notes.',
    cure: 'Treat it as "no loader found".',
    commands: ['xen-elfpatch notes kernel.elf'],
  },
  {
    by: XL,
    says: ['guest type … not supported by xen kernel, sorry'],
    cause:
      'Xen does not offer this kind of guest. xen-3.0-x86_32: a 32-bit PV kernel without PAE_MODE. xen-3.0-x86_32p: 32-bit ' +
      'PV is not built in or not enabled. xen-3.0-x86_64: no PV. hvm-3.0-x86_32: no hardware virtualisation.',
    cure: 'PAE_MODE=yes in the first case; for the second pvshim=1; otherwise another kind of guest.',
    commands: ['xen-elfpatch patch kernel32.elf --set PAE_MODE=yes -o kernel.xen'],
  },
  {
    by: XL,
    says: ['Kernel does not support unprivileged (DomU) operation'],
    cause: 'FEATURES requires dom0 (!dom0).',
    cure: 'Take the ! away and leave the rest: dom0 alone says that the kernel can, not that it must.',
    commands: [
      'xen-elfpatch notes kernel.elf',
      "xen-elfpatch patch kernel.elf --set 'FEATURES=!writable_page_tables|dom0' -o kernel.xen",
    ],
  },
  {
    by: XL,
    says: ['unsupported feature requested'],
    cause: 'The guest configuration asks for a feature that the notes of the kernel do not list as supported.',
    cure: 'Name it in FEATURES, if the kernel has it (explain features).',
    commands: ['xen-elfpatch notes kernel.elf'],
  },
  {
    by: XL,
    says: ['arch hooks not set: Internal error'],
    cause:
      'Old toolstacks print this for a kernel that they cannot place, often one without PHYS32_ENTRY in a PVH guest.',
    cure: 'Add the note.',
    commands: ['xen-elfpatch patch kernel.elf --preset pvh -o kernel.pvh'],
  },
  {
    by: XL,
    says: [
      'xc_dom_parse_image failed',
      'xc_dom_kernel_file failed',
      'xc_dom_boot_mem_init failed',
      'cannot (re-)build domain: …',
      'hvm building failed',
      'Unable to destroy guest',
      'libxenlight failed to create new domain …',
      'internal error: libxenlight failed to create new domain',
      'see /var/log/libvirt/libxl/libxl-driver.log for details',
      'Non-existant domain',
    ],
    cause:
      'How every refusal of a kernel ends. The reason is in a line above it; of libvirt in lines of xc: and libxl: in ' +
      '/var/log/libvirt/libxl/libxl-driver.log, of xl in what xl -vvv create prints.',
    cure: 'Look at that line, or ask for it here.',
    commands: ['xen-elfpatch verify kernel.elf --for xen-pv --for xen-pvh'],
    kind: 'ending',
  },
  {
    by: XL,
    says: ['Kernel image is empty', 'Kernel image is too large'],
    cause: 'The file has no byte, or more than 1 GiB. Debug information counts.',
    cure: 'Strip it, once the notes stand where strip keeps them.',
    commands: ['xen-elfpatch patch vmlinux --preset pv --must-survive strip -o vmlinux.xen'],
  },
  {
    by: XL,
    says: ['xc_dom_guest_type: unknown image type …'],
    cause: 'e_machine is neither EM_386 nor EM_X86_64.',
    cure: 'The kernel is for another machine.',
    commands: ['xen-elfpatch verify kernel.elf --for xen-pv'],
  },
  {
    by: XL,
    says: ["xc_dom_alloc_pad: segment boundary isn't page aligned (…)"],
    cause: 'The lowest p_paddr, with VIRT_BASE and PADDR_OFFSET applied, is no multiple of 4096.',
    cure: 'Align the first PT_LOAD in the linker script; VIRT_BASE and PADDR_OFFSET to pages as well.',
    commands: ['xen-elfpatch verify kernel.elf --for xen-pv'],
  },
  {
    by: XL,
    says: [
      'xc_dom_chk_alloc_pages: segment … too large (… > … - … pages)',
      'xc_dom_chk_alloc_pages: segment … too large (… > … - … pages): Out of memory',
    ],
    cause:
      'The image, or the gap in front of it (padding), takes more than the memory of the guest, which begins at VIRT_BASE, for ' +
      'PVH at 0. A p_paddr that is a virtual address does it whatever the guest has.',
    cure: 'Give the guest memory= as verify says; or lower p_paddr: AT(ADDR(.section) - base) in the linker script.',
    commands: ['xen-elfpatch verify kernel.elf --for xen-pv --memory 512M'],
  },
  {
    by: XL,
    says: ['PV guest with auto-translated physmap is not supported'],
    cause: 'FEATURES requires auto_translated_physmap (with !), or the configuration of the guest does.',
    cure: 'Take the ! away.',
    commands: ['xen-elfpatch patch kernel.elf --set FEATURES=auto_translated_physmap -o kernel.xen'],
  },
  {
    by: XL,
    says: ['Memory usage limit reached'],
    cause: 'An xz payload with a dictionary of more than 64 MiB (Linux 6.12 and later), and a toolstack before 4.20.',
    cure: 'Attach a second payload that every toolstack unpacks.',
    commands: ['xen-elfpatch patch vmlinuz --preset pvh --payload attach -o vmlinuz.xen'],
  },
  {
    by: XL,
    says: ['Src size is incorrect'],
    cause: 'Bytes stand between the end of a zstd payload and its size word. Linux does not mind, the toolstack does.',
    cure: 'Let patch write the payload.',
    commands: ['xen-elfpatch verify vmlinuz --for xen-pvh'],
  },
  {
    by: XL,
    says: ['decompress support unavailable', 'unknown compression format', 'unable to … decompress kernel'],
    cause:
      'The toolstack was built without this compression (bzip2 and lzo in Debian), does not know it (zstd before Xen 4.15), or ' +
      'the payload breaks one of its limits.',
    cure: 'Attach a gzip payload, or give the ELF.',
    commands: [
      'xen-elfpatch patch vmlinuz --preset pvh --payload attach -o vmlinuz.xen',
      'xen-elfpatch patch vmlinuz --preset pvh --payload extract -o vmlinux.xen',
    ],
  },
  {
    by: XL,
    says: ["can't allocate low memory for domain", 'Could not allocate memory for HVM guest'],
    cause:
      'The guest has less memory than the kernel spans from address 0 (PVH) or from its first page (PV): often one p_paddr is ' +
      'far away because a tool wrote p_paddr = p_vaddr.',
    cure: 'Give the guest more memory (memory=), or correct p_paddr in the linker script: AT(ADDR(.section) - base).',
    commands: ['xen-elfpatch layout kernel.elf --physical'],
  },
  {
    by: XL,
    says: ['inflate failed (rc=…)'],
    cause:
      'A gzip file of several members, or with bytes behind its end: the unpacked size is read from the last 4 bytes.',
    cure: 'Compress the kernel anew, as one member.',
    commands: ['xen-elfpatch notes kernel.gz'],
  },
  {
    by: XL,
    says: ['File format not recognized', 'XZ: File is corrupt', 'LZMA: File is corrupt'],
    cause:
      'The payload of the bzImage is not what its first bytes say, or was cut short: a download that ended early, or a tool that ' +
      'changed it without changing payload_length.',
    cure: 'Take the kernel again; verify shows which bytes are wrong.',
    commands: ['xen-elfpatch verify vmlinuz --for xen-pv --for xen-pvh'],
  },
  {
    by: XL,
    says: ['bootloader […] exited with error status …', 'bootloader failed - consult logfile …'],
    cause:
      'pygrub or another program in front of the toolstack found no kernel on the disk of the guest; no kernel was looked at.',
    cure: 'Say kernel= in the configuration of the guest, or fix its grub.cfg; then judge that kernel.',
    commands: ['xen-elfpatch verify vmlinuz --for xen-pv --for xen-pvh'],
  },
  {
    by: XL,
    says: [
      'loader probe failed',
      'loader probe OK',
      'xc_dom_parse_elf_kernel: called',
      'xc_dom_find_loader: trying … loader',
    ],
    cause:
      'Remarks of the toolstack (xl -vvv) while it tries multiboot, HVM, bzImage and ELF one after the other; one that fails is ' +
      'no fault as long as another takes the file.',
    cure: 'Look for the line with "panic" or "ERROR".',
    commands: ['xen-elfpatch verify kernel.elf --for xen-pv --for xen-pvh'],
    kind: 'remark',
  },
];
