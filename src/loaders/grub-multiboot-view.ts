/**
 * A file as GRUB's Multiboot loaders see it: the header that they find, the tags of a Multiboot2 header from one to the next,
 * and where e_entry is in memory (grub-core/loader/multiboot_mbi2.c, multiboot_elfxx.c).
 */
import type { ByteSource } from '../base/bytes/source.js';
import { PatchError } from '../base/errors/patch-error.js';
import { EI_CLASS, ELFCLASS64 } from '../formats/elf/names.js';
import { findMb1, type Mb1Fields, type Mb1Header } from '../formats/multiboot/mb1.js';
import {
  findMb2,
  MB2_ALIGN,
  MB2_HEAD_SIZE,
  type Mb2Header,
  type Mb2Tag,
  type Mb2Values,
  mb2Values,
} from '../formats/multiboot/mb2.js';
import { type RelocatableTag, TAG_END, TAG_HEAD_SIZE, TagHead } from '../formats/multiboot/tags.js';
import { grubWindow, type HeaderWindow } from '../formats/multiboot/windows.js';
import { MULTIBOOT } from '../formats/multiboot/words.js';
import type { PeImage } from '../formats/pe/image.js';
import { looksLikePe, readPe } from '../formats/pe/read.js';
import { DEFAULT_MEMORY } from './memory.js';
import { type LaxImage, laxIdent, lenientElf } from './read/lenient-elf.js';
import type { Options } from './rule.js';

/** Where 32-bit addresses end. */
export const GIB4 = 0x1_0000_0000n;
/** What GRUB says of a piece of memory whose end is no 32-bit address. */
export const OUT_OF_RANGE = 'address is out of range';

/** A file as GRUB's loader of one version sees it. */
export class MultibootView {
  readonly source: ByteSource;
  readonly version: 1 | 2;
  /** Bytes of memory that the machine has. */
  readonly memory: bigint;
  readonly image: LaxImage;
  /** The sections of a PE image; undefined for everything else. */
  readonly pe: PeImage | undefined;
  readonly header1: Mb1Header | undefined;
  readonly header2: Mb2Header | undefined;
  /** What GRUB holds of the file from a Multiboot2 header on. */
  readonly held: Uint8Array | undefined;
  /** Of a Multiboot2 header, as GRUB meets them. */
  readonly tags: readonly Mb2Tag[];
  readonly values: Mb2Values | undefined;

  constructor(source: ByteSource, version: 1 | 2, { memory = DEFAULT_MEMORY }: Pick<Options, 'memory'> = {}) {
    this.source = source;
    this.version = version;
    this.memory = memory;
    const encoding = { bits: laxIdent(source)[EI_CLASS] === ELFCLASS64 ? 64 : 32, endian: 'little' } as const;
    this.image = lenientElf(source, encoding, { stride: 'declared', sections: true });
    this.pe = peOf(source);
    this.header1 = version === 1 ? findMb1(source) : undefined;
    this.header2 = version === 2 ? findMb2(source) : undefined;
    const bytes = this.header2 === undefined ? undefined : heldFrom(source, this.header2.offset, grubWindow(2));
    this.held = bytes;
    this.tags = bytes === undefined ? [] : [...grubTags(bytes)];
    this.values = bytes === undefined ? undefined : mb2Values({ bytes, tags: this.tags });
  }

  get offset(): bigint | undefined {
    return this.header1?.offset ?? this.header2?.offset;
  }

  /** Where GRUB looks; what it reads for that is all that it holds of the file. */
  get window(): HeaderWindow {
    return grubWindow(this.version);
  }

  /** Where the file goes as one piece, if the header says so. */
  get fields(): Mb1Fields | undefined {
    if (this.header1 !== undefined) return this.header1.fields;
    if (this.values?.address === undefined) return undefined;
    return { ...this.values.address, entry_addr: this.values.entry ?? 0n };
  }

  get isElf(): boolean {
    return this.fields === undefined;
  }

  /** Where the image may be moved to as one piece, if its header allows that. */
  get relocatable(): RelocatableTag | undefined {
    return this.values?.relocatable;
  }

  /** Does a 64-bit UEFI enter elsewhere, because the kernel keeps its boot services? */
  get entersOnUefi(): boolean {
    return this.values?.keepsBootServices === true && this.values.entryEfi64 !== undefined;
  }

  /**
   * Where a file that is loaded as ELF is entered, before it is moved: an entry tag goes before e_entry. Undefined where e_entry
   * is in no program header, which is not taken with an entry tag either.
   */
  get elfEntry(): bigint | undefined {
    const home = this.entryHome;
    return home === undefined ? undefined : (this.values?.entry ?? home.entry);
  }

  /** The first program header of any type that covers e_entry says where it is in memory. */
  get entryHome(): { readonly index: number; readonly entry: bigint } | undefined {
    const { header, segments } = this.image;
    const index = segments.findIndex(
      (s) => s.p_vaddr <= header.e_entry && BigInt.asUintN(64, s.p_vaddr + s.p_memsz) > header.e_entry,
    );
    const home = segments[index];
    return home === undefined ? undefined : { index, entry: header.e_entry - home.p_vaddr + home.p_paddr };
  }
}

/** What GRUB holds of the file from there on: it walks the tags to the end tag, whatever header_length says. */
function heldFrom(source: ByteSource, offset: bigint, { bytes }: HeaderWindow): Uint8Array {
  const end = source.size < bytes ? source.size : bytes;
  return source.read(offset, end - offset, 'Multiboot2 header');
}

function peOf(source: ByteSource): PeImage | undefined {
  try {
    return looksLikePe(source) ? readPe(source) : undefined;
  } catch (error) {
    if (error instanceof PatchError) return undefined;
    throw error;
  }
}

/** From tag to tag as GRUB goes: to the end tag, to one of size 0, or out of what it holds. */
function* grubTags(bytes: Uint8Array): Generator<Mb2Tag> {
  for (let at = MB2_HEAD_SIZE; at + TAG_HEAD_SIZE <= bytes.length; ) {
    const tag = { ...TagHead.decode(bytes, at, MULTIBOOT), at };
    yield tag;
    if (tag.type === TAG_END || tag.size === 0) return;
    at += padded(tag.size);
  }
}

/** A size of a tag, rounded up to where the next one begins. */
export function padded(size: number): number {
  return Math.ceil(size / MB2_ALIGN) * MB2_ALIGN;
}
