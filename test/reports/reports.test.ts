/**
 * Reports as people write them: what they saw, a file of that shape, and the first useful sentence, which has to stand in the
 * first ten lines of the answer, whichever of verify, fix and explain they turn to.
 */
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { REPORTED } from '../edit/fix/reported.js';
import { workFolder } from '../support/cli.js';
import { concat, cstr, type ElfBuilder, elf, num, type TestNote } from '../support/elf-builder.js';
import { runHere } from '../support/in-process.js';

vi.mock('../../src/cli/output.js', async (original) => {
  const { captured } = await import('../support/captured-output.js');
  return captured(await original<typeof import('../../src/cli/output.js')>());
});

const LE64 = { bits: 64, endian: 'little' } as const;
const PADDR = 0x100000n;

const code = (...words: readonly number[]) => {
  const bytes = new Uint8Array(0x200).fill(0x90);
  bytes.set(concat(words.map((word) => num(BigInt.asUintN(32, BigInt(word)), 4, LE64))));
  return bytes;
};
const kernel = (bytes = code()): ElfBuilder =>
  elf(LE64).header({ e_type: 2, e_machine: 62, e_entry: PADDR }).load(PADDR, bytes, { align: 0x1000n });
const text = { inside: { load: 0, at: 0, size: 0x200 }, flags: 6n };
const MB1 = [0x1badb002, 0, -0x1badb002];
const MB2 = [0xe85250d6, 0, 24, -(0xe85250d6 + 24), 0, 8];
const PVH: TestNote = { type: 18, desc: num(PADDR, 4, LE64) };
const PV: readonly TestNote[] = [
  { type: 5, desc: cstr('xen-3.0') },
  { type: 8, desc: cstr('generic') },
  { type: 3, desc: num(0n, 8, LE64) },
  { type: 1, desc: num(PADDR, 8, LE64) },
];

const reported = (name: string) => {
  const image = REPORTED.find((each) => each.name === name)?.image;
  if (image === undefined) throw new Error(`no such report: ${name}`);
  return image;
};

interface Report {
  readonly seen: string;
  /** What the reporter pasted; undefined: there was no message. */
  readonly symptom?: string;
  readonly image: Uint8Array;
  readonly loader: string;
  /** Is it taken, with a warning? */
  readonly taken?: boolean;
  readonly verify: RegExp;
  readonly fix: RegExp;
  readonly explain?: RegExp;
}

const CURE = /^ {2}fix: xen-elfpatch (patch|fix) /m;

const REPORTS: readonly Report[] = [
  {
    seen: 'kata-containers #3135: a vmlinux with property notes',
    symptom: 'qemu-system-x86_64: Error loading uncompressed kernel without PVH ELF Note',
    image: reported('p_align 8 over records padded by 4'),
    loader: 'qemu-pvh',
    verify: CURE,
    fix: /p_align 0x8, by which some loaders pad the records/,
    explain: /PT_NOTE with\s+p_align 8/,
  },
  {
    seen: 'cloud-hypervisor #3222: a PT_NOTE behind Xen’s',
    symptom: 'Error booting VM: VmBoot(KernelMissingPvhHeader)',
    image: reported('another PT_NOTE behind the one that counts'),
    loader: 'cloud-hypervisor',
    verify: CURE,
    fix: /other PT_NOTEs behind/,
    explain: /No PHYS32_ENTRY in the last PT_NOTE/,
  },
  {
    seen: 'osv #1113: readelf shows garbage behind five Xen notes',
    image: reported('a gap between a build-id and a property note'),
    loader: 'qemu-pvh',
    verify: CURE,
    fix: /gap|lose step|p_align/,
  },
  {
    seen: 'QubesOS #8032: kexec of xen.gz',
    symptom: 'ELF Note corrupted !',
    image: reported('a hypervisor whose notes hold a property note and its gap'),
    loader: 'kexec',
    verify: /does not end where its area ends/,
    fix: /gap|lose step|p_align/,
    explain: /kexec/,
  },
  {
    seen: 'llvm #53383: lld makes no PT_NOTE for notes of a linker script',
    image: reported('a note section without a PT_NOTE'),
    loader: 'qemu-pvh',
    verify: /in section \.note\.Xen, and no PT_NOTE leads to it/,
    fix: /no PT_NOTE leads loaders to it/,
  },
  {
    seen: 'qubes-mirage-firewall #138: a PV unikernel in a PVH domain',
    symptom: 'xc_dom_guest_type: image not capable of booting inside a HVM container: Invalid kernel',
    image: kernel().noteSegment(PV).build(),
    loader: 'xen-pvh',
    verify: /type="pv"/,
    fix: /type="pv"/,
    explain: /PHYS32_ENTRY/,
  },
  {
    seen: 'hermit-rs #389: the message speaks of bitness, and the note is missing',
    symptom: 'xc_dom_parse_hvm_kernel: ELF image is not 32bit: Invalid kernel',
    image: reported('an ELF without any note'),
    loader: 'xen-pvh',
    verify: /Not a Xen-ELF image: No ELF notes/,
    fix: /nothing in the image tells a 32-bit entry made for PVH/,
    explain: /note/i,
  },
  {
    seen: 'qemu #1120: grub-file finds the header, QEMU does not',
    symptom: 'qemu-system-x86_64: Error loading uncompressed kernel without PVH ELF Note',
    image: reported('a multiboot header at 1fd0, where QEMU does not look any more'),
    loader: 'qemu-pvh',
    verify: /QEMU looks no further than 0x1fcc/,
    fix: /QEMU looks no further than 0x1fcc/,
    explain: /beyond offset 8140/,
  },
  {
    seen: 'torokernel #511: an owner without its NUL',
    image: reported('an owner without its NUL'),
    loader: 'cloud-hypervisor',
    verify: /the owner "Xen" without its NUL, n_namesz 3/,
    fix: /owner/,
  },
  {
    seen: 'x86-bare-metal-examples PR 2: a build-id in front of the header',
    symptom: 'error: no multiboot header found.',
    image: reported('a multiboot header that a note pushed behind 8 KiB'),
    loader: 'grub-multiboot',
    verify: /too far behind: GRUB looks no further than 0x1ff4, so link its section first/,
    fix: /too far behind: GRUB looks no further than 0x1ff4/,
    explain: /No header in the first 8 KiB/,
  },
  {
    seen: 'redshirt #75: an ELF64 with a Multiboot header',
    symptom: 'qemu-system-x86_64: Cannot load x86-64 image, give a 32bit one.',
    image: reported('an x86-64 image with a multiboot header, which QEMU prefers and then refuses'),
    loader: 'qemu-pvh',
    verify: /link the kernel without it, or as ELF32/,
    fix: /link the kernel without it, or as ELF32/,
    explain: /comes before any PVH note/,
  },
  {
    seen: 'solo5 PR 482: a PVH unikernel from GRUB',
    symptom: 'error: no multiboot header found.',
    image: reported('a PVH kernel for GRUB’s multiboot'),
    loader: 'grub-multiboot',
    verify: /the file has no Multiboot 1 header: the source has to define one/,
    fix: /the file has no Multiboot 1 header: the source has to define one/,
    explain: /GRUB has no PVH loader/,
  },
  {
    seen: 'Solo5 test_hello.xen: four PT_NOTEs',
    image: reported('four PT_NOTEs of which Xen’s is the second'),
    loader: 'cloud-hypervisor',
    verify: CURE,
    fix: /other PT_NOTEs behind/,
  },
  {
    seen: 'objcopy -R .note.gnu.property leaves an empty PT_NOTE',
    image: reported('an empty PT_NOTE behind it, as objcopy -R leaves'),
    loader: 'cloud-hypervisor',
    verify: CURE,
    fix: /other PT_NOTEs behind/,
  },
  {
    seen: 'zeros behind a PT_NOTE: QEMU dies',
    symptom: 'Segmentation fault (core dumped)',
    image: reported('a build-id with a megabyte of zeros behind it'),
    loader: 'qemu-pvh',
    taken: true,
    verify: /QEMU may crash: /,
    fix: /zeros stand behind PT_NOTE 2/,
    explain: /long run of zeros/,
  },
  {
    seen: 'p_align 0: QEMU dies',
    symptom: 'Floating point exception (core dumped)',
    image: reported('p_align 0 on Xen’s PT_NOTE'),
    loader: 'qemu-pvh',
    verify: CURE,
    fix: /p_align 0x0/,
    explain: /p_align 0/,
  },
  {
    seen: 'GRUB 2.12 and a kernel without section headers',
    symptom: 'error: ../../grub-core/kern/elfXX.c:208:invalid section header table offset in e_shoff.',
    image: kernel(code(...MB1)).build(),
    loader: 'grub-multiboot',
    verify: CURE,
    fix: /GRUB 2\.12 and later want a table/,
    explain: /GRUB 2\.12 and later refuse/,
  },
  {
    seen: 'an empty PT_LOAD that GRUB takes for an overlap',
    symptom: 'error: overlap detected.',
    image: kernel(code(...MB1))
      .load(PADDR + 0x80n, new Uint8Array(0), { filesz: 0n, memsz: 0n })
      .section('.text', text)
      .build(),
    loader: 'grub-multiboot',
    verify: CURE,
    fix: /PT_LOAD 1 at 0x100080 has no byte in the file or in memory/,
    explain: /PT_LOAD/,
  },
  {
    seen: 'a Multiboot2 kernel started by `multiboot`',
    symptom: 'error: no multiboot header found.',
    image: kernel(code(...MB2))
      .section('.text', text)
      .build(),
    loader: 'grub-multiboot',
    verify: /in grub\.cfg say multiboot2 and module2/,
    fix: /in grub\.cfg say multiboot2 and module2/,
    explain: /No header in the first 8 KiB/,
  },
  {
    seen: 'a PVH kernel as PV dom0',
    symptom: '(XEN) d0v0 Unhandled: vec 13, #GP[0000]',
    image: kernel().noteSegment([PVH]).build(),
    loader: 'xen-dom0-pv',
    verify: /this is a PVH kernel, and nothing in it tells a PV entry: say dom0=pvh/,
    fix: /this is a PVH kernel, and nothing in it tells a PV entry: say dom0=pvh/,
    explain: /guest/,
  },
  {
    seen: 'a file of debug information in place of the kernel',
    image: kernel()
      .noteSegment([PVH])
      .section('.text', { ...text, type: 8 })
      .build(),
    loader: 'qemu-pvh',
    verify: /the code at 0x100000 is not in this file/,
    fix: /give the kernel that it was split from/,
  },
  {
    seen: 'a gzip file for QEMU',
    symptom: 'qemu: linux kernel too old to load a ram disk',
    image: gzipSync(kernel().noteSegment([PVH]).build()),
    loader: 'qemu-pvh',
    verify: /fix: xen-elfpatch patch .* --payload extract /,
    fix: /does not take the kernel as it is wrapped/,
    explain: /no ELF/,
  },
  {
    seen: 'nothing tells the entry of a unikernel',
    symptom: 'Error: Kernel lacks PVH header',
    image: kernel().symbol('_start', PADDR).build(),
    loader: 'cloud-hypervisor',
    verify: /by --set PHYS32_ENTRY=phys:_start, or as here: xen-elfpatch patch .* --preset pvh -o /,
    fix: /if the code at _start 0x100000 is 32-bit code/,
    explain: /PHYS32_ENTRY/,
  },
];

const folder = workFolder();
afterAll(() => folder.remove());

const firstLines = (answer: string) => answer.split('\n').slice(0, 10).join('\n');

describe.each(REPORTS)('$seen', ({ symptom, image, loader, taken, verify, fix, explain }) => {
  const path = folder.write(`${loader}-${REPORTS.findIndex((each) => each.image === image)}.elf`, image);

  it('verify answers in ten lines', async () => {
    const { status, stdout } = await runHere(['verify', path, '--for', loader]);
    expect(status).toBe(taken === true ? 0 : 1);
    expect(firstLines(stdout)).toMatch(verify);
  });

  it('fix answers in ten lines', async () => {
    const { stdout } = await runHere(['fix', path, '--for', loader]);
    expect(firstLines(stdout)).toMatch(fix);
  });

  // Where people had no message, there is nothing to ask explain.
  if (symptom === undefined) return;
  it('explain answers in ten lines', async () => {
    const { status, stdout } = await runHere(['explain', symptom]);
    expect(status).toBe(0);
    expect(firstLines(stdout)).toMatch(explain ?? /^$/);
  });
});
