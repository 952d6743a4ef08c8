import { code, heading, list, table, terms, text } from '../blocks.js';
import type { Page } from '../page.js';

/**
 * `explain pv`: from nothing to a first 64-bit PV kernel. Sources: xen/include/public/xen.h ("Start-of-day memory
 * layout", struct start_info), xen/include/public/arch-x86/xen-x86_64.h. The example was run under Xen as written.
 */
export const pv: Page = {
  name: 'pv',
  title: 'PV: bringing up a first 64-bit kernel',
  blocks: [
    text`A paravirtual guest runs without hardware virtualisation: in user mode (ring 3), with page tables that only Xen may
      change, and with hypercalls in place of privileged instructions. In return it starts in 64-bit mode with its memory
      mapped and needs no start-up code at all. Only Xen starts PV guests. For a new kernel PVH is the easier way; PV is
      for hosts without virtualisation hardware, and for dom0.`,

    heading('1. A kernel'),
    text`Save this as pv.S. As dom0 it prints a line on Xen's console and asks for a reboot.`,
    code`
              .globl  startup_xen
      startup_xen:
              cld
              mov     %rsi, start_info(%rip)
              xor     %edi, %edi              # 0 = write
              mov     $length, %esi
              lea     hello(%rip), %rdx
              mov     $18, %eax               # console_io
              syscall
              mov     $2, %edi                # 2 = shutdown
              lea     reason(%rip), %rsi
              mov     $29, %eax               # sched_op
              syscall
              .section .rodata, "a"
      hello:  .ascii  "hello from PV\n"
      length = . - hello
      reason: .long   1                       # 1 reboot, 0 power off
              .bss
      start_info: .quad 0`,
    text`And this as pv.lds: linked high, with physical addresses in p_paddr.`,
    code`
      ENTRY(startup_xen)
      SECTIONS {
        . = 0xffffffff80100000;
        .text   : AT(ADDR(.text)   - 0xffffffff80000000) { *(.text) }
        .rodata : AT(ADDR(.rodata) - 0xffffffff80000000) { *(.rodata) }
        .bss    : AT(ADDR(.bss)    - 0xffffffff80000000) { *(.bss) }
      }`,

    heading('2. Link, patch, run under Xen in QEMU'),
    code`
      $ gcc -c pv.S -o pv.o
      $ ld -z noexecstack -T pv.lds pv.o -o pv.elf
      $ xen-elfpatch patch pv.elf --preset pv -o pv.xen
      $ qemu-system-x86_64 -accel tcg -m 128M -nodefaults -display none \
          -serial stdio -no-reboot -icount shift=8,sleep=off \
          -kernel xen -initrd pv.xen \
          -append "console=com1 loglvl=all guest_loglvl=all dom0=verbose"`,
    text`xen is the hypervisor, unpacked (zcat xen.gz), taken out of any distribution's package; it need not be installed. The
      run takes a second or two. After -initrd a blank ends the file name and begins dom0's command line, a comma begins
      the next module. dom0=verbose makes Xen print each note it read and the addresses it worked out. -accel tcg is
      needed: Xen does not run under every KVM. -icount skips Xen's waits; leave it out for a large kernel.`,

    heading('3. The notes'),
    table(
      ['note', 'value here', 'why'],
      ['XEN_VERSION', 'xen-3.0', 'the gate; always this value'],
      ['LOADER', 'generic', 'the gate; or GUEST_OS beginning with linux'],
      ['VIRT_BASE', '0xffffffff80000000', 'where physical address 0 appears: p_vaddr - p_paddr'],
      ['PADDR_OFFSET', '0', 'p_paddr is physical'],
      ['ENTRY', 'startup_xen', 'a virtual address'],
      ['HYPERCALL_PAGE', '(none)', 'a page that Xen fills, if your kernel has one'],
    ),
    text`A kernel linked low with p_vaddr = p_paddr and e_entry at its start needs only the first two.`,

    heading('4. What the kernel finds at its entry'),
    list(
      'Ring 3, 64-bit mode, paging on, rip = ENTRY, rsi = virtual address of the start info, rsp = top of a boot stack.',
      'Mapped from VIRT_BASE up, in this order, each 4 KiB aligned: the kernel, the initial ramdisk (unless ' +
        'MOD_START_PFN), the table of machine page numbers (unless INIT_P2M), the start info, for a guest the xenstore ' +
        'page and the console page, the page tables, the stack, then at least 512 KiB to spare. The end is 4 MiB aligned.',
      'All of it is mapped writable, except the page tables, which are read-only: change them by hypercall.',
      'Events (the interrupts of a PV guest) are not delivered until you register a handler and unmask them.',
    ),

    heading('5. The start info (64-bit)'),
    table(
      ['offset', 'field'],
      ['0', '32 bytes: xen-3.0-x86_64, and a p behind it with PAE_MODE=yes'],
      ['32', 'number of pages the guest has'],
      ['40', 'machine address of the shared info page'],
      ['48', '4 bytes of flags: bit 0 privileged, bit 1 this is dom0, bit 3 mod_start is a page number'],
      ['56', 'guest: machine page number of the xenstore page; 64: its event channel'],
      ['72', 'guest: machine page number of the console page; 80: its event channel'],
      ['88', 'virtual address of the page tables; 96: how many pages they take'],
      ['104', 'virtual address of the table of machine page numbers'],
      ['112', 'address of the initial ramdisk; 120: its size'],
      ['128', 'command line, 1024 bytes'],
    ),

    heading('6. Hypercalls'),
    text`The syscall instruction with the number in rax and the arguments in rdi, rsi, rdx, r10, r8; the result comes in rax
      and rcx and r11 are lost. Or a call to HYPERCALL_PAGE + 32 * number, with the same registers.`,
    table(
      ['number', 'what for'],
      ['18', 'console_io: 0 (write), length, address. For dom0; a release Xen refuses guests'],
      ['29', 'sched_op: 2 (shutdown), address of a 4-byte reason: 0 power off, 1 reboot, 3 crash'],
      ['32', 'event_channel_op: 4 (send), address of a 4-byte port'],
      ['33', 'physdev_op: 6 (set_iopl), address of a 4-byte level: before the first in or out, dom0'],
    ),
    text`A guest other than dom0 writes to its console ring: the page two behind the start info; 2048 bytes of output at
      offset 1024, their consumer and producer index at 3080 and 3084; then send on its event channel. Wait until it is
      read before you shut down.`,

    heading('7. With xl'),
    code`
      name = "first"
      type = "pv"
      kernel = "/root/pv.xen"
      memory = 64`,
    code`
      $ xl create -c kernel.cfg`,

    heading('8. Reading the failures'),
    text`Under QEMU everything is on the console. A refusal is an ERROR line, then "Panic on CPU 0" and "Could not construct
      domain 0".`,
    terms(
      ['Not a Xen-ELF image', 'no note found at all: no PT_NOTE, no SHT_NOTE, or a PT_NOTE with p_offset 0'],
      [
        'Will only load images built for the generic loader',
        'no note owned by exactly Xen was found, or neither LOADER nor GUEST_OS is right',
      ],
      [
        'start or entries are out of bounds',
        'VIRT_BASE, PADDR_OFFSET, ENTRY and p_paddr do not fit together; dom0=verbose prints the numbers that Xen used',
      ],
      [
        'd0v0 Unhandled: vec 14, #PF',
        'the kernel was entered and crashed at once: ENTRY is in the image, but not at code',
      ],
      ['only "Could not construct domain 0"', 'FEATURES requires something that Xen does not know'],
      [
        'it runs, but with wrong data',
        'a PT_LOAD without flags, at a wrong p_paddr, or beyond the end of the file: Xen does not refuse any of them; ' +
          'let the kernel check a word of its .data and of its .bss',
      ],
      [
        'no loader found: Invalid kernel',
        'xl: some check failed and it does not say which; tried as dom0 under QEMU, the same file gets a reason',
      ],
    ),
    text`More messages: explain messages.`,
    text`See also: explain VIRT_BASE, explain ENTRY, explain presets.`,
  ],
};
