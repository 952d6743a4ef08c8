import { code, heading, list, table, text } from '../blocks.js';
import type { Page } from '../page.js';

/** `explain values`: the grammar of NAME=VALUE. */
export const values: Page = {
  name: 'values',
  title: 'Values: what may stand in --set NAME=VALUE',
  blocks: [
    text`NAME is a note's name with or without XEN_ELFNOTE_, in any case, or its number (18, 0x12). A name may carry a width
      in bytes, /1, /2, /4 or /8. An unknown name is refused with the nearest known ones; a number without a name needs
      hex:, file: or a width, because nothing says what kind of value it holds.`,
    heading('Numbers'),
    table(
      ['form', 'meaning'],
      ['4096, 0x1000', 'decimal, hexadecimal'],
      ['sym:NAME', 'value of the symbol NAME in .symtab, a virtual address'],
      ['phys:NAME', 'the same, turned into a physical address through the PT_LOAD that holds it'],
      ['entry', 'e_entry of the ELF header'],
      ['phys:entry', 'e_entry, turned into a physical address'],
    ),
    text`Each may be followed by +N or -N: sym:stack_top-8. Use phys: for PHYS32_ENTRY and sym: for the notes of a PV
      kernel. Physical addresses are never computed from a constant: each PT_LOAD has its own distance between p_vaddr
      and p_paddr.`,
    heading('Lists'),
    text`Numbers with commas or colons between them: PHYS32_RELOC=0x200000,0,0x3fffffff and L1_MFN_VALID=1:1.`,
    heading('Strings'),
    text`As they stand. A final NUL is added and counted. An empty value, GUEST_OS=, is an empty string note; --unset
      removes a note. Quote what the shell would take: 'FEATURES=!writable_page_tables|pae_pgdir_above_4gb'.`,
    heading('For any note'),
    table(
      ['form', 'meaning'],
      ['hex:DEADBEEF', 'exactly these bytes'],
      ['file:PATH', 'exactly the bytes of that file'],
    ),
    heading('Width'),
    text`Addresses of a PV kernel take 8 bytes in an ELF64 and 4 in an ELF32, because GRUB reads that many whatever the note
      says. PHYS32_ENTRY, PHYS32_RELOC and SUPPORTED_FEATURES take 4-byte words. ENTRY/4=0x100000 forces another width; Xen
      reads 1, 2, 4 and 8 bytes, any other size as 0.`,
    code`
      $ xen-elfpatch patch vmlinux --set ENTRY=sym:startup_xen -o out
      $ xen-elfpatch patch kernel.elf --set PHYS32_ENTRY=phys:entry -o out
      $ xen-elfpatch patch kernel.elf --set PHYS32_ENTRY/8=0x100040 -o out
      $ xen-elfpatch patch kernel.elf --set 0x12=hex:40001000 -o out
      $ xen-elfpatch patch kernel.elf --set GUEST_OS=file:name.bin -o out`,
    heading('Order'),
    text`Whatever their order on the command line, edits are applied in this one; within one kind from left to right:`,
    list(
      '--clear: drop every note owned by Xen',
      '--from-legacy: turn a __xen_guest string into notes',
      '--copy-from IMAGE2: take all Xen notes of another image',
      '--preset NAME',
      '--spec FILE: edits from a JSON or YAML file',
      '--set NAME=VALUE: replaces the note of that type, else adds it',
      '--unset NAME',
    ),
    text`See also: explain presets.`,
  ],
};
