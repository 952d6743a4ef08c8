/** One image for each problem that users reported, built by hand; where the report is public it is named. */
import type { Encoding } from '../../../src/formats/elf/struct.js';
import { concat, cstr, elf, hexToBytes, noteBytes, num, type TestNote } from '../../support/elf-builder.js';

export interface Reported {
  readonly name: string;
  /** The public report, or the loader's rule it follows from. */
  readonly seen: string;
  readonly loaders: readonly string[];
  /** A part of the reason that has to be told; undefined: there is no cure, and none may be invented. */
  readonly reason: RegExp | undefined;
  /** Where there is no cure: a part of what is said instead. */
  readonly told?: RegExp;
  readonly image: Uint8Array;
}

const le = { bits: 64, endian: 'little' } as const;
const le32 = { bits: 32, endian: 'little' } as const;
const PVH = ['xen-pvh', 'qemu-pvh', 'linux-loader'];

/** Nothing, from wherever it is entered, up to a stub at its end that leaves QEMU with status 67. */
const code = () => {
  const bytes = new Uint8Array(0x400).fill(0x90);
  bytes.set([0xb0, 0x21, 0xe6, 0xf4, 0xf4, 0xeb, 0xfe], 0x3f8);
  return bytes;
};
const kernel = () => elf(le).load(0x100000n, code()).header({ e_entry: 0x100000n }).with({ slack: 0x400 });
const pvh: TestNote = { type: 18, desc: num(0x100010n, 4, le) };
const property: TestNote = { name: 'GNU', type: 5, desc: hexToBytes('020001c0 04000000 00000000 00000000') };
const buildId: TestNote = { name: 'GNU', type: 3, desc: Uint8Array.from({ length: 20 }, (_, i) => i + 1) };
const pv = (without?: number): TestNote[] =>
  [
    { type: 5, desc: cstr('xen-3.0') },
    { type: 8, desc: cstr('generic') },
    { type: 3, desc: num(0n, 8, le) },
    { type: 4, desc: num(0n, 8, le) },
    { type: 1, desc: num(0x100000n, 8, le) },
  ].filter(({ type }) => type !== without);
const bytes = (...notes: TestNote[]) => noteBytes(notes, le);
/** Behind a note segment stands something that ends QEMU's walk. */
const wall = new Uint8Array(64).fill(0xff);

/** A multiboot 1 header, flags 0. */
const multiboot1 = concat([num(0x1badb002n, 4, le), num(0n, 4, le), num(0xe4524ffen, 4, le)]);
/** Code in which something stands at an offset of the file; the PT_LOAD starts at 0x1000 there. */
function loaded(at: number, bytes_: Uint8Array, size = 0x2400): Uint8Array {
  const all = new Uint8Array(size).fill(0x90);
  all.set(bytes_, at - 0x1000);
  return all;
}
const paged = (code_: Uint8Array, encoding: Encoding = le) =>
  elf(encoding).load(0x100000n, code_, { align: 0x1000n }).header({ e_entry: 0x100000n }).with({ slack: 0x400 });

/** A gap of 4 bytes between a build-id and an 8-aligned property note derails every walker that steps by 4. */
const gapped = concat([bytes(buildId), new Uint8Array(4), bytes(property), bytes(pvh)]);

export const REPORTED: readonly Reported[] = [
  {
    name: 'p_align 8 over records padded by 4',
    seen: 'kata-containers/kata-containers #3135, cloud-hypervisor/cloud-hypervisor #3222',
    loaders: PVH,
    reason: /p_align 0x8/,
    image: kernel().noteSegment(bytes(property, pvh), { align: 8n, section: '.notes' }).segment(7, wall).build(),
  },
  {
    name: 'a gap between a build-id and a property note',
    seen: 'cloudius-systems/osv #1113, QubesOS/qubes-issues #8032',
    loaders: PVH,
    reason: /gap|lose step|p_align/,
    image: kernel().noteSegment(gapped, { align: 8n }).segment(7, wall).build(),
  },
  {
    name: 'a note section without a PT_NOTE',
    seen: 'llvm/llvm-project #53383, CRust-OS/CRust-OS #58',
    loaders: PVH,
    reason: /no PT_NOTE leads loaders to it/,
    image: kernel().noteSection('.note.Xen', [pvh]).build(),
  },
  {
    name: 'another PT_NOTE behind the one that counts',
    seen: 'the last PT_NOTE decides (rust-vmm/linux-loader, Elf::load); Solo5 test_hello.xen',
    loaders: PVH,
    reason: /other PT_NOTEs behind/,
    image: kernel().noteSegment([pvh]).noteSegment([buildId]).segment(7, wall).build(),
  },
  {
    name: 'an empty PT_NOTE behind it, as objcopy -R leaves',
    seen: 'objcopy --remove-section .note.gnu.property',
    loaders: PVH,
    reason: /other PT_NOTEs behind/,
    image: kernel().noteSegment([pvh]).noteSegment([], { offset: 0n }).build(),
  },
  {
    name: 'an owner without its NUL',
    seen: 'torokernel/torokernel #511',
    loaders: PVH,
    reason: /owner/,
    image: kernel()
      .noteSegment([{ name: Uint8Array.of(0x58, 0x65, 0x6e), type: 18, desc: num(0x100010n, 4, le) }])
      .build(),
  },
  {
    name: 'a descriptor of 2 bytes',
    seen: 'rust-vmm/linux-loader PR 11: 4 or 8 bytes',
    loaders: PVH,
    reason: /PHYS32_ENTRY has 2 bytes/,
    image: elf(le)
      .load(0x1000n, code(), { paddr: 0x1000n })
      .load(0x100000n, code())
      .header({ e_entry: 0x100000n })
      .with({ slack: 0x400 })
      .noteSegment([{ type: 18, desc: num(0x1010n, 2, le) }])
      .build(),
  },
  {
    name: 'a type-18 note of another owner in front',
    seen: 'QEMU compares no owner (include/hw/elf_ops.h)',
    loaders: PVH,
    reason: /not where or how/,
    image: kernel()
      .noteSegment([{ name: 'CORE', type: 18, desc: num(0xdead0000n, 4, le) }, pvh])
      .build(),
  },
  {
    name: 'XEN_VERSION is missing',
    seen: 'xen/common/libelf: xc_dom wants xen-3.0',
    loaders: ['xen-pv'],
    reason: /XEN_VERSION is missing/,
    image: kernel().noteSegment(pv(5)).build(),
  },
  {
    name: 'LOADER says something else',
    seen: 'GRUB: invalid loader; Xen: not built for the generic loader',
    loaders: ['xen-pv', 'grub-xen'],
    reason: /LOADER says something/,
    image: kernel()
      .noteSegment(pv().map((note) => (note.type === 8 ? { type: 8, desc: cstr('linux') } : note)))
      .build(),
  },
  {
    name: 'VIRT_BASE of 4 bytes in ELF64',
    seen: 'GRUB reads the width of the class (grub-core/loader/i386/xen_fileXX.c)',
    loaders: ['grub-xen'],
    reason: /VIRT_BASE has 4 bytes/,
    image: kernel()
      .noteSegment(pv().map((note) => (note.type === 3 ? { type: 3, desc: num(0n, 4, le) } : note)))
      .build(),
  },
  {
    name: 'ENTRY leads nowhere and a symbol tells the right one',
    seen: 'mirage and others after relinking',
    loaders: ['xen-pv'],
    reason: /ENTRY does not lead to startup_xen/,
    image: kernel()
      .noteSegment(pv().map((note) => (note.type === 1 ? { type: 1, desc: num(0x900000n, 8, le) } : note)))
      .symbol('startup_xen', 0x100040n)
      .build(),
  },
  {
    name: 'PHYS32_ENTRY leads nowhere and a symbol tells the right one',
    seen: 'entry outside every segment: accepted, and the guest is lost',
    loaders: PVH,
    reason: /PHYS32_ENTRY does not lead to pvh_start_xen/,
    image: kernel()
      .noteSegment([{ type: 18, desc: num(0x900000n, 4, le) }])
      .symbol('pvh_start_xen', 0x100010n)
      .build(),
  },
  {
    name: 'no PVH note, and a symbol tells the entry',
    seen: 'mirage/qubes-mirage-firewall #138, project-oak/oak PR 4857',
    loaders: PVH,
    reason: /PHYS32_ENTRY is missing/,
    image: kernel().symbol('pvh_start_xen', 0x100010n).build(),
  },
  {
    name: 'no PVH note, and nothing tells the entry',
    seen: 'hermit-os/hermit-rs #389: no tool can invent a 32-bit entry',
    loaders: PVH,
    reason: undefined,
    told: /nothing in the image tells a 32-bit entry made for PVH/,
    image: kernel().noteSegment(pv()).build(),
  },
  {
    name: 'the legacy string only',
    seen: 'xen/common/libelf: __xen_guest',
    loaders: ['xen-pv', 'xen-dom0-pv'],
    reason: /__xen_guest/,
    image: kernel()
      .section('__xen_guest', {
        bytes: cstr('GUEST_OS=linux,XEN_VER=xen-3.0,VIRT_BASE=0x0,VIRT_ENTRY=0x100000,LOADER=generic'),
      })
      .build(),
  },
  {
    name: 'a stale e_shoff',
    seen: 'GRUB: attempt to seek outside of the file; QEMU does not care',
    loaders: ['kexec'],
    reason: /e_shoff is 0x7000000/,
    image: kernel()
      .noteSegment([pvh])
      .with({ header: { e_shoff: 0x7000000n, e_shnum: 5, e_shentsize: 64, e_shstrndx: 4 } })
      .build(),
  },
  {
    name: 'a last record that claims more than its segment has',
    seen: "GRUB's i386-xen images: PAE_MODE",
    loaders: ['kexec'],
    reason: /last record \(PAE_MODE\) claims more/,
    image: (() => {
      const notes = noteBytes(
        [
          { type: 5, desc: cstr('xen-3.0') },
          { type: 8, desc: cstr('generic') },
          { type: 9, desc: cstr('yes,bimodal\0\0\0\0') },
        ],
        le32,
      );
      return elf(le32)
        .load(0x100000n, code())
        .with({ slack: 0x400 })
        .noteSegment(notes.subarray(0, notes.length - 4))
        .build();
    })(),
  },
  {
    name: 'an x86-64 image with a multiboot header, which QEMU prefers and then refuses',
    seen: 'gitlab.com/qemu-project/qemu #243, tomaka/redshirt #75',
    loaders: ['qemu-pvh'],
    reason: undefined,
    told: /QEMU goes by the multiboot 1 header at 0x[0-9a-f]+ before any note: link the kernel without it/,
    image: elf(le)
      .load(0x100000n, concat([num(0x1badb002n, 4, le), num(0n, 4, le), num(0xe4524ffen, 4, le), code()]))
      .with({ slack: 0x400 })
      .noteSegment([pvh])
      .build(),
  },
  {
    name: 'a hypervisor whose notes hold a property note and its gap',
    seen: 'QubesOS/qubes-issues #8032, QubesOS/qubes-vmm-xen PR 161: ELF Note corrupted!',
    loaders: ['kexec'],
    reason: /gap|lose step|p_align/,
    image: (() => {
      const property32: TestNote = { name: 'GNU', type: 5, desc: hexToBytes('020001c0 04000000 00000000 00000000') };
      const notes = concat([noteBytes([buildId], le32), new Uint8Array(4), noteBytes([property32, pvh], le32)]);
      return elf(le32)
        .load(0x100000n, code())
        .with({ slack: 0x400 })
        .noteSegment(notes, { align: 8n })
        .segment(7, wall)
        .build();
    })(),
  },
  {
    name: 'records in a section that the linker made data of',
    seen: 'llvm/llvm-project #53383: lld gives note bytes of a linker script another type',
    loaders: PVH,
    reason: /section \.note\.Xen holds notes and is no note section/,
    image: kernel()
      .section('.note.Xen', { bytes: bytes(pvh), align: 4n })
      .build(),
  },
  {
    name: 'several note sections in one PT_NOTE, with a gap between them',
    seen: 'NixOS/patchelf #217, #255: non-contiguous SHT_NOTE sections',
    loaders: PVH,
    reason: /gap|lose step|p_align/,
    image: kernel()
      .load(0x200000n, concat([bytes(buildId), new Uint8Array(12), bytes(pvh), wall]))
      .noteSegment(new Uint8Array(0), { inside: { load: 1, at: 0 }, filesz: 68n, memsz: 68n, align: 8n })
      .noteSection('.note.gnu.build-id', [buildId], { inside: { load: 1, at: 0, size: 36 }, flags: 2n })
      .noteSection('.note.Xen', [pvh], { inside: { load: 1, at: 48, size: 20 }, flags: 2n })
      .build(),
  },
  {
    name: 'notes that a tool zeroed in place, in front of those that count',
    seen: 'telent/liminix PR 27',
    loaders: PVH,
    reason: /gap|no record|lose step|p_align/,
    image: kernel()
      .noteSegment(concat([new Uint8Array(40), bytes(pvh)]))
      .segment(7, wall)
      .build(),
  },
  {
    name: 'a PT_NOTE at file offset 0',
    seen: 'binutils bug 594; Xen has passed over such headers since',
    loaders: PVH,
    reason: /no PT_NOTE leads loaders to it/,
    image: kernel()
      .segment(4, new Uint8Array(0), { offset: 0n, filesz: 20n, align: 4n })
      .noteSection('.note.Xen', [pvh])
      .build(),
  },
  {
    name: 'four PT_NOTEs of which Xen’s is the second',
    seen: 'Solo5 test_hello.xen: OpenBSD, Xen, ABI, manifest',
    loaders: PVH,
    reason: /other PT_NOTEs behind/,
    image: kernel()
      .noteSegment([{ name: 'OpenBSD', type: 1, desc: num(0n, 4, le) }])
      .noteSegment([pvh])
      .noteSegment([{ name: 'Solo5', type: 0x31494241, desc: num(3n, 4, le) }])
      .noteSegment([{ name: 'Solo5', type: 0x3154464d, desc: new Uint8Array(32).fill(1) }])
      .segment(7, wall)
      .build(),
  },
  {
    name: 'p_align 0 on Xen’s PT_NOTE',
    seen: 'QEMU divides by it and dies',
    loaders: ['qemu-pvh'],
    reason: /p_align 0x0/,
    image: kernel().noteSegment([pvh], { align: 0n }).build(),
  },
  {
    name: 'p_align 0 on the PT_NOTE of a build-id',
    seen: 'QEMU divides by it and dies',
    loaders: ['qemu-pvh'],
    reason: /PT_NOTE 1 .*p_align 0x0/,
    image: kernel().noteSegment([buildId], { align: 0n }).noteSegment([pvh]).build(),
  },
  {
    name: 'a build-id with a megabyte of zeros behind it',
    seen: 'QEMU walks on behind p_filesz and dies',
    loaders: ['qemu-pvh'],
    reason: /zeros stand behind PT_NOTE 2/,
    image: kernel()
      .noteSegment([pvh])
      .noteSegment(bytes(buildId))
      .with({ trailing: new Uint8Array(0x110000) })
      .build(),
  },
  {
    name: 'PHYS32_ENTRY of 4 bytes that are zero',
    seen: 'a symbol that the linker did not resolve: QEMU takes 0 for no entry',
    loaders: ['qemu-pvh'],
    reason: /PHYS32_ENTRY does not lead to pvh_start_xen/,
    image: kernel()
      .noteSegment([{ type: 18, desc: num(0n, 4, le) }])
      .symbol('pvh_start_xen', 0x100010n)
      .build(),
  },
  {
    name: 'an ELF without any note',
    seen: 'hermit-os/hermit-rs #389 (ELF image is not 32bit), GaloisInc/HaLVM #60 (kernel is not a bzImage)',
    loaders: ['xen-pvh', 'xen-pv', 'xen-dom0-pvh', 'linux-loader'],
    reason: undefined,
    told: /nothing in the image tells a 32-bit entry made for PVH/,
    image: kernel().build(),
  },
  {
    name: 'a start symbol that says nothing of the mode in which it wants to be entered',
    seen: 'hermit-os/kernel #27, rafaelbreno/zig-os #3: a multiboot kernel is no PVH kernel',
    loaders: PVH,
    reason: undefined,
    told: /nothing in the image tells a 32-bit entry made for PVH/,
    image: kernel().symbol('_start', 0x100010n).build(),
  },
  ...[0x1fcc + 4, 0x1ff4, 0x2000].map((at) => ({
    name: `a multiboot header at ${at.toString(16)}, where QEMU does not look any more`,
    seen: 'gitlab.com/qemu-project/qemu #1120, andrewrk/HellOS #7, rui314/mold #563',
    loaders: ['qemu-pvh'],
    reason: undefined,
    told: /multiboot 1 header at 0x(1fd0|1ff4|2000), and QEMU looks no further than 0x1fcc/,
    image: paged(loaded(at, multiboot1), le32).build(),
  })),
  {
    name: 'multiboot 2 alone, and no note',
    seen: 'embox/embox #2468, docandrew/CuBit #2',
    loaders: ['qemu-pvh'],
    reason: undefined,
    told: /multiboot 2 header at 0x1000 alone, which QEMU does not know/,
    image: paged(
      loaded(0x1000, concat([0xe85250d6n, 0n, 24n, 0x17adaf12n, 0n, 8n].map((word) => num(word, 4, le)))),
      le32,
    ).build(),
  },
  {
    name: 'a PVH kernel for GRUB’s multiboot',
    seen: 'Solo5/solo5 PR 482, QubesOS/qubes-issues #6162: no multiboot header found',
    loaders: ['multiboot', 'multiboot2'],
    reason: undefined,
    told: /the file has no Multiboot 1 header: the source has to define one/,
    image: kernel().noteSegment([pvh]).build(),
  },
  {
    name: 'a multiboot header that a note pushed behind 8 KiB',
    seen: 'cirosantilli/x86-bare-metal-examples PR 2',
    loaders: ['multiboot'],
    reason: undefined,
    told: /the Multiboot 1 header at 0x[0-9a-f]+ is too far behind/,
    image: paged(loaded(0x2100, multiboot1), le32).noteSegment([buildId]).build(),
  },
  {
    name: 'a PT_NOTE over the entry point, in front of the PT_LOAD',
    seen: 'GRUB enters the address that this header tells (multiboot_elfxx.c)',
    loaders: ['multiboot'],
    reason: /PT_NOTE 0 stands in front/,
    image: paged(loaded(0x1000, concat([multiboot1, bytes(pvh)])), le32)
      .noteSegment([pvh], { inside: { load: 0, at: 12 }, vaddr: 0x100000n, paddr: 0x180000n })
      // GRUB 2.12 and later want section headers.
      .section('.text', { inside: { load: 0, at: 0x100, size: 0x100 } })
      .with({ order: [1, 0] })
      .build(),
  },
  {
    name: 'a stale e_shoff, and a multiboot header',
    seen: 'GRUB: attempt to seek outside of the file',
    // GRUB 2.12 and later refuse an image without section headers, which is what the fix makes of this one.
    loaders: ['multiboot@2.06'],
    reason: /e_shoff is 0x7000000/,
    image: paged(loaded(0x1000, multiboot1), le32)
      .with({ header: { e_shoff: 0x7000000n, e_shnum: 5, e_shentsize: 40, e_shstrndx: 4 } })
      .build(),
  },
  {
    name: 'PAE_MODE missing in a 32-bit PV kernel',
    seen: 'GRUB: incompatible architecture: need a PAE kernel',
    loaders: ['grub-xen'],
    reason: /PAE_MODE/,
    image: elf(le32)
      .load(0x100000n, code())
      .with({ slack: 0x400 })
      .noteSegment([
        { type: 5, desc: cstr('xen-3.0') },
        { type: 8, desc: cstr('generic') },
        { type: 3, desc: num(0n, 4, le32) },
        { type: 1, desc: num(0x100000n, 4, le32) },
      ])
      .build(),
  },
  {
    name: 'a required feature that Xen does not know',
    seen: 'xen/common/libelf: elf_xen_parse_features',
    loaders: ['xen-pv'],
    reason: /FEATURES/,
    image: kernel()
      .noteSegment([...pv(), { type: 10, desc: cstr('!frobnicate') }])
      .build(),
  },
  {
    name: 'a PV kernel that is to be dom0 and does not say that it can',
    seen: 'Kernel does not support Dom0 operation',
    loaders: ['xen-dom0-pv'],
    reason: /FEATURES|dom0/,
    image: kernel()
      .noteSegment([...pv(), { type: 17, desc: num(1n, 4, le) }])
      .build(),
  },
];
