import { code, heading, list, table, terms, text } from '../blocks.js';
import type { Page } from '../page.js';

/**
 * `explain pvh`: from nothing to a first PVH kernel. Machine state: docs/misc/pvh.pandoc in xen.git; start info:
 * xen/include/public/arch-x86/hvm/start_info.h. The example was assembled, patched and run as written.
 */
export const pvh: Page = {
  name: 'pvh',
  title: 'PVH: bringing up a first kernel',
  blocks: [
    text`PVH is the simplest way to start an x86 kernel: the loader copies the ELF's segments into the memory of a virtual
      machine, puts a small structure beside them, and jumps. No firmware, no boot sector, no emulated PC is needed. Xen
      defined it; QEMU -kernel, Firecracker and Cloud Hypervisor start the same kernels. All it takes in the file is one
      note, PHYS32_ENTRY.`,

    heading('1. A kernel'),
    text`Save this as kernel.S. It prints a line on the first serial port, which QEMU has and Xen does not.`,
    code`
              .code32
              .globl  pvh_start
      pvh_start:
              cld
              mov     $stack_top, %esp
              cmpl    $0x336ec578, (%ebx)     # start info?
              jne     stop
              mov     $hello, %esi
              mov     $0x3f8, %dx             # COM1
      next:   lodsb
              test    %al, %al
              jz      stop
              out     %al, %dx
              jmp     next
      stop:   hlt
              jmp     stop
              .section .rodata, "a"
      hello:  .asciz  "hello from PVH\n"
              .bss
              .space  4096
      stack_top:`,
    text`And this as kernel.lds. Physical addresses are what counts: here p_paddr = p_vaddr = 1 MiB.`,
    code`
      ENTRY(pvh_start)
      SECTIONS {
        . = 0x100000;
        .text   : { *(.text) }
        .rodata : { *(.rodata) }
        .bss    : { *(.bss) }
      }`,

    heading('2. Link, patch, run'),
    code`
      $ gcc -c kernel.S -o kernel.o
      $ ld -z noexecstack -T kernel.lds kernel.o -o kernel.elf
      $ xen-elfpatch patch kernel.elf --preset pvh -o kernel.pvh
      $ xen-elfpatch notes kernel.pvh
      $ qemu-system-x86_64 -machine pc -accel tcg -m 64 -nodefaults \
          -display none -serial stdio -no-reboot -kernel kernel.pvh`,
    text`ld warns about one segment with all permissions; it may. The kernel prints "hello from PVH" and halts; Ctrl-C ends
      QEMU. Without the patch step QEMU answers "Error loading
      uncompressed kernel without PVH ELF Note". -accel tcg works everywhere; -enable-kvm is faster where there is KVM.`,

    heading('3. What the kernel finds at its entry'),
    table(
      ['register', 'state'],
      ['eip', 'PHYS32_ENTRY'],
      ['ebx', 'physical address of the start info'],
      ['cr0', 'PE set, paging off; the other writable bits clear'],
      ['cr4', '0'],
      ['cs', '32-bit code, base 0, limit 4 GiB; the selector value is not defined'],
      ['ds, es', '32-bit data, base 0, limit 4 GiB'],
      ['tr', 'a 32-bit TSS, base 0, limit 0x67'],
      ['eflags', 'IF, TF and VM clear'],
      ['all others', 'undefined: esp, the GDT and the IDT too'],
    ),
    text`So the first thing to do is to load a stack pointer. A 64-bit kernel then loads a GDT of its own, builds page
      tables, sets cr4.PAE, EFER.LME and cr0.PG and jumps to 64-bit code. Its .bss is zero already. Do not load a
      segment register before that GDT is in place: there may be none.`,

    heading('4. The start info'),
    table(
      ['offset', 'size', 'field'],
      ['0', '4', 'magic, 0x336ec578'],
      ['4', '4', 'version: 0, or 1 where the memory map fields are there'],
      ['8', '4', 'flags: bit 0 privileged, bit 1 this is dom0'],
      ['12', '4', 'number of modules; the first one is the initial ramdisk'],
      ['16', '8', 'address of the module list: 32 bytes each (address, size, command line, reserved)'],
      ['24', '8', 'address of the command line, NUL-terminated'],
      ['32', '8', 'address of the ACPI root pointer (RSDP)'],
      ['40', '8', 'version 1: address of the memory map, 24 bytes an entry (address, size, 4-byte type, 4 reserved)'],
      ['48', '4', 'version 1: number of its entries; types as in the PC memory map (E820), 1 is RAM'],
    ),
    text`All addresses are physical, 64 bits wide, normally below 4 GiB; 0 means absent. The structure may lie anywhere outside the
      kernel: copy what you need before you hand out memory.`,

    heading('5. What must be in the ELF'),
    list(
      'ELF32 or ELF64, little endian, e_machine EM_386 or EM_X86_64. Firecracker and Cloud Hypervisor want ELF64, and ' +
        'e_entry at or above 1 MiB.',
      'PT_LOADs with their physical address in p_paddr, at 1 MiB or above, the lowest page aligned, none overlapping, ' +
        'each with a flag set in p_flags. For a high kernel use AT() in the linker script, so that p_paddr is low.',
      'PHYS32_ENTRY, owner Xen, in a PT_NOTE segment (p_align 4), a physical address below 4 GiB inside a PT_LOAD.',
      '32-bit code at that address: .code32, even if the rest is 64-bit.',
      'No multiboot 1 header in the first 8 KiB, or QEMU takes that way instead (explain qemu-pvh).',
    ),

    heading('6. Under Xen'),
    text`A guest file for xl, say kernel.cfg:`,
    code`
      name = "first"
      type = "pvh"
      kernel = "/root/kernel.pvh"
      memory = 64
      on_poweroff = "destroy"
      on_crash = "preserve"`,
    code`
      $ xl create -c kernel.cfg
      $ xl dmesg`,
    text`There is no serial port in a PVH guest. Find Xen first: CPUID leaf 0x40000000, or in steps of 0x100 above, answers
      with XenVMMXenVMM in ebx, ecx, edx. Leaf + 2 gives in ebx the number of an MSR; write the physical address of an
      empty page there and Xen fills it with hypercall stubs, 32 bytes each. Hypercall N is a call to byte 32 * N of it, with
      arguments in ebx, ecx, edx, esi, edi from 32-bit code and in rdi, rsi, rdx, r10, r8 from 64-bit code. The console of
      a guest is a ring in a shared page: HVM parameter 17 gives its page number, 18 its event channel.`,
    text`To try a kernel as dom0 under Xen without a machine to spare, QEMU must emulate what Xen needs for it, SVM with
      nested paging and an IOMMU:`,
    code`
      $ qemu-system-x86_64 -accel tcg -machine q35 -cpu EPYC,-rdtscp \
          -device amd-iommu -m 256M -nodefaults -display none \
          -serial stdio -no-reboot -kernel xen -initrd kernel.pvh \
          -append "console=com1 loglvl=all guest_loglvl=all dom0=pvh"`,
    text`xen is the hypervisor unpacked (zcat xen.gz). A dom0 may print by hypercall 18, console_io: command 0, length,
      address. The serial port belongs to Xen, so the kernel of step 1 is silent here; Xen's line "Hardware Dom0 halted" says
      that it was entered and ran to its end. QEMU goes on after that: end it with Ctrl-C.`,

    heading('7. Reading the failures'),
    terms(
      [
        'without PVH ELF Note',
        'no note in a PT_NOTE, value 0, or a PT_NOTE with p_align 8: run xen-elfpatch notes on the file, then patch it',
      ],
      [
        'QEMU hangs, no output',
        'the entry is wrong, or 64-bit code, or a virtual address; or the segment lies below 1 MiB or outside RAM',
      ],
      ['QEMU exits with 0', 'triple fault (with -no-reboot): often a segment load or an interrupt without GDT or IDT'],
      ['QEMU dies by SIGFPE', 'a PT_NOTE with p_align 0'],
      ['QEMU exits with 1', 'refused; the reason is on stderr'],
      ['not capable of booting inside a HVM container', 'the file has PV notes but no PHYS32_ENTRY'],
      [
        'ELF image is not 32bit',
        'the notes did not hold and xl tried the file as firmware: look for PHYS32_ENTRY out of range',
      ],
      [
        'an ELF32 starts under xl, at the wrong place',
        'the same, but as firmware it is entered at e_entry without a message',
      ],
      ['d0v0 Triple fault', 'the kernel was entered: the note is right, the code is not'],
      ['Firecracker starts, then nothing', 'it found no PVH note and entered e_entry in 64-bit mode'],
    ),
    text`To see whether the code was reached, write to a port and let QEMU end: add -device
      isa-debug-exit,iobase=0xf4,iosize=4, and out %eax, $0xf4 with eax = N ends QEMU with status 2 * N + 1. -d
      int,cpu_reset logs faults. More messages: explain messages.`,
    text`See also: explain PHYS32_ENTRY, explain presets, explain loaders.`,
  ],
};
