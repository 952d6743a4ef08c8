/**
 * crosvm on x86-64 (kernel_loader/src/lib.rs, load_elf; kernel_loader/src/multiboot.rs; x86_64/src/lib.rs, load_kernel; as of
 * August 2026): a Multiboot 1 header with address fields first, then ELF, then a bzImage. It reads no notes.
 */

import { type ByteSource, fits } from '../base/bytes/source.js';
import { hex } from '../base/errors/hex.js';
import { Phdr } from '../formats/elf/headers.js';
import { ehdrSize } from '../formats/elf/image.js';
import {
  EI_CLASS,
  EI_DATA,
  EI_VERSION,
  ELFCLASS32,
  ELFCLASS64,
  ELFDATA2LSB,
  EV_CURRENT,
  PT_LOAD,
} from '../formats/elf/names.js';
import { hasLinuxMagic } from '../formats/linux/boot-header.js';
import { findMb1, type Mb1Fields, type Mb1Header } from '../formats/multiboot/mb1.js';
import { DEFAULT_MEMORY, isMemory, leastMemory, type MemoryMap, mebibytes, mostOf } from './memory.js';
import { hasPhysical } from './read/file-bytes.js';
import { hasElfMagic, type LaxImage, laxIdent, lenientElf } from './read/lenient-elf.js';
import { entryOutside, type Loader, loader, type Options, otherPath, type Remark, type Rule, refuse } from './rule.js';

const ELF = 'crosvm kernel_loader/src/lib.rs, load_elf_for_class';
const HEADERS = 'crosvm kernel_loader/src/lib.rs, read_elf';
const MULTIBOOT = 'crosvm kernel_loader/src/multiboot.rs, multiboot_header';

/** x86_64/src/lib.rs, KERNEL_START_OFFSET. */
export const KERNEL_START = 0x20_0000n;
/** x86_64/src/lib.rs, END_ADDR_BEFORE_32BITS. */
const MAP: MemoryMap = { holeStart: 0xd000_0000n };
/** Flag bits of a Multiboot header that it does not know; it knows 0, 1, 2 and 16. */
const UNKNOWN_FLAGS = 0xfffe_fff8;

class CrosvmView {
  readonly source: ByteSource;
  readonly memory: bigint;
  readonly header: Mb1Header | undefined;
  readonly image: LaxImage;

  constructor(source: ByteSource, { memory = DEFAULT_MEMORY }: Options) {
    this.source = source;
    this.memory = memory;
    this.header = findMb1(source);
    const encoding = { bits: laxIdent(source)[EI_CLASS] === ELFCLASS64 ? 64 : 32, endian: 'little' } as const;
    this.image = lenientElf(source, encoding, { stride: 'own-size', sections: false });
  }

  /** Undefined: the file is loaded as ELF, whatever else the header says. */
  get fields(): Mb1Fields | undefined {
    return this.header?.fields;
  }

  get loads() {
    return this.image.segments.filter(({ p_type }) => p_type === PT_LOAD);
  }

  /** The least memory with which every PT_LOAD finds its place. */
  needsMemory(): bigint | undefined {
    return mostOf(this.loads.map(({ p_paddr, p_filesz }) => leastMemory(MAP, p_paddr, p_filesz)));
  }
}

type R = Rule<CrosvmView>;

/** Rules for files that are loaded as ELF. */
const elf = (rule: R): R => ({ ...rule, run: (view) => (view.fields === undefined ? rule.run(view) : undefined) });

const ELF_RULES: readonly R[] = [
  {
    name: 'elf-magic',
    source: HEADERS,
    because: 'what is no ELF is tried as a bzImage',
    run({ source }) {
      if (source.size < 16n) return refuse('unable to read header');
      if (hasElfMagic(source)) return undefined;
      return hasLinuxMagic(source) ? otherPath('starts it as a bzImage') : refuse('invalid magic number');
    },
  },
  {
    name: 'elf-header',
    source: HEADERS,
    because:
      'little-endian, version 1, class 32 or 64, program headers as long as the class has them, behind the header',
    run({ source, image: { ident, header, encoding } }) {
      if (ident[EI_DATA] !== ELFDATA2LSB) return refuse('trying to load big-endian binary on little-endian machine');
      if (ident[EI_VERSION] !== EV_CURRENT) return refuse('invalid elf version');
      if (ident[EI_CLASS] !== ELFCLASS32 && ident[EI_CLASS] !== ELFCLASS64) return refuse('invalid elf class');
      if (source.size < ehdrSize(encoding)) return refuse('unable to read header');
      if (header.e_phentsize !== Phdr.size(encoding)) return refuse('invalid program header size');
      if (header.e_phoff < ehdrSize(encoding)) return refuse('invalid program header offset');
      const size = BigInt(header.e_phnum * Phdr.size(encoding));
      return fits(header.e_phoff, size, source.size) ? undefined : refuse('unable to read program header');
    },
  },
  {
    name: 'segments',
    source: ELF,
    because: 'in table order: each PT_LOAD at 2 MiB or above, its bytes in the file and in memory',
    run: segments,
  },
  {
    name: 'entry-in-bounds',
    source: ELF,
    because: 'e_entry lies between the first PT_LOAD of the table and the end of the last, its end included',
    run({ loads, image: { header } }) {
      const last = loads.at(-1);
      const start = loads[0]?.p_paddr ?? 0n;
      const end = last === undefined ? 0n : last.p_paddr + last.p_memsz;
      if (end < start)
        return refuse('invalid program header size', { reason: 'the last PT_LOAD ends below the first' });
      if (header.e_entry >= start && header.e_entry <= end) return undefined;
      const reason = `e_entry ${hex(header.e_entry)} is not in ${hex(start)} to ${hex(end)}`;
      return refuse('invalid entry point', { reason });
    },
  },
  {
    name: 'entry-in-a-segment',
    source: ELF,
    because: 'only the outermost addresses are compared',
    run({ loads, image: { header } }) {
      const inside = loads.some((s) => hasPhysical(s, header.e_entry));
      return inside ? undefined : entryOutside(header.e_entry);
    },
  },
];

function segments(view: CrosvmView): Remark | undefined {
  const { loads, source, memory } = view;
  if (loads.length === 0) return refuse('no loadable program headers found');
  for (const s of loads) {
    if (s.p_paddr < KERNEL_START) {
      const reason = `p_paddr is ${hex(s.p_paddr)}, wanted ${hex(KERNEL_START)} or above`;
      return refuse('program header address out of allowed address range', { reason });
    }
    if (s.p_paddr + s.p_memsz >= 1n << 64n) return refuse('invalid Program Header memory size');
    if (s.p_filesz === 0n) continue;
    if (!isMemory(MAP, memory, s.p_paddr, s.p_filesz)) {
      const reason = `${hex(s.p_paddr)} is not all memory of a guest with ${mebibytes(memory)}`;
      return refuse('unable to read kernel image', { reason, needs: view.needsMemory() });
    }
    if (!fits(s.p_offset, s.p_filesz, source.size)) return refuse('unable to read kernel image');
  }
  return undefined;
}

const FLAGS: R = {
  name: 'multiboot-flags',
  source: MULTIBOOT,
  because: 'a flag that it does not know ends the load, with or without address fields',
  run({ header }) {
    const unknown = (header?.flags ?? 0) & UNKNOWN_FLAGS;
    return unknown === 0
      ? undefined
      : refuse('invalid flags', { reason: `Multiboot flags ${hex(header?.flags ?? 0)}` });
  },
};

const FIELDS: R = {
  name: 'address-fields',
  source: MULTIBOOT,
  because: 'they have to fit each other and the file, and the entry has to lie in what is loaded',
  run({ header, fields, source, memory }) {
    if (header === undefined || fields === undefined) return undefined;
    const { header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr } = fields;
    const from = header.offset - (header_addr - load_addr);
    const size = load_end_addr === 0n ? source.size - from : load_end_addr - load_addr;
    const end = load_addr + size;
    const bad =
      header_addr < load_addr ||
      from < 0n ||
      size < 0n ||
      end > 0xffff_ffffn ||
      (bss_end_addr !== 0n && bss_end_addr < end) ||
      entry_addr < load_addr ||
      entry_addr >= end;
    if (bad)
      return refuse('invalid kernel offset', { reason: 'the address fields of the Multiboot header do not fit' });
    if (!isMemory(MAP, memory, load_addr, size)) {
      return refuse('unable to read kernel image', { needs: leastMemory(MAP, load_addr, size) });
    }
    return fits(from, size, source.size) ? undefined : refuse('unable to read kernel image');
  },
};

/** crosvm, loading what is named as the kernel. */
export const crosvm: Loader = loader<CrosvmView>({
  name: 'crosvm',
  open: (source, options) => new CrosvmView(source, options),
  rules: [FLAGS, FIELDS, ...ELF_RULES.map(elf)],
  values: ({ fields, image: { header, encoding } }) => ({
    entry: fields?.entry_addr ?? header.e_entry,
    mode: fields === undefined && encoding.bits === 64 ? '64-bit, paging on' : '32-bit, paging off',
    load: fields === undefined ? 'by program headers' : 'as one piece, by the header',
  }),
  needsMemory: (view) => (view.fields === undefined ? view.needsMemory() : undefined),
});
