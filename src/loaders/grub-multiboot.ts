/**
 * GRUB's multiboot loaders (grub-core/loader/multiboot_elfxx.c, i386/multiboot_mbi.c, multiboot_mbi2.c), which read no
 * notes: what an edit of the file can break for them.
 */
import { compare } from '../base/bytes/range.js';
import { type ByteSource, fits } from '../base/bytes/source.js';
import { hex } from '../base/errors/hex.js';
import { PatchError } from '../base/errors/patch-error.js';
import { type Phdr, Shdr } from '../formats/elf/headers.js';
import {
  EI_CLASS,
  EI_DATA,
  ELFCLASS32,
  ELFCLASS64,
  ELFDATA2LSB,
  EM_386,
  EM_X86_64,
  ET_DYN,
  ET_EXEC,
  EV_CURRENT,
  PN_XNUM,
  PT_LOAD,
  SHN_LORESERVE,
  SHN_XINDEX,
  SHT_REL,
  SHT_RELA,
} from '../formats/elf/names.js';
import { findMb1, MB1_SIZE, type Mb1Fields, type Mb1Header } from '../formats/multiboot/mb1.js';
import {
  findMb2,
  MB2_ALIGN,
  MB2_HEAD_SIZE,
  type Mb2Header,
  type Mb2Tag,
  type Mb2Values,
  mb2Values,
} from '../formats/multiboot/mb2.js';
import { multibootNearMiss } from '../formats/multiboot/near-miss.js';
import {
  isKnownTag,
  TAG_ADDRESS,
  TAG_EFI_BOOT_SERVICES,
  TAG_END,
  TAG_ENTRY,
  TAG_ENTRY_EFI32,
  TAG_ENTRY_EFI64,
  TAG_HEAD_SIZE,
  TAG_INFORMATION_REQUEST,
  TAG_OPTIONAL,
  TagHead,
} from '../formats/multiboot/tags.js';
import { grubWindow, type HeaderWindow } from '../formats/multiboot/windows.js';
import { MULTIBOOT } from '../formats/multiboot/words.js';
import { repairFix } from '../formats/note/fix.js';
import { copiedSize, hasRawData, type PeImage } from '../formats/pe/image.js';
import { looksLikePe, readPe } from '../formats/pe/read.js';
import { decodeAt, hasElfMagic, type LaxImage, laxIdent, lenientElf } from './read/lenient-elf.js';
import { crash, type Loader, loader, type Rule, refuse, warn } from './rule.js';
import { firstOverlap, type Placed } from './segment-overlap.js';

const ELF = 'grub-core/loader/multiboot_elfxx.c, grub_multiboot_load_elf';
const GIB4 = 0x1_0000_0000n;
/** A load_addr of -1: from the start of the file, says the specification. */
const MINUS_ONE = 0xffff_ffffn;
/** Of a piece of memory whose end is no 32-bit address. */
const OUT_OF_RANGE = 'address is out of range';
const NO_HEADER = 'no multiboot header found';

/** Flags below bit 16 that a boot loader must know; GRUB knows bits 0 to 2. */
const UNKNOWN_FLAGS = 0xfff8;

class MultibootView {
  readonly source: ByteSource;
  readonly version: 1 | 2;
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

  constructor(source: ByteSource, version: 1 | 2) {
    this.source = source;
    this.version = version;
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

type R = Rule<MultibootView>;

/** Bytes of a Multiboot2 header that GRUB goes through: up to the end tag, or to where it left what it holds. */
function endOfTags(header: Mb2Header | undefined, tags: readonly Mb2Tag[]): bigint {
  const last = tags.at(-1);
  const least = BigInt(header?.header_length ?? 0);
  if (last === undefined) return least;
  // It goes no further than to the tag that it refuses, or that it never gets past.
  const refused = tags.find(isRefused);
  if (refused !== undefined) return BigInt(refused.at + TAG_HEAD_SIZE);
  if (last.type === TAG_END || last.size === 0) return BigInt(last.at + TAG_HEAD_SIZE);
  return BigInt(last.at + padded(last.size) + TAG_HEAD_SIZE);
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

function padded(size: number): number {
  return Math.ceil(size / MB2_ALIGN) * MB2_ALIGN;
}

/** Does GRUB give up at it? The entry tag for 32-bit EFI is in the format, and GRUB does not know it. */
function isRefused({ type, flags }: Mb2Tag): boolean {
  if (type === TAG_END || (flags & TAG_OPTIONAL) !== 0) return false;
  return !isKnownTag(type) || type === TAG_ENTRY_EFI32;
}

/** What a kernel can ask GRUB for is numbered up to here (MULTIBOOT_TAG_TYPE_LOAD_BASE_ADDR). */
const LAST_INFORMATION = 21;

/** The first information that a required request names and GRUB does not have. */
function unknownRequest({ type, flags, size, at }: Mb2Tag, held: Uint8Array | undefined): number | undefined {
  if (type !== TAG_INFORMATION_REQUEST || (flags & TAG_OPTIONAL) !== 0 || held === undefined) return undefined;
  const view = new DataView(held.buffer, held.byteOffset, held.length);
  const end = Math.min(at + size, held.length);
  for (let place = at + TAG_HEAD_SIZE; place + 4 <= end; place += 4) {
    const wanted = view.getUint32(place, true);
    if (wanted > LAST_INFORMATION) return wanted;
  }
  return undefined;
}

const HEADER: R = {
  name: 'header',
  source: 'grub-core/loader/multiboot_mbi.c, find_header; multiboot_mbi2.c, find_header',
  because: 'the header is found by its place: 4-aligned in the first 8 KiB, or 8-aligned in the first 32 KiB',
  run({ offset, window, header1, header2, tags, source, version }) {
    if (offset === undefined) return refuse(NO_HEADER, { reason: multibootNearMiss(source, version) });
    const needs = header1?.fields === undefined ? endOfTags(header2, tags) : BigInt(MB1_SIZE);
    if (offset + needs <= window.bytes) return undefined;
    return crash(
      `the header ends at ${hex(offset + needs)}, and GRUB holds the first ${hex(window.bytes)} bytes only: the rest is what memory has there`,
    );
  },
};

const FLAGS: R = {
  name: 'flags',
  source: 'grub-core/loader/i386/multiboot_mbi.c, grub_multiboot_load',
  because: 'bits 0 to 15 must be understood; GRUB knows the lowest three',
  run({ header1 }) {
    const unknown = (header1?.flags ?? 0) & UNKNOWN_FLAGS;
    return unknown === 0 ? undefined : refuse(`unsupported flag: ${hex(header1?.flags ?? 0)}`);
  },
};

const TAGS: R = {
  name: 'tags',
  source: 'grub-core/loader/multiboot_mbi2.c, grub_multiboot2_load',
  because:
    'tags are walked to the end tag, 8-aligned, whatever header_length says; one that is not optional must be known, and so ' +
    'must be what it asks for; the address tag needs the entry address tag beside it',
  run({ tags, header2, held }) {
    const bad = tags.find((tag) => isRefused(tag) || unknownRequest(tag, held) !== undefined);
    const request = bad === undefined ? undefined : unknownRequest(bad, held);
    if (request !== undefined) return refuse(`unsupported information tag: ${hex(request)}`);
    const unknown = bad;
    if (unknown !== undefined) {
      const beyond =
        unknown.at >= (header2?.header_length ?? 0) ? ', behind header_length: the end tag was missed' : '';
      return refuse(`unsupported tag: ${hex(unknown.type)}`, {
        reason: `at ${hex(unknown.at)} of the header${beyond}`,
      });
    }
    const stuck = tags.find(({ type, size }) => type !== TAG_END && size === 0);
    if (stuck !== undefined)
      return crash(`the tag at ${hex(stuck.at)} of the header has size 0: GRUB never gets past it`);
    const has = (wanted: number) => tags.some(({ type }) => type === wanted);
    if (!has(TAG_ADDRESS) || has(TAG_ENTRY)) return undefined;
    const reason =
      has(TAG_EFI_BOOT_SERVICES) && has(TAG_ENTRY_EFI64)
        ? 'on BIOS; on UEFI the entry tag for its boot services will do'
        : undefined;
    return refuse('load address tag without entry address tag', { reason });
  },
};

const LINEAR: R = {
  name: 'linear-load',
  source: 'grub-core/loader/i386/multiboot_mbi.c, grub_multiboot_load',
  because: 'with address fields the file is copied as one piece from the header on: no byte of it may move',
  run({ fields, offset = 0n, source }) {
    if (fields === undefined) return undefined;
    const { load_addr, load_end_addr, bss_end_addr } = fields;
    if (load_addr === MINUS_ONE)
      return crash('load_addr -1 is used as it stands in one of two subtractions: GRUB hangs');
    const from = fileOffset(offset, fields);
    const asked =
      bss_end_addr !== 0n ? bss_end_addr : load_end_addr !== 0n ? load_end_addr : load_addr + source.size - from;
    if (load_addr + BigInt.asUintN(32, asked - load_addr) >= GIB4) {
      return refuse(OUT_OF_RANGE, { reason: `from load_addr ${hex(load_addr)} to ${hex(asked)}, in words of 32 bits` });
    }
    if (from < 0n || from > source.size) return refuse('attempt to seek outside of the file');
    const size = load_end_addr === 0n ? source.size - from : load_end_addr - load_addr;
    if (size < 0n) return crash(`load_end_addr ${hex(load_end_addr)} is below load_addr ${hex(load_addr)}`);
    const end = load_addr + size;
    if (bss_end_addr !== 0n && bss_end_addr < end) {
      return crash(
        `${hex(end)} is where the load ends, bss_end_addr ${hex(bss_end_addr)} is below: GRUB clears a negative count`,
      );
    }
    if (!fits(from, size, source.size)) {
      return warn('the file ends before load_end_addr, and GRUB does not notice: the rest is what memory held');
    }
    return load_end_addr === 0n ? warn('load_end_addr 0 loads everything up to the end of the file') : undefined;
  },
};

/** Where the byte for load_addr stands in the file. */
function fileOffset(header: bigint, { header_addr, load_addr }: Mb1Fields): bigint {
  return header - (header_addr - load_addr);
}

/**
 * A PE image is not asked for its sections, and its code finds its data by address all the same. What differs from the
 * picture that UEFI firmware makes of it is told; a linear file has no difference (linearize).
 */
const PE_SECTIONS: R = {
  name: 'pe-sections',
  source: 'grub-core/loader/i386/multiboot_mbi.c, grub_multiboot_load: sections of a PE image play no part',
  because: 'the code looks for its data where the linker put it: each section that is loaded must arrive there',
  run({ fields, offset = 0n, pe, source }) {
    if (fields === undefined || pe === undefined) return undefined;
    const lowest = pe.sections[0]?.VirtualAddress ?? 0n;
    const from = fileOffset(offset, fields);
    const { load_addr, load_end_addr } = fields;
    const end = load_end_addr === 0n ? source.size - from : load_end_addr - load_addr;
    const astray = pe.sections.find(
      (s) =>
        s.VirtualAddress - lowest < end &&
        (copiedSize(s) > 0n ? s.PointerToRawData - from !== s.VirtualAddress - lowest : s.VirtualSize > 0n),
    );
    if (astray === undefined) return undefined;
    const what = hasRawData(astray)
      ? `section ${astray.name} is not at the distance from the others that its address has`
      : `section ${astray.name} is to be zeros, and the load puts bytes of the file there`;
    return crash(`GRUB loads it, and the kernel does not run: ${what}`, { kind: 'linearize', mb1: false });
  },
};

const elf = (rule: R): R => ({ ...rule, run: (view) => (view.isElf ? rule.run(view) : undefined) });

/** A range of size 0 in another, and that one; undefined where each stands by itself. The others do not overlap. */
function emptyInside(placed: readonly Placed[]): readonly [Placed, Placed] | undefined {
  const full = placed.filter(({ start, end }) => end > start).sort((a, b) => compare(a.start, b.start));
  for (const empty of placed.filter(({ start, end }) => end <= start)) {
    let low = 0;
    let high = full.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((full[middle]?.start ?? 0n) <= empty.start) low = middle + 1;
      else high = middle;
    }
    const home = full[low - 1];
    if (home !== undefined && empty.start < home.end) return [home, empty];
  }
  return undefined;
}

const ELF_RULES: readonly R[] = [
  {
    name: 'elf-magic',
    source: ELF,
    because: 'without address fields it has to be a little-endian ELF file; EI_VERSION is not looked at',
    run({ source, image: { ident }, pe, version }) {
      // EI_CLASS is looked at first, whatever stands around it.
      if (ident[EI_CLASS] !== ELFCLASS32 && ident[EI_CLASS] !== ELFCLASS64) {
        return refuse('invalid arch-dependent ELF magic', {
          reason:
            pe === undefined
              ? `EI_CLASS ${ident[EI_CLASS]}`
              : 'a PE image whose Multiboot header has no load addresses',
          cure: pe === undefined ? undefined : { kind: 'linearize', mb1: version === 1 },
        });
      }
      const good = hasElfMagic(source) && ident[EI_DATA] === ELFDATA2LSB;
      return good ? undefined : refuse('invalid arch-independent ELF magic');
    },
  },
  {
    name: 'machine',
    source: ELF,
    because: 'ELF32 goes with EM_386, ELF64 with EM_X86_64',
    run({ image: { header, ident } }) {
      const wide = ident[EI_CLASS] === ELFCLASS64 && header.e_machine === EM_X86_64;
      const narrow = ident[EI_CLASS] === ELFCLASS32 && header.e_machine === EM_386;
      if ((wide || narrow) && header.e_version === EV_CURRENT) return undefined;
      return refuse('invalid arch-dependent ELF magic', {
        reason: `e_machine ${header.e_machine}, EI_CLASS ${ident[EI_CLASS]}`,
      });
    },
  },
  {
    name: 'type',
    source: ELF,
    because: 'executables and shared objects are loaded',
    run({ image: { header } }) {
      if (header.e_type === ET_EXEC || header.e_type === ET_DYN) return undefined;
      return refuse('this ELF file is not of the right type', { reason: `e_type is ${header.e_type}` });
    },
  },
  {
    name: 'section-header-count',
    source: 'grub-core/kern/elfXX.c, grub_elfXX_get_shnum',
    because: 'an e_shnum of 0 is taken to say that there are 65,280 or more, never that there are none',
    since: '2.12',
    run({ image: { header, encoding }, source, window }) {
      if (header.e_shnum >= SHN_LORESERVE) {
        return refuse('invalid number of section header table entries in e_shnum', {
          reason: `e_shnum is ${hex(header.e_shnum)}`,
        });
      }
      if (header.e_shnum > 0) return undefined;
      const reason = 'the file has no section headers, and GRUB wants some: keep them in the link and in strip';
      const more = { reason, cure: repairFix('add-section-headers') };
      if (header.e_shoff === 0n) return refuse('invalid section header table offset in e_shoff', more);
      const seen = header.e_shoff + BigInt(Shdr.size(encoding)) <= window.bytes;
      const { sh_size } = decodeAt(source, header.e_shoff, Shdr, encoding);
      if (seen && sh_size >= BigInt(SHN_LORESERVE)) return undefined;
      return refuse('invalid number of section header table entries in sh_size', more);
    },
  },
  {
    name: 'names-of-sections',
    source: 'grub-core/kern/elfXX.c, grub_elfXX_get_shstrndx',
    because: 'an e_shstrndx above 65,279 is no index; 65,535 says that section 0 has it',
    since: '2.12',
    run({ image: { header, encoding }, source }) {
      const { e_shstrndx, e_shoff } = header;
      if (e_shstrndx < SHN_LORESERVE) return undefined;
      const reason = `e_shstrndx is ${hex(e_shstrndx)}`;
      if (e_shstrndx !== SHN_XINDEX) return refuse('invalid section header table index in e_shstrndx', { reason });
      if (e_shoff === 0n) return refuse('invalid section header table offset in e_shoff', { reason });
      const { sh_link } = decodeAt(source, e_shoff, Shdr, encoding);
      return sh_link < SHN_LORESERVE ? refuse('invalid section header table index in sh_link', { reason }) : undefined;
    },
  },
  {
    name: 'program-header-count',
    source: 'grub-core/kern/elfXX.c, grub_elfXX_get_phnum',
    because: 'an e_phnum of 65,535 says that section 0 has the count',
    since: '2.12',
    run({ image: { header, encoding }, source }) {
      if (header.e_phnum !== PN_XNUM) return undefined;
      const reason = `e_phnum is ${hex(header.e_phnum)}`;
      if (header.e_shoff === 0n) return refuse('invalid section header table offset in e_shoff', { reason });
      const { sh_info } = decodeAt(source, header.e_shoff, Shdr, encoding);
      return sh_info < PN_XNUM
        ? refuse('invalid number of program header table entries in sh_info', { reason })
        : undefined;
    },
  },
  {
    name: 'program-headers-early',
    source: ELF,
    because: 'the table is read from the bytes already in memory, so it has to end in the search window',
    run({ image: { header }, window }) {
      const end = header.e_phoff + BigInt(header.e_phnum * header.e_phentsize);
      if (end <= window.bytes) return undefined;
      const reason = `it ends at ${hex(end)}, wanted ${hex(window.bytes)}`;
      return refuse('program header at a too high offset', { reason });
    },
  },
  {
    name: 'below-4-gib',
    source: ELF,
    because: 'the kernel is entered in 32-bit mode',
    run({ image: { segments, encoding } }) {
      const high = (end: (s: Phdr) => bigint) => segments.findIndex((s) => s.p_type === PT_LOAD && end(s) >= GIB4);
      // Only the reader of ELF64 looks itself, by a sum that wraps; then each piece of memory has to have 32-bit addresses.
      const told = encoding.bits === 64 ? high((s) => BigInt.asUintN(64, s.p_paddr + s.p_memsz)) : -1;
      const index = told < 0 ? high((s) => s.p_paddr + s.p_memsz) : told;
      if (index < 0) return undefined;
      const { p_paddr = 0n } = segments[index] ?? {};
      const reason = `p_paddr of PT_LOAD ${index} is ${hex(p_paddr)}: AT(ADDR(.section) - base) in the linker script lowers it`;
      return refuse(told < 0 ? OUT_OF_RANGE : 'segment crosses 4 GiB border', { reason });
    },
  },
  {
    name: 'no-overlap',
    source: 'grub-core/lib/relocator.c, grub_relocator_alloc_chunk_addr',
    because: 'each PT_LOAD gets its own piece of memory; one of size 0 counts as being where it starts',
    run({ image: { segments } }) {
      const placed = segments.flatMap((s, index) =>
        s.p_type === PT_LOAD ? [{ index, start: s.p_paddr, end: s.p_paddr + s.p_memsz }] : [],
      );
      const pair = firstOverlap(placed) ?? emptyInside(placed);
      if (pair === undefined) return undefined;
      return refuse('overlap detected', {
        reason: `program headers ${pair[0].index} and ${pair[1].index}`,
        cure: pair.some(({ start, end }) => end <= start) ? repairFix('null-empty-loads') : undefined,
      });
    },
  },
  {
    name: 'segment-bytes-in-file',
    source: ELF,
    because: 'every byte that a PT_LOAD names is read',
    run({ image: { segments }, source }) {
      const outside = segments.find(
        (s) => s.p_type === PT_LOAD && s.p_filesz > 0n && !fits(s.p_offset, s.p_filesz, source.size),
      );
      if (outside === undefined) return undefined;
      return refuse(outside.p_offset > source.size ? 'attempt to seek outside of the file' : 'premature end of file');
    },
  },
  {
    name: 'entry-in-a-segment',
    source: ELF,
    because: 'the first program header of any type around e_entry gives its place in memory',
    run({ entryHome, image: { segments } }) {
      if (entryHome === undefined) return refuse("entry point isn't in a segment");
      const { index, entry } = entryHome;
      if (entry >= GIB4) return refuse('invalid entry point for ELF64');
      const home = segments[index];
      if (home?.p_type === PT_LOAD) return undefined;
      const inside = segments.some((s) => s.p_type === PT_LOAD && entry >= s.p_paddr && entry - s.p_paddr < s.p_memsz);
      const what = `program header ${index} is no PT_LOAD and covers e_entry: GRUB goes by it, to ${hex(entry)}`;
      return warn(inside ? what : `${what}, where nothing is loaded`);
    },
  },
  {
    name: 'sections-in-file',
    source: ELF,
    because: 'the whole table must be in the file',
    since: '2.12',
    run({ image: { header }, source }) {
      const size = BigInt(header.e_shnum) * BigInt(header.e_shentsize);
      if (header.e_shnum === 0 || header.e_shoff + size <= source.size) return undefined;
      const reason = `it ends at ${hex(header.e_shoff + size)}, the file at ${hex(source.size)}`;
      return refuse('ELF section header region is larger than the file size', { reason });
    },
  },
  {
    name: 'sections-readable',
    source: ELF,
    because: 'section headers, and sections without an address, are loaded too: a stale e_shoff ends it',
    run({ image: { header, sections }, source, version }) {
      if (header.e_shnum === 0) return undefined;
      const size = BigInt(header.e_shnum) * BigInt(header.e_shentsize);
      if (header.e_shoff > source.size) return refuse('attempt to seek outside of the file');
      if (!fits(header.e_shoff, size, source.size)) return refuse('premature end of file');
      for (const s of sections) {
        if (version === 2 && (s.sh_type === SHT_REL || s.sh_type === SHT_RELA)) {
          return refuse('ELF files with relocs are not supported yet');
        }
        if (s.sh_addr !== 0n || s.sh_size === 0n) continue;
        if (s.sh_offset > source.size) return refuse('attempt to seek outside of the file');
        if (!fits(s.sh_offset, s.sh_size, source.size)) return refuse('premature end of file');
      }
      return undefined;
    },
  },
  {
    name: 'file-size-in-memory-size',
    source: ELF,
    because: 'it is not checked, and what is too much overwrites other memory',
    run({ image: { segments } }) {
      const index = segments.findIndex((s) => s.p_type === PT_LOAD && s.p_filesz > s.p_memsz);
      return index < 0 ? undefined : warn(`PT_LOAD ${index} has p_filesz above p_memsz: GRUB dies of that`);
    },
  },
];

function values({ fields, entryHome, offset, values: tagged, image: { header } }: MultibootView) {
  // With the tag that keeps boot services, UEFI's own entry takes the place of the 32-bit one.
  const efi = tagged?.keepsBootServices === true ? tagged.entryEfi64 : undefined;
  return {
    headerOffset: offset,
    entry: fields === undefined ? (entryHome?.entry ?? header.e_entry) : fields.entry_addr,
    ...(efi === undefined ? {} : { entryOnUefi: efi }),
    mode: '32-bit, paging off',
    load: fields === undefined ? 'by program headers' : 'as one piece, by the header',
  };
}

/** GRUB's `multiboot`. */
export const grubMultiboot: Loader = loader<MultibootView>({
  name: 'grub-multiboot',
  open: (source) => new MultibootView(source, 1),
  rules: [HEADER, FLAGS, LINEAR, PE_SECTIONS, ...ELF_RULES.map(elf)],
  values,
});

/** GRUB's `multiboot2`. */
export const grubMultiboot2: Loader = loader<MultibootView>({
  name: 'grub-multiboot2',
  open: (source) => new MultibootView(source, 2),
  rules: [HEADER, TAGS, LINEAR, PE_SECTIONS, ...ELF_RULES.map(elf)],
  values,
});
