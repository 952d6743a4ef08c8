/** One image for each problem that users reported, built by hand; where the report is public it is named. */
import { concat, cstr, elf, hexToBytes, noteBytes, num, type TestNote } from '../support/elf-builder.js';

export interface Reported {
  readonly name: string;
  /** The public report, or the loader's rule it follows from. */
  readonly seen: string;
  readonly loaders: readonly string[];
  /** A part of the reason that has to be told; undefined: there is no cure, and none may be invented. */
  readonly reason: RegExp | undefined;
  readonly image: Uint8Array;
}

const le = { bits: 64, endian: 'little' } as const;
const le32 = { bits: 32, endian: 'little' } as const;
const PVH = ['xen-pvh', 'qemu-pvh', 'linux-loader'];

const code = () => new Uint8Array(0x400).fill(0x90);
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
    image: elf(le)
      .load(0x100000n, concat([num(0x1badb002n, 4, le), num(0n, 4, le), num(0xe4524ffen, 4, le), code()]))
      .with({ slack: 0x400 })
      .noteSegment([pvh])
      .build(),
  },
];
