import { code, heading, list, table, text } from '../blocks.js';
import type { Page } from '../page.js';

/** `explain fix`: how a cure is found, what is never done, and the failures that have one. */
export const fix: Page = {
  name: 'fix',
  title: 'Fix: from a refusal to the smallest edit that fixes it',
  blocks: [
    text`fix asks the loaders named (without --for: those the notes are made for) what they make of the image. Then it tries
      edits, the smallest first, each on the bytes that would result; the loaders judge those as they would judge any
      image. An edit stays only when it brings a loader further and loses none that took the image before. What is not
      needed for the same end is left out again. The answer is the reason and the edit; -o or --in-place writes it, by way
      of the same proof as every patch.`,
    heading('What it fixes'),
    table(
      ['what is wrong', 'the edit'],
      ['a note section, and no PT_NOTE over it', 'a program header for it'],
      ['p_align 8 over notes padded by 4, gaps between records', 'the notes written anew, contiguous, p_align 4'],
      ['another PT_NOTE behind the one that counts, an empty one too', "Xen's PT_NOTE becomes the last"],
      ["another owner's PT_NOTE that a loader stumbles over", 'all notes in one PT_NOTE'],
      ['records behind zeroed ones, or in a section of data', 'the records taken over, byte for byte'],
      ['an owner without its NUL, another type 18 in front', 'the notes written anew, PHYS32_ENTRY first'],
      ['a number in a width that its readers do not take', 'the same number in the right width'],
      ['XEN_VERSION or LOADER missing or wrong (PV)', 'the only value that is taken'],
      ['a required feature that Xen does not know', 'FEATURES without it'],
      ['ENTRY or PHYS32_ENTRY missing or astray', 'the address of the symbol made for it, if there is one'],
      ['a __xen_guest string alone', 'the notes that mean the same'],
      ['a wrapper that the loader does not unpack', 'the kernel taken out of it, where the loader was named'],
      ['e_shoff leads nowhere', 'e_shoff, e_shnum and e_shstrndx 0'],
      ['no section headers, and GRUB 2.12 wants them', 'a section header table appended'],
      ['an empty PT_LOAD that GRUB takes for an overlap', 'a PT_NULL in its place'],
    ),
    heading('What it never does'),
    list(
      'Guess an address. A symbol such as pvh_start_xen is made to be the PVH entry; _start says nothing about the mode in ' +
        'which its code wants to be entered. Where nothing tells, the answer is no and exit status 1: the address has to ' +
        'come from you, by patch --set PHYS32_ENTRY=..., or by patch --preset pvh where fix and verify suggest it.',
      'Make a PV entry of a PVH one, of e_entry or of a multiboot entry, or the other way round. A kernel is a PV kernel by ' +
        'its notes (ENTRY, VIRT_BASE, or Xen notes without PHYS32_ENTRY), a __xen_guest string or the symbol startup_xen. A ' +
        'PVH kernel asked for as PV is named as one: type="pvh" for xl, dom0=pvh for Xen.',
      'Change code, data, or where they are loaded. A multiboot header in the wrong place or a segment below 1 MiB is a ' +
        'matter for the linker script.',
      'Make one loader happy at the cost of another.',
    ),
    heading('Using it'),
    code`
      $ xen-elfpatch fix vmlinux
      $ xen-elfpatch fix vmlinux --for qemu-pvh --for linux-loader -o vmlinux.ok
      $ xen-elfpatch fix vmlinux --for xen-pv --check`,
    text`verify --for names a fix only after it was tried in the same way; where none is known, both say what is in the way and
      what to change in the source or the link, with the addresses and section names of the file. verify --baseline takes a
      repaired header for what it is: nothing but headers and notes differs.`,
    text`Exit 0: nothing to fix, or an edit fixes it. Exit 1: no fix is known, or with --check something is to be fixed.
      Which loaders there are: explain loaders.`,
  ],
};
