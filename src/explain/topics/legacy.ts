import { XEN_NOTES } from '../../formats/note/xen-notes.js';
import { code, heading, list, table, text } from '../blocks.js';
import type { Page } from '../page.js';

/** `explain legacy`: the string that notes replaced. Grammar: elf_xen_parse_guest_info() in libelf-dominfo.c. */
export const legacy: Page = {
  name: 'legacy',
  title: 'The __xen_guest string, before there were notes',
  blocks: [
    text`Until 2006 a guest described itself by one string in a section named __xen_guest: KEY=VALUE items with commas
      between them, ended by a NUL. Xen reads it for PV guests only, and only if no Xen note is found anywhere, in any
      PT_NOTE or SHT_NOTE. PVH guests cannot use it (since Xen 4.16).`,
    code`
      GUEST_OS=mykernel,XEN_VER=xen-3.0,VIRT_BASE=0x0,LOADER=generic`,
    table(
      ['key', 'note'],
      ...XEN_NOTES.flatMap(({ name, legacyKey }) => (legacyKey === undefined ? [] : [[legacyKey, name]])),
    ),
    text`The other notes have no key. Unknown keys are ignored.`,
    heading('Where the string and notes differ'),
    list(
      'ELF_PADDR_OFFSET absent means the value of VIRT_BASE; the note PADDR_OFFSET absent means 0.',
      'HYPERCALL_PAGE is a page number: times 4096, plus VIRT_BASE where that is given. The note holds an address.',
      'PAE=yes[extended-cr3] is what the note calls yes; anything else that begins with yes is plain PAE; there is no ' +
        'bimodal.',
      'BSD_SYMTAB switches the symbol table on by being there, whatever its value.',
      'FEATURES with an unknown required name does not refuse the image here; in a note it does.',
      'Numbers follow C: 0x for hexadecimal, a leading 0 for octal. GRUB reads them all as hexadecimal.',
      'Keys are cut at 31 characters, values at 127; what follows is read as a new item.',
    ),
    heading('Turning it into notes'),
    text`--from-legacy writes the notes that mean the same, PADDR_OFFSET included. As soon as one Xen note exists the string
      is no longer read, so the set must be complete; it is.`,
    code`
      $ xen-elfpatch patch old-kernel.elf --from-legacy -o new-kernel.elf
      $ xen-elfpatch patch old-kernel.elf --from-legacy --dry-run`,
  ],
};
