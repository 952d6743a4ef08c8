import type { Message } from './message.js';

const QEMU = 'QEMU';
const LINUX_LOADER = 'Firecracker, Cloud Hypervisor';

/** Messages of QEMU (hw/i386/x86-common.c, hw/i386/multiboot.c, hw/core/loader.c) and of rust-vmm's linux-loader. */
export const vmmMessages: readonly Message[] = [
  {
    by: QEMU,
    says: ['Error loading uncompressed kernel without PVH ELF Note'],
    cause:
      'QEMU found no PHYS32_ENTRY: the note is missing, has the value 0, or stands in a section that no PT_NOTE covers or in ' +
      'a PT_NOTE with p_align 8 (a .note.gnu.property in the same output section does that). A kernel meant for multiboot ' +
      'gets here when its header is beyond offset 8140, misaligned, has a wrong checksum, or is multiboot 2 only.',
    cure: 'Look first; patch adds the note, or rewrites the segment with p_align 4.',
    commands: ['xen-elfpatch notes kernel.elf', 'xen-elfpatch patch kernel.elf --preset pvh -o kernel.pvh'],
  },
  {
    by: QEMU,
    says: ['Cannot load x86-64 image, give a 32bit one.'],
    cause:
      'A multiboot 1 header in the first 8 KiB comes before any PVH note, and QEMU refuses EM_X86_64 for multiboot.',
    cure: 'Remove the multiboot header or move it behind offset 8140; a note alone does not help.',
    commands: [],
  },
  {
    by: QEMU,
    says: ['Error while fetching elf kernel from rom'],
    cause:
      'QEMU copies a multiboot kernel as one block up to the highest end of a PT_LOAD, and the last PT_LOAD by address does not ' +
      'end there: one that lies in another, one of no size behind all others, or p_filesz above p_memsz.',
    cure: 'Link the kernel so that its segments follow each other; turn a PT_LOAD of no size into PT_NULL.',
    commands: ['xen-elfpatch verify kernel.elf --for qemu-multiboot'],
  },
  {
    by: QEMU,
    says: ['Error while loading elf kernel'],
    cause:
      'The ELF itself was refused: big endian, e_machine neither 3 nor 62, no program headers, or a PT_LOAD or PT_NOTE that ' +
      'reaches beyond the end of the file.',
    cure: 'The file is damaged or not for this machine.',
    commands: ['xen-elfpatch verify kernel.elf --for qemu-pvh'],
  },
  {
    by: QEMU,
    says: ['elfboot unsupported flags = …'],
    cause: 'e_flags has one of the bits 0x10004 set.',
    cure: 'x86 defines no e_flags; the file was damaged or made by an odd tool.',
    commands: ['xen-elfpatch verify kernel.elf --for qemu-pvh'],
  },
  {
    by: QEMU,
    says: [
      'Some ROM regions are overlapping',
      'rom: requested regions overlap',
      'These ROM regions might have been loaded by direct user request or by default.',
    ],
    cause: 'Two PT_LOADs overlap in physical memory, or one lies over the firmware below 4 GiB.',
    cure: 'Check p_paddr of each PT_LOAD.',
    commands: ['xen-elfpatch verify kernel.elf --for qemu-pvh'],
  },
  {
    by: QEMU,
    says: ['Floating point exception', 'SIGFPE'],
    cause: 'A PT_NOTE has p_align 0 and QEMU divides by it.',
    cure: 'Rewrite the note segment; patch writes p_align 4.',
    commands: ['xen-elfpatch patch kernel.elf --preset pvh -o kernel.pvh'],
  },
  {
    by: QEMU,
    says: ['Segmentation fault', 'SIGSEGV'],
    cause: 'A PT_NOTE without PHYS32_ENTRY is followed by a long run of zeros; the walk does not stop at its end.',
    cure: 'Put PHYS32_ENTRY into the PT_NOTE; patch merges all notes into one.',
    commands: ['xen-elfpatch patch kernel.elf --preset pvh -o kernel.pvh'],
  },
  {
    by: QEMU,
    says: [
      'invalid load_addr address',
      'invalid header_addr address',
      'invalid load_end_addr address',
      'invalid bss_end_addr address',
      'kernel does not fit in address space',
      'fread() failed',
    ],
    cause: 'The address fields of the multiboot 1 header do not fit the file: something was inserted or moved.',
    cure: 'Such an image must not be rearranged; take a placement that moves nothing.',
    commands: ['xen-elfpatch patch kernel.elf --preset pvh --placement append -o kernel.pvh'],
  },
  {
    by: QEMU,
    says: ['invalid kernel header', 'linux kernel too old to load a ram disk'],
    cause: 'The file was taken for an ancient Linux image: it is no ELF, or the machine version does not know PVH.',
    cure: 'Use machine pc or q35 of version 4.0 or later, and an ELF.',
    commands: [],
  },
  {
    by: LINUX_LOADER,
    says: ['KernelMissingPvhHeader', 'Kernel lacks PVH header', 'PVH entry not present', 'PvhEntryNotPresent'],
    cause:
      'No PHYS32_ENTRY in the last PT_NOTE: the note is missing, or stands in an earlier PT_NOTE, or its owner lacks the NUL ' +
      '(namesz 3). A build-id segment or an empty PT_NOTE behind it is enough.',
    cure: 'patch leaves one PT_NOTE that all readers agree on.',
    commands: ['xen-elfpatch notes kernel.elf', 'xen-elfpatch patch kernel.elf --preset pvh -o kernel.pvh'],
  },
  {
    by: LINUX_LOADER,
    says: ['Invalid PVH note header', 'InvalidPvhNote'],
    cause: 'PHYS32_ENTRY has fewer than 4 bytes.',
    cure: 'Write it again.',
    commands: ['xen-elfpatch patch kernel.elf --set PHYS32_ENTRY=phys:pvh_start -o kernel.pvh'],
  },
  {
    by: LINUX_LOADER,
    says: [
      'Unable to read note header',
      'Unable to seek to note header',
      'Overflow occurred during an arithmetic operation',
      'ReadNoteHeader',
      'SeekNoteHeader',
      'Elf(Overflow)',
    ],
    cause:
      'A PT_NOTE ends in padding at the end of the file, or a record claims more than is there; a p_offset of 2^63 or more; a ' +
      'namesz or descsz of 0xfffffffd or more, which padding makes overflow.',
    cure: 'Rewrite the notes with their exact size.',
    commands: ['xen-elfpatch patch kernel.elf --preset pvh -o kernel.pvh'],
  },
  {
    by: 'xen-elfpatch verify, of linux-loader',
    says: [
      'linux-loader cannot read the note header at … of …',
      'linux-loader cannot read the owner at … of …',
      'linux-loader cannot read the descriptor of …',
    ],
    cause:
      'Why the loader says "Unable to read note header": it reads records until the size of the PT_NOTE is used up, and one of ' +
      'them reaches beyond the end of the file. By Multiboot the PT_LOAD that is the last by address has to end last.',
    cure: 'fix writes the records anew, with their exact size.',
    commands: ['xen-elfpatch fix kernel.elf --for linux-loader'],
  },
  {
    by: LINUX_LOADER,
    says: ['Invalid alignment', 'Elf(Align)'],
    cause: 'linux-loader before 0.9 steps by p_align, which is not a power of two here (0 included).',
    cure: 'p_align 4, which patch writes.',
    commands: ['xen-elfpatch patch kernel.elf --preset pvh -o kernel.pvh'],
  },
  {
    by: LINUX_LOADER,
    says: [
      'Invalid program header size',
      'Invalid ELF program header size',
      'Invalid program header offset',
      'InvalidProgramHeaderSize',
      'InvalidProgramHeaderOffset',
    ],
    cause: 'The kernel is an ELF32; these loaders take ELF64 only. Of the offset: e_phoff points into the ELF header.',
    cure: 'Link it as ELF64. The code at the entry stays 32-bit code.',
    commands: [],
  },
  {
    by: LINUX_LOADER,
    says: ['Invalid entry address', 'InvalidEntryAddress'],
    cause: 'e_entry is below 1 MiB, which is refused even where PHYS32_ENTRY is used.',
    cure: 'Link the kernel at 1 MiB or above.',
    commands: [],
  },
  {
    by: LINUX_LOADER,
    says: [
      'Invalid Elf magic number',
      'Unable to read elf header',
      'Unable to read program header',
      'Unable to read kernel image',
      'Unable to seek to kernel start',
      'InvalidElfMagicNumber',
      'ReadElfHeader',
      'ReadProgramHeader',
      'ReadKernelImage',
      'SeekKernelStart',
      'SeekProgramHeader',
    ],
    cause:
      'The file is no ELF (a vmlinuz, a gzip file, a page that a download gave in its place), is cut short, a p_offset is ' +
      '2^63 or more, or a segment lies outside the memory of the guest.',
    cure: 'Give the linked kernel (patch --payload extract takes it out of a vmlinuz), and enough memory.',
    commands: ['xen-elfpatch verify kernel.elf --for linux-loader'],
  },
  {
    by: LINUX_LOADER,
    says: ['Trying to load big-endian binary on little-endian machine', 'BigEndianElfOnLittle'],
    cause: 'EI_DATA is not 1.',
    cure: 'The kernel is for another machine.',
    commands: [],
  },
  {
    by: LINUX_LOADER,
    says: ['memory to load kernel image is not enough', 'KernelLoader(MemoryOverflow)'],
    cause: 'p_paddr + p_memsz of a PT_LOAD does not fit 64 bits: often p_paddr = p_vaddr, written by a tool.',
    cure: 'Physical addresses belong into p_paddr.',
    commands: ['xen-elfpatch verify kernel.elf --for linux-loader'],
  },
  {
    by: LINUX_LOADER,
    says: ['Invalid bzImage', 'InvalidBzImage', 'Unable to read bzImage header'],
    cause:
      'The file is no ELF that the loader takes, and no bzImage either: callers try the one after the other and print the ' +
      'last complaint. For an ELF the reason is the first one.',
    cure: 'See what it says of the ELF.',
    commands: ['xen-elfpatch verify kernel.elf --for linux-loader'],
  },
  {
    by: LINUX_LOADER,
    says: [
      'Cannot load kernel due to invalid memory configuration or invalid kernel image',
      'Kernel Loader: failed to load ELF kernel image',
      'Kernel Loader: failed to load bzImage kernel image',
      'Failed to load ELF kernel image',
      'Error manipulating VM',
      'Cannot load the kernel into memory',
    ],
    cause:
      'How every refusal of a kernel ends here, with the reason left out. Most often the file is no ELF: a vmlinuz, which these ' +
      'versions do not unpack.',
    cure: 'Ask for the reason; extract takes the ELF out of a vmlinuz.',
    commands: [
      'xen-elfpatch verify vmlinux --for firecracker --for cloud-hypervisor',
      'xen-elfpatch patch vmlinuz --payload extract -o vmlinux',
    ],
    kind: 'ending',
  },
  {
    by: QEMU,
    says: ['could not open kernel file …', 'could not load kernel …'],
    cause: 'The name behind -kernel leads to no file that can be read.',
    cure: 'Correct the name, or the rights; a file that is there is recognized by what it holds.',
    commands: ['xen-elfpatch verify kernel.elf --for qemu-pvh --for qemu-multiboot'],
  },
  {
    by: `${QEMU}, a remark`,
    says: [
      "multiboot knows VBE. we don't",
      "TCG doesn't support requested feature",
      "host doesn't support requested feature",
    ],
    cause:
      'No refusal, the load goes on. VBE: the Multiboot 1 header asks for a video mode (flag 2), and QEMU gives none. TCG or ' +
      'host: the CPU model has features that this machine does not.',
    cure: 'If the kernel does not come up, look for the reason elsewhere.',
    commands: ['xen-elfpatch verify kernel.elf --for qemu-multiboot'],
    kind: 'remark',
  },
  {
    by: 'StratoVirt',
    says: ['No Note header contains PVH entry info in ELF kernel image.'],
    cause: 'No PHYS32_ENTRY in any PT_NOTE, as StratoVirt steps: by p_align.',
    cure: 'As for QEMU.',
    commands: ['xen-elfpatch patch kernel.elf --preset pvh -o kernel.pvh'],
  },
  {
    by: 'Alioth',
    says: ['Cannot find payload entry point', 'Not a 64-bit kernel'],
    cause: 'No PHYS32_ENTRY of 4 or 8 bytes in a PT_NOTE or note section; or the file is no little-endian ELF64.',
    cure: 'As for QEMU.',
    commands: ['xen-elfpatch patch kernel.elf --preset pvh -o kernel.pvh'],
  },
];
