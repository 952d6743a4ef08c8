/** Multiboot 1 headers with address fields (Multiboot 0.6.96, "The layout of Multiboot header"). */
import type { ByteSource } from '../bytes/source.js';
import { struct, type ValueOf } from '../bytes/struct.js';
import { MULTIBOOT } from './mb2.js';

export const MB1_MAGIC = 0x1badb002;
export const MB1_WINDOW = 0x2000;
export const MB1_ALIGN = 4;
/** QEMU wants room for all twelve words in the window (hw/i386/multiboot.c, load_multiboot). */
export const MB1_LAST_FOR_QEMU = MB1_WINDOW - 48;

/** Flag bit 16: the address fields are valid, and the file is loaded by them whatever its format. */
export const MB1_HAS_ADDRESSES = 0x10000;

export const Mb1Head = struct('multiboot1_header', { magic: 'word', flags: 'word', checksum: 'word' });
export const Mb1Fields = struct('multiboot1_address_fields', {
  header_addr: 'place',
  load_addr: 'place',
  load_end_addr: 'place',
  bss_end_addr: 'place',
  entry_addr: 'place',
});
export type Mb1Fields = ValueOf<typeof Mb1Fields>;

/** Bytes of a header with address fields. */
export const MB1_SIZE = Mb1Head.size(MULTIBOOT) + Mb1Fields.size(MULTIBOOT);

export interface Mb1Header {
  readonly offset: bigint;
  readonly flags: number;
  /** Undefined when flag bit 16 is clear: loaders then take the file for ELF. */
  readonly fields: Mb1Fields | undefined;
}

/** The first valid header: magic, checksum. */
export function findMb1(source: ByteSource): Mb1Header | undefined {
  const size = source.size < BigInt(MB1_WINDOW) ? source.size : BigInt(MB1_WINDOW);
  const window = source.read(0n, size, 'Multiboot window');
  const view = new DataView(window.buffer, window.byteOffset, window.length);
  const headSize = Mb1Head.size(MULTIBOOT);
  for (let at = 0; at + headSize <= window.length; at += MB1_ALIGN) {
    if (view.getUint32(at, true) !== MB1_MAGIC) continue;
    const { magic, flags, checksum } = Mb1Head.decode(window, at, MULTIBOOT);
    if ((magic + flags + checksum) % 2 ** 32 !== 0) continue;
    const whole = (flags & MB1_HAS_ADDRESSES) !== 0 && at + MB1_SIZE <= window.length;
    return {
      offset: BigInt(at),
      flags,
      fields: whole ? Mb1Fields.decode(window, at + headSize, MULTIBOOT) : undefined,
    };
  }
  return undefined;
}

/** A complete header with address fields. */
export function encodeMb1(flags: number, fields: Mb1Fields): Uint8Array {
  const bytes = new Uint8Array(MB1_SIZE);
  const checksum = (2 ** 33 - MB1_MAGIC - flags) % 2 ** 32;
  Mb1Head.encodeInto(bytes, 0, { magic: MB1_MAGIC, flags, checksum }, MULTIBOOT);
  Mb1Fields.encodeInto(bytes, Mb1Head.size(MULTIBOOT), fields, MULTIBOOT);
  return bytes;
}
