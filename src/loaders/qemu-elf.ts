/**
 * QEMU's reader of ELF files (include/hw/elf_ops.h.inc, load_elf; hw/core/loader.c), which `-kernel` uses for a PVH kernel and
 * for one with a Multiboot header: the rules that both share.
 */

import { type ByteSource, fits } from '../base/bytes/source.js';
import { hex } from '../base/errors/hex.js';
import { type Phdr, Phdr as PhdrStruct } from '../formats/elf/headers.js';
import { ehdrSize } from '../formats/elf/image.js';
import { EI_CLASS, EI_DATA, ELFCLASS64, ELFDATA2LSB, PT_LOAD } from '../formats/elf/names.js';
import { DEFAULT_MEMORY, isMemory, leastMemory, type MemoryMap, mebibytes, mostOf } from './memory.js';
import { hasPhysical } from './read/file-bytes.js';
import { type LaxImage, laxIdent, lenientElf } from './read/lenient-elf.js';
import { crash, lost, type Options, type Remark, type Rule, refuse, warn } from './rule.js';
import { firstOverlap, overlapFinder, type Placed } from './segment-overlap.js';
import { isSinceRelease, newestVersion } from './versions.js';

/** File and function of QEMU. */
export const QEMU_ELF = 'include/hw/elf_ops.h.inc, load_elf';

/** What QEMU prints of an ELF that it cannot load, whatever the reason. */
export const LOAD_FAILED = 'Error while loading elf kernel';

/** The first release seen to refuse a segment with more bytes in the file than in memory. */
const LONG_FILES_REFUSED = '10.0.13';

/** Machine pc, where it has more than fits below 0xe0000000 (hw/i386/pc_piix.c, pc_init1: lowmem). */
const PC: MemoryMap = { holeStart: 0xc000_0000n };
/** What pc keeps below 4 GiB where that is all of its memory. */
const ALL_LOW: MemoryMap = { holeStart: 0xe000_0000n };

/** Where machine pc with so many bytes of memory has them. */
export function qemuPlace(memory: bigint): MemoryMap {
  return memory < ALL_LOW.holeStart ? ALL_LOW : PC;
}

const MIB = 0x100000n;
const GIB4 = 0x1_0000_0000n;
/** Where machine pc has its firmware. */
export const PC_FIRMWARE: Placed = { index: -1, start: GIB4 - 0x40000n, end: GIB4 };
/** The largest size that is not taken for an error. */
const SSIZE_MAX = (1n << 63n) - 1n;

/** A PT_LOAD with its program header index. */
export interface Load {
  readonly index: number;
  readonly segment: Phdr;
}

/** An image as QEMU's `-kernel` reads it. */
export class QemuElf {
  readonly source: ByteSource;
  readonly image: LaxImage;
  /** In table order; QEMU loads by p_paddr. */
  readonly loads: readonly Load[];
  /** Is more in the file than in memory refused? Older releases load it, or try to. */
  readonly refusesLongFiles: boolean;

  /** Bytes of memory that the machine has. */
  readonly memory: bigint;

  constructor(source: ByteSource, { version = newestVersion('qemu'), memory = DEFAULT_MEMORY }: Options) {
    this.source = source;
    this.memory = memory;
    this.refusesLongFiles = isSinceRelease('qemu', version, LONG_FILES_REFUSED);
    const ident = laxIdent(source);
    const encoding = {
      bits: ident[EI_CLASS] === ELFCLASS64 ? 64 : 32,
      endian: ident[EI_DATA] === ELFDATA2LSB ? 'little' : 'big',
    } as const;
    this.image = lenientElf(source, encoding, { stride: 'own-size', sections: false });
    this.loads = this.image.segments.flatMap((segment, index) =>
      segment.p_type === PT_LOAD ? [{ index, segment }] : [],
    );
  }

  /** Where the blobs go. A zero-filled tail that would meet another segment, empty ones too, is left out. */
  placed(): Placed[] {
    // Ends are sums in words of the class: one that wraps is in front of everything.
    const sum = (start: bigint, size: bigint) => BigInt.asUintN(this.image.encoding.bits, start + size);
    const all = this.loads.map(({ segment: { p_paddr, p_memsz }, index }) => ({
      index,
      start: p_paddr,
      end: sum(p_paddr, p_memsz),
    }));
    const meets = overlapFinder(all);
    return this.loads.map(({ segment: { p_paddr, p_memsz, p_filesz }, index }) => {
      const tail = p_memsz > p_filesz && meets(sum(p_paddr, p_filesz), sum(p_paddr, p_memsz), index);
      return { index, start: p_paddr, end: p_paddr + (tail ? p_filesz : p_memsz) };
    });
  }

  /** The least memory with which every PT_LOAD finds its place; undefined: one never does. */
  needsMemory(): bigint | undefined {
    return mostOf(this.loads.map(({ segment: s }) => leastMemory(PC, s.p_paddr, s.p_memsz)));
  }

  /** The first PT_LOAD that the reader does not take. Sums of offset and size are made in words of the class, and wrap. */
  badLoad(): { readonly index: number; readonly why: string } | undefined {
    const { bits } = this.image.encoding;
    for (const { segment: s, index } of this.loads) {
      if (s.p_filesz > 0n && BigInt.asUintN(bits, s.p_offset + s.p_filesz) > this.source.size)
        return { index, why: 'reaches behind the end of the file' };
      if (this.refusesLongFiles && s.p_filesz > s.p_memsz) return { index, why: 'has p_filesz above p_memsz' };
    }
    return undefined;
  }
}

/** Headers, up to the machines that the caller takes. */
export const QEMU_HEADER: Rule<QemuElf> = {
  name: 'header',
  source: 'hw/core/loader.c, load_elf_ram_sym',
  because: 'little-endian, and all of the ELF header in the file',
  run({ image: { encoding, ident }, source }) {
    if (ident[EI_DATA] !== ELFDATA2LSB) return refuse(LOAD_FAILED, { reason: 'not little-endian' });
    return source.size < ehdrSize(encoding) ? refuse(LOAD_FAILED, { reason: 'shorter than an ELF header' }) : undefined;
  },
};

/** The table of program headers. */
export const QEMU_PROGRAM_HEADERS: Rule<QemuElf> = {
  name: 'program-headers',
  source: QEMU_ELF,
  because: 'the table must be there and in the file; records are as long as the class says, whatever e_phentsize is',
  run({ image: { header, encoding }, source }) {
    if (header.e_phnum === 0) return refuse(LOAD_FAILED, { reason: 'no program headers' });
    const size = BigInt(header.e_phnum * PhdrStruct.size(encoding));
    if (fits(header.e_phoff, size, source.size)) return undefined;
    return refuse(LOAD_FAILED, { reason: 'the program header table reaches behind the end of the file' });
  },
};

/** What all segments take together. */
export const QEMU_TOTAL_SIZE: Rule<QemuElf> = {
  name: 'total-size',
  source: `${QEMU_ELF}: total_size`,
  because:
    'the sizes in memory are added up as a signed number, and the caller keeps 32 bits of it: a negative one is a failure',
  run(view) {
    let total = 0n;
    for (const { start, end } of view.placed()) {
      total += end - start;
      if (total > SSIZE_MAX) break;
    }
    if (total <= SSIZE_MAX && BigInt.asIntN(32, total) >= 0n) return undefined;
    return refuse(LOAD_FAILED, { reason: `all PT_LOADs together take ${hex(total)} bytes` });
  },
};

/** What is loaded, once the reader has taken the image. */
export const QEMU_ROMS: readonly Rule<QemuElf>[] = [
  {
    name: 'no-overlap',
    source: 'hw/core/loader.c, rom_check_and_register_reset',
    because: 'what is loaded must not meet in memory, nor the firmware below 4 GiB',
    run(view) {
      const pair = firstOverlap([...view.placed(), PC_FIRMWARE]);
      if (pair === undefined) return undefined;
      const names = pair.map(({ index }) => (index < 0 ? 'the firmware' : `program header ${index}`));
      return refuse('Some ROM regions are overlapping', { reason: `${names[0]} and ${names[1]}` });
    },
  },
  {
    name: 'file-size-in-memory-size',
    source: 'hw/core/loader.c, rom_reset',
    because: 'what is above p_memsz is a negative count of zeros to write: loading never ends, or QEMU dies',
    until: LONG_FILES_REFUSED,
    run({ loads }) {
      const bad = loads.find(({ segment: s }) => s.p_memsz > 0n && s.p_filesz > s.p_memsz);
      return bad === undefined
        ? undefined
        : crash(`PT_LOAD ${bad.index} has p_filesz above p_memsz: QEMU never finishes loading it`);
    },
  },
  {
    name: 'bytes-in-the-file',
    source: QEMU_ELF,
    because: 'an offset that wraps is taken for one in the file, and the bytes in front of it are read',
    run({ loads, source }) {
      const bad = loads.find(({ segment: s }) => s.p_filesz > 0n && !fits(s.p_offset, s.p_filesz, source.size));
      if (bad === undefined) return undefined;
      return crash(
        `PT_LOAD ${bad.index} has a p_offset and p_filesz that wrap: QEMU reads outside of the file, and dies or loads anything`,
      );
    },
  },
  {
    name: 'above-low-memory',
    source: 'SeaBIOS and its option ROMs',
    because: 'below 1 MiB the firmware overwrites what was loaded, or it is no memory',
    run({ loads }) {
      const low = loads.find(({ segment: s }) => s.p_memsz > 0n && s.p_paddr < MIB);
      return low === undefined
        ? undefined
        : warn(`PT_LOAD ${low.index} lies below 1 MiB: the firmware may overwrite it`);
    },
  },
];

/**
 * The rule on where the image goes. A place that is no memory swallows what is written to it, and nobody says so: the guest is
 * lost where `entryOf` its view is there, and lacks data where another part is.
 */
export function inMemory<View extends QemuElf>(entryOf: (view: View) => bigint): Rule<View> {
  return {
    name: 'in-memory',
    source: 'hw/core/loader.c, rom_reset',
    because: 'what goes where the machine has no memory is not written, and QEMU does not report it',
    run(view) {
      const { loads, memory } = view;
      const entry = entryOf(view);
      const map = qemuPlace(memory);
      const outside = loads.filter(({ segment: s }) => s.p_memsz > 0n && !isMemory(map, memory, s.p_paddr, s.p_memsz));
      const home = outside.find(
        ({ segment: s }) => hasPhysical(s, entry) && !isMemory(map, memory, s.p_paddr, s.p_filesz),
      );
      const [first] = home === undefined ? outside : [home];
      if (first === undefined) return undefined;
      const { p_paddr, p_memsz } = first.segment;
      const why = `PT_LOAD ${first.index} goes to ${hex(p_paddr)} to ${hex(p_paddr + p_memsz)}, of which a machine with ${mebibytes(memory)} of memory has not all`;
      return home === undefined ? warn(why) : lost(why, view.needsMemory());
    },
  };
}

/** Is there a byte of the file at that physical address, once the segment is loaded? */
export function isFileByte({ p_paddr, p_filesz, p_memsz }: Phdr, address: bigint): boolean {
  const at = address - p_paddr;
  return at >= 0n && at < p_filesz && at < p_memsz;
}

/** A refusal for the first PT_LOAD that the reader does not take. */
export function badLoad(view: QemuElf): Remark | undefined {
  const bad = view.badLoad();
  return bad === undefined ? undefined : refuse(LOAD_FAILED, { reason: `PT_LOAD ${bad.index} ${bad.why}` });
}
