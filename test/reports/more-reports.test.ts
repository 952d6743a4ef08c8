/**
 * More reports as people write them, and files of their shape: what they pasted is answered by `explain` in ten lines, the file by
 * `verify` and `fix` in ten lines, and what is printed as a cure runs as printed and makes the loader accept.
 */
import { rmSync } from 'node:fs';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { workFolder } from '../support/cli.js';
import { runHere, shellWords } from '../support/in-process.js';
import { SHAPES } from './report-shapes.js';

vi.mock('../../src/cli/output.js', async (original) => {
  const { captured } = await import('../support/captured-output.js');
  return captured(await original<typeof import('../../src/cli/output.js')>());
});

type Shape = keyof typeof SHAPES;

interface Report {
  readonly seen: string;
  readonly symptom: string;
  readonly explain: RegExp;
  readonly shape: Shape;
  readonly loader: string;
  /** In verify and in fix. */
  readonly told: RegExp;
}

const CURE = /^ {2}fix: (xen-elfpatch .*)$/m;
/** What says that an edit is known. */
const EDIT = /fix: xen-elfpatch|edit: /;

const REPORTS: readonly Report[] = [
  {
    seen: 'tinylabscom/mvm #2594: a bzImage that is called vmlinux',
    symptom:
      'Cannot load kernel due to invalid memory configuration or invalid kernel image:\nKernel Loader: failed to load ELF kernel image: Kernel Loader: Invalid Elf magic number',
    explain: /The file is no ELF \(a vmlinuz/,
    shape: 'a bzImage called vmlinux',
    loader: 'firecracker',
    told: EDIT,
  },
  {
    seen: 'e2b-dev/infra #1079: a file that was cut short on the way',
    symptom:
      'Start microvm error: System configuration error: Cannot load kernel due to invalid memory configuration or invalid kernel image: Kernel Loader: failed to load ELF kernel image: Kernel Loader: Unable to read kernel image}',
    explain: /is cut short/,
    shape: 'a vmlinux that was cut short',
    loader: 'firecracker',
    told: /the file was cut short, so link or copy it again|segment-in-file/,
  },
  {
    seen: 'a download that gave a page in place of the kernel',
    symptom: 'RunWithoutApiError(BuildMicroVMFromJson(StartMicroVM(KernelLoader(Elf(InvalidElfMagicNumber)))))',
    explain: /a page that a download gave/,
    shape: 'a page of HTML',
    loader: 'firecracker',
    told: /wanted an ELF file/,
  },
  {
    seen: 'an empty file',
    symptom: 'cloud-hypervisor: Error booting VM: VmBoot(KernelLoad(Elf(ReadElfHeader)))',
    explain: /The file is no ELF/,
    shape: 'an empty file',
    loader: 'cloud-hypervisor',
    told: /found an empty file/,
  },
  {
    seen: 'a gzip file of a Multiboot kernel given to QEMU',
    symptom: 'qemu: invalid kernel header',
    explain: /it is no ELF/,
    shape: 'a gzip file of a multiboot kernel',
    loader: 'qemu-multiboot',
    told: EDIT,
  },
  {
    seen: 'a 32-bit kernel without PAE as dom0',
    symptom: '(XEN) [    3.210415] Mismatch between Xen and DOM0 kernel',
    explain: /PAE_MODE=yes/,
    shape: 'an ELF32 without PAE_MODE',
    loader: 'xen-dom0-pv',
    told: EDIT,
  },
  {
    seen: 'the same by xl',
    symptom:
      'xc: error: panic: xg_dom_boot.c:133: xc_dom_compat_check: guest type xen-3.0-x86_32 not supported by xen kernel, sorry: Invalid kernel',
    explain: /a 32-bit PV kernel without PAE_MODE/,
    shape: 'an ELF32 without PAE_MODE',
    loader: 'xen-pv',
    told: EDIT,
  },
  {
    seen: 'Debian’s cloud kernel as dom0',
    symptom:
      '(XEN) Kernel does not support Dom0 operation\n(XEN) \n(XEN) Panic on CPU 0:\n(XEN) Could not construct domain 0',
    explain: /SUPPORTED_FEATURES is there without bit 11/,
    shape: 'Linux with SUPPORTED_FEATURES 0x8001',
    loader: 'xen-dom0-pv',
    told: EDIT,
  },
  {
    seen: 'a panic with nothing above it',
    symptom: '(XEN) *** Building a PV Dom0 ***\n(XEN) Panic on CPU 0:\n(XEN) Could not construct domain 0',
    explain: /requires \(!\) a feature that Xen does not know/,
    shape: 'a required feature that Xen does not know',
    loader: 'xen-dom0-pv',
    told: /linux_rsdp_unrestricted|edit: /,
  },
  {
    seen: 'ENTRY of another link',
    symptom: '(XEN) ELF: ERROR: ELF start or entries are out of bounds',
    explain: /The entry does not lie between/,
    shape: 'ENTRY outside of the kernel',
    loader: 'xen-dom0-pv',
    told: EDIT,
  },
  {
    seen: 'one p_paddr that is far away',
    symptom: '(XEN) Domain 0 allocation is too small for kernel image',
    explain: /one p_paddr is wrong/,
    shape: 'a second PT_LOAD far away',
    loader: 'xen-dom0-pv',
    told: /PT_LOAD 1 takes 0x4000000000/,
  },
  {
    seen: 'the same by xl',
    symptom:
      'xc: error: panic: xg_dom_core.c:576: xc_dom_chk_alloc_pages: segment kernel too large (0x3ffff01 > 0x20000 - 0x100 pages): Out of memory',
    explain: /takes more than the memory of the guest/,
    shape: 'a second PT_LOAD far away',
    loader: 'xen-pv',
    told: /PT_LOAD 1 takes 0x4000000000/,
  },
  {
    seen: 'a dom0 kernel as guest',
    symptom:
      'xc: error: panic: xg_dom_elfloader.c:175: xc_dom_parse_elf_kernel: Kernel does not support unprivileged (DomU) operation: Invalid kernel',
    explain: /FEATURES requires dom0/,
    shape: 'a kernel for dom0 alone',
    loader: 'xen-pv',
    told: EDIT,
  },
  {
    seen: 'GaloisInc/HaLVM #60: the complaint of the loader that was tried last',
    symptom:
      'xc: error: panic: xc_dom_bzimageloader.c:634: xc_dom_probe_bzimage_kernel: kernel is not a bzImage: Invalid kernel',
    explain: /For an ELF the reason lies with its notes/,
    shape: 'XEN_VERSION of a release',
    loader: 'xen-pv',
    told: EDIT,
  },
  {
    seen: 'p_paddr as high as p_vaddr, by GRUB',
    symptom: 'error: segment crosses 4 GiB border.\nerror: you need to load the kernel first.',
    explain: /p_paddr of a PT_LOAD is high/,
    shape: 'p_paddr as high as p_vaddr',
    loader: 'grub-multiboot',
    told: /AT\(ADDR\(\.?section\) - base\)/,
  },
  {
    seen: 'e_entry that no program header covers',
    symptom: "error: ../../grub-core/loader/multiboot_elfxx.c:211:entry point isn't in a segment.",
    explain: /No program header covers e_entry/,
    shape: 'e_entry in no segment',
    loader: 'grub-multiboot',
    told: /e_entry is 0x900000 and in no program header/,
  },
  {
    seen: 'relocations that the linker kept',
    symptom: 'error: ELF files with relocs are not supported yet.',
    explain: /keeps relocation sections/,
    shape: 'relocations that were kept',
    loader: 'grub-multiboot2',
    told: /section \.rela\.text holds relocations/,
  },
  {
    seen: 'VIRT_BASE of 4 bytes under pvgrub',
    symptom: 'error: unaligned virt_base.',
    explain: /GRUB reads 8 bytes/,
    shape: 'VIRT_BASE of 4 bytes',
    loader: 'grub-xen',
    told: /VIRT_BASE has 4 bytes and|reads-within-segment|edit: --set VIRT_BASE/,
  },
  {
    seen: 'LOADER=linux under pvgrub',
    symptom: 'error: ../../grub-core/loader/i386/xen_fileXX.c:266:invalid loader.',
    explain: /not exactly generic/,
    shape: 'LOADER=linux',
    loader: 'grub-xen',
    told: EDIT,
  },
  {
    seen: 'a Multiboot2 kernel by `multiboot` (its end tag has 6 bytes)',
    symptom: 'error: no multiboot header found',
    explain: /No header in the first 8 KiB/,
    shape: 'a Multiboot2 end tag of 6 bytes',
    loader: 'grub-multiboot',
    told: /in grub\.cfg say multiboot2 and module2/,
  },
  {
    seen: 'segments that overlap, by QEMU',
    symptom:
      'qemu-system-x86_64: Some ROM regions are overlapping\nThese ROM regions might have been loaded by direct user request or by default.',
    explain: /Two PT_LOADs overlap/,
    shape: 'two PT_LOADs in each other',
    loader: 'qemu-pvh',
    told: /PT_LOAD 0 takes 0x100000 to 0x100200 and PT_LOAD 1|load-overlap/,
  },
  {
    seen: 'a kernel at 1 MiB by crosvm',
    symptom: '[ERROR:src/main.rs:1] failed to load kernel: program header address out of allowed address range',
    explain: /below 2 MiB/,
    shape: 'a kernel at 1 MiB',
    loader: 'crosvm',
    told: /PT_LOAD 0 goes to p_paddr 0x100000, and crosvm takes 0x200000 or above/,
  },
  {
    seen: 'a kernel at 1 MiB by Limine',
    symptom: 'PANIC: elf: No higher half PHDRs exist',
    explain: /0xffffffff80000000 or above/,
    shape: 'a kernel at 1 MiB',
    loader: 'limine',
    told: /no PT_LOAD is at 0xffffffff80000000 or above/,
  },
  {
    seen: 'a Multiboot header with a bad sum by Limine, which then speaks of bitness',
    symptom: 'PANIC: limine: Invalid ELF file bitness',
    explain: /protocol named in limine\.conf/,
    shape: 'a Multiboot header with a checksum of another',
    loader: 'limine',
    told: /it is an ELF32, .*checksum 0x0, wanted 0xe4524ffe/,
  },
  {
    seen: 'a first PT_LOAD behind the headers, by kexec',
    symptom: 'Base address: 0x100b40 is not page aligned\nCannot load ./kernel',
    explain: /multiple of 4096/,
    shape: 'a kernel on no page',
    loader: 'kexec',
    told: /PT_LOAD 0 begins at p_paddr 0x100b40/,
  },
  {
    seen: 'xen.efi by multiboot2',
    symptom: 'error: invalid arch-dependent ELF magic.',
    explain: /such as an xen\.efi as it was linked/,
    shape: 'xen.efi as it was linked',
    loader: 'grub-multiboot2',
    told: /fix: xen-elfpatch linearize|laid out for Multiboot by linearize/,
  },
  {
    seen: 'a big-endian kernel',
    symptom: 'cloud-hypervisor: Error booting VM: VmBoot(KernelLoad(Elf(BigEndianElfOnLittle)))',
    explain: /EI_DATA is not 1/,
    shape: 'a big-endian kernel',
    loader: 'cloud-hypervisor',
    told: /big-endian: build and link it for x86/,
  },
  {
    seen: 'a Multiboot flag that GRUB does not know',
    symptom: 'error: unsupported flag: 0x8.',
    explain: /a mandatory flag \(bits 3 to 15\)/,
    shape: 'a Multiboot flag of the kernel’s own',
    loader: 'grub-multiboot',
    told: /has flags 0x8/,
  },
  {
    seen: 'a Multiboot header between two words',
    symptom: 'error: no multiboot header found.',
    explain: /No header in the first 8 KiB/,
    shape: 'a Multiboot header at 2 bytes',
    loader: 'qemu-multiboot',
    told: /at 0x1002 is not at a multiple of 4/,
  },
  {
    seen: 'cloud-hypervisor #4930: Firecracker’s configuration without CONFIG_PVH',
    symptom: 'Error booting VM: VmBoot(KernelMissingPvhHeader)',
    explain: /No PHYS32_ENTRY in the last PT_NOTE/,
    shape: 'a note of Linux and no CONFIG_PVH',
    loader: 'cloud-hypervisor',
    told: /set CONFIG_PVH=y/,
  },
  {
    seen: 'a virtual address in PHYS32_ENTRY, in the image',
    symptom: 'xc: error: panic: xg_dom_hvmloader.c:60: xc_dom_parse_hvm_kernel: ELF image is not 32bit: Invalid kernel',
    explain: /PHYS32_ENTRY missing or outside the image|whose notes do not hold/,
    shape: 'PHYS32_ENTRY that is the virtual address of the entry',
    loader: 'xen-pvh',
    told: EDIT,
  },
  {
    seen: 'the same, somewhere else',
    symptom: 'xc_dom_parse_hvm_kernel: ELF image is not 32bit: Invalid kernel',
    explain: /whose notes do not hold/,
    shape: 'PHYS32_ENTRY that is virtual',
    loader: 'xen-pvh',
    told: /PHYS32_ENTRY is 0xffffffff80100000, and physical memory has the image elsewhere \(PT_LOAD 0 0x100000 to 0x100200\)/,
  },
  {
    seen: 'INIT_P2M in the kernel',
    symptom: 'domainbuilder: detail: elf_xen_addr_calc_check: ERROR: P->M table base is out of bounds.: Invalid kernel',
    explain: /INIT_P2M points into the kernel/,
    shape: 'INIT_P2M in the kernel',
    loader: 'xen-pv',
    told: EDIT,
  },
  {
    seen: 'PADDR_OFFSET without VIRT_BASE',
    symptom: '(XEN) ERROR: ELF_PADDR_OFFSET set, VIRT_BASE unset',
    explain: /PADDR_OFFSET is there without VIRT_BASE/,
    shape: 'PADDR_OFFSET without VIRT_BASE',
    loader: 'xen-pv',
    told: EDIT,
  },
  {
    seen: 'an e_entry in low memory',
    symptom: 'Kernel Loader: Invalid entry address',
    explain: /e_entry is below 1 MiB/,
    shape: 'an e_entry below 1 MiB',
    loader: 'cloud-hypervisor',
    told: /e_entry is 0x8000/,
  },
  {
    seen: 'a 32-bit PVH kernel for Firecracker',
    symptom: 'StartMicroVM(KernelLoader(Elf(InvalidProgramHeaderSize)))',
    explain: /The kernel is an ELF32/,
    shape: 'a PVH kernel, 32-bit',
    loader: 'firecracker',
    told: /it is an ELF32, and this loader takes ELF64 alone/,
  },
  {
    seen: 'QubesOS/qubes-vmm-xen PR 25: a whole log of an old toolstack',
    symptom:
      '2018-01-18 20:42:47.735+0000: xc: panic: xc_dom_elfloader.c:66: xc_dom_guest_type: image not capable of booting inside a HVM container: Invalid kernel\n' +
      '2018-01-18 20:42:47.735+0000: xc: panic: xc_dom_core.c:944: xc_dom_mem_init: arch hooks not set: Internal error\n' +
      '2018-01-18 20:42:47.735+0000: libxl: libxl_dom.c:649:libxl__build_dom: xc_dom_mem_init failed: No such file or directory\n' +
      '2018-01-18 20:42:47.741+0000: libxl: libxl_create.c:1266:domcreate_rebuild_done: cannot (re-)build domain: -3\n',
    explain: /type="pvh" was asked for and the kernel has notes for PV only/,
    shape: 'XEN_VERSION of a release',
    loader: 'xen-pvh',
    told: /type="pv"/,
  },
  {
    seen: 'an arm64 Image where an ELF was meant',
    symptom: 'error: not xen image.',
    explain: /no ELF for x86/,
    shape: 'an arm64 Image',
    loader: 'xen-pvh',
    told: /arm64 Image/,
  },
  {
    seen: 'an object file given to kexec',
    symptom: 'Cannot determine the file type of kernel.o',
    explain: /an object file/,
    shape: 'an object file',
    loader: 'kexec',
    told: /e_type is ET_REL: link an executable/,
  },
];

const folder = workFolder();
afterAll(() => folder.remove());

const firstLines = (answer: string) => answer.split('\n').slice(0, 10).join('\n');
const rows = REPORTS.map((report) => ({ ...report, name: `${report.seen} (${report.loader})` }));

it('there are many, and each shape has one', () => {
  expect(rows.length).toBeGreaterThanOrEqual(39);
  const unused = Object.keys(SHAPES).filter((shape) => !REPORTS.some((report) => report.shape === shape));
  // These are judged as they are, without a refusal or with one that others have.
  expect(unused).toEqual(['a HYPERCALL_PAGE that is no address of the kernel', 'PHYS32_ENTRY of 2 bytes']);
});

describe.each(rows)('$name', ({ symptom, explain, shape, loader, told }) => {
  it('is answered in ten lines by explain, verify and fix, and a printed cure holds', async () => {
    const answer = firstLines((await runHere(['explain', symptom])).stdout);
    expect(answer.replace(/\s+/g, ' ')).toMatch(explain);
    const path = folder.write("the kernel's image", SHAPES[shape]);
    const verify = await runHere(['verify', path, '--for', loader]);
    expect(firstLines(verify.stdout + verify.stderr)).toMatch(told);
    const fix = await runHere(['fix', path, '--for', loader]);
    expect(firstLines(fix.stdout + fix.stderr)).toMatch(told);
    const cure = CURE.exec(verify.stdout)?.[1];
    if (cure === undefined) return;
    const [words = []] = shellWords([cure]);
    expect(words[0]).toBe('xen-elfpatch');
    expect((await runHere(words.slice(1))).status).toBe(0);
    const output = words[words.indexOf('-o') + 1] ?? '';
    expect((await runHere(['verify', output, '--for', loader])).status).toBe(0);
    rmSync(output);
  });
});
