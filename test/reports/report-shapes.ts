/** Files of the shape that people's reports speak of, self-made and small; each stands for one report of more-reports.test.ts. */
import { gzipSync } from 'node:zlib';
import { bzImage } from '../support/bzimage.js';
import { cstr, type ElfBuilder, elf, num, type TestNote } from '../support/elf-builder.js';
import { BSS, buildPe, CODE, DATA, mb2Header } from '../support/pe-builder.js';

const LE64 = { bits: 64, endian: 'little' } as const;
const LE32 = { bits: 32, endian: 'little' } as const;
const PADDR = 0x100000n;
const HIGH = 0xffffffff80100000n;

const nops = (size = 0x200) => new Uint8Array(size).fill(0x90);
/** Code with a word at each offset. */
const code = (words: Readonly<Record<number, number>>, size = 0x200) => {
  const bytes = nops(size);
  for (const [at, word] of Object.entries(words)) bytes.set(num(BigInt.asUintN(32, BigInt(word)), 4, LE64), Number(at));
  return bytes;
};
const kernel64 = (bytes = nops(), paddr = PADDR): ElfBuilder =>
  elf(LE64).header({ e_type: 2, e_machine: 62, e_entry: paddr }).load(paddr, bytes, { align: 0x1000n });
const kernel32 = (bytes = nops(), paddr = PADDR): ElfBuilder =>
  elf(LE32).header({ e_type: 2, e_machine: 3, e_entry: paddr }).load(paddr, bytes, { align: 0x1000n });
const pvh: TestNote = { type: 18, desc: num(PADDR, 4, LE64) };
const PV_NOTES: readonly TestNote[] = [
  { type: 5, desc: cstr('xen-3.0') },
  { type: 8, desc: cstr('generic') },
  { type: 3, desc: num(0n, 8, LE64) },
  { type: 1, desc: num(PADDR, 8, LE64) },
];
const text = { inside: { load: 0, at: 0, size: 0x200 }, flags: 6n };
const MB1 = { 0: 0x1badb002, 4: 0, 8: -0x1badb002 };
const mb2 = (length: number, tags: Readonly<Record<number, number>>) => ({
  0: 0xe85250d6,
  4: 0,
  8: length,
  12: -(0xe85250d6 + length),
  ...tags,
});
/** All notes but those of these types, and others instead. */
const but = (types: readonly number[], ...instead: readonly TestNote[]) => [
  ...PV_NOTES.filter(({ type }) => !types.includes(type)),
  ...instead,
];
const vmlinux = () =>
  kernel64()
    .noteSegment([...PV_NOTES, { type: 6, desc: cstr('linux') }, { type: 17, desc: num(0x8001n, 4, LE64) }])
    .build();
/** PE32+ as an xen.efi is: a Multiboot2 header without the address tags, sections behind each other. */
export const xenEfi = (mb2Bytes: Uint8Array = mb2Header({ align: 0x200000 })): Buffer =>
  buildPe({
    sections: [
      {
        name: '.text',
        rva: 0x200000,
        virtualSize: 0x800,
        data: Buffer.concat([Buffer.alloc(8), mb2Bytes, Buffer.alloc(0x700, 0x90)]).subarray(0, 0x800),
        flags: CODE,
      },
      { name: '.data', rva: 0x400000, virtualSize: 0x40, data: Buffer.alloc(0x40, 1), flags: DATA },
      { name: '.bss', rva: 0x401000, virtualSize: 0x1000, flags: BSS },
    ],
    symbols: [{ name: 'start', section: 1, value: 0 }],
    sectionAlignment: 0x200000,
  });

export const SHAPES = {
  'a bzImage called vmlinux': bzImage({ format: 'gzip', data: kernel64().noteSegment([pvh]).build() }),
  'a vmlinux that was cut short': kernel64(nops(0x4000)).noteSegment([pvh]).build().subarray(0, 0x2000),
  'a page of HTML': Buffer.from('<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head></html>\n'),
  'an empty file': new Uint8Array(0),
  'a gzip file of a multiboot kernel': gzipSync(kernel32(code(MB1)).section('.text', text).build()),
  'an ELF32 without PAE_MODE': kernel32().noteSegment(PV_NOTES).build(),
  'Linux with SUPPORTED_FEATURES 0x8001': vmlinux(),
  'a required feature that Xen does not know': kernel64()
    .noteSegment([...PV_NOTES, { type: 10, desc: cstr('!linux_rsdp_unrestricted') }])
    .build(),
  'ENTRY outside of the kernel': kernel64()
    .noteSegment(but([1], { type: 1, desc: num(0x900000n, 8, LE64) }))
    .build(),
  'a HYPERCALL_PAGE that is no address of the kernel': kernel64()
    .noteSegment([...PV_NOTES, { type: 2, desc: num(0n, 8, LE64) }])
    .build(),
  'a second PT_LOAD far away': kernel64().load(0x4000000000n, nops(), { align: 0x1000n }).noteSegment(PV_NOTES).build(),
  'a kernel for dom0 alone': kernel64()
    .noteSegment([...PV_NOTES, { type: 10, desc: cstr('!dom0|!writable_page_tables') }])
    .build(),
  'XEN_VERSION of a release': kernel64()
    .noteSegment(but([5], { type: 5, desc: cstr('xen-4.17') }))
    .build(),
  'p_paddr as high as p_vaddr': elf(LE64)
    .header({ e_type: 2, e_machine: 62, e_entry: HIGH })
    .load(HIGH, code(MB1), { align: 0x1000n })
    .section('.text', text)
    .build(),
  'e_entry in no segment': kernel64(code(MB1)).header({ e_entry: 0x900000n }).section('.text', text).build(),
  'relocations that were kept': kernel64(code(mb2(24, { 16: 0, 20: 8 })))
    .section('.text', text)
    .section('.rela.text', { type: 4, data: new Uint8Array(24), entsize: 24n } as Parameters<ElfBuilder['section']>[1])
    .build(),
  'VIRT_BASE of 4 bytes': kernel64()
    .noteSegment(but([3], { type: 3, desc: num(0n, 4, LE64) }))
    .build(),
  'LOADER=linux': kernel64()
    .noteSegment(but([8], { type: 8, desc: cstr('linux') }))
    .build(),
  'a Multiboot2 end tag of 6 bytes': kernel64(code(mb2(22, { 16: 0, 20: 0x48550008 })))
    .section('.text', text)
    .build(),
  'two PT_LOADs in each other': kernel64()
    .load(PADDR + 0x100n, nops(), { align: 1n })
    .noteSegment([pvh])
    .build(),
  'a kernel at 1 MiB': kernel64().build(),
  'a kernel on no page': elf(LE64)
    .header({ e_type: 2, e_machine: 62, e_entry: PADDR + 0xb40n })
    .load(PADDR + 0xb40n, nops(), { align: 0x10n })
    .build(),
  'xen.efi as it was linked': xenEfi(),
  'an arm64 Image': Buffer.concat([Buffer.alloc(0x38), Buffer.from('ARMd', 'latin1'), Buffer.alloc(0x1000)]),
  'a big-endian kernel': elf({ bits: 64, endian: 'big' })
    .header({ e_type: 2, e_machine: 62, e_entry: PADDR })
    .load(PADDR, nops(), { align: 0x1000n })
    .build(),
  'an object file': elf(LE64).header({ e_type: 1, e_machine: 62 }).build(),
  'a Multiboot flag of the kernel’s own': kernel32(code({ 0: 0x1badb002, 4: 8, 8: -(0x1badb002 + 8) }))
    .section('.text', text)
    .build(),
  'a Multiboot header with a checksum of another': kernel32(code({ ...MB1, 8: 0 }))
    .section('.text', text)
    .build(),
  'a Multiboot header at 2 bytes': kernel32(Uint8Array.from([0x90, 0x90, ...code(MB1, 0x1fe)]))
    .section('.text', text)
    .build(),
  'a note of Linux and no CONFIG_PVH': kernel64()
    .noteSegment([{ name: 'Linux', type: 0x100, desc: num(0n, 4, LE64) }])
    .build(),
  'PHYS32_ENTRY of 2 bytes': kernel64()
    .noteSegment([{ type: 18, desc: new Uint8Array([0, 16]) }])
    .build(),
  'PHYS32_ENTRY that is virtual': kernel64()
    .noteSegment([{ type: 18, desc: num(HIGH, 8, LE64) }])
    .build(),
  'INIT_P2M in the kernel': kernel64()
    .noteSegment([...PV_NOTES, { type: 15, desc: num(PADDR + 0x10n, 8, LE64) }])
    .build(),
  'PADDR_OFFSET without VIRT_BASE': kernel64()
    .noteSegment(but([3], { type: 4, desc: num(0n, 8, LE64) }))
    .build(),
  'an e_entry below 1 MiB': kernel64(nops(), 0x8000n)
    .noteSegment([{ type: 18, desc: num(0x8000n, 4, LE64) }])
    .build(),
  'PHYS32_ENTRY that is the virtual address of the entry': elf(LE64)
    .header({ e_type: 2, e_machine: 62, e_entry: HIGH })
    .load(HIGH, nops(), { align: 0x1000n, paddr: PADDR })
    .noteSegment([{ type: 18, desc: num(HIGH, 8, LE64) }])
    .build(),
  'a PVH kernel, 32-bit': kernel32().noteSegment([pvh]).build(),
} as const satisfies Readonly<Record<string, Uint8Array>>;
