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
} from './qemu-elf.js';
import { hasVirtual } from './read/file-bytes.js';
import { bytesAt, hasElfMagic } from './read/lenient-elf.js';
import {
  crash,
  entryOutside,
  type Loader,
  loader,
  lost,
  type Options,
  otherPath,
  type Remark,
  type Rule,
  refuse,
} from './rule.js';
import type { Placed } from './segment-overlap.js';

const MULTIBOOT = 'hw/i386/multiboot.c, load_multiboot';

const E_MACHINE_AT = 18n;

/**
 * Where the BIOS keeps the option ROM that copies the kernel in, on machine pc with its own devices: a block that begins at
 * 0xcb000 is entered, one at 0xca000 never (tried with 7.2).
 */
const LOADER_START = 0xca000n;
const LOADER_END = 0xcb000n;
/** The end of the BIOS: no load counts as the lowest that begins behind it. */
const FIRMWARE_END = 0x100000n;

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

/** The kernel is copied by an option ROM of the BIOS, and over it: what then? */
function overFirmware(start: bigint, end: bigint): Remark | undefined {
  if (start >= LOADER_END || end <= LOADER_START) return undefined;
  return crash(
    `the kernel never starts: ${hex(start)} to ${hex(end)} is copied as one block, with zeros over the BIOS and what it copies by`,
  );
}

/** Rules for files that are loaded as ELF. */
const elf = (rule: R): R => ({
  ...rule,
  run: (view) => (view.fields === undefined ? rule.run(view) : undefined),
});

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
    return overFirmware(load_addr, bss_end_addr === 0n ? load_addr + size : bss_end_addr);
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
  {
    name: 'fetched-to-the-end',
    source: `${MULTIBOOT}; hw/core/loader.c, rom_copy`,
    because: 'one block is fetched up to the highest end, and the last piece by address has to end there',
    run(view) {
      const placed = view.placed();
      const high = placed.reduce((most, { end }) => (end > most ? end : most), 0n);
      const last = placed
        .filter(({ start, end }) => end > start)
        .reduce<Placed | undefined>(
          (late, each) => (late === undefined || each.start >= late.start ? each : late),
          undefined,
        );
      if (last === undefined) return undefined;
      const { p_filesz = 0n, p_memsz = 0n } = view.image.segments[last.index] ?? {};
      const end = p_filesz > p_memsz ? last.start + p_filesz : last.end;
      if (end === high) return undefined;
      const reason = `PT_LOAD ${last.index} is the last by address and ends at ${hex(end)}, the highest end is ${hex(high)}`;
      return refuse('Error while fetching elf kernel from rom', { reason });
    },
  },
  {
    name: 'one-block',
    source: MULTIBOOT,
    because: 'one block from the lowest to the highest load is copied, with zeros where the file has nothing',
    run({ loads }) {
      const start = loads.reduce((least, { segment: s }) => (s.p_paddr < least ? s.p_paddr : least), FIRMWARE_END);
      const end = loads.reduce(
        (most, { segment: s }) => (s.p_paddr + s.p_memsz > most ? s.p_paddr + s.p_memsz : most),
        0n,
      );
      return overFirmware(start, end);
    },
  },
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
    ...ELF_RULES.map(elf),
  ],
  values: ({ header, fields, entry }) => ({
    headerOffset: header?.offset,
    entry,
    mode: '32-bit, paging off',
    load: fields === undefined ? 'by program headers' : 'as one piece, by the header',
  }),
  needsMemory: (view) => (view.fields === undefined ? view.needsMemory() : undefined),
});
