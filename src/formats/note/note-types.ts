/**
 * Owners and types of notes by their public names: the one place where such a number stands. Xen's are those of
 * xen/include/public/elfnote.h, GNU's those of glibc's elf.h, FDO's those of the ELF package metadata specification of
 * the UAPI group.
 */

/** Types of notes whose owner is Xen; the header calls them `XEN_ELFNOTE_` and the name. In the order of their numbers. */
export const XEN_ELFNOTE = {
  INFO: 0,
  ENTRY: 1,
  HYPERCALL_PAGE: 2,
  VIRT_BASE: 3,
  PADDR_OFFSET: 4,
  XEN_VERSION: 5,
  GUEST_OS: 6,
  GUEST_VERSION: 7,
  LOADER: 8,
  PAE_MODE: 9,
  FEATURES: 10,
  BSD_SYMTAB: 11,
  HV_START_LOW: 12,
  L1_MFN_VALID: 13,
  SUSPEND_CANCEL: 14,
  INIT_P2M: 15,
  MOD_START_PFN: 16,
  SUPPORTED_FEATURES: 17,
  PHYS32_ENTRY: 18,
  PHYS32_RELOC: 19,
} as const;

/** The name of a type of Xen's notes, XEN_ELFNOTE_ left out. */
export type XenNoteName = keyof typeof XEN_ELFNOTE;

/** Owners, as they stand in front of their NUL. */
export const XEN = 'Xen';
export const GNU = 'GNU';
export const FDO = 'FDO';
export const LINUX = 'Linux';

/** Types of owner GNU. */
export const NT_GNU_ABI_TAG = 1;
export const NT_GNU_HWCAP = 2;
/** The id that debug information is found by. */
export const NT_GNU_BUILD_ID = 3;
export const NT_GNU_GOLD_VERSION = 4;
export const NT_GNU_PROPERTY_TYPE_0 = 5;

/** Types of owner FDO. */
export const FDO_PACKAGING_METADATA = 0xcafe1a7e;
export const FDO_DLOPEN_METADATA = 0x407c0c0a;

/**
 * Owner and type of a note that was taken from its owner where its bytes had to stay: no loader looks for either. A record
 * of twelve zero bytes, which padding is, has this type, too.
 */
export const NEUTRAL_OWNER = 'nil';
export const NEUTRAL_TYPE = 0;

/** The words for a note of an owner other than Xen that people know by them; undefined for all others. */
export function noteWords(owner: string, type: number): string | undefined {
  return WORDS.get(`${owner}:${type}`);
}

const WORDS: ReadonlyMap<string, string> = new Map([
  [`${GNU}:${NT_GNU_BUILD_ID}`, 'build-id'],
  [`${GNU}:${NT_GNU_PROPERTY_TYPE_0}`, 'property'],
  [`${FDO}:${FDO_PACKAGING_METADATA}`, 'package metadata'],
]);
