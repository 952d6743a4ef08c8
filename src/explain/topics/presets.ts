import { code, heading, list, table, terms, text } from '../blocks.js';
import type { Page } from '../page.js';

/** `explain presets`: what each preset writes, where each value comes from, what it refuses. */
export const presets: Page = {
  name: 'presets',
  title: 'Presets: sets of notes that fill themselves in',
  blocks: [
    text`A preset writes the notes that a kind of guest needs and takes their values from the image. It never guesses:
      when the image does not say what is needed, the edit is refused and names what is missing.`,
    terms(
      ['pv', '64-bit paravirtual guest'],
      ['pv32', '32-bit PAE paravirtual guest'],
      ['pvh', 'PVH guest; also what QEMU -kernel, Firecracker and Cloud Hypervisor start'],
      ['pv+pvh', 'one image for both'],
      ['NAME+dom0', 'any of these, to run as dom0 as well: pv+dom0, pvh+dom0, pv+pvh+dom0'],
    ),
    code`
      $ xen-elfpatch patch kernel.elf --preset pvh -o kernel.pvh
      $ xen-elfpatch patch vmlinux --preset pv+pvh+dom0 -o vmlinux.xen
      $ xen-elfpatch patch kernel.elf --preset pvh --dry-run`,
    text`Notes already in the image keep their value unless it contradicts the preset. --set and --unset come after a
      preset and win over it. --dry-run shows every value before anything is written.`,

    heading('pv and pv32'),
    text`pv wants an ELF64 for x86-64 (EM_X86_64), pv32 an ELF32 for i386 (EM_386).`,
    table(
      ['note', 'value'],
      ['XEN_VERSION', 'xen-3.0'],
      ['LOADER', 'generic'],
      [
        'VIRT_BASE',
        'p_vaddr - p_paddr of the PT_LOAD with the lowest physical address; 0 when the two are equal and low',
      ],
      ['PADDR_OFFSET', '0'],
      [
        'ENTRY',
        'the symbol startup_xen; else e_entry if it lies in the virtual range of a PT_LOAD; else _start; never the address ' +
          'that PHYS32_ENTRY gives in an ELF64 without ENTRY and VIRT_BASE',
      ],
      ['HYPERCALL_PAGE', 'the symbol hypercall_page; not written when there is none'],
      ['PAE_MODE', 'yes, with pv32 only'],
    ),
    text`VIRT_BASE and PADDR_OFFSET fit a kernel whose p_paddr holds physical addresses. Where the linker wrote p_paddr =
      p_vaddr for a high kernel, as for the BSDs, both have to be given with --set (explain PADDR_OFFSET).`,

    heading('pvh'),
    table(['note', 'value'], ['PHYS32_ENTRY', 'physical address of the start symbol, see below; 4 bytes']),
    text`The first of these symbols that exists is taken: pvh_start_xen, __pvh_start, xen_start32, start_xen32, pvh_entry,
      pvh_start, _pvh_start, _start. Its value is turned from virtual to physical through the PT_LOAD that holds it. An ELF32
      without any of them falls back on e_entry. A stripped ELF64 is refused: its e_entry is 64-bit code as a rule, and
      a PVH guest starts in 32-bit mode. Give the address yourself when you know it:`,
    code`
      $ xen-elfpatch patch kernel.elf --set PHYS32_ENTRY=0x1000850 -o kernel.pvh`,
    text`A preset cannot make a kernel a PVH kernel: the code at that address has to expect the PVH machine state
      (explain pvh).`,

    heading('+dom0'),
    text`Sets bit 11 (dom0) in SUPPORTED_FEATURES, and keeps the other bits that are there. Xen refuses a dom0 kernel that
      has the note without that bit.`,

    heading('What presets do not write'),
    list(
      'GUEST_OS, GUEST_VERSION: a label of your own, --set GUEST_OS=mykernel.',
      'FEATURES: only you know what your kernel can do (explain features).',
      'INIT_P2M, MOD_START_PFN: they change what the kernel finds at start, so the kernel has to expect it.',
      'PHYS32_RELOC: only for a kernel that finds out where it was loaded.',
    ),
    text`See also: explain pv, explain pvh, explain values.`,
  ],
};
