import { code, heading, list, terms, text } from '../blocks.js';
import type { Page } from '../page.js';

/** `explain mkelf32`: what the tool does (xen/arch/x86/boot/mkelf32.c), and what can be done beyond it. */
export const mkelf32: Page = {
  name: 'mkelf32',
  title: 'mkelf32: from xen-syms to the image that boot loaders take',
  blocks: [
    text`Xen is linked as a 64-bit ELF, xen-syms. Multiboot loaders want a 32-bit one, so Xen's build ends with a small
      program of its own, mkelf32, which wraps the one load segment in ELF32 headers: 128 bytes in front, a few section
      headers behind. Nothing in the segment changes. The command xen-mkelf32 takes that program's place.`,
    code`
      MKELF32 := xen-mkelf32        # was: arch/x86/boot/mkelf32

      $ xen-mkelf32 --notes xen-syms xen 0x200000`,
    text`It takes the same words, says the same and writes the same bytes as the tool of the newest Xen release. For the
      tool of another release, and for everything else, there is xen-elfpatch mkelf32:`,
    code`
      $ xen-elfpatch mkelf32 --list-compat
      $ xen-elfpatch mkelf32 --notes --compat 4.17.7 xen-syms xen \
          0x200000 0xffff82d0405a7000`,
    heading('What the tool does that may surprise'),
    list(
      'Up to 4.18 it needs the end address as a fourth word; newer ones round p_memsz up, to 1 MiB, then to 2 MiB.',
      'The addresses of the PT_NOTE are distances from the load segment, not addresses. Loaders go by its offset.',
      'The last 1 to 4 bytes of the file are not zeros but what was left in the copy buffer.',
      'Since 4.17 empty program headers behind the wanted ones are dropped, but the entry right behind them is never ' +
        'looked at, and the 56 bytes behind the table are.',
      'LOAD-BASE is hexadecimal with or without 0x, read up to the first character that does not fit; text counts as 0.',
    ),
    heading('Where it is not followed'),
    text`On input that is cut short the original waits forever; with output and input the same file it empties that file
      first; without the end address it dies. Here each of them is an error, exit status 1 of xen-mkelf32, and no file is
      touched. The output appears when it is whole.`,
    heading('Beyond it'),
    terms(
      [
        '--tidy',
        'real note addresses, zero padding, exact names; several PT_LOADs made one, 32-bit input, notes anywhere',
      ],
      ['--note', 'NAME=VALUE sets a Xen note in the result, as patch --set does'],
      ['--keep', 'sections or symbols of the input, at their new addresses'],
    ),
    text`A Xen built without PVH_GUEST can be given the entry that PVH loaders ask for, in the same pass. Whether the code
      there is made for it is another question: see explain pvh.`,
    code`
      $ xen-elfpatch mkelf32 --notes --note PHYS32_ENTRY=phys:my_pvh_start \
          xen-syms xen 0x200000`,
  ],
};
