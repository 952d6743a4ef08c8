/**
 * Kernels for dom0 under the real Xen: the committed fixtures, each bent in one way by bytes. Many load and then run wrong, or
 * hang on how much memory there is.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { XEN_ELFNOTE } from '../../src/formats/note/note-types.js';
import { fixture } from '../support/fixtures.js';
import { type Kernel, stubOf } from './kernels.js';

/** A 64-bit little-endian ELF whose fields are put down by name. */
class Bent {
  readonly bytes: Buffer;

  constructor(name: string) {
    this.bytes = Buffer.from(readFileSync(fixture(name)));
  }

  /** A field of program header `index`. */
  segment(index: number, field: keyof typeof PHDR, value: bigint): this {
    const at = Number(this.bytes.readBigUInt64LE(32)) + 56 * index + PHDR[field];
    if (field === 'type' || field === 'flags') this.bytes.writeUInt32LE(Number(value), at);
    else this.bytes.writeBigUInt64LE(BigInt.asUintN(64, value), at);
    return this;
  }

  /** The number in the Xen note of that type, in the width that it has. */
  note(type: number, value: bigint): this {
    for (let at = this.bytes.indexOf('Xen\0') - 12; at > 0; at = this.bytes.indexOf('Xen\0', at + 16) - 12) {
      if (this.bytes.readUInt32LE(at + 8) !== type) continue;
      const size = this.bytes.readUInt32LE(at + 4);
      if (size === 8) this.bytes.writeBigUInt64LE(BigInt.asUintN(64, value), at + 16);
      else this.bytes.writeUInt32LE(Number(BigInt.asUintN(32, value)), at + 16);
      return this;
    }
    throw new Error(`no note of type ${type}`);
  }

  /** A note of that type gets another, so that it is not there. */
  without(type: number): this {
    for (let at = this.bytes.indexOf('Xen\0') - 12; at > 0; at = this.bytes.indexOf('Xen\0', at + 16) - 12) {
      if (this.bytes.readUInt32LE(at + 8) === type) this.bytes.writeUInt32LE(0x200, at + 8);
    }
    return this;
  }

  entry(value: bigint): this {
    this.bytes.writeBigUInt64LE(BigInt.asUintN(64, value), 24);
    return this;
  }
}

const PHDR = { type: 0, flags: 4, offset: 8, vaddr: 16, paddr: 24, filesz: 32, memsz: 40 } as const;
const { ENTRY, HYPERCALL_PAGE, VIRT_BASE, PADDR_OFFSET, PHYS32_ENTRY } = XEN_ELFNOTE;
const MIB = 0x10_0000n;
const HIGH = 0xffffffff80000000n;
const TOP = 0xfffffffffff00000n;

type Bend = (image: Bent) => Bent;

/** The second segment elsewhere, virtual and physical address alike. */
const moved =
  (by: bigint): Bend =>
  (image) =>
    image.segment(1, 'vaddr', HIGH + 0x103000n + by).segment(1, 'paddr', 0x103000n + by);

const PV: Readonly<Record<string, Bend>> = {
  sound: (image) => image,
  'memory size 1 MiB': (image) => image.segment(1, 'memsz', MIB),
  'memory size 20 MiB': (image) => image.segment(1, 'memsz', 20n * MIB),
  'memory size 60 MiB': (image) => image.segment(1, 'memsz', 60n * MIB),
  'memory size 100 MiB': (image) => image.segment(1, 'memsz', 100n * MIB),
  'memory size 256 MiB': (image) => image.segment(1, 'memsz', 256n * MIB),
  'memory size 700 MiB': (image) => image.segment(1, 'memsz', 700n * MIB),
  'second segment 16 MiB on': moved(16n * MIB),
  'second segment 64 MiB on': moved(64n * MIB),
  'second segment 200 MiB on': moved(200n * MIB),
  'second segment 1 GiB on': moved(1024n * MIB),
  'second p_paddr 16 MiB on': (image) => image.segment(1, 'paddr', 17n * MIB),
  'second p_paddr 128 MiB on': (image) => image.segment(1, 'paddr', 129n * MIB),
  'second p_paddr within the first': (image) => image.segment(1, 'paddr', 0x101000n),
  'second p_paddr as the first': (image) => image.segment(1, 'paddr', 0x100000n),
  'second p_paddr 8 on': (image) => image.segment(1, 'paddr', 0x103008n),
  'second p_paddr below': (image) => image.segment(1, 'paddr', 0x80000n),
  'second p_paddr wraps': (image) => image.segment(1, 'paddr', -0x1000n),
  'both p_paddr virtual': (image) =>
    image
      .segment(0, 'paddr', HIGH + MIB)
      .segment(1, 'paddr', HIGH + 0x103000n)
      .note(PADDR_OFFSET, HIGH),
  'p_filesz above p_memsz': (image) => image.segment(1, 'memsz', 4n),
  'p_offset 8 on': (image) => image.segment(0, 'offset', 0x1008n),
  'second p_offset behind the end': (image) => image.segment(1, 'offset', 0x100000n),
  'second p_memsz cut': (image) => image.segment(1, 'memsz', 8n),
  'second without flags': (image) => image.segment(1, 'flags', 0n),
  'second of no size': (image) => image.segment(1, 'filesz', 0n).segment(1, 'memsz', 0n),
  'ENTRY in data': (image) => image.note(ENTRY, HIGH + 0x103000n),
  'ENTRY in bss': (image) => image.note(ENTRY, HIGH + 0x104000n),
  'ENTRY at the end': (image) => image.note(ENTRY, HIGH + 0x106000n),
  'ENTRY 1 on': (image) => image.note(ENTRY, HIGH + 0x100001n),
  'HYPERCALL_PAGE over the entry': (image) => image.note(HYPERCALL_PAGE, HIGH + 0x100000n),
  'HYPERCALL_PAGE not aligned': (image) => image.note(HYPERCALL_PAGE, HIGH + 0x101008n),
  'HYPERCALL_PAGE behind the kernel': (image) => image.note(HYPERCALL_PAGE, HIGH + 0x107000n),
  'HYPERCALL_PAGE 2 MiB on': (image) => image.note(HYPERCALL_PAGE, HIGH + 2n * MIB),
  'HYPERCALL_PAGE 4 MiB on': (image) => image.note(HYPERCALL_PAGE, HIGH + 4n * MIB),
  'HYPERCALL_PAGE 8 MiB on': (image) => image.note(HYPERCALL_PAGE, HIGH + 8n * MIB),
  'HYPERCALL_PAGE 64 MiB on': (image) => image.note(HYPERCALL_PAGE, HIGH + 64n * MIB),
  'HYPERCALL_PAGE across the end': (image) => image.note(HYPERCALL_PAGE, HIGH + 4n * MIB - 8n),
  'VIRT_BASE at the top': (image) =>
    image
      .note(VIRT_BASE, TOP - MIB)
      .note(ENTRY, TOP)
      .note(HYPERCALL_PAGE, TOP + 0x1000n),
  'VIRT_BASE low': (image) =>
    image
      .note(VIRT_BASE, 0n)
      .note(ENTRY, MIB)
      .note(HYPERCALL_PAGE, MIB + 0x1000n),
  'no HYPERCALL_PAGE': (image) => image.without(HYPERCALL_PAGE),
  'no ENTRY': (image) => image.without(ENTRY),
  'no ENTRY, e_entry in data': (image) => image.without(ENTRY).entry(HIGH + 0x103000n),
  'no VIRT_BASE': (image) => image.without(VIRT_BASE),
  'no PADDR_OFFSET': (image) => image.without(PADDR_OFFSET),
  'PADDR_OFFSET a page off': (image) => image.note(PADDR_OFFSET, 0x1000n),
};

const PVH: Readonly<Record<string, Bend>> = {
  sound: (image) => image,
  'memory size 20 MiB': (image) => image.segment(1, 'memsz', 20n * MIB),
  'memory size 60 MiB': (image) => image.segment(1, 'memsz', 60n * MIB),
  'memory size 256 MiB': (image) => image.segment(1, 'memsz', 256n * MIB),
  'memory size 700 MiB': (image) => image.segment(1, 'memsz', 700n * MIB),
  'second p_paddr 64 MiB on': (image) => image.segment(1, 'paddr', 65n * MIB),
  'second p_paddr 300 MiB on': (image) => image.segment(1, 'paddr', 301n * MIB),
  'second p_paddr 4 GiB on': (image) => image.segment(1, 'paddr', 4097n * MIB),
  'second p_paddr at 640 KiB': (image) => image.segment(1, 'paddr', 0xa0000n),
  'second p_paddr at 512 KiB': (image) => image.segment(1, 'paddr', 0x80000n),
  'second p_paddr as the first': (image) => image.segment(1, 'paddr', 0x100000n),
  'second p_paddr wraps': (image) => image.segment(1, 'paddr', -0x1000n),
  'PHYS32_ENTRY in data': (image) => image.note(PHYS32_ENTRY, 0x101000n),
  'PHYS32_ENTRY at the end': (image) => image.note(PHYS32_ENTRY, 0x105000n),
  'PHYS32_ENTRY behind the end': (image) => image.note(PHYS32_ENTRY, 0x106000n),
  'PHYS32_ENTRY 0': (image) => image.note(PHYS32_ENTRY, 0n),
  'p_offset 8 on': (image) => image.segment(0, 'offset', 0x1008n),
  'p_filesz above p_memsz': (image) => image.segment(1, 'memsz', 4n),
  'second p_memsz cut': (image) => image.segment(1, 'memsz', 0x30n),
};

function made(kind: string, name: string, table: Readonly<Record<string, Bend>>): Kernel[] {
  return Object.entries(table).map(([bends, bend], index) => {
    const { bytes } = bend(new Bent(name));
    const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 8);
    return { name: `${kind}:${index}`, digest, bends, bytes, stub: stubOf(0) };
  });
}

/** All of them. */
export function dom0Kernels(): Kernel[] {
  return [...made('dom0-pv', 'pv64-notes', PV), ...made('dom0-pvh', 'pvh64-notes', PVH)];
}
