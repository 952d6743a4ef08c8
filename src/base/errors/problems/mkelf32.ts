import { problem } from '../problem.js';

/**
 * Refusals of mkelf32. Where Xen's own tool refuses too, the words are the ones it prints (xen/arch/x86/boot/mkelf32.c),
 * misspellings included: people and build logs search for them.
 */
export const mkelf32Problems = {
  'mkelf32.not-elf': problem<Record<never, never>>({
    exit: 2,
    text: () => 'Input image must be a little-endian Elf image.',
    meaning:
      'The input does not begin as a little-endian ELF file does. mkelf32 takes xen-syms, the linked hypervisor.',
  }),
  'mkelf32.class': problem<{ found: number }>({
    exit: 2,
    text: () => 'Bad program header class - we only do 64-bit!.',
    hint: '--tidy takes 32-bit images too',
    meaning: 'Since Xen 4.7 the tool reads ELF64 only. EI_CLASS of this input says something else.',
  }),
  'mkelf32.entry-size': problem<{ found: number }>({
    exit: 2,
    text: (c) => `Bad program header size (${c.found} != 56).`,
    meaning: 'e_phentsize has one value in ELF64: 56. With another the header table cannot be read.',
  }),
  'mkelf32.header-count': problem<{ wanted: number; found: number }>({
    exit: 2,
    text: (c) => `Expect precisly ${c.wanted} program header; found ${c.found}.`,
    hint: (c) =>
      c.wanted === 1
        ? '--notes allows a PT_NOTE behind the PT_LOAD; --tidy takes several PT_LOADs'
        : '--tidy takes any number of PT_LOADs and PT_NOTEs',
    meaning:
      'The tool wraps one PT_LOAD, with --notes one PT_LOAD and one PT_NOTE behind it. Since Xen 4.17 it drops headers ' +
      'behind those whose p_memsz is 0, but it looks one entry too far: the entry right behind the wanted ones is never ' +
      'looked at, and 56 bytes behind the table are.',
  }),
  'mkelf32.note-outside': problem<{ detail: string }>({
    exit: 2,
    text: (c) => `Expected .note section within .text section! ${c.detail}`,
    hint: '--tidy carries notes over wherever they stand',
    meaning:
      'With --notes, the bytes of the second program header have to lie inside those of the first. Up to Xen 4.18.4 the ' +
      'tool compared a file offset with a size and refused good images whose load segment starts late in the file.',
  }),
  'mkelf32.open-output': problem<{ file: string; errno: number; words: string }>({
    exit: 2,
    text: (c) => `Failed to open output image '${c.file}': ${c.errno} (${c.words}).`,
    meaning: 'The operating system refused to create the output. What was there before is as it was.',
  }),
  'mkelf32.write-output': problem<{ errno: number; words: string }>({
    exit: 2,
    text: (c) => `Error writing output image: ${c.errno} (${c.words}).`,
    meaning:
      'The operating system refused a write. The unfinished file is removed; what was there before is as it was.',
  }),
  'mkelf32.short': problem<{ part: string; end: bigint; size: bigint }>({
    exit: 2,
    text: (c) => `Input image ends early: the ${c.part} would end at byte ${c.end}, the file has ${c.size}.`,
    meaning:
      "The headers name bytes that the file does not have. Xen's own tool waits for them forever, at full load; this one " +
      'checks first and leaves an existing output alone.',
  }),
  'mkelf32.same-file': problem<{ file: string }>({
    exit: 2,
    text: (c) => `Output image '${c.file}' is the input image.`,
    hint: 'Write to another name, then rename it',
    meaning: "Xen's own tool empties the input in this case and then waits for its bytes forever.",
  }),
  'mkelf32.no-final': problem<{ releases: string }>({
    exit: 2,
    text: (c) => `No final address given, and the tool of ${c.releases} needs one.`,
    hint: "It is the value of the symbol __2M_rwdata_end: nm xen-syms | sed -ne 's/^\\([^ ]*\\) . __2M_rwdata_end$/0x\\1/p'",
    meaning:
      'Up to Xen 4.18 and 4.19.3 the last argument is the address at which the image ends in memory. With --notes and ' +
      "without that argument Xen's own tool dies of a null pointer.",
  }),
  'mkelf32.release': problem<{ release: string; why: string }>({
    exit: 2,
    text: (c) => `--compat is ${c.release}: ${c.why}`,
    hint: 'xen-elfpatch mkelf32 --list-compat shows the releases',
    meaning:
      'The tool changed between releases of Xen; --compat chooses which one is followed, by a version like 4.17.7.',
  }),
  'mkelf32.unfit': problem<{ what: string }>({
    exit: 2,
    text: (c) => c.what,
    meaning:
      '--tidy makes one load segment of all PT_LOADs, by their physical addresses. That needs PT_LOADs that do not ' +
      'overlap, gaps that are worth filling with zeros, and an end below 4 GiB, because the result is ELF32. ' +
      'For the same reason sections are kept only when their flags, size and alignment are numbers of 32 bits.',
  }),
} as const;
