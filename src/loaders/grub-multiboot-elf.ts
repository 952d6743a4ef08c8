/**
 * What GRUB asks of an ELF file with a Multiboot header without load addresses (grub-core/loader/multiboot_elfxx.c,
 * grub_multiboot_load_elf).
 */

import { compare } from '../base/bytes/range.js';
import { countWhile } from '../base/bytes/sorted.js';
import { fits } from '../base/bytes/source.js';
import { hex } from '../base/errors/hex.js';
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
import { repairFix } from '../formats/note/fix.js';
import { ELF_IN_MEMORY, ELF_PLACE } from './grub-multiboot-memory.js';
import { GIB4, type MultibootView, OUT_OF_RANGE } from './grub-multiboot-view.js';
import { hasPhysical } from './read/file-bytes.js';
import { decodeAt, hasElfMagic } from './read/lenient-elf.js';
import { crash, entryOutside, lost, type Rule, refuse, warn } from './rule.js';
import { firstOverlap, type Placed } from './segment-overlap.js';

type R = Rule<MultibootView>;

const ELF = 'grub-core/loader/multiboot_elfxx.c, grub_multiboot_load_elf';

/** A range of size 0 in another, and that one; undefined where each stands by itself. The others do not overlap. */
function emptyInside(placed: readonly Placed[]): readonly [Placed, Placed] | undefined {
  const full = placed.filter(({ start, end }) => end > start).sort((a, b) => compare(a.start, b.start));
  for (const empty of placed.filter(({ start, end }) => end <= start)) {
    const home = full[countWhile(full, ({ start }) => start <= empty.start) - 1];
    if (home !== undefined && empty.start < home.end) return [home, empty];
  }
  return undefined;
}

/** Is there a byte of the file at that physical address, once all is loaded? */
function isFileByte(segments: readonly Phdr[], address: bigint): boolean {
  return segments.some((s) => s.p_type === PT_LOAD && hasPhysical(s, address));
}

const RULES: readonly R[] = [
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
      const tooFew = 'invalid number of section header table entries in sh_size';
      if (header.e_shoff + BigInt(Shdr.size(encoding)) > window.bytes) {
        const outside = `e_shoff ${hex(header.e_shoff)} is outside of what GRUB holds of the file: it goes by what memory has there`;
        return refuse(tooFew, { ...more, reason: outside });
      }
      const { sh_size } = decodeAt(source, header.e_shoff, Shdr, encoding);
      if (sh_size >= BigInt(SHN_LORESERVE)) return undefined;
      return refuse(tooFew, more);
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
  ELF_PLACE,
  {
    name: 'no-overlap',
    source: 'grub-core/lib/relocator.c, grub_relocator_alloc_chunk_addr',
    because: 'each PT_LOAD gets its own piece of memory; one of size 0 counts as being where it starts',
    run({ image: { segments }, relocatable, memory }) {
      // What may be moved is loaded into one piece of memory.
      if (relocatable !== undefined) return undefined;
      const placed = segments.flatMap((s, index) =>
        s.p_type === PT_LOAD ? [{ index, start: s.p_paddr, end: s.p_paddr + s.p_memsz }] : [],
      );
      const pair = firstOverlap(placed) ?? emptyInside(placed);
      if (pair === undefined) return undefined;
      // Piece by piece: what stands in front of the second one in the table is filled before that one is looked at.
      const last = Math.max(pair[0].index, pair[1].index);
      const huge = placed.find(({ index, start, end }) => index < last && end - start > memory);
      const before =
        huge === undefined
          ? ''
          : `; before that GRUB fills the ${hex(huge.end - huge.start)} bytes of program header ${huge.index}, more than there is memory, and may crash or hang`;
      return refuse('overlap detected', {
        reason: `program headers ${pair[0].index} and ${pair[1].index}${before}`,
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
      const { p_offset, p_filesz, p_memsz } = outside;
      if (p_offset > source.size) return refuse('attempt to seek outside of the file');
      const have = source.size - p_offset;
      const reason =
        have > p_memsz && p_filesz > p_memsz
          ? `${hex(have)} bytes were read by then into the ${hex(p_memsz)} of p_memsz, over GRUB's own memory: it may crash or hang`
          : undefined;
      return refuse('premature end of file', { reason });
    },
  },
  {
    name: 'entry-in-a-segment',
    source: ELF,
    because: 'the first program header of any type around e_entry gives its place in memory',
    run({ entryHome, elfEntry, entersOnUefi, image: { segments } }) {
      if (entryHome === undefined || elfEntry === undefined) return refuse("entry point isn't in a segment");
      const { index, entry } = entryHome;
      if (entry >= GIB4) return refuse('invalid entry point for ELF64');
      if (elfEntry !== entry) {
        if (entersOnUefi || isFileByte(segments, elfEntry)) return undefined;
        return lost(`the entry tag says ${hex(elfEntry)}, which is not in the file bytes of any PT_LOAD`);
      }
      const home = segments[index];
      const inside = entersOnUefi || isFileByte(segments, entry);
      if (home?.p_type === PT_LOAD) {
        return inside ? undefined : entryOutside(entry);
      }
      const what = `program header ${index} is no PT_LOAD and covers e_entry: GRUB goes by it, to ${hex(entry)}`;
      return inside ? warn(what) : lost(`${what}, where nothing is loaded`);
    },
  },
  ELF_IN_MEMORY,
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
      return index < 0 ? undefined : crash(`PT_LOAD ${index} has p_filesz above p_memsz: GRUB dies of that`);
    },
  },
];

/** The rules, for files that are loaded as ELF. */
export const ELF_RULES: readonly R[] = RULES.map((rule) => ({
  ...rule,
  run: (view) => (view.isElf ? rule.run(view) : undefined),
}));
