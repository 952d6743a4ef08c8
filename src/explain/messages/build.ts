import type { Message } from './message.js';

const BUILD = "Xen's build (mkelf32)";
const MKELF32 = ['xen-elfpatch mkelf32 --notes xen-syms xen 0x200000'];

/** Messages of the end of Xen's build: xen/arch/x86/boot/mkelf32.c and xen/arch/x86/Makefile. */
export const buildMessages: readonly Message[] = [
  {
    by: BUILD,
    says: ['No Multiboot1 header found', 'No Multiboot2 header found'],
    cause:
      'The header is not in the first 8 KiB (Multiboot 1) or 32 KiB (Multiboot 2) of the image: something stands in front.',
    cure: 'Look what the linker put there; a note section at the lowest address is the usual one.',
    commands: ['xen-elfpatch notes xen-syms', ...MKELF32],
  },
  {
    by: BUILD,
    says: ['Expect precisly … program header; found ….', 'Expect precisly … program headers; found ….'],
    cause:
      'xen-syms has another number of program headers than the call expects: one, or two with --notes. A PT_GNU_STACK or a ' +
      'second PT_NOTE (.note.gnu.property) counts.',
    cure: 'Say --notes if there is a note segment; --tidy takes what is there.',
    commands: ['xen-elfpatch mkelf32 --tidy xen-syms xen 0x200000'],
  },
  {
    by: BUILD,
    says: ['Expected .note section within .text section!'],
    cause:
      'The second program header does not lie inside the first. Releases before 4.18.5 compare an offset with a size and say ' +
      'it of good images too.',
    cure: 'Take a newer rule, or --tidy.',
    commands: [...MKELF32, 'xen-elfpatch mkelf32 --tidy xen-syms xen 0x200000'],
  },
  {
    by: BUILD,
    says: [
      'Input image must be a little-endian Elf image.',
      'Bad program header class - we only do 64-bit!.',
      'Bad program header size (… != 56).',
    ],
    cause: 'The input is not the ELF64 that the linker makes: another file, or one that was processed already.',
    cure: 'Give xen-syms.',
    commands: ['xen-elfpatch notes xen-syms', ...MKELF32],
  },
];
