/** The ELF structures, each declared once (gABI chapters 4 and 5). */
import { struct, type ValueOf } from './struct.js';

/** ELF header behind e_ident (gABI, "ELF Header"). It starts at file offset 16. */
export const Ehdr = struct('Elf_Ehdr', {
  e_type: 'half',
  e_machine: 'half',
  e_version: 'word',
  e_entry: 'native',
  e_phoff: 'native',
  e_shoff: 'native',
  e_flags: 'word',
  e_ehsize: 'half',
  e_phentsize: 'half',
  e_phnum: 'half',
  e_shentsize: 'half',
  e_shnum: 'half',
  e_shstrndx: 'half',
});
export type Ehdr = ValueOf<typeof Ehdr>;

/** Bytes of e_ident, in front of the fields of Ehdr. */
export const EI_NIDENT = 16;

/** Program header (gABI, "Program Header"). ELF32 moves p_flags to the seventh place. */
export const Phdr = struct(
  'Elf_Phdr',
  {
    p_type: 'word',
    p_flags: 'word',
    p_offset: 'native',
    p_vaddr: 'native',
    p_paddr: 'native',
    p_filesz: 'native',
    p_memsz: 'native',
    p_align: 'native',
  },
  ['p_type', 'p_offset', 'p_vaddr', 'p_paddr', 'p_filesz', 'p_memsz', 'p_flags', 'p_align'],
);
export type Phdr = ValueOf<typeof Phdr>;

/** Section header (gABI, "Section Header"). */
export const Shdr = struct('Elf_Shdr', {
  sh_name: 'word',
  sh_type: 'word',
  sh_flags: 'native',
  sh_addr: 'native',
  sh_offset: 'native',
  sh_size: 'native',
  sh_link: 'word',
  sh_info: 'word',
  sh_addralign: 'native',
  sh_entsize: 'native',
});
export type Shdr = ValueOf<typeof Shdr>;

/** Symbol (gABI, "Symbol Table"). */
export const Sym = struct(
  'Elf_Sym',
  { st_name: 'word', st_info: 'byte', st_other: 'byte', st_shndx: 'half', st_value: 'native', st_size: 'native' },
  ['st_name', 'st_value', 'st_size', 'st_info', 'st_other', 'st_shndx'],
);
export type Sym = ValueOf<typeof Sym>;

/** Note header: 32-bit words in both classes (gABI, "Note Section"). */
export const Nhdr = struct('Elf_Nhdr', { n_namesz: 'word', n_descsz: 'word', n_type: 'word' });
export type Nhdr = ValueOf<typeof Nhdr>;
