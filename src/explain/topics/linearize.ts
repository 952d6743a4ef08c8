import { code, heading, list, table, terms, text } from '../blocks.js';
import type { Page } from '../page.js';

/** `explain linearize`: what the command does to a xen.efi, and what can go wrong around it. */
export const linearize: Page = {
  name: 'linearize',
  title: 'Linearize: one xen.efi for UEFI and Multiboot2',
  blocks: [
    text`xen.efi is built from the same objects as the ELF that GRUB starts, Multiboot2 header included. GRUB refuses it
      because it is no ELF: "invalid arch-dependent ELF magic". A Multiboot2 header may say instead where the bytes go
      (address tag) and where to jump (entry tag); the loader then copies one stretch of the file and asks for no format.
      For that the file has to be a linear picture of memory, which no linker writes. linearize does, and adds the tags.`,
    code`
      $ xen-elfpatch linearize xen.efi -o xen.mb.efi
      $ xen-elfpatch linearize --verify xen.mb.efi --baseline xen.efi`,
    heading('What the result looks like'),
    table(
      ['in the file', 'in memory', 'who loads it'],
      ['headers, zeros up to --header-size', 'image base', 'UEFI'],
      ['.text to .data at RVA - K, holes as zeros', 'their RVAs', 'both'],
      ['nothing', '.bss', 'both, as zeros'],
      ['.reloc, .debug_*, parts of a unified image', 'their RVAs', 'UEFI'],
      ['symbols, strings, what was appended', '-', 'debuggers'],
    ),
    text`K is one number for all: the first RVA less the header size. Addresses, sizes, names, the entry and every byte of
      code and data stay. In memory no more than the Multiboot headers (length, checksum and 48 bytes of
      the Multiboot2 one, 36 of the other with --mb1) and the file offsets in the debug directory differ. The price is the zeros between sections, which compress to nothing and are holes on disk.`,
    heading('Where the tags go'),
    terms(
      ['append', 'behind the old tags, over 40 bytes of filler: all 0x90, 0xcc or 0, no symbol, no relocation'],
      [
        'instead of the console tags',
        'no filler there: optional tags 4 and 5 (console, framebuffer) give their place, as Xen before 4.17 has it; a warning says so',
      ],
      [
        'gap',
        'the whole header moves in front of the sections; GRUB loads it, the specification frowns. --mb2 gap asks for it',
      ],
      ['update', 'they are there already: new values'],
    ),
    heading('Order of work'),
    list(
      'strip, objcopy --add-section for a unified image, linearize, sign. strip and objcopy lay the file out anew, and then ' +
        'the tags lie; a signature covers the layout.',
      'For shim give --keep-reloc: shim leaves discardable sections out, and Xen then reads garbage for its relocations. ' +
        "Without it the flag stays as Xen's build set it (not at all where binutils is 2.46 or newer); --discardable-reloc " +
        'sets it.',
      'With GRUB under Secure Boot the signed file passes the shim verifier as a PE image; an ELF xen.gz cannot.',
    ),
    heading('What goes wrong without it'),
    table(
      ['mistake', 'effect'],
      ['tags, but no linear layout', 'reset on BIOS, #UD on UEFI'],
      [
        'address tag without entry tag',
        '"load address tag without entry address tag"; UEFI boots, so it is easy to miss',
      ],
      ['load_end_addr 0', 'symbols and debug data land in .bss'],
      ['load_addr -1', 'a hang: GRUB subtracts it as it stands'],
      ['load_addr lowered to the PE headers', '"Xen must be loaded at a 2Mb boundary"'],
      ['header behind 32 KiB', '"no multiboot header found"'],
    ),
    text`grub-file --is-x86-multiboot2 looks for the header only and says yes to the unprocessed file as well. linearize
      --verify simulates both loaders and compares what they leave in memory; verify --for multiboot2 says in GRUB's words
      what GRUB does with a file; layout and diff show where its sections are and what differs from another one's.`,
  ],
};
