/** Values of the PE format that the tool uses, with the names it prints (Microsoft, "PE Format"). */

/** Machine of the COFF file header. */
export const IMAGE_FILE_MACHINE_I386 = 0x14c;
export const IMAGE_FILE_MACHINE_AMD64 = 0x8664;
export const IMAGE_FILE_MACHINE_ARM64 = 0xaa64;

/** Magic of the optional header. */
export const PE32 = 0x10b;
export const PE32PLUS = 0x20b;

/** Indices of data directories. */
export const DIRECTORY_SECURITY = 4;
export const DIRECTORY_BASERELOC = 5;
export const DIRECTORY_DEBUG = 6;

const DIRECTORY_NAMES = [
  'export',
  'import',
  'resource',
  'exception',
  'certificate',
  'base relocation',
  'debug',
  'architecture',
  'global pointer',
  'TLS',
  'load configuration',
  'bound import',
  'import address',
  'delay import',
  'CLR',
  'reserved',
];

/** `debug directory`, or its number. */
export function directoryName(index: number): string {
  return `${DIRECTORY_NAMES[index] ?? `number ${index}`} directory`;
}

/** Characteristics of a section. */
export const IMAGE_SCN_CNT_CODE = 0x20;
export const IMAGE_SCN_CNT_INITIALIZED_DATA = 0x40;
export const IMAGE_SCN_CNT_UNINITIALIZED_DATA = 0x80;
export const IMAGE_SCN_MEM_DISCARDABLE = 0x02000000;
export const IMAGE_SCN_MEM_EXECUTE = 0x20000000;
export const IMAGE_SCN_MEM_READ = 0x40000000;
export const IMAGE_SCN_MEM_WRITE = 0x80000000;

/** Section numbers of symbols that stand in no section: absolute and debugging symbols (16-bit, negative). */
export const IMAGE_SYM_ABSOLUTE = 0xffff;
export const IMAGE_SYM_DEBUG = 0xfffe;
export const IMAGE_SYM_CLASS_EXTERNAL = 2;

/** Type of a debug directory entry: it names the PDB. */
export const IMAGE_DEBUG_TYPE_CODEVIEW = 2;

/** Types of base relocations. */
export const IMAGE_REL_BASED_ABSOLUTE = 0;
export const IMAGE_REL_BASED_HIGH = 1;
export const IMAGE_REL_BASED_LOW = 2;
export const IMAGE_REL_BASED_HIGHLOW = 3;
export const IMAGE_REL_BASED_HIGHADJ = 4;
export const IMAGE_REL_BASED_DIR64 = 10;

const MACHINES: Readonly<Record<number, string>> = {
  [IMAGE_FILE_MACHINE_I386]: 'i386',
  [IMAGE_FILE_MACHINE_AMD64]: 'x86-64',
  [IMAGE_FILE_MACHINE_ARM64]: 'arm64',
};

/** `x86-64`, or the number. */
export function peMachineName(machine: number): string {
  return MACHINES[machine] ?? `machine 0x${machine.toString(16)}`;
}

/** `R-X`, with a `d` behind it for a section that loaders may leave out. */
export function sectionFlags(characteristics: number): string {
  const has = (bit: number) => (characteristics & bit) !== 0;
  const rwx = `${has(IMAGE_SCN_MEM_READ) ? 'R' : '-'}${has(IMAGE_SCN_MEM_WRITE) ? 'W' : '-'}${has(IMAGE_SCN_MEM_EXECUTE) ? 'X' : '-'}`;
  return has(IMAGE_SCN_MEM_DISCARDABLE) ? `${rwx}d` : rwx;
}
