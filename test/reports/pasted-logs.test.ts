/**
 * Logs as people paste them: several lines, time stamps, prefixes of a journal or a program, any domain number, the telling line
 * among others. Each is answered by explain within the first ten lines, and not by an entry about something else.
 */
import { describe, expect, it } from 'vitest';
import { explainTopic } from '../../src/explain/index.js';

interface Pasted {
  readonly seen: string;
  readonly log: string;
  /** In the first ten lines. */
  readonly says: RegExp;
}

const LOGS: readonly Pasted[] = [
  {
    seen: 'xl -vvv create, a zstd kernel under an old toolstack',
    log: `libxl: debug: libxl_create.c:1971:do_domain_create: ao 0x55d0c0c9e5a0: create: how=(nil)
domainbuilder: detail: xc_dom_kernel_file: filename="/var/lib/xen/images/vmlinuz"
domainbuilder: detail: xc_dom_find_loader: trying Linux bzImage loader ...
xc: error: panic: xg_dom_bzimageloader.c:775: xc_dom_probe_bzimage_kernel: unable to ZSTD decompress kernel: Invalid kernel
domainbuilder: detail: loader probe failed
libxl: error: libxl_dom.c:571:libxl__build_dom: xc_dom_parse_image failed
libxl: error: libxl_create.c:1709:domcreate_rebuild_done: Domain 37:cannot (re-)build domain: -3`,
    says: /does not know it \(zstd before Xen 4\.15\)/,
  },
  {
    seen: 'virsh start',
    log: "error: Failed to start domain 'guest1'\nerror: internal error: libxenlight failed to create new domain 'guest1'",
    says: /libxl-driver\.log/,
  },
  {
    seen: 'Qubes',
    log: "libxenlight failed to create new domain 'work', see /var/log/libvirt/libxl/libxl-driver.log for details",
    says: /in lines of xc: and libxl:/,
  },
  {
    seen: 'libxl-driver.log',
    log: `2024-03-11 09:12:33.123+0000: xc: panic: xg_dom_core.c:689: xc_dom_find_loader: no loader found: Invalid kernel
2024-03-11 09:12:33.124+0000: libxl: libxl_dom.c:571:libxl__build_dom: xc_dom_parse_image failed
2024-03-11 09:12:33.130+0000: libxl: libxl_domain.c:1183:libxl__destroy_domid: Domain 12:Non-existant domain`,
    says: /wants type="pvh"/,
  },
  {
    seen: 'journalctl of xl',
    log: `Jan  5 10:11:12 xenhost kernel: [  123.456789] xen_netback: interface vif5.0
Jan  5 10:11:12 xenhost xl[2212]: xc: error: panic: xg_dom_bzimageloader.c:634: xc_dom_probe_bzimage_kernel: unknown compression format: Invalid kernel`,
    says: /Attach a gzip payload/,
  },
  {
    seen: 'a guest that asks for more than is free',
    log: 'xc: error: panic: xg_dom_x86.c:1300: meminit_pv: failed to allocate 0x20000 pages (v=0, p=0): Internal error',
    says: /not as much free memory/,
  },
  {
    seen: 'dom0 with dates',
    log: `(XEN) [2024-01-05 10:00:01.123] *** Building a PV Dom0 ***
(XEN) [2024-01-05 10:00:01.460] ELF: not an ELF binary
(XEN) [2024-01-05 10:00:01.490] Panic on CPU 0:
(XEN) [2024-01-05 10:00:01.500] Could not construct domain 0`,
    says: /neither an ELF nor anything that Xen can unpack/,
  },
  {
    seen: 'a PVH dom0 that finds no room',
    log: '(XEN) [    4.201] *** Building a PVH Dom0 ***\n(XEN) [    4.210] Failed to load kernel: -1\n(XEN) [    4.220] Failed to setup Dom0 kernel',
    says: /physical addresses of the image are not free RAM/,
  },
  {
    seen: 'a PVH guest that resets, any domain',
    log: `(XEN) d41v0 Triple fault - invoking HVM shutdown action 1
(XEN) *** Dumping Dom41 vcpu#0 state: ***
(XEN) ----[ Xen-4.17.3  x86_64  debug=n  Not tainted ]----`,
    says: /64-bit code at PHYS32_ENTRY/,
  },
  {
    seen: 'a PV guest that falls, any domain',
    log: `(XEN) domain_crash called from entry.S: fault at ffff82d04030ad2d x86_64/entry.S#create_bounce_frame+0x15d/0x177
(XEN) Domain 5 (vcpu#0) crashed on cpu#2:`,
    says: /the guest fell, not Xen/,
  },
  {
    seen: 'the words of Xen 4.13 and before',
    log: '(d9) mapping kernel into physical memory\n(d9) about to get started...\n(XEN) d9v0 Unhandled general protection fault fault/trap [#13, ec=0000]',
    says: /the guest fell, not Xen/,
  },
  {
    seen: 'a page fault with its walk',
    log: '(XEN) d7v0 Unhandled: vec 14, #PF[0010]\n(XEN) Pagetable walk from ffffffff81000000:',
    says: /the guest fell, not Xen/,
  },
  {
    seen: 'Xen itself',
    log: '(XEN) Xen BUG at arch/x86/pv/dom0_build.c:590\n(XEN) ----[ Xen-4.18.2  x86_64  debug=n  Not tainted ]----\n(XEN) RIP:    e008:[<ffff82d040451a2b>]',
    says: /Xen itself fell, not the guest/,
  },
  {
    seen: 'QEMU in a Makefile',
    log: 'qemu-system-x86_64: Error loading uncompressed kernel without PVH ELF Note\nmake: *** [Makefile:41: run] Error 1',
    says: /QEMU found no PHYS32_ENTRY/,
  },
  {
    seen: 'QEMU, the whole list of regions',
    log: `qemu-system-x86_64: Some ROM regions are overlapping
These ROM regions might have been loaded by direct user request or by default.
They could be BIOS/firmware images, a guest kernel, initrd or some other file loaded into guest memory.
The following two regions overlap (in the memory address space):
  phdr #0: kernel.elf ELF program header segment 0 (addresses 0x0000000000000000 - 0x0000000000001000)`,
    says: /Two PT_LOADs overlap in physical memory/,
  },
  {
    seen: 'QEMU with a warning in front',
    log: `qemu-system-x86_64: warning: TCG doesn't support requested feature: CPUID.01H:ECX.vmx [bit 5]
qemu: linux kernel too old to load a ram disk`,
    says: /it is no ELF/,
  },
  {
    seen: 'the API of Firecracker, no reason in it',
    log: '{"fault_message":"Cannot start microvm: Cannot load kernel due to invalid memory configuration or invalid kernel image: Kernel Loader: failed to load ELF kernel image"}',
    says: /with the reason left out/,
  },
  {
    seen: 'the log of Firecracker',
    log: '2024-02-02T15:04:05.123456789 [anonymous-instance:main:ERROR:src/firecracker/src/main.rs:81] RunWithApiError error: Failed to build MicroVM from Json: System configuration error: Cannot load kernel due to invalid memory configuration or invalid kernel image: Kernel Loader: failed to load ELF kernel image: Invalid ELF magic number',
    says: /The file is no ELF \(a vmlinuz/,
  },
  {
    seen: 'Cloud Hypervisor of 2025, a chain of errors',
    log: `Error: Cloud Hypervisor exited with the following chain of errors:
  0: Failed to boot VM
  1: The VM could not boot
  2: Error manipulating VM
  3: Failed to load kernel
  4: Failed to load ELF kernel image
  5: Kernel Loader: Invalid Elf magic number`,
    says: /The file is no ELF \(a vmlinuz/,
  },
  {
    seen: 'Kata, by JSON in a log',
    log: 'level=error msg="launching Firecracker failed: Put \\"http://localhost/actions\\": rpc error: Kernel Loader: Unable to read kernel image"',
    says: /is cut short/,
  },
  {
    seen: 'crosvm',
    log: '[2024-05-05T10:00:00.000000000+00:00 ERROR crosvm] exiting with error 1: the architecture failed to build the vm: error loading Kernel: failed to load kernel: invalid elf class',
    says: /no little-endian ELF32 or ELF64/,
  },
  {
    seen: 'GRUB with its file and line',
    log: `Loading Xen 4.17 ...
error: ../../grub-core/loader/multiboot_mbi2.c:172:unsupported tag: 0x8.
error: ../../grub-core/loader/multiboot.c:425:you need to load the kernel first.

Press any key to continue...`,
    says: /tags are not padded to 8/,
  },
  {
    seen: 'GRUB under Secure Boot',
    log: 'error: ../../grub-core/kern/efi/sb.c:182:bad shim signature.\nerror: ../../grub-core/loader/i386/efi/linux.c:258:you need to load the kernel first.',
    says: /Linearize xen\.efi and sign it last/,
  },
  {
    seen: 'a shim that was revoked',
    log: 'Verifying shim SBAT data failed: Security Policy Violation\nSomething has gone seriously wrong: SBAT self-check failed: Security Policy Violation',
    says: /shim itself is older than the SBAT level/,
  },
  {
    seen: 'shim’s box',
    log: 'ERROR\nVerification failed: (0x1A) Security Violation',
    says: /no signature that this machine trusts/,
  },
  {
    seen: 'the UEFI Shell',
    log: 'Shell> FS0:\nFS0:\\> xen\nCommand Error Status: Unsupported',
    says: /no PE image for this machine/,
  },
  {
    seen: 'ukify, a traceback',
    log: `Traceback (most recent call last):
  File "/usr/lib/systemd/ukify", line 1689, in main
    pe_add_sections(uki, unsigned_output)
    raise PEError(f'Not enough header space to add section {section.name}.')
__main__.PEError: Not enough header space to add section .linux.`,
    says: /the result has room for ukify/,
  },
  {
    seen: 'objcopy on xen.efi',
    log: 'objcopy: xen.efi: warning: ignoring section flag IMAGE_SCN_MEM_NOT_PAGED in section .reloc\nobjcopy: unified.efi:.config: section below image base',
    says: /the result has room for ukify/,
  },
  {
    seen: 'kexec in a shell',
    log: 'root@host:~# kexec -l /boot/xen --module="/boot/vmlinuz"\nELF Note corrupted !\nCannot determine the file type of /boot/xen',
    says: /do not end exactly where the segment ends/,
  },
  {
    seen: 'kexec, two segments',
    log: 'Overlapping memory segments at 0x200000\nsort_segments failed\n/ : Success',
    says: /kexec copies whole pages/,
  },
  {
    seen: 'pygrub',
    log: `libxl: error: libxl_bootloader.c:648:bootloader_finished: Domain 4:bootloader failed - consult logfile /var/log/xen/bootloader.4.log
libxl: error: libxl_exec.c:117:libxl_report_child_exitstatus: bootloader [12345] exited with error status 1`,
    says: /found no kernel on the disk/,
  },
  {
    seen: 'the build of Xen, with its whole command',
    log: `./boot/mkelf32 --notes ./.xen-syms ./.xen.elf32 0x200000 \`nm ./.xen-syms | sed -ne 's/^\\([^ ]*\\) . __2M_rwdata_end$/0x\\1/p'\`
Expected .note section within .text section!
Offset 4263452672 not within 2097152
make[3]: *** [arch/x86/Makefile:101: xen] Error 1`,
    says: /second program header does not lie inside the first/,
  },
  {
    seen: 'Limine',
    log: 'PANIC: limine: Failed to open kernel with path `boot():/kernel.elf`. Is the path correct?',
    says: /path: in limine\.conf/,
  },
];

it('there are many', () => expect(LOGS.length).toBeGreaterThanOrEqual(30));

describe.each(LOGS)('$seen', ({ log, says }) => {
  const answer = (text: string) =>
    (explainTopic(text)?.body ?? 'nothing is known').split('\n').slice(0, 10).join('\n').replace(/\s+/g, ' ');

  it('is answered in ten lines', () => expect(answer(log)).toMatch(says));

  it('however it was sent: as a quotation, with CR, in colours, among other lines', () => {
    const lines = log.split('\n');
    expect(answer(lines.map((line) => `> ${line}`).join('\n'))).toMatch(says);
    expect(answer(lines.join('\r\n'))).toMatch(says);
    expect(answer(lines.map((line) => `\u001b[31m${line}\u001b[0m`).join('\n'))).toMatch(says);
    expect(answer(['Hello,', 'I get this on my machine:', '', ...lines, '', 'Thanks in advance'].join('\n'))).toMatch(
      says,
    );
  });
});
