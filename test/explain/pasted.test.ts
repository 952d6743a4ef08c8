/** Lines as people paste them, from logs and reports, each with a word of the page that has to come. */
import { describe, expect, it } from 'vitest';
import { explainTopic } from '../../src/explain/index.js';
import { findMessages, nearestMessage } from '../../src/explain/messages/match.js';
import { MESSAGES, unknownMessage } from '../../src/explain/messages/message-pages.js';
import { pastedLines } from '../../src/explain/messages/pasted.js';

/** Whole lines: with prefix, domain, vector, address, time stamp. The word stands in the cause or the cure. */
const PASTED: readonly (readonly [line: string, by: string, word: string])[] = [
  // Xen: a guest that fell, in all spellings.
  ['(XEN) d0v0 Unhandled: vec 13, #GP[0000]', 'Xen', 'type="pvh"'],
  ['(XEN) [2026-08-01 10:11:12] d12v3 Unhandled: vec 6, #UD[0000]', 'Xen', 'e033'],
  ['[    2.417331] (XEN) d1v0 Unhandled: vec 8, #DF[0000]', 'Xen', 'e033'],
  ['(XEN) Unhandled page fault fault/trap [#14] on VCPU 0 [ec=0002]', 'Xen', 'e033'],
  ['(XEN) d0v0 Unhandled invalid opcode fault/trap [#6, ec=0000]', 'Xen', 'e033'],
  [
    '(XEN) domain_crash_sync called from entry.S: fault at ffff82d040327d3f x86_64/entry.S#create_bounce_frame+0x15d/0x177',
    'Xen',
    'dom0=pvh',
  ],
  ['(XEN) Domain 0 (vcpu#0) crashed on cpu#0:', 'Xen', 'the guest fell'],
  ['(XEN) Domain 27 (vcpu#3) crashed on cpu#11:', 'Xen', 'the guest fell'],
  ['(XEN) Domain 3 reported crashed by domain 0 on cpu#1:', 'Xen', 'the guest fell'],
  ['(XEN) domain_crash called from svm.c:2716', 'Xen', 'the guest fell'],
  ["(XEN) Hardware Dom0 crashed: 'noreboot' set - not rebooting.", 'Xen', 'Dom0 was built'],
  ['(XEN) d3v0 Triple fault - invoking HVM shutdown action 1', 'Xen, PVH', '64-bit code'],
  ['(XEN) Failed vm entry (exit reason 0x80000021) caused by invalid guest state (0).', 'Xen, PVH', '64-bit code'],
  // Xen itself.
  ['(XEN) FATAL TRAP: vec 6, #UD[0000]', 'Xen', 'Xen itself fell'],
  ['(XEN) FATAL TRAP: vector = 6 (invalid opcode)', 'Xen', 'Xen itself fell'],
  ['(XEN) FATAL PAGE FAULT', 'Xen', 'Xen itself fell'],
  ['(XEN) Xen BUG at arch/x86/mm.c:2137', 'Xen', 'Xen itself fell'],
  ["(XEN) Assertion 'mfn_valid(mfn)' failed at arch/x86/domain_page.c:77", 'Xen', 'Xen itself fell'],
  ['(XEN) Could not construct domain 0', 'Xen', 'panic that ends'],
  ['(XEN) Panic on CPU 0: Could not construct d0', 'Xen', 'panic that ends'],
  ['Could not set up DOM0 guest OS', 'Xen', 'panic that ends'],
  // xl and libxl.
  [
    'xc: error: panic: xg_dom_bzimageloader.c:688: xc_dom_probe_bzimage_kernel: unknown compression format: Invalid kernel',
    'xl (libxl, libxenguest)',
    'zstd before Xen 4.15',
  ],
  [
    'xc: error: panic: xg_dom_bzimageloader.c:702: xc_dom_probe_bzimage_kernel unable to XZ decompress kernel: Invalid kernel',
    'xl (libxl, libxenguest)',
    'limits',
  ],
  [
    "xc: error: panic: xg_dom_boot.c:120: xc_dom_boot_mem_init: can't allocate low memory for domain: Out of memory",
    'xl (libxl, libxenguest)',
    'memory=',
  ],
  [
    'libxl: error: libxl_dom.c:571:libxl__build_dom: xc_dom_kernel_file failed: No such file or directory',
    'xl (libxl, libxenguest)',
    'How every refusal',
  ],
  [
    'xc: error: panic: xg_dom_core.c:702: xc_dom_find_loader: no loader found: Invalid kernel',
    'xl (libxl, libxenguest)',
    'pvh',
  ],
  // VMMs.
  [
    'Error: LoadKernel(KernelLoader(Elf(InvalidProgramHeaderSize))): Invalid ELF program header size',
    'Firecracker, Cloud Hypervisor',
    'ELF32',
  ],
  ['VmBoot(KernelLoad(Bzimage(InvalidBzImage))): Invalid bzImage', 'Firecracker, Cloud Hypervisor', 'the first one'],
  ['Overflow occurred during an arithmetic operation', 'Firecracker, Cloud Hypervisor', '0xfffffffd'],
  ['Cannot load kernel: Unable to seek to note header', 'Firecracker, Cloud Hypervisor', 'p_offset'],
  ["qemu: multiboot knows VBE. we don't", 'QEMU, a remark', 'No refusal'],
  [
    "qemu-system-x86_64: warning: TCG doesn't support requested feature: CPUID.01H:ECX.x2apic [bit 21]",
    'QEMU, a remark',
    'No refusal',
  ],
  // GRUB and shim.
  [
    'error: ../../grub-core/kern/elfXX.c:208:invalid section header table offset in e_shoff.',
    'GRUB, multiboot',
    '2.12',
  ],
  ['error: invalid number of section header table entries in sh_size.', 'GRUB, multiboot', '2.12'],
  ['error: unsupported tag: 0x8.', 'GRUB, multiboot', 'header asks'],
  ['error: unsupported information tag: 0x2c.', 'GRUB, multiboot', 'header asks'],
  ['error: ../../grub-core/kern/efi/sb.c:296:bad shim loader signature.', 'GRUB, Secure Boot', 'sign it last'],
  ['error: bad shim lock signature.', 'GRUB, Secure Boot', '2.14'],
  ['error: shim protocols not found.', 'GRUB, Secure Boot', '2.14'],
  // kexec.
  ['Base address: 0x100b40 is not page aligned', 'kexec', 'ALIGN'],
  ['Overlapping memory segments at 0x47e000', 'kexec', 'ALIGN'],
  ['No ELF program header', 'kexec', 'e_phnum'],
  ['kexec_load failed: Operation not permitted', 'kexec, a remark', 'Nothing is wrong'],
  // Tools.
  ['ValueError: Not enough header space to add section', 'UEFI tools (ukify, objcopy)', 'room for ukify'],
  ['objcopy: xen.unified.efi[.config]: section below image base', 'UEFI tools (ukify, objcopy)', 'linearize'],
  ['patchelf: unsupported overlap of SHT_NOTE and PT_NOTE', 'patchelf', 'good'],
  ['patchelf: cannot normalize PT_NOTE segment: non-contiguous SHT_NOTE sections', 'patchelf', 'good'],
  [
    'xc_dom_guest_type: image not capable of booting inside a HVM container: Invalid kernel',
    'xl (libxl, libxenguest)',
    'type="pv"',
  ],
];

describe('a pasted line', () => {
  it.each(PASTED)('%s', (line, by, word) => {
    const found = findMessages(line, MESSAGES);
    expect(found.map((message) => message.by)).toEqual([by]);
    expect(found.map(({ cause, cure }) => `${cause} ${cure}`).join()).toContain(word);
    expect(explainTopic(line)?.body).toContain(by);
  });
});

describe('a pasted log', () => {
  it('is answered line by line, each entry once', () => {
    const log =
      '(XEN) *** Building a PV Dom0 ***\n(XEN) d0v0 Unhandled: vec 13, #GP[0000]\r\n' +
      '(XEN) Domain 0 (vcpu#0) crashed on cpu#0:\n\n(XEN) Hardware Dom0 crashed: rebooting machine in 5 seconds.';
    expect(findMessages(log, MESSAGES).map(({ says }) => says[0])).toEqual([
      'd0v0 Unhandled: vec 14, #PF[…]',
      'Hardware Dom0 crashed: rebooting machine in … seconds.',
    ]);
  });
});

describe('what is too long for a log', () => {
  const said = 'Error loading uncompressed kernel without PVH ELF Note';
  const letters = (count: number) => 'abcdefgh '.repeat(count / 9);

  it.each([
    ['one line of megabytes', letters(900_000)],
    ['lines without an end', 'abcd efgh\n'.repeat(60_000)],
    ['lines as long as a log', `${letters(300_000)}\n`.repeat(3)],
  ])('%s: its end is looked at, and no more', (_, filler) => {
    expect(findMessages(`${filler}\n${said}`, MESSAGES).map(({ by }) => by)).toEqual(['QEMU']);
    expect(findMessages(`${said}\n${filler}`, MESSAGES)).toEqual([]);
    expect(pastedLines(filler).join('').length).toBeLessThanOrEqual(1 << 18);
  });
});

describe('a message that nobody knows', () => {
  it.each([
    [
      'Error loading compressed kernel without the PVH entry note',
      'Error loading uncompressed kernel without PVH ELF Note',
    ],
    ['cannot find a multiboot header', 'no multiboot header found'],
    ['kernel image lacks any PVH header at all', 'Kernel lacks PVH header'],
  ])('%s: the nearest is named', (asked, said) => {
    expect(findMessages(asked, MESSAGES)).toEqual([]);
    expect(nearestMessage(asked, MESSAGES)?.said).toBe(said);
    expect(unknownMessage(asked)).toContain(said);
  });

  it('is asked for with all that a report needs', () => {
    const text = unknownMessage('something that no loader ever said');
    expect(text).toContain('what verify --json says of the image');
    expect(text).not.toContain('nearest');
    expect(unknownMessage('phys32')).toBeUndefined();
  });
});
