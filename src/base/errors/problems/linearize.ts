import { hex } from '../hex.js';
import { problem } from '../problem.js';

/** Refusals of `linearize` about Multiboot headers and about what was asked for. */
export const linearizeProblems = {
  'mb2.none': problem<Record<never, never>>({
    exit: 2,
    text: () => 'no Multiboot2 header found in the first 32 KiB of the linear file',
    hint: '--mb2 none makes the layout linear and adds no tags',
    meaning:
      'A Multiboot2 loader looks for the magic 0xe85250d6 at multiples of 8 in the first 32 KiB, with architecture 0 and a ' +
      'valid checksum. xen.efi has such a header since Xen 4.9; other images need one in their first section.',
  }),
  'mb2.too-far': problem<{ offset: bigint }>({
    exit: 2,
    text: (c) => `the Multiboot2 header would stand at file offset ${hex(c.offset)}, wanted it whole below 0x8000`,
    hint: 'Give a smaller --header-size, or let --mb2 gap put the header in front of the sections',
    meaning: 'Loaders read the first 32 KiB of a file and look for the header there and nowhere else.',
  }),
  'mb2.bad-tags': problem<{ why: string }>({
    exit: 2,
    text: (c) => c.why,
    meaning:
      'The tags of a Multiboot2 header each have a size of at least 8, start at multiples of 8, and end with tag 0. GRUB ' +
      'walks them without looking where the header ends.',
  }),
  'mb2.no-room': problem<{ need: number; why: string }>({
    exit: 2,
    text: (c) => `no room for ${c.need} more bytes of header: ${c.why}`,
    hint: '--mb2 gap puts the header between the section table and the first section; a larger --header-size makes room',
    meaning:
      'The address and entry tags are appended only over bytes that are proved to be filler: all 0x90, all 0xcc or all ' +
      'zero, inside the section, with no symbol in them and no base relocation aimed at them.',
  }),
  'mb2.entry-unknown': problem<{ why: string; nearest?: readonly string[] }>({
    exit: 2,
    text: (c) => `cannot tell the 32-bit entry: ${c.why}`,
    hint: (c) =>
      c.nearest !== undefined && c.nearest.length > 0
        ? `Did you mean ${c.nearest.join(' or ')}?`
        : 'Give it: --entry RVA or --entry sym:NAME (in Xen it is the symbol start)',
    meaning:
      'A loader that follows an address tag needs an entry tag. It is taken from --entry, from a symbol `start` in ' +
      'executable code, or from the first byte of the image where the relocatable tag says that it begins there.',
  }),
  'mb2.bad-address': problem<{ what: string; value: bigint; wanted: string }>({
    exit: 2,
    text: (c) => `${c.what} is ${hex(c.value)}, wanted ${c.wanted}`,
    meaning:
      'Multiboot addresses are physical ones: RVA plus --phys-base. The entries must lie in executable sections under it, ' +
      'and the load address must fit the alignment and the range that the relocatable tag asks for.',
  }),
  'mb1.no-room': problem<{ why: string }>({
    exit: 2,
    text: (c) => `no room for a Multiboot 1 header: ${c.why}`,
    hint: 'Leave --mb1 out; Multiboot2 and UEFI do not need it',
    meaning:
      'The header with address fields is 32 bytes long (48 with a video mode). It must begin at file offset 8140 or before, ' +
      'which is the last that QEMU takes, behind the load address, over bytes that are proved to be filler.',
  }),
  'linear.header-size': problem<{ size: bigint; wanted: string }>({
    exit: 2,
    text: (c) => `--header-size is ${hex(c.size)}, wanted ${c.wanted}`,
    meaning: 'The headers reach from the start of the file to the first section, and in memory up to its address.',
  }),
  'linear.file-align': problem<{ value: bigint; wanted: string }>({
    exit: 2,
    text: (c) => `--file-align is ${hex(c.value)}, wanted ${c.wanted}`,
    meaning: 'FileAlignment must be a power of two that divides every raw pointer and size, or it would be a lie.',
  }),
  'linear.no-section': problem<{ name: string; have: string }>({
    exit: 2,
    text: (c) => `there is no section ${c.name}; there are ${c.have}`,
    meaning: '--image and --tail name sections of the input.',
  }),
  'linear.debug-pointer': problem<{ offset: bigint }>({
    exit: 2,
    text: (c) => `a debug entry points to file offset ${hex(c.offset)}, which belongs to no section and no other part`,
    meaning:
      'Entries of the debug directory hold file offsets. One that cannot be mapped would be stale in the result.',
  }),
} as const;
