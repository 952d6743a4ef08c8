/** Multiboot 1 headers (Multiboot 0.6.96, "The layout of Multiboot header"), read as loaders find them: by place in the file. */
import type { ByteSource } from '../../base/bytes/source.js';
import { struct, type ValueOf } from '../../base/bytes/struct.js';
import { GRUB_MB1, type HeaderWindow } from './windows.js';
import { checksumFor, MULTIBOOT, placesOf, sumsToZero } from './words.js';

/** The first word of a Multiboot 1 header. */
export const MB1_MAGIC = 0x1badb002;

/** Flag bit 2: the kernel asks for a video mode, in four more words. */
const MB1_HAS_VIDEO_MODE = 0x4;
/** Flag bit 16: the address fields are valid, and the file is loaded by them whatever its format. */
export const MB1_HAS_ADDRESSES = 0x10000;

const Mb1Head = struct('multiboot1_header', { magic: 'word', flags: 'word', checksum: 'word' });
/** The address fields behind the head; valid where MB1_HAS_ADDRESSES is set. */
const Mb1Fields = struct('multiboot1_address_fields', {
  header_addr: 'place',
  load_addr: 'place',
  load_end_addr: 'place',
  bss_end_addr: 'place',
  entry_addr: 'place',
});
export type Mb1Fields = ValueOf<typeof Mb1Fields>;
/** The video mode that a kernel asks for, behind the address fields, whether those are valid or not. */
const Mb1Mode = struct('multiboot1_graphics_fields', {
  mode_type: 'word',
  width: 'word',
  height: 'word',
  depth: 'word',
});
export type Mb1Mode = ValueOf<typeof Mb1Mode>;

/** Bytes of magic, flags and checksum: a header without address fields. */
export const MB1_HEAD_SIZE = Mb1Head.size(MULTIBOOT);
/** Bytes of a header with address fields. */
export const MB1_SIZE = MB1_HEAD_SIZE + Mb1Fields.size(MULTIBOOT);
/** Bytes of a header with every field of the format. */
const MB1_FULL_SIZE = MB1_SIZE + Mb1Mode.size(MULTIBOOT);
/** Where the checksum stands in a header. */
export const MB1_CHECKSUM_AT = BigInt(Mb1Head.offsetOf('checksum', MULTIBOOT));

/** A header with a valid checksum. */
export interface Mb1Header {
  readonly offset: bigint;
  readonly flags: number;
  /** Bytes that its flags declare: 12, 32 with address fields, 48 with a video mode. The file may end before. */
  readonly size: bigint;
  /** Undefined when flag bit 16 is clear: loaders then take the file for ELF. Zeros where the file has no bytes for them. */
  readonly fields: Mb1Fields | undefined;
  /** Undefined when flag bit 2 is clear. */
  readonly mode: Mb1Mode | undefined;
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
  for (const at of placesOf(MB1_MAGIC, bytes, align, stop)) {
    const flags = mb1FlagsAt(bytes, at);
    if (flags === undefined) continue;
    const offset = BigInt(at);
    yield { offset, flags, size: BigInt(mb1Size(flags)), ...fieldsAt(source, offset, flags) };
  }
}

/** The flags of the header at `at` of some bytes; undefined where no valid one begins, or the bytes end within its head. */
export function mb1FlagsAt(bytes: Uint8Array, at: number): number | undefined {
  // One byte tells at most places, without an object made for each.
  if (bytes[at] !== (MB1_MAGIC & 0xff) || bytes.length - at < MB1_HEAD_SIZE) return undefined;
  const { magic, flags, checksum } = Mb1Head.decode(bytes, at, MULTIBOOT);
  return magic === MB1_MAGIC && sumsToZero(magic, flags, checksum) ? flags : undefined;
}

/** Bytes of a header with these flags. */
export function mb1Size(flags: number): number {
  if ((flags & MB1_HAS_VIDEO_MODE) !== 0) return MB1_FULL_SIZE;
  return (flags & MB1_HAS_ADDRESSES) !== 0 ? MB1_SIZE : MB1_HEAD_SIZE;
}

function fieldsAt(source: ByteSource, offset: bigint, flags: number): Pick<Mb1Header, 'fields' | 'mode'> {
  const bytes = new Uint8Array(MB1_FULL_SIZE);
  const have = source.size - offset < BigInt(mb1Size(flags)) ? Number(source.size - offset) : mb1Size(flags);
  source.readInto(offset, bytes.subarray(0, have), 'Multiboot header');
  const has = (bit: number) => (flags & bit) !== 0;
  return {
    fields: has(MB1_HAS_ADDRESSES) ? Mb1Fields.decode(bytes, MB1_HEAD_SIZE, MULTIBOOT) : undefined,
    mode: has(MB1_HAS_VIDEO_MODE) ? Mb1Mode.decode(bytes, MB1_SIZE, MULTIBOOT) : undefined,
  };
}

const NO_MODE: Mb1Mode = { mode_type: 0, width: 0, height: 0, depth: 0 };

/** A complete header with address fields, and with the video mode where the flags declare one. */
export function encodeMb1(flags: number, fields: Mb1Fields, mode: Mb1Mode = NO_MODE): Uint8Array {
  const bytes = new Uint8Array(Math.max(mb1Size(flags), MB1_SIZE));
  const checksum = checksumFor(MB1_MAGIC, flags);
  Mb1Head.encodeInto(bytes, 0, { magic: MB1_MAGIC, flags, checksum }, MULTIBOOT);
  Mb1Fields.encodeInto(bytes, MB1_HEAD_SIZE, fields, MULTIBOOT);
  if (bytes.length > MB1_SIZE) Mb1Mode.encodeInto(bytes, MB1_SIZE, mode, MULTIBOOT);
  return bytes;
}
