/** Multiboot 1 headers (Multiboot 0.6.96, "The layout of Multiboot header"), read as loaders find them: by place in the file. */
import type { ByteSource } from '../bytes/source.js';
import { struct, type ValueOf } from '../bytes/struct.js';
import { GRUB_MB1, type HeaderWindow } from './windows.js';
import { checksumFor, MULTIBOOT, sumsToZero } from './words.js';

const MB1_MAGIC = 0x1badb002;

/** Flag bit 2: the kernel asks for a video mode, in four more words. */
const MB1_HAS_VIDEO_MODE = 0x4;
/** Flag bit 16: the address fields are valid, and the file is loaded by them whatever its format. */
export const MB1_HAS_ADDRESSES = 0x10000;

const Mb1Head = struct('multiboot1_header', { magic: 'word', flags: 'word', checksum: 'word' });
const Mb1Fields = struct('multiboot1_address_fields', {
  header_addr: 'place',
  load_addr: 'place',
  load_end_addr: 'place',
  bss_end_addr: 'place',
  entry_addr: 'place',
});
export type Mb1Fields = ValueOf<typeof Mb1Fields>;

/** Bytes of magic, flags and checksum: a header without address fields. */
export const MB1_HEAD_SIZE = Mb1Head.size(MULTIBOOT);
/** Bytes of a header with address fields. */
export const MB1_SIZE = MB1_HEAD_SIZE + Mb1Fields.size(MULTIBOOT);
/** Bytes of a header with every field of the format. */
const MB1_FULL_SIZE = 48;
/** Where the checksum stands in a header. */
export const MB1_CHECKSUM_AT = BigInt(Mb1Head.offsetOf('checksum', MULTIBOOT));

/** A header with a valid checksum. */
export interface Mb1Header {
  readonly offset: bigint;
  readonly flags: number;
  /** Bytes that its flags speak of: 12, 32 with address fields, 48 with a video mode. The file may end before. */
  readonly size: bigint;
  /** Undefined when flag bit 16 is clear: loaders then take the file for ELF. Zeros where the file has no bytes for them. */
  readonly fields: Mb1Fields | undefined;
}

/** The header that a loader takes: the first in its window with magic and checksum. */
export function findMb1(source: ByteSource, window: HeaderWindow = GRUB_MB1): Mb1Header | undefined {
  const [first] = mb1Headers(source, window);
  return first;
}

/** Every header in a window, in order. */
export function* mb1Headers(
  source: ByteSource,
  { bytes: size, align, last, head }: HeaderWindow,
): Generator<Mb1Header> {
  const have = source.size < size ? source.size : size;
  const bytes = source.read(0n, have, 'Multiboot window');
  const stop = have - head < last ? have - head : last;
  for (let at = 0; at <= stop; at += Number(align)) {
    const flags = mb1FlagsAt(bytes, at);
    if (flags === undefined) continue;
    const offset = BigInt(at);
    yield { offset, flags, size: sizeBy(flags), fields: fieldsAt(source, offset, flags) };
  }
}

/** The flags of the header at `at` of some bytes; undefined where no valid one begins, or the bytes end within its head. */
export function mb1FlagsAt(bytes: Uint8Array, at: number): number | undefined {
  // One byte tells at most places, without an object made for each.
  if (bytes[at] !== (MB1_MAGIC & 0xff) || bytes.length - at < MB1_HEAD_SIZE) return undefined;
  const { magic, flags, checksum } = Mb1Head.decode(bytes, at, MULTIBOOT);
  return magic === MB1_MAGIC && sumsToZero(magic, flags, checksum) ? flags : undefined;
}

function sizeBy(flags: number): bigint {
  if ((flags & MB1_HAS_VIDEO_MODE) !== 0) return BigInt(MB1_FULL_SIZE);
  return BigInt((flags & MB1_HAS_ADDRESSES) !== 0 ? MB1_SIZE : MB1_HEAD_SIZE);
}

function fieldsAt(source: ByteSource, offset: bigint, flags: number): Mb1Fields | undefined {
  if ((flags & MB1_HAS_ADDRESSES) === 0) return undefined;
  const bytes = new Uint8Array(Mb1Fields.size(MULTIBOOT));
  const at = offset + BigInt(MB1_HEAD_SIZE);
  const have = source.size - at;
  const part = have < BigInt(bytes.length) ? bytes.subarray(0, Number(have)) : bytes;
  source.readInto(at, part, 'Multiboot address fields');
  return Mb1Fields.decode(bytes, 0, MULTIBOOT);
}

/** A complete header with address fields. */
export function encodeMb1(flags: number, fields: Mb1Fields): Uint8Array {
  const bytes = new Uint8Array(MB1_SIZE);
  const checksum = checksumFor(MB1_MAGIC, flags);
  Mb1Head.encodeInto(bytes, 0, { magic: MB1_MAGIC, flags, checksum }, MULTIBOOT);
  Mb1Fields.encodeInto(bytes, MB1_HEAD_SIZE, fields, MULTIBOOT);
  return bytes;
}
