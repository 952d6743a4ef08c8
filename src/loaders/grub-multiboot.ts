/**
 * GRUB's multiboot loaders (grub-core/loader/multiboot_elfxx.c, i386/multiboot_mbi.c, multiboot_mbi2.c), which read no
 * notes: what an edit of the file can break for them.
 */
import { type ByteSource, fits } from '../bytes/source.js';
import { EM_386, EM_X86_64, ET_DYN, ET_EXEC, PT_LOAD, SHT_REL, SHT_RELA } from '../elf/names.js';
import { hex } from '../errors/hex.js';
import { PatchError } from '../errors/patch-error.js';
import { copiedSize, hasRawData, type PeImage } from '../pe/image.js';
import { looksLikePe, readPe } from '../pe/read.js';
import { hasElfMagic, type LaxImage, laxElf, laxIdent } from './lax-elf.js';
import { type AddressFields, type Multiboot1, type Multiboot2, multiboot1, multiboot2 } from './multiboot-header.js';
import { QEMU_SEARCH } from './qemu.js';
import { qemuMultiboot } from './qemu-multiboot.js';
import { crash, type Loader, loader, type ProgramVerdict, type Rule, refuse, warn } from './rule.js';
import { firstOverlap } from './segment-overlap.js';

const ELF = 'grub-core/loader/multiboot_elfxx.c, grub_multiboot_load_elf';
const GIB4 = 0x1_0000_0000n;
/** A load_addr of -1: from the start of the file, says the specification. */
const MINUS_ONE = 0xffff_ffff;
const NO_HEADER = 'no multiboot header found';

/** Flags below bit 16 that a boot loader must know; GRUB knows bits 0 to 2. */
const UNKNOWN_FLAGS = 0xfff8;

/** Tags of a Multiboot2 header that GRUB knows. */
const KNOWN_TAGS = new Set([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);

class MultibootView {
  readonly source: ByteSource;
  readonly version: 1 | 2;
  readonly image: LaxImage;
  /** The sections of a PE image; undefined for everything else. */
  readonly pe: PeImage | undefined;
  readonly header1: Multiboot1 | undefined;
  readonly header2: Multiboot2 | undefined;

  constructor(source: ByteSource, version: 1 | 2) {
    this.source = source;
    this.version = version;
    const encoding = { bits: laxIdent(source)[4] === 2 ? 64 : 32, endian: 'little' } as const;
    this.image = laxElf(source, encoding, { stride: 'declared', sections: true });
    this.pe = peOf(source);
    this.header1 = version === 1 ? multiboot1(source) : undefined;
    this.header2 = version === 2 ? multiboot2(source) : undefined;
  }

  get offset(): number | undefined {
    return this.header1?.offset ?? this.header2?.offset;
  }

  /** First bytes of the file that the loader holds in memory. */
  get window(): bigint {
    return this.version === 1 ? 8192n : 32768n;
  }

  /** Where the file goes as one piece, if the header says so. */
  get fields(): AddressFields | undefined {
    if (this.header1 !== undefined) return this.header1.fields;
    // Of a tag that occurs twice GRUB keeps the later one.
    const address = this.header2?.tags.findLast(({ type }) => type === 2)?.words;
    if (address === undefined) return undefined;
    const [headerAddr = 0, loadAddr = 0, loadEndAddr = 0, bssEndAddr = 0] = address;
    const entryAddr = this.header2?.tags.findLast(({ type }) => type === 3)?.words[0] ?? 0;
    return { headerAddr, loadAddr, loadEndAddr, bssEndAddr, entryAddr };
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

const HEADER: R = {
  name: 'header',
  source: 'grub-core/loader/multiboot_mbi.c, find_header; multiboot_mbi2.c, find_header',
  because: 'the header is found by its place: 4-aligned in the first 8 KiB, or 8-aligned in the first 32 KiB',
  run: ({ offset, header2 }) =>
    offset === undefined || (header2 !== undefined && header2.architecture !== 0) ? refuse(NO_HEADER) : undefined,
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
  run({ header2 }) {
    const tags = header2?.tags ?? [];
    const unknown = tags.find(({ type, optional }) => !optional && !KNOWN_TAGS.has(type));
    if (unknown !== undefined) return refuse(`unsupported tag: ${hex(unknown.type)}`);
    const has = (wanted: number) => tags.some(({ type }) => type === wanted);
    if (!has(2) || has(3)) return undefined;
    const reason = has(7) && has(9) ? 'on BIOS; on UEFI the entry tag for its boot services will do' : undefined;
    return refuse('load address tag without entry address tag', { reason });
  },
};

const LINEAR: R = {
  name: 'linear-load',
  source: 'grub-core/loader/i386/multiboot_mbi.c, grub_multiboot_load',
  because: 'with address fields the file is copied as one piece from the header on: no byte of it may move',
  run({ fields, offset = 0, source }) {
    if (fields === undefined) return undefined;
    const { loadAddr, loadEndAddr, bssEndAddr } = fields;
    if (loadAddr === MINUS_ONE)
      return crash('load_addr -1 is used as it stands in one of two subtractions: GRUB hangs');
    const from = fileOffset(offset, fields);
    if (from < 0n || from > source.size) return refuse('attempt to seek outside of the file');
    const size = loadEndAddr === 0 ? source.size - from : BigInt(loadEndAddr - loadAddr);
    if (size < 0n) return crash(`load_end_addr ${hex(loadEndAddr)} is below load_addr ${hex(loadAddr)}`);
    const end = BigInt(loadAddr) + size;
    if (bssEndAddr !== 0 && BigInt(bssEndAddr) < end) {
      return crash(
        `${hex(end)} is where the load ends, bss_end_addr ${hex(bssEndAddr)} is below: GRUB clears a negative count`,
      );
    }
    if (!fits(from, size, source.size)) {
      return warn('the file ends before load_end_addr, and GRUB does not notice: the rest is what memory held');
    }
    return loadEndAddr === 0 ? warn('load_end_addr 0 loads everything up to the end of the file') : undefined;
  },
};

/** Where the byte for load_addr stands in the file. */
function fileOffset(header: number, { headerAddr, loadAddr }: AddressFields): bigint {
  return BigInt(header - (headerAddr - loadAddr));
}

/**
 * A PE image is not asked for its sections, and its code finds its data by address all the same. What differs from the
 * picture that UEFI firmware makes of it is told; a linear file has no difference (linearize).
 */
const PE_SECTIONS: R = {
  name: 'pe-sections',
  source: 'grub-core/loader/i386/multiboot_mbi.c, grub_multiboot_load: sections of a PE image play no part',
  because: 'the code looks for its data where the linker put it: each section that is loaded must arrive there',
  run({ fields, offset = 0, pe, source }) {
    if (fields === undefined || pe === undefined) return undefined;
    const lowest = pe.sections[0]?.VirtualAddress ?? 0n;
    const from = fileOffset(offset, fields);
    const end = fields.loadEndAddr === 0 ? source.size - from : BigInt(fields.loadEndAddr - fields.loadAddr);
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
      if (ident[4] !== 1 && ident[4] !== 2) {
        return refuse('invalid arch-dependent ELF magic', {
          reason: pe === undefined ? `EI_CLASS ${ident[4]}` : 'a PE image whose Multiboot header has no load addresses',
          cure: pe === undefined ? undefined : { kind: 'linearize', mb1: version === 1 },
        });
      }
      const good = hasElfMagic(source) && ident[5] === 1 && ident[6] === 1;
      return good ? undefined : refuse('invalid arch-independent ELF magic');
    },
  },
  {
    name: 'machine',
    source: ELF,
    because: 'ELF32 goes with EM_386, ELF64 with EM_X86_64',
    run({ image: { header, ident } }) {
      const wide = ident[4] === 2 && header.e_machine === EM_X86_64;
      const narrow = ident[4] === 1 && header.e_machine === EM_386;
      if ((wide || narrow) && header.e_version === 1) return undefined;
      return refuse('invalid arch-dependent ELF magic', {
        reason: `e_machine ${header.e_machine}, EI_CLASS ${ident[4]}`,
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
      if (end <= window) return undefined;
      return refuse('program header at a too high offset', { reason: `it ends at ${hex(end)}, wanted ${hex(window)}` });
    },
  },
  {
    name: 'below-4-gib',
    source: ELF,
    because: 'the kernel is entered in 32-bit mode',
    run({ image: { segments } }) {
      const high = segments.some((s) => s.p_type === PT_LOAD && s.p_paddr + s.p_memsz >= GIB4);
      return high ? refuse('segment crosses 4 GiB border') : undefined;
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

function values({ fields, entryHome, offset, header2, image: { header } }: MultibootView) {
  const has = (wanted: number) => header2?.tags.findLast(({ type }) => type === wanted);
  // With the tag that keeps boot services, UEFI's own entry takes the place of the 32-bit one.
  const efi = has(7) === undefined ? undefined : has(9)?.words[0];
  return {
    headerOffset: offset === undefined ? undefined : BigInt(offset),
    entry: fields === undefined ? (entryHome?.entry ?? header.e_entry) : BigInt(fields.entryAddr),
    ...(efi === undefined ? {} : { entryOnUefi: BigInt(efi) }),
    mode: '32-bit, paging off',
    load: fields === undefined ? 'by program headers' : 'as one piece, by the header',
  };
}

/** QEMU has a multiboot 1 loader of its own. */
function programs({ source, header1 }: MultibootView): ProgramVerdict[] {
  if (header1 === undefined) return [];
  const header = multiboot1(source, QEMU_SEARCH);
  if (header === undefined) {
    const text = `the header at ${hex(header1.offset)} is behind the last place where QEMU looks, ${hex(QEMU_SEARCH - 4)}`;
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
