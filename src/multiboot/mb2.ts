/**
 * Multiboot2 headers (Multiboot2 specification, "The layout of Multiboot2 header"), found as GRUB finds them: by position in
 * the file, whatever its format. All fields are little-endian.
 */
import type { ByteSource } from '../bytes/source.js';
import { type Encoding, struct, type ValueOf } from '../bytes/struct.js';
import { hex } from '../errors/hex.js';

export const MULTIBOOT: Encoding = { bits: 32, endian: 'little' };

export const MB2_MAGIC = 0xe85250d6;
/** Loaders look no further. */
export const MB2_WINDOW = 0x8000;
/** Headers and tags start at multiples of this. */
export const MB2_ALIGN = 8;

export const Mb2Head = struct('multiboot_header', {
  magic: 'word',
  architecture: 'word',
  header_length: 'word',
  checksum: 'word',
});

export const TAG_END = 0;
export const TAG_ADDRESS = 2;
export const TAG_ENTRY = 3;
export const TAG_EFI_BOOT_SERVICES = 7;
export const TAG_ENTRY_EFI64 = 9;
export const TAG_RELOCATABLE = 10;

/** Head of every tag. */
export const TagHead = struct('multiboot_header_tag', { type: 'half', flags: 'half', size: 'word' });

/** Tag 2 behind its head. */
export const AddressTag = struct('multiboot_header_tag_address', {
  header_addr: 'place',
  load_addr: 'place',
  load_end_addr: 'place',
  bss_end_addr: 'place',
});
export type AddressTag = ValueOf<typeof AddressTag>;

/** Tags 3 and 9 behind their head. */
export const EntryTag = struct('multiboot_header_tag_entry_address', { entry_addr: 'place' });

/** Tag 10 behind its head. */
export const RelocatableTag = struct('multiboot_header_tag_relocatable', {
  min_addr: 'place',
  max_addr: 'place',
  align: 'place',
  preference: 'word',
});
export type RelocatableTag = ValueOf<typeof RelocatableTag>;

const BODIES: Readonly<Record<number, number>> = {
  [TAG_ADDRESS]: AddressTag.size(MULTIBOOT),
  [TAG_ENTRY]: EntryTag.size(MULTIBOOT),
  [TAG_ENTRY_EFI64]: EntryTag.size(MULTIBOOT),
  [TAG_RELOCATABLE]: RelocatableTag.size(MULTIBOOT),
};

export interface Mb2Tag {
  readonly type: number;
  readonly flags: number;
  readonly size: number;
  /** Counted from the start of the header. */
  readonly at: number;
}

export interface Mb2Header {
  /** Where it stands in the file. */
  readonly offset: bigint;
  /** The whole header, or as much of it as the window holds. */
  readonly bytes: Uint8Array;
  /** Up to the end tag, which is among them, or up to the first that makes no sense. */
  readonly tags: readonly Mb2Tag[];
  /** Why the tags could not be read to the end. */
  readonly problem: string | undefined;
}

/** The values of the tags that decide how an image is loaded; of a tag that occurs twice the later one, as in GRUB. */
export interface Mb2Values {
  readonly address: AddressTag | undefined;
  readonly entry: bigint | undefined;
  readonly entryEfi64: bigint | undefined;
  readonly relocatable: RelocatableTag | undefined;
  readonly keepsBootServices: boolean;
}

/** The first header that is valid as loaders see it: magic, architecture 0 (i386), checksum. */
export function findMb2(source: ByteSource): Mb2Header | undefined {
  const size = source.size < BigInt(MB2_WINDOW) ? source.size : BigInt(MB2_WINDOW);
  const window = source.read(0n, size, 'Multiboot2 window');
  for (let at = 0; at + Mb2Head.size(MULTIBOOT) <= window.length; at += MB2_ALIGN) {
    if (isMb2At(window, at)) return readMb2(window, at, BigInt(at));
  }
  return undefined;
}

/** Does a header with a valid checksum begin at `at`? The caller has made sure of 16 bytes. */
export function isMb2At(bytes: Uint8Array, at: number): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, 4);
  if (view.getUint32(0, true) !== MB2_MAGIC) return false;
  const { magic, architecture, header_length, checksum } = Mb2Head.decode(bytes, at, MULTIBOOT);
  return architecture === 0 && (magic + architecture + header_length + checksum) % 2 ** 32 === 0;
}

/** Reads the header at `at` of some bytes; `offset` is its place in the file. */
export function readMb2(window: Uint8Array, at: number, offset: bigint): Mb2Header {
  const { header_length } = Mb2Head.decode(window, at, MULTIBOOT);
  const bytes = window.slice(at, Math.min(window.length, at + header_length));
  const header = (tags: readonly Mb2Tag[], problem?: string) => ({ offset, bytes, tags, problem });
  if (bytes.length < header_length) {
    return header([], `header_length is ${hex(header_length)}, ${hex(bytes.length)} bytes are left where loaders look`);
  }
  const tags: Mb2Tag[] = [];
  const headSize = TagHead.size(MULTIBOOT);
  for (let tagAt = Mb2Head.size(MULTIBOOT); ; ) {
    if (tagAt + headSize > bytes.length) return header(tags, 'there is no end tag');
    const tag = { ...TagHead.decode(bytes, tagAt, MULTIBOOT), at: tagAt };
    const least = headSize + (BODIES[tag.type] ?? 0);
    if (tag.size < least || tagAt + tag.size > bytes.length) {
      const room = bytes.length - tagAt;
      return header(tags, `the size of tag ${tag.type} is ${hex(tag.size)}, wanted ${hex(least)} to ${hex(room)}`);
    }
    tags.push(tag);
    if (tag.type === TAG_END) return header(tags);
    tagAt += Math.ceil(tag.size / MB2_ALIGN) * MB2_ALIGN;
  }
}

/** What the tags say. */
export function mb2Values({ bytes, tags }: Mb2Header): Mb2Values {
  const body = (type: number) => {
    const tag = tags.findLast((candidate) => candidate.type === type);
    return tag === undefined ? undefined : tag.at + TagHead.size(MULTIBOOT);
  };
  const address = body(TAG_ADDRESS);
  const relocatable = body(TAG_RELOCATABLE);
  const entryOf = (at: number | undefined) =>
    at === undefined ? undefined : EntryTag.decode(bytes, at, MULTIBOOT).entry_addr;
  return {
    address: address === undefined ? undefined : AddressTag.decode(bytes, address, MULTIBOOT),
    entry: entryOf(body(TAG_ENTRY)),
    entryEfi64: entryOf(body(TAG_ENTRY_EFI64)),
    relocatable: relocatable === undefined ? undefined : RelocatableTag.decode(bytes, relocatable, MULTIBOOT),
    keepsBootServices: body(TAG_EFI_BOOT_SERVICES) !== undefined,
  };
}

const TAG_NAMES: Readonly<Record<number, string>> = {
  [TAG_END]: 'end',
  1: 'information request',
  [TAG_ADDRESS]: 'address',
  [TAG_ENTRY]: 'entry address',
  4: 'console flags',
  5: 'framebuffer',
  6: 'module alignment',
  [TAG_EFI_BOOT_SERVICES]: 'EFI boot services',
  8: 'EFI i386 entry',
  [TAG_ENTRY_EFI64]: 'EFI amd64 entry',
  [TAG_RELOCATABLE]: 'relocatable',
};

/** `address`, or `tag 77`. */
export function tagName(type: number): string {
  return TAG_NAMES[type] ?? `tag ${type}`;
}

/** Writes length and checksum of a complete header. */
export function sealMb2(bytes: Uint8Array): void {
  const sum = MB2_MAGIC + bytes.length;
  const head = {
    magic: MB2_MAGIC,
    architecture: 0,
    header_length: bytes.length,
    checksum: (2 ** 32 - (sum % 2 ** 32)) % 2 ** 32,
  };
  Mb2Head.encodeInto(bytes, 0, head, MULTIBOOT);
}
