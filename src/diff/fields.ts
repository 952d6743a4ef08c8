/** What a header field is for, in a few words, for whoever reads that it differs. */

export const EHDR_WORDS: Readonly<Record<string, string>> = {
  e_ident: 'class, byte order, ABI',
  e_type: 'kind of file',
  e_machine: 'processor',
  e_version: 'version of the format',
  e_entry: 'where the image is entered',
  e_phoff: 'where the program headers stand',
  e_shoff: 'where the section headers stand',
  e_flags: 'flags of the processor',
  e_ehsize: 'size of the ELF header',
  e_phentsize: 'size of a program header',
  e_phnum: 'number of program headers',
  e_shentsize: 'size of a section header',
  e_shnum: 'number of section headers',
  e_shstrndx: 'which section holds the section names',
};

export const PHDR_WORDS: Readonly<Record<string, string>> = {
  p_type: 'what the segment is',
  p_flags: 'readable, writable, executable',
  p_offset: 'where its bytes stand in the file',
  p_vaddr: 'virtual address',
  p_paddr: 'physical address',
  p_filesz: 'bytes in the file',
  p_memsz: 'bytes in memory',
  p_align: 'alignment; for notes the padding of their records',
};

export const SHDR_WORDS: Readonly<Record<string, string>> = {
  sh_type: 'what the section is',
  sh_flags: 'allocated, writable, executable',
  sh_addr: 'address in memory',
  sh_offset: 'where its bytes stand in the file',
  sh_size: 'its size',
  sh_link: 'section it refers to',
  sh_info: 'further information',
  sh_addralign: 'alignment',
  sh_entsize: 'size of an entry',
};
