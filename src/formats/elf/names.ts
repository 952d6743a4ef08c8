/** Values of the gABI that the tool uses, with the names it prints: the one place where such a number stands. */

/** The first four bytes of every ELF file (gABI, "ELF Identification"). */
export const ELF_MAGIC: readonly number[] = [0x7f, 0x45, 0x4c, 0x46];

/** Do the bytes begin with the ELF magic? */
export function beginsAsElf(bytes: Uint8Array): boolean {
  return ELF_MAGIC.every((byte, index) => bytes[index] === byte);
}

/** Indices into e_ident, and what stands there. */
export const EI_CLASS = 4;
export const EI_DATA = 5;
export const EI_VERSION = 6;
export const ELFCLASS32 = 1;
export const ELFCLASS64 = 2;
export const ELFDATA2LSB = 1;
export const ELFDATA2MSB = 2;
/** Of EI_VERSION and of e_version. */
export const EV_CURRENT = 1;

/** Values of e_type. */
export const ET_NONE = 0;
export const ET_REL = 1;
export const ET_EXEC = 2;
export const ET_DYN = 3;
export const ET_CORE = 4;

/** Values of e_machine, of the processors that Xen runs on. */
export const EM_386 = 3;
export const EM_486 = 6;
export const EM_ARM = 40;
export const EM_X86_64 = 62;
export const EM_AARCH64 = 183;

/** Values of p_type. */
export const PT_NULL = 0;
export const PT_LOAD = 1;
export const PT_DYNAMIC = 2;
export const PT_INTERP = 3;
export const PT_NOTE = 4;
export const PT_SHLIB = 5;
export const PT_PHDR = 6;
export const PT_TLS = 7;
export const PT_GNU_EH_FRAME = 0x6474e550;
export const PT_GNU_STACK = 0x6474e551;
export const PT_GNU_RELRO = 0x6474e552;
export const PT_GNU_PROPERTY = 0x6474e553;

/** Bits of p_flags. */
export const PF_X = 1;
export const PF_W = 2;
export const PF_R = 4;

/** Values of sh_type. */
export const SHT_NULL = 0;
export const SHT_PROGBITS = 1;
export const SHT_SYMTAB = 2;
export const SHT_STRTAB = 3;
export const SHT_RELA = 4;
export const SHT_HASH = 5;
export const SHT_DYNAMIC = 6;
export const SHT_NOTE = 7;
export const SHT_NOBITS = 8;
export const SHT_REL = 9;
export const SHT_SHLIB = 10;
export const SHT_DYNSYM = 11;
export const SHT_INIT_ARRAY = 14;
export const SHT_FINI_ARRAY = 15;
export const SHT_PREINIT_ARRAY = 16;
export const SHT_GROUP = 17;
export const SHT_SYMTAB_SHNDX = 18;
export const SHT_RELR = 19;
/** From here to SHT_HIOS, and from SHT_LOPROC and SHT_LOUSER on, types of systems, machines and programs. */
export const SHT_LOOS = 0x60000000;
export const SHT_GNU_HASH = 0x6ffffff6;
export const SHT_GNU_VERNEED = 0x6ffffffe;
export const SHT_GNU_VERSYM = 0x6fffffff;
export const SHT_LOPROC = 0x70000000;
export const SHT_LOUSER = 0x80000000;
export const SHT_HIUSER = 0x8fffffff;

/** Symbol types (st_info & 15) up to this one name code or data: STT_NOTYPE, STT_OBJECT, STT_FUNC. */
export const STT_FUNC = 2;

/** Bits of sh_flags. */
export const SHF_WRITE = 0x1n;
export const SHF_ALLOC = 0x2n;
export const SHF_EXECINSTR = 0x4n;
export const SHF_OS_NONCONFORMING = 0x100n;
export const SHF_GROUP = 0x200n;
export const SHF_TLS = 0x400n;
export const SHF_COMPRESSED = 0x800n;
export const SHF_INFO_LINK = 0x40n;

/** Section indices with a meaning of their own (gABI, "Special Section Indexes"). */
export const SHN_UNDEF = 0;
/** From this section index on, 16-bit fields hold an escape (gABI, "Special Section Indexes"). */
export const SHN_LORESERVE = 0xff00;
export const SHN_ABS = 0xfff1;
export const SHN_COMMON = 0xfff2;
export const SHN_XINDEX = 0xffff;
/** e_phnum when the real count is in section header 0's sh_info. */
export const PN_XNUM = 0xffff;

const SEGMENT_TYPES: Readonly<Record<number, string>> = {
  [PT_NULL]: 'PT_NULL',
  [PT_LOAD]: 'PT_LOAD',
  [PT_DYNAMIC]: 'PT_DYNAMIC',
  [PT_INTERP]: 'PT_INTERP',
  [PT_NOTE]: 'PT_NOTE',
  [PT_SHLIB]: 'PT_SHLIB',
  [PT_PHDR]: 'PT_PHDR',
  [PT_TLS]: 'PT_TLS',
  [PT_GNU_EH_FRAME]: 'PT_GNU_EH_FRAME',
  [PT_GNU_STACK]: 'PT_GNU_STACK',
  [PT_GNU_RELRO]: 'PT_GNU_RELRO',
  [PT_GNU_PROPERTY]: 'PT_GNU_PROPERTY',
};

/** `PT_LOAD`, or the number where it has no name here. */
export function segmentTypeName(p_type: number): string {
  return SEGMENT_TYPES[p_type] ?? `PT_${p_type.toString(16)}`;
}

const FILE_TYPES: Readonly<Record<number, string>> = {
  [ET_NONE]: 'ET_NONE',
  [ET_REL]: 'ET_REL',
  [ET_EXEC]: 'ET_EXEC',
  [ET_DYN]: 'ET_DYN',
  [ET_CORE]: 'ET_CORE',
};

/** `ET_EXEC`, or the number. */
export function fileTypeName(e_type: number): string {
  return FILE_TYPES[e_type] ?? `e_type ${e_type}`;
}

const MACHINES: Readonly<Record<number, string>> = {
  [EM_386]: 'EM_386',
  [EM_486]: 'EM_486',
  [EM_ARM]: 'EM_ARM',
  [EM_X86_64]: 'EM_X86_64',
  [EM_AARCH64]: 'EM_AARCH64',
};

/** `EM_X86_64`, or the number. */
export function machineName(e_machine: number): string {
  return MACHINES[e_machine] ?? `e_machine ${e_machine}`;
}

/** `R-X` from p_flags. */
export function segmentFlags(p_flags: number): string {
  return `${p_flags & PF_R ? 'R' : '-'}${p_flags & PF_W ? 'W' : '-'}${p_flags & PF_X ? 'X' : '-'}`;
}
