/**
 * GRUB's multiboot loaders (grub-core/loader/multiboot_elfxx.c, i386/multiboot_mbi.c, multiboot_mbi2.c), which read no
 * notes: what an edit of the file can break for them.
 */
import { type ByteSource, fits } from '../base/bytes/source.js';
import { hex } from '../base/errors/hex.js';
import { PatchError } from '../base/errors/patch-error.js';
import {
  EI_CLASS,
  EI_DATA,
  EI_VERSION,
  ELFCLASS32,
  ELFCLASS64,
  ELFDATA2LSB,
  EM_386,
  EM_X86_64,
  ET_DYN,
  ET_EXEC,
  EV_CURRENT,
  PT_LOAD,
  SHT_REL,
  SHT_RELA,
} from '../formats/elf/names.js';
import { findMb1, MB1_SIZE, type Mb1Fields, type Mb1Header } from '../formats/multiboot/mb1.js';
import { findMb2, type Mb2Header, type Mb2Tag, type Mb2Values, mb2Values, walkTags } from '../formats/multiboot/mb2.js';
import { multibootNearMiss } from '../formats/multiboot/near-miss.js';
import {
  isKnownTag,
  TAG_ADDRESS,
  TAG_EFI_BOOT_SERVICES,
  TAG_END,
  TAG_ENTRY,
  TAG_ENTRY_EFI64,
  TAG_HEAD_SIZE,
  TAG_OPTIONAL,
} from '../formats/multiboot/tags.js';
import { grubWindow, type HeaderWindow, QEMU_MB1 } from '../formats/multiboot/windows.js';
import { copiedSize, hasRawData, type PeImage } from '../formats/pe/image.js';
import { looksLikePe, readPe } from '../formats/pe/read.js';
import { qemuMultiboot } from './qemu-multiboot.js';
import { hasElfMagic, type LaxImage, laxIdent, lenientElf } from './read/lenient-elf.js';
import { crash, type Loader, loader, type ProgramVerdict, type Rule, refuse, warn } from './rule.js';
import { firstOverlap } from './segment-overlap.js';

const ELF = 'grub-core/loader/multiboot_elfxx.c, grub_multiboot_load_elf';
const GIB4 = 0x1_0000_0000n;
/** A load_addr of -1: from the start of the file, says the specification. */
const MINUS_ONE = 0xffff_ffffn;
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
    this.tags = this.header2 === undefined ? [] : [...walkTags(this.header2.bytes)];
    this.values = this.header2 === undefined ? undefined : mb2Values({ bytes: this.header2.bytes, tags: this.tags });
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

function peOf(source: ByteSource): PeImage | undefined {
  try {
    return looksLikePe(source) ? readPe(source) : undefined;
  } catch (error) {
    if (error instanceof PatchError) return undefined;
    throw error;
  }
}

type R = Rule<MultibootView>;

/** Bytes of a Multiboot2 header that GRUB goes through: up to the end tag, by header_length where none was met. */
function endOfTags(header: Mb2Header | undefined, tags: readonly Mb2Tag[]): bigint {
  const end = tags.find(({ type }) => type === TAG_END);
  return end === undefined ? BigInt(header?.header_length ?? 0) : BigInt(end.at + TAG_HEAD_SIZE);
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
  because: 'a tag that is not optional must be known; the address tag needs the entry address tag beside it',
  run({ tags }) {
    const unknown = tags.find(({ type, flags }) => (flags & TAG_OPTIONAL) === 0 && !isKnownTag(type));
    if (unknown !== undefined) return refuse(`unsupported tag: ${hex(unknown.type)}`);
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

const ELF_RULES: readonly R[] = [
  {
    name: 'elf-magic',
    source: ELF,
    because: 'without address fields it has to be a little-endian ELF file of version 1',
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
      const good = hasElfMagic(source) && ident[EI_DATA] === ELFDATA2LSB && ident[EI_VERSION] === EV_CURRENT;
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
    run({ image: { segments } }) {
      const high = segments.findIndex((s) => s.p_type === PT_LOAD && s.p_paddr + s.p_memsz >= GIB4);
      const { p_paddr = 0n } = segments[high] ?? {};
      const reason = `p_paddr of PT_LOAD ${high} is ${hex(p_paddr)}: AT(ADDR(.section) - base) in the linker script lowers it`;
      return high < 0 ? undefined : refuse('segment crosses 4 GiB border', { reason });
    },
  },
  {
    name: 'no-overlap',
    source: 'grub-core/lib/relocator.c, grub_relocator_alloc_chunk_addr',
    because: 'each PT_LOAD gets its own piece of memory',
    run({ image: { segments } }) {
      const placed = segments.flatMap((s, index) =>
        s.p_type === PT_LOAD ? [{ index, start: s.p_paddr, end: s.p_paddr + s.p_memsz }] : [],
      );
      const pair = firstOverlap(placed);
      if (pair === undefined) return undefined;
      return refuse('overlap detected', { reason: `program headers ${pair[0].index} and ${pair[1].index}` });
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

/** QEMU has a multiboot 1 loader of its own. */
function programs({ source, header1 }: MultibootView): ProgramVerdict[] {
  if (header1 === undefined) return [];
  const header = findMb1(source, QEMU_MB1);
  if (header === undefined) {
    const text = `the header at ${hex(header1.offset)} is behind the last place where QEMU looks, ${hex(QEMU_MB1.last)}`;
    return [{ program: 'QEMU', outcome: 'refused', text }];
  }
  const result = qemuMultiboot(source, header);
  return [
    result.refused === undefined
      ? { program: 'QEMU', outcome: 'accepted', text: `enters ${hex(result.entry)}` }
      : { program: 'QEMU', outcome: 'refused', text: result.refused },
  ];
}

export const grubMultiboot: Loader = loader<MultibootView>({
  name: 'multiboot',
  open: (source) => new MultibootView(source, 1),
  rules: [HEADER, FLAGS, LINEAR, PE_SECTIONS, ...ELF_RULES.map(elf)],
  values,
  programs,
});

export const grubMultiboot2: Loader = loader<MultibootView>({
  name: 'multiboot2',
  open: (source) => new MultibootView(source, 2),
  rules: [HEADER, TAGS, LINEAR, PE_SECTIONS, ...ELF_RULES.map(elf)],
  values,
});
