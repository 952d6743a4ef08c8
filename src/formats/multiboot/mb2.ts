/**
 * Multiboot2 headers (Multiboot2 2.0, "The layout of Multiboot2 header"), found as loaders find them: by place in the file,
 * whatever its format.
 */
import type { ByteSource } from '../../base/bytes/source.js';
import { struct } from '../../base/bytes/struct.js';
import { hex } from '../../base/errors/hex.js';
import {
  AddressTag,
  EntryTag,
  leastTagSize,
  RelocatableTag,
  TAG_ADDRESS,
  TAG_EFI_BOOT_SERVICES,
  TAG_END,
  TAG_ENTRY,
  TAG_ENTRY_EFI64,
  TAG_HEAD_SIZE,
  TAG_RELOCATABLE,
  TagHead,
} from './tags.js';
import { GRUB_MB2, type HeaderWindow } from './windows.js';
import { checksumFor, MULTIBOOT, placesOf, sumsToZero } from './words.js';

/** The first word of a Multiboot2 header. */
export const MB2_MAGIC = 0xe85250d6;
/** Headers and tags start at multiples of this. */
export const MB2_ALIGN = 8;
/** The architecture of x86, in 32-bit protected mode. */
export const MB2_ARCHITECTURE_I386 = 0;

const Mb2Head = struct('multiboot_header', {
  magic: 'word',
  architecture: 'word',
  header_length: 'word',
  checksum: 'word',
});

/** Bytes of magic, architecture, header_length and checksum. */
export const MB2_HEAD_SIZE = Mb2Head.size(MULTIBOOT);
/** Where header_length stands in a header; the checksum follows it. */
export const MB2_LENGTH_AT = BigInt(Mb2Head.offsetOf('header_length', MULTIBOOT));

/** A tag of a header, by its head. */
export interface Mb2Tag {
  readonly type: number;
  readonly flags: number;
  readonly size: number;
  /** Counted from the start of the header. */
  readonly at: number;
}

/** A header as found, sound or not. */
export interface Mb2Header {
  /** Where it stands in the file. */
  readonly offset: bigint;
  readonly architecture: number;
  readonly header_length: number;
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

/** The header that a loader takes: the first in its window with magic, checksum and the architecture of x86. */
export function findMb2(source: ByteSource, window: HeaderWindow = GRUB_MB2): Mb2Header | undefined {
  for (const header of mb2Headers(source, window)) {
    if (header.architecture === MB2_ARCHITECTURE_I386) return header;
  }
  return undefined;
}

/** Every header in a window, of any architecture, in order. */
export function* mb2Headers(
  source: ByteSource,
  { bytes: size, align, last, head }: HeaderWindow,
): Generator<Mb2Header> {
  const have = source.size < size ? source.size : size;
  const bytes = source.read(0n, have, 'Multiboot2 window');
  const stop = have - head < last ? have - head : last;
  for (const at of placesOf(MB2_MAGIC, bytes, align, stop)) {
    const header = mb2HeaderAt(bytes, at, BigInt(at));
    if (header !== undefined) yield header;
  }
}

/**
 * The header at `at` of some bytes, of any architecture; undefined where no valid one begins, or the bytes end within its
 * head. `offset` is its place in the file.
 */
export function mb2HeaderAt(bytes: Uint8Array, at: number, offset: bigint): Mb2Header | undefined {
  // Whole images are searched: one byte tells at most places, without an object made for each.
  if (bytes[at] !== (MB2_MAGIC & 0xff) || bytes.length - at < MB2_HEAD_SIZE) return undefined;
  const { magic, architecture, header_length, checksum } = Mb2Head.decode(bytes, at, MULTIBOOT);
  if (magic !== MB2_MAGIC || !sumsToZero(magic, architecture, header_length, checksum)) return undefined;
  const own = bytes.slice(at, Math.min(bytes.length, at + header_length));
  return { offset, architecture, header_length, bytes: own, ...soundTags(own, header_length) };
}

/**
 * Tags as a loader meets them, which looks at nothing but the size of each: up to the end tag, which is among them, to the
 * first whose size leads nowhere, which is too, or to the end of the bytes. Bodies may leave the bytes.
 */
export function* walkTags(bytes: Uint8Array): Generator<Mb2Tag> {
  for (let at = MB2_HEAD_SIZE; at + TAG_HEAD_SIZE <= bytes.length; ) {
    const tag = { ...TagHead.decode(bytes, at, MULTIBOOT), at };
    yield tag;
    if (tag.type === TAG_END || tag.size < TAG_HEAD_SIZE) return;
    at += Math.ceil(tag.size / MB2_ALIGN) * MB2_ALIGN;
  }
}

/** The tags as far as the format allows them. */
function soundTags(bytes: Uint8Array, header_length: number): Pick<Mb2Header, 'tags' | 'problem'> {
  if (bytes.length < header_length) {
    const problem = `header_length is ${hex(header_length)}, ${hex(bytes.length)} bytes are left where loaders look`;
    return { tags: [], problem };
  }
  const tags: Mb2Tag[] = [];
  for (const tag of walkTags(bytes)) {
    const least = leastTagSize(tag.type);
    const room = bytes.length - tag.at;
    if (tag.size < least || tag.size > room) {
      const problem = `the size of tag ${tag.type} is ${hex(tag.size)}, wanted ${hex(least)} to ${hex(room)}`;
      return { tags, problem };
    }
    tags.push(tag);
    if (tag.type === TAG_END) return { tags, problem: undefined };
  }
  return { tags, problem: 'there is no end tag' };
}

/** What the tags say. A body that the bytes do not hold to its end is read as zeros from there. */
export function mb2Values({ bytes, tags }: Pick<Mb2Header, 'bytes' | 'tags'>): Mb2Values {
  const body = (type: number) => tags.findLast((tag) => tag.type === type);
  const read = (type: number, size: number) => {
    const tag = body(type);
    if (tag === undefined) return undefined;
    const copy = new Uint8Array(size);
    copy.set(bytes.subarray(tag.at + TAG_HEAD_SIZE, tag.at + TAG_HEAD_SIZE + size));
    return copy;
  };
  const address = read(TAG_ADDRESS, AddressTag.size(MULTIBOOT));
  const relocatable = read(TAG_RELOCATABLE, RelocatableTag.size(MULTIBOOT));
  const entryOf = (type: number) => {
    const copy = read(type, EntryTag.size(MULTIBOOT));
    return copy === undefined ? undefined : EntryTag.decode(copy, 0, MULTIBOOT).entry_addr;
  };
  return {
    address: address === undefined ? undefined : AddressTag.decode(address, 0, MULTIBOOT),
    entry: entryOf(TAG_ENTRY),
    entryEfi64: entryOf(TAG_ENTRY_EFI64),
    relocatable: relocatable === undefined ? undefined : RelocatableTag.decode(relocatable, 0, MULTIBOOT),
    keepsBootServices: body(TAG_EFI_BOOT_SERVICES) !== undefined,
  };
}

/** Writes magic, length and checksum of a complete header. */
export function sealMb2(bytes: Uint8Array): void {
  const head = { magic: MB2_MAGIC, architecture: MB2_ARCHITECTURE_I386, header_length: bytes.length };
  const checksum = checksumFor(head.magic, head.architecture, head.header_length);
  Mb2Head.encodeInto(bytes, 0, { ...head, checksum }, MULTIBOOT);
}
