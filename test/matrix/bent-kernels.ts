/**
 * Kernels of both classes that loaders take, each bent in one place: the images of the matrix (matrix.ts). What a row bends,
 * and so which rule it is there for, its name says; which rules it breaks is found out by asking the loaders.
 */

import { readFileSync } from 'node:fs';
import type { Encoding } from '../../src/formats/elf/struct.js';
import { REPORTED } from '../edit/fix/reported.js';
import {
  concat,
  cstr,
  type ElfBuilder,
  elf,
  type NoteSegmentOptions,
  num,
  type TestNote,
} from '../support/elf-builder.js';
import { fixture } from '../support/fixtures.js';

/** An image and what is wrong with it. */
export interface BentKernel {
  readonly name: string;
  readonly bits: 32 | 64;
  readonly bytes: Uint8Array;
}

const PADDR = 0x200000n;
const SIZE = 0x3000;

/** What a base needs of its class. */
class Base {
  readonly bits: 32 | 64;
  readonly encoding: Encoding;

  constructor(bits: 32 | 64) {
    this.bits = bits;
    this.encoding = { bits, endian: 'little' };
  }

  get offset(): bigint {
    return this.bits === 64 ? 0xffffffff80000000n : 0xc0000000n;
  }

  get vaddr(): bigint {
    return this.offset + PADDR;
  }

  get machine(): number {
    return this.bits === 64 ? 62 : 3;
  }

  text(type: number, value: string): TestNote {
    return { type, desc: cstr(value) };
  }

  native(type: number, value: bigint): TestNote {
    return { type, desc: num(BigInt.asUintN(this.bits, value), this.bits / 8, this.encoding) };
  }

  word(type: number, value: bigint): TestNote {
    return { type, desc: num(value, 4, this.encoding) };
  }

  get pvNotes(): TestNote[] {
    return [
      this.text(6, 'linux'),
      this.text(5, 'xen-3.0'),
      this.text(8, 'generic'),
      this.native(3, this.offset),
      this.native(4, 0n),
      this.native(1, this.vaddr),
      ...(this.bits === 32 ? [this.text(9, 'yes')] : []),
    ];
  }

  get pvhNotes(): TestNote[] {
    return [this.word(18, PADDR)];
  }

  /** Nothing but its one PT_LOAD, linked high for PV, at its physical address for the others. */
  bare(high: boolean, code = new Uint8Array(SIZE).fill(0x90)): ElfBuilder {
    const vaddr = high ? this.vaddr : PADDR;
    return elf(this.encoding)
      .header({ e_type: 2, e_machine: this.machine, e_entry: vaddr })
      .with({ slack: 0x200 })
      .load(vaddr, code, { paddr: PADDR, align: 0x1000n })
      .section('.text', { inside: { load: 0, at: 0, size: SIZE }, addr: vaddr, flags: 6n });
  }
}

type Change = (builder: ElfBuilder, base: Base) => ElfBuilder;

const with_ = (notes: TestNote[], ...changes: readonly (TestNote | number)[]): TestNote[] => {
  const types = new Set(changes.map((change) => (typeof change === 'number' ? change : change.type)));
  const added = changes.filter((change): change is TestNote => typeof change !== 'number');
  return [...notes.filter(({ type }) => !types.has(type)), ...added];
};

/** Multiboot headers, by hand from the two specifications. */
const mb1 = (flags = 0, checksum = -(0x1badb002 + flags)): Uint8Array => words(0x1badb002, flags, checksum);
const mb1Fields = (...fields: readonly number[]): Uint8Array => concat([mb1(0x10000), words(...fields)]);
const mb2 = (...tags: readonly Uint8Array[]): Uint8Array => {
  const body = concat([...tags, words(0, 8)]);
  const length = 16 + body.length;
  return concat([words(0xe85250d6, 0, length, -(0xe85250d6 + length)), body]);
};
const tag = (type: number, flags: number, ...data: readonly number[]): Uint8Array =>
  concat([words(type | (flags << 16), 8 + data.length * 4), words(...data), new Uint8Array((data.length % 2) * 4)]);

function words(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) view.setUint32(index * 4, value >>> 0, true);
  return bytes;
}

const at = (offset: number, bytes: Uint8Array, size = SIZE): Uint8Array => {
  const code = new Uint8Array(size).fill(0x90);
  code.set(bytes, offset);
  return code;
};

/** Bent in what every loader reads: the headers, and where the bytes go. */
const HEADER_BENDS: Readonly<Record<string, Change>> = {
  nothing: (b) => b,
  'e_machine of Arm': (b) => b.header({ e_machine: 183 }),
  'e_machine of the other class': (b, { bits }) => b.header({ e_machine: bits === 64 ? 3 : 62 }),
  'e_type of an object file': (b) => b.header({ e_type: 1 }),
  'e_version 0': (b) => b.header({ e_version: 0 }),
  'e_ehsize of 1': (b) => b.header({ e_ehsize: 1 }),
  'e_flags of an a.out': (b) => b.header({ e_flags: 4 }),
  'e_phentsize one too much': (b, { bits }) => b.header({ e_phentsize: bits === 64 ? 57 : 33 }),
  'e_shentsize one too much': (b, { bits }) => b.header({ e_shentsize: bits === 64 ? 65 : 41 }),
  'no program headers': (b) => b.header({ e_phnum: 0, e_phoff: 0n }),
  'e_phoff behind the end': (b) => b.header({ e_phoff: 0x7ffffff0n }),
  'e_shstrndx of no section': (b) => b.header({ e_shstrndx: 0xff01 }),
  'e_phnum of extended numbering': (b) => b.header({ e_phnum: 0xffff }),
  'e_phoff 0, and entries counted': (b) => b.header({ e_phoff: 0n }),
  'e_phoff in the ELF header': (b) => b.header({ e_phoff: 32n }),
  'e_shoff behind the end': (b) => b.header({ e_shoff: 0x7ffffff0n }),
  'no section headers': (b) => b.header({ e_shoff: 0n, e_shnum: 0, e_shstrndx: 0 }),
  'e_shnum 0 and an e_shoff': (b) => b.header({ e_shnum: 0, e_shstrndx: 0 }),
  'e_shnum of extended numbering': (b) => b.header({ e_shnum: 0xff01 }),
  'e_entry 0': (b) => b.header({ e_entry: 0n }),
  'e_entry behind the image': (b, { vaddr }) => b.header({ e_entry: vaddr + 0x100000n }),
  'a PT_LOAD behind the end': (b, { vaddr }) =>
    b.load(vaddr + 0x10000n, new Uint8Array(16), { paddr: PADDR + 0x10000n, offset: 0x7000000n }),
  'a PT_LOAD that ends behind the end': (b, { vaddr }) =>
    b.load(vaddr + 0x10000n, new Uint8Array(16), { paddr: PADDR + 0x10000n, filesz: 0x100000n, memsz: 0x100000n }),
  'a PT_LOAD over another': (b, { vaddr }) =>
    b.load(vaddr + 0x1000n, new Uint8Array(0x1000), { paddr: PADDR + 0x1000n, align: 0x1000n }),
  'an empty PT_LOAD in another': (b, { vaddr }) =>
    b.load(vaddr + 0x800n, new Uint8Array(0), { paddr: PADDR + 0x800n, filesz: 0n, memsz: 0n }),
  'a PT_LOAD in the middle of a page': (b, { vaddr }) =>
    b.load(vaddr + 0x10010n, new Uint8Array(16), { paddr: PADDR + 0x10010n }),
  'p_filesz above p_memsz': (b, { vaddr }) =>
    b.load(vaddr + 0x10000n, new Uint8Array(64), { paddr: PADDR + 0x10000n, memsz: 16n, align: 0x1000n }),
  'a PT_LOAD high in memory': (b, { vaddr, bits }) =>
    b.load(vaddr + 0x10000n, new Uint8Array(64), {
      paddr: bits === 64 ? 0xffffffff80010000n : 0xfffff000n,
      align: 0x1000n,
      memsz: 0x1000n,
    }),
  'a PT_LOAD where no memory is': (b, { vaddr, bits }) =>
    b.load(vaddr + 0x10000n, new Uint8Array(64), { paddr: bits === 64 ? 0xff000000000n : 0xd0000000n, align: 0x1000n }),
  'a PT_LOAD whose end wraps': (b, { bits, vaddr }) =>
    b.load(vaddr + 0x10000n, new Uint8Array(64), {
      paddr: PADDR + 0x10000n,
      memsz: bits === 64 ? -0x100000n & ((1n << 64n) - 1n) : 0xfff00000n,
      align: 0x1000n,
    }),
  'a PT_LOAD whose offset wraps': (b, { vaddr, bits }) =>
    b.load(vaddr + 0x10000n, new Uint8Array(16), {
      paddr: PADDR + 0x10000n,
      align: 0x1000n,
      offset: bits === 64 ? 0xfffffffffffff000n : 0xfffff000n,
      filesz: 0x1100n,
      memsz: 0x1100n,
    }),
  'PT_LOADs without flags': (b, { vaddr }) =>
    b.load(vaddr + 0x10000n, new Uint8Array(64), { flags: 0, paddr: PADDR + 0x10000n }),
  'a PT_INTERP': (b) => b.segment(3, cstr('/lib/ld.so')),
  'a symbol table of records of another size': (b) =>
    b.section('.symtab', { type: 2, bytes: new Uint8Array(48), entsize: 23n }),
  'a section behind the end': (b) => b.section('.debug', { offset: 0x7000000n, size: 0x1000n }),
  relocations: (b, { bits }) =>
    b.section('.rela', { type: 4, bytes: new Uint8Array(48), entsize: bits === 64 ? 24n : 12n }),
};

type Notes = (base: Base) => readonly TestNote[];

/** Bent in what the notes of a PV guest say. */
const PV_BENDS: Readonly<Record<string, Notes>> = {
  'no LOADER and no GUEST_OS': ({ pvNotes }) => with_(pvNotes, 6, 8),
  'no GUEST_OS, another LOADER': (b) => with_(b.pvNotes, 6, b.text(8, 'other')),
  'another LOADER': (b) => with_(b.pvNotes, b.text(8, 'other')),
  'no XEN_VERSION': (b) => with_(b.pvNotes, 5),
  'XEN_VERSION 4': (b) => with_(b.pvNotes, b.text(5, 'xen-4.0')),
  'no VIRT_BASE': (b) => with_(b.pvNotes, 3),
  'no VIRT_BASE, no ENTRY': (b) => with_(b.pvNotes, 3, 1),
  'VIRT_BASE above the image': (b) => with_(b.pvNotes, b.native(3, b.vaddr + 0x10000n)),
  'VIRT_BASE no page': (b) => with_(b.pvNotes, b.native(3, b.offset + 8n), b.native(1, b.vaddr + 8n)),
  'VIRT_BASE in the range of Xen': (b) =>
    with_(b.pvNotes, b.native(3, 0xffff800000000000n), b.native(1, 0xffff800000200000n)),
  'ENTRY 0': (b) => with_(b.pvNotes, b.native(1, 0n)),
  'ENTRY behind the image': (b) => with_(b.pvNotes, b.native(1, b.vaddr + 0x100000n)),
  'ENTRY of 3 bytes': (b) => with_(b.pvNotes, { type: 1, desc: new Uint8Array(3) }),
  'ENTRY of 4 bytes': (b) => with_(b.pvNotes, b.word(1, 0x200000n)),
  'INIT_P2M in the image': (b) => with_(b.pvNotes, b.native(15, b.vaddr)),
  'INIT_P2M behind the image': (b) => with_(b.pvNotes, b.native(15, b.vaddr + 0x4000n)),
  'INIT_P2M in the image, physical': (b) => with_(b.pvNotes, b.native(15, PADDR)),
  'HYPERCALL_PAGE 0': (b) => with_(b.pvNotes, b.native(2, 0n)),
  'HYPERCALL_PAGE no page': (b) => with_(b.pvNotes, b.native(2, b.vaddr + 0x1008n)),
  'an unknown required feature': (b) => with_(b.pvNotes, b.text(10, '!frobnicate')),
  '!dom0': (b) => with_(b.pvNotes, b.text(10, '!dom0|!writable_page_tables')),
  '!supervisor_mode_kernel': (b) => with_(b.pvNotes, b.text(10, '!supervisor_mode_kernel')),
  '!auto_translated_physmap': (b) => with_(b.pvNotes, b.text(10, '!auto_translated_physmap')),
  'no dom0 bit': (b) => with_(b.pvNotes, b.word(17, 1n)),
  'PAE_MODE no': (b) => with_(b.pvNotes, b.text(9, 'no')),
  'HV_START_LOW too high': (b) => with_(b.pvNotes, b.native(12, 0xf5900000n)),
  'no PHYS32_ENTRY': (b) => b.pvNotes,
};

const PVH_BENDS: Readonly<Record<string, Notes>> = {
  'PHYS32_ENTRY 0': (b) => [b.word(18, 0n)],
  'PHYS32_ENTRY behind the image': (b) => [b.word(18, 0x5000000n)],
  'PHYS32_ENTRY of 2 bytes': () => [{ type: 18, desc: new Uint8Array(2) }],
  'PHYS32_ENTRY of no byte': () => [{ type: 18, desc: new Uint8Array(0) }],
  'PHYS32_ENTRY, PADDR_OFFSET and no VIRT_BASE': (b) => [...b.pvhNotes, b.native(4, 0n)],
  'PHYS32_ENTRY and no dom0 bit': (b) => [...b.pvhNotes, b.word(17, 1n)],
  'PHYS32_ENTRY and INIT_P2M in the image': (b) => [...b.pvhNotes, b.native(15, PADDR)],
  'PHYS32_ENTRY, an unknown required feature': (b) => [...b.pvhNotes, b.text(10, '!frobnicate')],
  'PHYS32_ENTRY and !dom0': (b) => [...b.pvhNotes, b.text(10, '!dom0')],
  'PHYS32_ENTRY and another LOADER': (b) => [...b.pvhNotes, b.text(8, 'other')],
  'PHYS32_ENTRY of another owner': (b) => b.pvhNotes.map((note) => ({ ...note, name: 'xen' })),
  'PHYS32_ENTRY of GNU': (b) => b.pvhNotes.map((note) => ({ ...note, name: 'GNU' })),
  'a build-id alone': () => [{ name: 'GNU', type: 3, desc: new Uint8Array(20) }],
};

/** Bent in where the notes stand and how long they say to be. */
const AREA_BENDS: Readonly<Record<string, (notes: readonly TestNote[], builder: ElfBuilder) => ElfBuilder>> = {
  'p_align 0': (notes, b) => b.noteSegment(notes, { align: 0n }),
  'p_align 8': (notes, b) => b.noteSegment(notes, { align: 8n }),
  'p_align 1': (notes, b) => b.noteSegment(notes, { align: 1n }),
  'a short p_filesz': (notes, b) => b.noteSegment(notes, { filesz: 14n }),
  'a build-id behind': (notes, b) =>
    b.noteSegment(notes).noteSegment([{ name: 'GNU', type: 3, desc: new Uint8Array(20) }]),
  'an empty PT_NOTE behind': (notes, b) => b.noteSegment(notes).noteSegment([]),
  'a section alone': (notes, b) => b.noteSection('.note.Xen', notes),
  'a PT_NOTE behind the end': (notes, b) => b.noteSegment(notes, { offset: 0x7000000n }),
  'zeros behind the records': (notes, b) => b.noteSegment(notes, { filesz: 0x400n }),
};

function multiboots(base: Base): [string, ElfBuilder][] {
  const { machine, encoding } = base;
  const kernel = (code: Uint8Array, paddr = PADDR) =>
    elf(encoding)
      .header({ e_type: 2, e_machine: machine, e_entry: paddr })
      .load(paddr, code, { paddr, align: 0x1000n })
      .section('.text', { inside: { load: 0, at: 0, size: SIZE }, addr: paddr, flags: 6n });
  const one = (header: Uint8Array, offset = 0) => kernel(at(offset, header));
  const [L, E] = [Number(PADDR), Number(PADDR) + 0x40];
  return [
    ['Multiboot 1, too late', one(mb1(), 0x2400)],
    ['Multiboot 1, out of QEMU’s window', one(mb1(), 0x1000 - 0x20)],
    ['Multiboot 1, not 4-aligned', one(mb1(), 2)],
    ['Multiboot 1, wrong checksum', one(mb1(0, 1))],
    ['Multiboot 1, an unknown flag', one(mb1(0x8))],
    ['Multiboot 2, too late', kernel(at(0x8000, mb2(), 0x9000))],
    ['Multiboot 2, not 8-aligned', one(mb2(), 4)],
    ['Multiboot 2, wrong checksum', one(words(0xe85250d6, 0, 24, 1, 0, 8))],
    ['Multiboot 2, an unknown tag', one(mb2(tag(0x77, 0)))],
    [
      'Multiboot 2, a tag of size 0',
      one(concat([words(0xe85250d6, 0, 32, -(0xe85250d6 + 32)), words(4, 0), words(0, 8)])),
    ],
    ['Multiboot 2, unknown information', one(mb2(tag(1, 0, 99)))],
    ['Multiboot 2, an address tag without an entry', one(mb2(tag(2, 0, L, L, 0, 0)))],
    ['Multiboot 2, no end tag', one(concat([words(0xe85250d6, 0, 24, -(0xe85250d6 + 24)), words(0x50, 8)]))],
    ['Multiboot 1, in front of the kernel', kernel(at(0, mb1()), 0x8000n).load(PADDR, new Uint8Array(0x100))],
    ['Multiboot 1, load_addr -1', one(mb1Fields(L, 0xffffffff, 0, 0, E))],
    ['Multiboot 1, header_addr below load_addr', one(mb1Fields(L, L + 0x1000, 0, 0, E))],
    ['Multiboot 1, header_addr far above load_addr', one(mb1Fields(L + 0x100000, L, 0, 0, E))],
    ['Multiboot 1, load_end_addr below load_addr', one(mb1Fields(L, L, L - 0x1000, 0, E))],
    ['Multiboot 1, bss_end_addr below load_end_addr', one(mb1Fields(L, L, L + 0x1000, L + 0x800, E))],
    ['Multiboot 1, load_end_addr behind the file', one(mb1Fields(L, L, L + 0x100000, 0, E))],
    ['Multiboot 1, loads to the end of the addresses', one(mb1Fields(0xfffff000, 0xfffff000, 0, 0, 0xfffff040))],
    ['Multiboot 1, address fields', one(mb1Fields(L, L, 0, 0, E))],
    ['Multiboot 2, address fields', one(mb2(tag(2, 0, L, L, 0, 0), tag(3, 0, E)))],
    ['Multiboot 2, load_addr -1', one(mb2(tag(2, 0, L, -1, 0, 0), tag(3, 0, E)))],
    ['Multiboot 2, bss_end_addr below load_end_addr', one(mb2(tag(2, 0, L, L, L + 0x1000, L + 0x800), tag(3, 0, E)))],
    ['Multiboot 2, load_end_addr below load_addr', one(mb2(tag(2, 0, L, L, L - 0x1000, 0), tag(3, 0, E)))],
    ['Multiboot 2, header_addr far above load_addr', one(mb2(tag(2, 0, L + 0x100000, L, 0, 0), tag(3, 0, E)))],
    [
      'Multiboot 1, a PT_PHDR over e_entry',
      one(mb1())
        .segment(6, undefined, {
          vaddr: PADDR,
          paddr: base.bits === 64 ? 0x130000000n : 0x30000000n,
          filesz: 0x100n,
          memsz: 0x100n,
          offset: 64n,
        })
        .with({ order: [1, 0] }),
    ],
    ['Multiboot 1, program headers too late', one(mb1()).header({ e_phoff: 0x2ff8n })],
    ...[1, 2].flatMap((version): [string, ElfBuilder][] =>
      Object.entries(HEADER_BENDS).map(([name, bend]) => [
        `Multiboot ${version}, ${name}`,
        bend(kernel(at(0, version === 1 ? mb1() : mb2())), low(base)),
      ]),
    ),
  ];
}

/** A base whose virtual addresses are its physical ones, for what bends a kernel by them. */
function low({ bits }: Base): Base {
  const base = new Base(bits);
  Object.defineProperty(base, 'vaddr', { value: PADDR });
  return base;
}

function kernelsOf(base: Base): [string, ElfBuilder][] {
  const { pvNotes, pvhNotes } = base;
  const area = (notes: readonly TestNote[], high: boolean, options: NoteSegmentOptions = {}) =>
    base.bare(high).noteSegment(notes, options);
  const both = [...pvNotes, ...pvhNotes];
  return [
    ...Object.entries(HEADER_BENDS).flatMap(([name, bend]): [string, ElfBuilder][] => [
      [`PV, ${name}`, bend(area(pvNotes, true), base)],
      [`PVH, ${name}`, bend(area(pvhNotes, false), low(base))],
    ]),
    ...Object.entries(PV_BENDS).map(([name, notes]): [string, ElfBuilder] => [name, area(notes(base), true)]),
    ...Object.entries(PVH_BENDS).map(([name, notes]): [string, ElfBuilder] => [name, area(notes(base), false)]),
    ...Object.entries(AREA_BENDS).flatMap(([name, put]): [string, ElfBuilder][] => [
      [`PV, ${name}`, put(pvNotes, base.bare(true))],
      [`PVH, ${name}`, put(pvhNotes, base.bare(false))],
    ]),
    ['no note', base.bare(false)],
    ['no note, and _start', base.bare(false).symbol('_start', PADDR)],
    ['no note, and a PVH symbol', base.bare(false).symbol('pvh_start_xen', PADDR)],
    ['both kinds of notes', area(both, true)],
    [
      'a __xen_guest string without XEN_VER',
      base.bare(true).section('__xen_guest', {
        bytes: cstr(`LOADER=generic,VIRT_BASE=0x${base.offset.toString(16)},ELF_PADDR_OFFSET=0`),
      }),
    ],
    [
      'a __xen_guest string',
      base.bare(true).section('__xen_guest', {
        bytes: cstr(
          `LOADER=generic,XEN_VER=xen-3.0,VIRT_BASE=0x${base.offset.toString(16)},ELF_PADDR_OFFSET=0,PAE=yes`,
        ),
      }),
    ],
    [
      'a PVH kernel below 1 MiB',
      elf(base.encoding)
        .header({ e_type: 2, e_machine: base.machine, e_entry: 0x90000n })
        .load(0x90000n, new Uint8Array(0x1000), { memsz: 0x20000n, align: 0x1000n })
        .noteSegment([base.word(18, 0x90000n)]),
    ],
    [
      'a PVH kernel that begins in the middle of a page',
      elf(base.encoding)
        .header({ e_machine: base.machine, e_entry: PADDR + 16n })
        .load(PADDR + 16n, new Uint8Array(64))
        .noteSegment([base.word(18, PADDR + 16n)]),
    ],
    ...multiboots(base),
  ];
}

/** The mark of a Linux boot image in the room behind the program headers. */
function withLinuxMark(bits: 32 | 64): BentKernel {
  const base = new Base(bits);
  const bytes = base.bare(false).with({ slack: 0x400 }).noteSegment(base.pvhNotes).build();
  bytes.set(Buffer.from('HdrS'), 0x202);
  return { name: `ELF${bits}: HdrS at 0x202`, bits, bytes };
}

/** Files that are no ELF at all. */
const NO_ELF: readonly BentKernel[] = [
  { name: 'an empty file', bits: 64, bytes: new Uint8Array(0) },
  { name: 'zeros', bits: 64, bytes: new Uint8Array(0x1000) },
  { name: 'an ELF header cut short', bits: 64, bytes: new Base(64).bare(true).build().subarray(0, 40) },
  { name: 'a flat binary with a Multiboot 1 header', bits: 32, bytes: at(0, mb1()) },
  {
    name: 'a big-endian ELF with a Multiboot 1 header',
    bits: 32,
    bytes: elf({ bits: 32, endian: 'big' })
      .header({ e_machine: 3, e_entry: PADDR })
      .load(PADDR, at(0, mb1()), { align: 0x1000n })
      .build(),
  },
  {
    name: 'a flat binary with a table of xl',
    bits: 32,
    bytes: concat([words(0x336ec578, 0, -0x336ec578), new Uint8Array(0x1000)]),
  },
];

/** PE images: what Multiboot makes of an xen.efi that was not laid out for it. */
function peImages(): BentKernel[] {
  return ['dual.efi', 'dual-2m.efi', 'dual-tight.efi'].map((name) => ({
    name,
    bits: 64,
    bytes: new Uint8Array(readFileSync(fixture(name))),
  }));
}

/** All of them. Built once: the same bytes each time. */
export function bentKernels(): readonly BentKernel[] {
  const built = ([64, 32] as const).flatMap((bits) =>
    kernelsOf(new Base(bits)).map(
      ([name, builder]): BentKernel => ({ name: `ELF${bits}: ${name}`, bits, bytes: builder.build() }),
    ),
  );
  const reported = REPORTED.map(
    ({ name, image }): BentKernel => ({ name: `reported: ${name}`, bits: image[4] === 1 ? 32 : 64, bytes: image }),
  );
  const bigEndian = { bits: 64, endian: 'big' } as const;
  return [
    ...built,
    ...reported,
    {
      name: 'big-endian',
      bits: 64,
      bytes: elf(bigEndian)
        .header({ e_machine: 62, e_entry: PADDR })
        .load(PADDR, new Uint8Array(0x1000), { align: 0x1000n })
        .noteSegment([{ type: 18, desc: num(PADDR, 4, bigEndian) }])
        .build(),
    },
    withLinuxMark(64),
    withLinuxMark(32),
    ...NO_ELF,
    ...peImages(),
  ];
}
