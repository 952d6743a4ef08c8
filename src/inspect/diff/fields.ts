/** Fields of headers that differ, and what each is for, in a few words. */

/** One field of a header that differs. */
export interface FieldDifference {
  readonly field: string;
  readonly before: bigint | number | string;
  readonly after: bigint | number | string;
  /** What the field is for. */
  readonly meaning: string;
}

/** An entry of a table that is gone, new, or has other fields. */
export interface EntryDifference {
  /** Index in the first image; undefined for a new entry. */
  readonly before: number | undefined;
  readonly after: number | undefined;
  /** `PT_NOTE`, `.text`. */
  readonly name: string;
  readonly fields: readonly FieldDifference[];
}

type Values = Readonly<Record<string, number | bigint | string | undefined>>;

/** Fields of one declared structure that differ; other members are not looked at. */
export function fieldsOf(
  names: readonly string[],
  a: object,
  b: object,
  words: Readonly<Record<string, string>>,
): FieldDifference[] {
  const [left, right] = [a as Values, b as Values];
  return names.flatMap((field) => {
    const [before, after] = [left[field], right[field]];
    if (before === undefined || after === undefined || before === after) return [];
    return [{ field, before, after, meaning: words[field] ?? '' }];
  });
}

/** What each field of the ELF header is for. */
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

/** What each field of a program header is for. */
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

/** What each field of a section header is for. */
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
