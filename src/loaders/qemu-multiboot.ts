/**
 * `qemu-system-x86_64 -kernel` with a Multiboot 1 header (hw/i386/multiboot.c, load_multiboot): by the header's address fields,
 * or as an ELF32 that an option ROM copies into memory as one block. With a header there is no way back to another format.
 */

import { type ByteSource, fits } from '../base/bytes/source.js';
import { hex } from '../base/errors/hex.js';
import { EM_386, EM_X86_64, PF_X, PT_LOAD } from '../formats/elf/names.js';
import { hasLinuxMagic } from '../formats/linux/boot-header.js';
import { findMb1, type Mb1Fields, type Mb1Header } from '../formats/multiboot/mb1.js';
import { multibootNearMiss } from '../formats/multiboot/near-miss.js';
import { QEMU_MB1 } from '../formats/multiboot/windows.js';
import { leastMemory } from './memory.js';
import {
  badLoad,
  inMemory,
  isFileByte,
  LOAD_FAILED,
  QEMU_ELF,
  QEMU_HEADER,
  QEMU_PROGRAM_HEADERS,
  QEMU_ROMS,
  QEMU_TOTAL_SIZE,
  QemuElf,
  qemuPlace,
} from './qemu-elf.js';
import { type Block, blockInMemory, overFirmware, QEMU_BLOCK } from './qemu-multiboot-block.js';
import { hasVirtual } from './read/file-bytes.js';
import { bytesAt, hasElfMagic } from './read/lenient-elf.js';
import { entryOutside, type Loader, loader, lost, type Options, otherPath, type Rule, refuse } from './rule.js';

const MULTIBOOT = 'hw/i386/multiboot.c, load_multiboot';

const E_MACHINE_AT = 18n;

class MultibootView extends QemuElf {
  readonly header: Mb1Header | undefined;

  constructor(source: ByteSource, options: Options) {
    super(source, options);
    this.header = findMb1(source, QEMU_MB1);
  }

  /** The address fields, by which the file is loaded whatever it is; undefined: it is loaded as ELF. */
  get fields(): Mb1Fields | undefined {
    return this.header?.fields;
  }

  /** The physical entry: only a segment with other physical than virtual addresses moves e_entry. */
  get entry(): bigint {
    if (this.fields !== undefined) return this.fields.entry_addr;
    const { header, segments } = this.image;
    const home = segments.find(
      (s) =>
        s.p_type === PT_LOAD && s.p_vaddr !== s.p_paddr && (s.p_flags & PF_X) !== 0 && hasVirtual(s, header.e_entry),
    );
    const entry = home === undefined ? header.e_entry : header.e_entry - home.p_vaddr + home.p_paddr;
    return BigInt.asUintN(32, entry);
  }
}

type R = Rule<MultibootView>;

/** Rules for files that are loaded as ELF. */
const elf = (rule: R): R => ({
  ...rule,
  run: (view) => (view.fields === undefined ? rule.run(view) : undefined),
});

/** What the address fields make of a file of so many bytes. */
function linearBlock({ offset }: Mb1Header, fields: Mb1Fields, fileSize: bigint): Block {
  const { header_addr, load_addr, load_end_addr, bss_end_addr } = fields;
  const fileEnd = load_end_addr === 0n ? fileSize - offset + header_addr : load_end_addr;
  return { start: load_addr, size: (bss_end_addr === 0n ? fileEnd : bss_end_addr) - load_addr };
}

const FIELDS: R = {
  name: 'address-fields',
  source: MULTIBOOT,
  because:
    'with address fields (flag bit 16) the file is copied as one piece: they have to fit each other and the file',
  run({ header, fields, source }) {
    if (header === undefined || fields === undefined) return undefined;
    const { header_addr, load_addr, load_end_addr, bss_end_addr } = fields;
    if (header_addr < load_addr) return refuse('invalid load_addr address');
    if (header_addr - load_addr > header.offset) return refuse('invalid header_addr address');
    const from = header.offset - (header_addr - load_addr);
    if (load_end_addr !== 0n && load_end_addr < load_addr) return refuse('invalid load_end_addr address');
    const size = load_end_addr === 0n ? source.size - from : load_end_addr - load_addr;
    if (load_addr + size > 0xffff_ffffn) return refuse('kernel does not fit in address space');
    if (bss_end_addr !== 0n && bss_end_addr < load_addr + size) return refuse('invalid bss_end_addr address');
    if (!fits(from, size, source.size)) return refuse('fread() failed');
    return overFirmware(linearBlock(header, fields, source.size));
  },
};

const FIELDS_ENTRY: R = {
  name: 'entry-in-the-load',
  source: MULTIBOOT,
  because: 'QEMU jumps to entry_addr without looking',
  run({ header, fields, source }) {
    if (header === undefined || fields === undefined) return undefined;
    const { header_addr, load_addr, load_end_addr, entry_addr } = fields;
    const end =
      load_end_addr === 0n ? load_addr + source.size - header.offset + (header_addr - load_addr) : load_end_addr;
    if (entry_addr >= load_addr && entry_addr < end) return undefined;
    return lost(
      `entry_addr ${hex(entry_addr)} is outside of ${hex(load_addr)} to ${hex(end)}, where the file is loaded`,
    );
  },
};

const FIELDS_IN_MEMORY: R = {
  name: 'load-in-memory',
  source: `${MULTIBOOT}; pc-bios/optionrom/multiboot.S`,
  because: 'what goes where the machine has no memory is not written, and QEMU does not report it',
  run({ header, fields, source, memory }) {
    if (header === undefined || fields === undefined) return undefined;
    return blockInMemory(linearBlock(header, fields, source.size), fields.entry_addr, memory);
  },
};

const ELF_RULES: readonly R[] = [
  {
    name: 'class',
    source: MULTIBOOT,
    because: 'the halfword at 0x12 decides, in any class and in what is no ELF, too',
    run({ source }) {
      const [low = 0, high = 0] = bytesAt(source, E_MACHINE_AT, 2);
      if ((low | (high << 8)) !== EM_X86_64) return undefined;
      return refuse('Cannot load x86-64 image, give a 32bit one.');
    },
  },
  {
    name: 'elf-magic',
    source: QEMU_ELF,
    because: 'without address fields it has to be ELF',
    run: ({ source }) => (hasElfMagic(source) ? undefined : refuse(LOAD_FAILED, { reason: 'no ELF magic' })),
  },
  QEMU_HEADER,
  {
    name: 'machine',
    source: QEMU_ELF,
    because: 'EM_386 and no other',
    run({ image: { header } }) {
      if (header.e_machine === EM_386) return undefined;
      return refuse(LOAD_FAILED, { reason: `e_machine is ${header.e_machine}` });
    },
  },
  QEMU_PROGRAM_HEADERS,
  { name: 'segments', source: QEMU_ELF, because: 'each PT_LOAD must be in the file', run: badLoad },
  QEMU_TOTAL_SIZE,
  ...QEMU_BLOCK,
  ...QEMU_ROMS,
  inMemory(({ entry }) => entry),
  {
    name: 'entry-in-a-segment',
    source: MULTIBOOT,
    because: 'QEMU jumps without looking',
    run({ entry, loads }) {
      const inside = loads.some(({ segment: s }) => isFileByte(s, entry));
      return inside ? undefined : entryOutside(entry);
    },
  },
];

/** QEMU's `-kernel`, which loads a kernel by its Multiboot 1 header before it looks at notes. */
export const qemuMultiboot: Loader = loader<MultibootView>({
  name: 'qemu-multiboot',
  open: (source, options) => new MultibootView(source, options),
  rules: [
    {
      name: 'not-bzimage',
      source: 'hw/i386/x86-common.c, x86_load_linux',
      because: 'HdrS at 0x202 makes it a Linux boot image, whatever else it is',
      run: ({ source }) =>
        hasLinuxMagic(source) ? otherPath('loaded as a Linux boot image: HdrS stands at 0x202') : undefined,
    },
    {
      name: 'multiboot-header',
      source: MULTIBOOT,
      because: 'the header is found by its place: 4-aligned, up to offset 8140',
      run({ source, header }) {
        if (header !== undefined) return undefined;
        const near = multibootNearMiss(source, 1, QEMU_MB1);
        return otherPath(`no Multiboot 1 header: tried by the PVH note${near === undefined ? '' : `; ${near}`}`);
      },
    },
    FIELDS,
    FIELDS_ENTRY,
    FIELDS_IN_MEMORY,
    ...ELF_RULES.map(elf),
  ],
  values: ({ header, fields, entry }) => ({
    headerOffset: header?.offset,
    entry,
    mode: '32-bit, paging off',
    load: fields === undefined ? 'by program headers' : 'as one piece, by the header',
  }),
  needsMemory(view) {
    const { header, fields, source, memory } = view;
    if (header === undefined || fields === undefined) return view.needsMemory();
    const { start, size } = linearBlock(header, fields, source.size);
    return leastMemory(qemuPlace(memory), start, size);
  },
});
