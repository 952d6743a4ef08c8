import type { Message } from './message.js';

/** Messages of loaders that enter e_entry and read no notes: crosvm (kernel_loader), OpenVMM (vm/loader), Limine (common). */
export const eEntryMessages: readonly Message[] = [
  {
    by: 'crosvm',
    says: [
      'trying to load big-endian binary on little-endian machine',
      'invalid elf class',
      'invalid elf version',
      'no loadable program headers found',
      'invalid magic number',
      'unable to read header',
      'invalid Program Header memory size',
    ],
    cause: 'The file is no little-endian ELF32 or ELF64 of version 1, or no PT_LOAD of it can be placed.',
    cure: 'crosvm takes an ELF by its headers and reads no notes: look at what verify says of them.',
    commands: ['xen-elfpatch verify kernel.elf --for crosvm'],
  },
  {
    by: 'crosvm',
    says: ['program header address out of allowed address range'],
    cause: 'A PT_LOAD has a p_paddr below 2 MiB, where crosvm keeps its own structures.',
    cure: 'Link the kernel at 2 MiB or above: AT(ADDR(.section) - base) in the linker script.',
    commands: ['xen-elfpatch verify kernel.elf --for crosvm'],
  },
  {
    by: 'crosvm',
    says: ['invalid entry point'],
    cause:
      'e_entry, taken as a physical address, is not between the first PT_LOAD of the table and the end of the last.',
    cure: 'e_entry has to be physical, and the program headers in the order of their addresses.',
    commands: ['xen-elfpatch verify kernel.elf --for crosvm'],
  },
  {
    by: 'crosvm',
    says: ['invalid flags', 'invalid kernel offset'],
    cause:
      'A Multiboot 1 header comes before anything else: it has a flag that crosvm does not know, or addresses that do not fit.',
    cure: 'Fix the header, or link the kernel without it.',
    commands: ['xen-elfpatch verify kernel.elf --for crosvm'],
  },
  {
    by: 'Limine',
    says: ['Failed to open kernel with path …', 'Failed to open executable with path …', 'Is the path correct?'],
    cause: 'No file is there: path: in limine.conf names another one, or another disk (boot():/ is the one of Limine).',
    cure: 'Correct the path; then judge the kernel.',
    commands: ['xen-elfpatch verify kernel.elf --for limine'],
  },
  {
    by: 'OpenVMM',
    says: [
      'failed to read file header',
      'invalid file header',
      'unsupported ELF file byte order',
      'target machine mismatch',
      'failed to parse ELF program header',
      'failed to import file region',
    ],
    cause: 'OpenVMM takes a bzImage, or a little-endian ELF64 for x86-64 whose PT_LOADs are all in the file.',
    cure: 'The file is for another machine, or damaged.',
    commands: ['xen-elfpatch verify kernel.elf --for openvmm'],
  },
  {
    by: 'OpenVMM',
    says: [
      'invalid entry address found in ELF header: …, start address: …, load offset: …',
      'invalid ELF program header memory offset …, below start …',
    ],
    cause: 'e_entry or a p_paddr is below 1 MiB.',
    cure: 'Link the kernel at 1 MiB or above.',
    commands: ['xen-elfpatch verify kernel.elf --for openvmm'],
  },
  {
    by: 'Limine',
    says: [
      'elf: Not a valid ELF file.',
      'elf: Not a Little-endian ELF file.',
      'elf: Not an x86-64 ELF file.',
      'elf: Not an x86_32 ELF file.',
      'elf: phdr_size < sizeof(struct elf64_phdr)',
      '…: Invalid ELF file bitness',
    ],
    cause: 'Limine takes an ELF64 with EM_X86_64; by Multiboot an ELF32 with EM_386 as well.',
    cure: 'The protocol named in limine.conf has to fit the kernel.',
    commands: ['xen-elfpatch verify kernel.elf --for limine'],
  },
  {
    by: 'Limine',
    says: [
      'elf: Executable has no loadable segments',
      'elf: No higher half PHDRs exist',
      'elf: Attempted to load ELF file with overlapping PHDRs',
      'elf: Attempted to load ELF file with PHDRs with different permissions sharing the same memory page.',
      'elf: p_filesz > p_memsz',
    ],
    cause:
      'By its own protocol a kernel is linked at 0xffffffff80000000 or above, its segments apart and on pages of their own, none ' +
      'with more in the file than in memory.',
    cure: 'Align segments with other rights to pages (ALIGN(4096)) in the linker script, and link in the higher half.',
    commands: ['xen-elfpatch verify kernel.elf --for limine'],
  },
  {
    by: 'Limine',
    says: [
      'Unknown header tag type',
      'Using address tag but entry address tag missing',
      'Illegal load address',
      'Illegal bss end address',
    ],
    cause: 'The Multiboot header has a tag that Limine does not know, optional or not, or addresses that do not fit.',
    cure: 'Take the tag out, or boot by GRUB.',
    commands: ['xen-elfpatch verify kernel.elf --for limine --for multiboot2'],
  },
];
