/** Multiboot headers with their fields, as loaders look for them (Multiboot 0.6.96; Multiboot2 2.0). */
import type { ByteSource } from '../bytes/source.js';
import { bytesAt } from './lax-elf.js';

/** Multiboot 1: where the file is to go when flag bit 16 is set, and the ELF headers do not count. */
export interface AddressFields {
  readonly headerAddr: number;
  readonly loadAddr: number;
  readonly loadEndAddr: number;
  readonly bssEndAddr: number;
  readonly entryAddr: number;
}

export interface Multiboot1 {
  readonly offset: number;
  readonly flags: number;
  readonly fields: AddressFields | undefined;
}

const MAGIC1 = 0x1badb002;
const MAGIC2 = 0xe85250d6;

/** Flag bit 16: the header says where the file goes. */
export const HAS_FIELDS = 1 << 16;

class Words {
  readonly length: number;
  readonly #view: DataView;

  constructor(source: ByteSource, window: number) {
    this.length = source.size < BigInt(window) ? Number(source.size) : window;
    // Fields of a header at the very end are read past it, as zeros.
    const bytes = bytesAt(source, 0n, window + 64);
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  at(offset: number): number {
    return this.#view.getUint32(offset, true);
  }

  half(offset: number): number {
    return this.#view.getUint16(offset, true);
  }
}

/** The first header that begins before `before` and whose first three words are in the first 8 KiB of the file. */
export function multiboot1(source: ByteSource, before = 8192): Multiboot1 | undefined {
  const words = new Words(source, 8192);
  for (let at = 0; at < before && at + 12 <= words.length; at += 4) {
    if (words.at(at) !== MAGIC1) continue;
    const flags = words.at(at + 4);
    if ((MAGIC1 + flags + words.at(at + 8)) >>> 0 !== 0) continue;
    const fields =
      (flags & HAS_FIELDS) === 0
        ? undefined
        : {
            headerAddr: words.at(at + 12),
            loadAddr: words.at(at + 16),
            loadEndAddr: words.at(at + 20),
            bssEndAddr: words.at(at + 24),
            entryAddr: words.at(at + 28),
          };
    return { offset: at, flags, fields };
  }
  return undefined;
}

/** A tag of a Multiboot2 header. */
export interface Multiboot2Tag {
  readonly type: number;
  readonly optional: boolean;
  readonly offset: number;
  readonly size: number;
  /** The words behind its head, as many as it has, at most eight. */
  readonly words: readonly number[];
}

export interface Multiboot2 {
  readonly offset: number;
  readonly architecture: number;
  readonly length: number;
  readonly tags: readonly Multiboot2Tag[];
  /** A tag of no size ends the list for some loaders and hangs others. */
  readonly damaged: boolean;
}

/** The first Multiboot2 header: 8-aligned, its first four words in the first 32 KiB. */
export function multiboot2(source: ByteSource): Multiboot2 | undefined {
  const words = new Words(source, 32768);
  for (let at = 0; at + 16 <= words.length; at += 8) {
    if (words.at(at) !== MAGIC2) continue;
    const architecture = words.at(at + 4);
    const length = words.at(at + 8);
    if ((MAGIC2 + architecture + length + words.at(at + 12)) >>> 0 !== 0) continue;
    return { offset: at, architecture, length, ...tagsOf(words, at, length) };
  }
  return undefined;
}

function tagsOf(words: Words, header: number, length: number): Pick<Multiboot2, 'tags' | 'damaged'> {
  const tags: Multiboot2Tag[] = [];
  const end = Math.min(header + length, words.length);
  for (let at = header + 16; at + 8 <= end; ) {
    const type = words.half(at);
    const size = words.at(at + 4);
    if (type === 0) return { tags, damaged: false };
    if (size < 8) return { tags, damaged: true };
    const count = Math.min(8, Math.floor((size - 8) / 4), Math.floor((words.length - at - 8) / 4));
    const body = Array.from({ length: count }, (_, i) => words.at(at + 8 + 4 * i));
    tags.push({ type, optional: (words.half(at + 2) & 1) === 1, offset: at, size, words: body });
    at += Math.ceil(size / 8) * 8;
  }
  return { tags, damaged: false };
}
