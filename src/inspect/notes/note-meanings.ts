/**
 * What notes say, for showing: Xen's through the catalogue, and those of other owners whose form is public. The names are
 * those of glibc's elf.h, Linux' include/linux/build-salt.h and elfnote-lto.h, the ELF package metadata
 * specification of the UAPI group (owner FDO), the BSDs' sys/exec_elf.h, GRUB's and Solo5's. annobin's owners hold what they
 * say (binutils, include/elf/common.h, "build attribute notes").
 */
import { utf8 } from '../../base/bytes/text.js';
import { hex } from '../../base/errors/hex.js';
import type { Encoding } from '../../formats/elf/struct.js';
import { decodeValue, type NoteValue, readNumber } from '../../formats/note/desc.js';
import {
  FDO,
  FDO_DLOPEN_METADATA,
  FDO_PACKAGING_METADATA,
  GNU,
  LINUX,
  NT_GNU_ABI_TAG,
  NT_GNU_BUILD_ID,
  NT_GNU_GOLD_VERSION,
  NT_GNU_HWCAP,
  NT_GNU_PROPERTY_TYPE_0,
  XEN,
} from '../../formats/note/note-types.js';
import { noteInfo } from '../../formats/note/xen-notes.js';

/** A decoded value. The forms of Xen's notes, and four that belong to other owners. */
export type Meaning =
  | NoteValue
  | { readonly kind: 'build-id'; readonly id: Uint8Array }
  | { readonly kind: 'abi-tag'; readonly os: string; readonly version: string }
  | { readonly kind: 'metadata'; readonly text: string; readonly metadata: unknown }
  | { readonly kind: 'properties'; readonly items: readonly Property[] };

/** A property of NT_GNU_PROPERTY_TYPE_0 (gABI supplements, "Program Property"). */
export interface Property {
  readonly type: number;
  readonly name: string | undefined;
  readonly data: Uint8Array;
}

/** What can be said about a note from owner, type and descriptor alone. */
export interface NoteMeaning {
  /** `PHYS32_ENTRY`, `NT_GNU_BUILD_ID`; undefined for a type without a public name. */
  readonly name: string | undefined;
  readonly meaning: Meaning;
}

type Decode = (desc: Uint8Array, encoding: Encoding) => Meaning | undefined;
type Row = readonly [name: string, decode?: Decode];

/** owner → type → name and decoder. A decoder that gives up leaves the bytes raw. */
const OTHERS: Readonly<Record<string, Readonly<Record<number, Row>>>> = {
  [GNU]: {
    [NT_GNU_ABI_TAG]: ['NT_GNU_ABI_TAG', abiTag],
    [NT_GNU_HWCAP]: ['NT_GNU_HWCAP'],
    [NT_GNU_BUILD_ID]: ['NT_GNU_BUILD_ID', (id) => ({ kind: 'build-id', id })],
    [NT_GNU_GOLD_VERSION]: ['NT_GNU_GOLD_VERSION', text],
    [NT_GNU_PROPERTY_TYPE_0]: ['NT_GNU_PROPERTY_TYPE_0', properties],
  },
  [FDO]: {
    [FDO_PACKAGING_METADATA]: ['package metadata', metadata],
    [FDO_DLOPEN_METADATA]: ['dlopen metadata', metadata],
  },
  [LINUX]: {
    0: ['version', number],
    256: ['build salt', text],
    257: ['LTO info', number],
  },
  FreeBSD: {
    1: ['NT_FREEBSD_ABI_TAG', number],
    2: ['NT_FREEBSD_NOINIT_TAG', number],
    3: ['NT_FREEBSD_ARCH_TAG', text],
    4: ['NT_FREEBSD_FEATURE_CTL', number],
  },
  NetBSD: { 1: ['NT_NETBSD_IDENT', number] },
  PaX: { 3: ['NT_NETBSD_PAX', number] },
  Android: { 1: ['NT_ANDROID_TYPE_IDENT'] },
  OpenBSD: { 1: ['NT_OPENBSD_IDENT', number] },
  Go: { 4: ['build id', text] },
  // GRUB's grub-mkimage for IEEE1275 machines (util/grub-mkimagexx.c); the last two since 2.14.
  PowerPC: { [0x1275]: ['CHRP configuration'] },
  'IBM,RPA-Client-Config': { [0x12759999]: ['client configuration'] },
  '.sbat': { [0x53424154]: ['SBAT', text] },
  'Appended-Signature': { [0x41536967]: ['appended signature'] },
  // Solo5's bindings (include/elf_abi.h); the types are the letters MFT1 and ABI1.
  Solo5: { [0x3154464d]: ['manifest'], [0x31494241]: ['ABI'] },
  stapsdt: { 3: ['NT_STAPSDT'] },
};

/** What the owners of annobin's notes begin with; a kind and a value follow. */
const ANNOBIN = 'GA';
const BUILD_ATTRIBUTES: Readonly<Record<number, Row>> = {
  256: ['NT_GNU_BUILD_ATTRIBUTE_OPEN'],
  257: ['NT_GNU_BUILD_ATTRIBUTE_FUNC'],
};

/** Is it one of annobin's notes, of which a file can have tens of thousands? */
export function isBuildAttribute(owner: string, type: number): boolean {
  return owner.startsWith(ANNOBIN) && Object.hasOwn(BUILD_ATTRIBUTES, type);
}

/** Reads a note. Never fails: what has no known form is raw bytes. */
export function meaningOf(owner: string, type: number, desc: Uint8Array, encoding: Encoding): NoteMeaning {
  if (owner === XEN) return { name: noteInfo(type)?.name, meaning: decodeValue(type, desc, encoding) };
  const attribute = isBuildAttribute(owner, type) ? BUILD_ATTRIBUTES[type] : undefined;
  const known = Object.hasOwn(OTHERS, owner) ? OTHERS[owner]?.[type] : attribute;
  const meaning = known?.[1]?.(desc, encoding);
  return { name: known?.[0], meaning: meaning ?? { kind: 'raw', bytes: desc } };
}

function text(desc: Uint8Array): Meaning {
  const end = desc.indexOf(0);
  return {
    kind: 'string',
    text: utf8(end < 0 ? desc : desc.subarray(0, end)),
    terminated: end >= 0,
  };
}

function number(desc: Uint8Array, { endian }: Encoding): Meaning | undefined {
  if (desc.length !== 4) return undefined;
  return { kind: 'number', value: readNumber(desc, 0, 4, endian), width: 4 };
}

const SYSTEMS = ['Linux', 'Hurd', 'Solaris', 'FreeBSD', 'NetBSD', 'Syllable', 'NaCl'];

/** Four words: operating system, then the earliest kernel version that will do. */
function abiTag(desc: Uint8Array, { endian }: Encoding): Meaning | undefined {
  if (desc.length < 16) return undefined;
  const [os = 0, ...version] = [0, 4, 8, 12].map((at) => Number(readNumber(desc, at, 4, endian)));
  return { kind: 'abi-tag', os: SYSTEMS[os] ?? `system ${os}`, version: version.join('.') };
}

/** A JSON text; one that does not parse is shown as text. */
function metadata(desc: Uint8Array): Meaning {
  const value = text(desc);
  if (value.kind !== 'string') return value;
  try {
    return { kind: 'metadata', text: value.text, metadata: JSON.parse(value.text) };
  } catch {
    // Not JSON: the text itself is all that can be shown.
    return value;
  }
}

const PROPERTIES: Readonly<Record<number, string>> = {
  1: 'GNU_PROPERTY_STACK_SIZE',
  2: 'GNU_PROPERTY_NO_COPY_ON_PROTECTED',
  3: 'GNU_PROPERTY_MEMORY_SEAL',
  2952822784: 'GNU_PROPERTY_1_NEEDED',
  3221225472: 'GNU_PROPERTY_AARCH64_FEATURE_1_AND',
  3221225474: 'GNU_PROPERTY_X86_FEATURE_1_AND',
  3221258241: 'GNU_PROPERTY_X86_FEATURE_2_NEEDED',
  3221258242: 'GNU_PROPERTY_X86_ISA_1_NEEDED',
  3221291009: 'GNU_PROPERTY_X86_FEATURE_2_USED',
  3221291010: 'GNU_PROPERTY_X86_ISA_1_USED',
};

/** Type, size, data, each padded to the class's word (Linux Extensions to gABI, "Program Property"). */
function properties(desc: Uint8Array, { bits, endian }: Encoding): Meaning | undefined {
  const unit = bits / 8;
  const items: Property[] = [];
  for (let at = 0; at < desc.length; ) {
    if (desc.length - at < 8) return undefined;
    const type = Number(readNumber(desc, at, 4, endian));
    const size = Number(readNumber(desc, at + 4, 4, endian));
    if (size > desc.length - at - 8) return undefined;
    items.push({ type, name: PROPERTIES[type], data: desc.subarray(at + 8, at + 8 + size) });
    at += 8 + Math.ceil(size / unit) * unit;
  }
  return { kind: 'properties', items };
}

/** The type as it is printed where it has no name. */
export function typeName(name: string | undefined, type: number): string {
  return name ?? hex(type);
}
