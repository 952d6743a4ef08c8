import type { NoteDoc } from './note-doc.js';

/** Notes that say what a kernel can do. Behaviour: libelf-dominfo.c and the domain builders. */
export const abilityDocs = {
  PAE_MODE: {
    does: [
      `For 32-bit PV kernels only: exactly yes means PAE with page directories above 4 GiB allowed, a value that contains
      bimodal means the kernel copes with and without PAE. Any other value counts as no. A 64-bit Xen runs 32-bit PV
      guests in PAE mode or not at all, so for them the note is a must. Linux and the BSDs write yes into 64-bit kernels
      as well, where it only shows as a p at the end of the version string the guest is given.`,
    ],
    readers: [
      ['PV DomU', '32-bit: required, picks the guest type xen-3.0-x86_32p'],
      ['PV dom0', '32-bit: required, and Xen must be built for 32-bit PV'],
      ['PVH DomU', 'ignored'],
      ['PVH dom0', 'ignored'],
      ['GRUB (PV)', 'yes, no, bimodal or yes,bimodal; the i386 GRUB needs PAE'],
    ],
    mistakes: [
      ['missing in a 32-bit kernel', 'DomU: "guest type xen-3.0-x86_32 not supported by xen kernel, sorry"'],
      ['missing, 32-bit dom0', '"Mismatch between Xen and DOM0 kernel"'],
      ['YES, true, 1', 'counts as no'],
    ],
    examples: ['xen-elfpatch patch kernel32.elf --preset pv32 --set PAE_MODE=yes -o kernel.xen'],
    see: ['pv', 'presets'],
  },
  FEATURES: {
    does: [
      `Names separated by |. A plain name says the guest can work with the feature; a name with ! in front says it cannot
      work without. Names are compared exactly: case counts, blanks are not trimmed. explain features lists them.`,
      `An unknown plain name is skipped. An unknown required name refuses the whole image, and Xen does so without a word
      about the reason. Several FEATURES notes add up, here the last one does not win. The string needs its final NUL:
      without it, and with a length that is a multiple of 4, Xen reads on into the next note and mistakes the last name.`,
    ],
    readers: [
      ['PV DomU', 'used; what the configuration asks for must be supported'],
      ['PV dom0', 'used'],
      ['PVH DomU', 'used; an unknown required name refuses here too'],
      ['PVH dom0', 'used; an unknown required name refuses here too'],
    ],
    mistakes: [
      [
        '!name that Xen does not know',
        'dom0: only "Could not construct domain 0"; PV DomU: "no loader found: Invalid kernel"',
      ],
      ['!supervisor_mode_kernel', 'PV dom0: "Dom0 requires supervisor-mode execution"'],
      ['!dom0', 'DomU: "Kernel does not support unprivileged (DomU) operation"'],
      ['!auto_translated_physmap', 'PV DomU: refused by the toolstack at a late stage'],
      ['blanks around |', 'the name with its blank is unknown'],
    ],
    examples: ["xen-elfpatch patch vmlinux --set 'FEATURES=!writable_page_tables' -o vmlinux.xen"],
    see: ['features', 'SUPPORTED_FEATURES'],
  },
  SUPPORTED_FEATURES: {
    does: [
      `One 32-bit word; bit N is feature N of explain features. It is added to what FEATURES names as supported. It can
      name features for which the string parser has no name, such as linux_rsdp_unrestricted (bit 15).`,
      `Its mere presence also switches on a check: a kernel that has this note and is to be dom0 must have bit 11 (dom0)
      in it, or dom0 in FEATURES. A kernel without the note passes. The +dom0 presets set that bit.`,
    ],
    readers: [
      ['PV DomU', 'added to the supported features'],
      ['PV dom0', 'the same, and bit 11 (dom0) is needed'],
      ['PVH DomU', 'added to the supported features'],
      ['PVH dom0', 'bit 11 is needed by current releases; 4.17 does not look'],
    ],
    mistakes: [
      ['bit 11 missing, as dom0', '"Kernel does not support Dom0 operation"'],
      ['size not a multiple of 4', 'reads as 0, so as dom0 the same message'],
      ['8 bytes', 'only the first 4 are used'],
    ],
    examples: [
      'xen-elfpatch patch vmlinux --set SUPPORTED_FEATURES=0x8801 -o vmlinux.xen',
      'xen-elfpatch patch kernel.elf --preset pv+dom0 -o kernel.xen',
    ],
    see: ['features', 'FEATURES'],
  },
  BSD_SYMTAB: {
    does: [
      `With exactly yes, Xen copies the ELF header, the symbol table and its string table behind the kernel in memory, as
      the BSD kernels expect it from their own boot loaders. The kernel takes that much more room. NetBSD and FreeBSD
      use it, no other reader does.`,
    ],
    readers: [
      ['PV DomU', 'used'],
      ['PV dom0', 'used'],
      ['PVH DomU', 'used'],
      ['PVH dom0', 'used'],
    ],
    mistakes: [
      ['yes in a stripped kernel', 'a warning about a broken ELF; nothing is appended, it still loads'],
      ['a note that says no', 'does not undo an earlier yes'],
    ],
    examples: ['xen-elfpatch patch netbsd --set BSD_SYMTAB=yes -o netbsd.xen'],
    see: ['MOD_START_PFN'],
  },
  L1_MFN_VALID: {
    does: [
      `Pairs of a mask and a value: a page table entry with (entry & mask) == value holds a machine frame number.
      Meant for tools that move a running guest; today's Xen only logs it. Linux writes two 8-byte numbers, NetBSD and
      FreeBSD two of 4 bytes.`,
    ],
    readers: [['Xen', 'logged only; readnotes prints pairs of 8 or of 4 bytes each']],
    mistakes: [['any', 'no consequence']],
    examples: ['xen-elfpatch patch vmlinux --set L1_MFN_VALID=1:1 -o vmlinux.xen'],
    see: ['SUSPEND_CANCEL'],
  },
  SUSPEND_CANCEL: {
    does: [
      `Says that the guest's suspend hypercall may return with 1, meaning "you were not suspended after all". Stored by
      the toolstack; nothing in current Xen acts on it.`,
    ],
    readers: [
      ['PV DomU', 'stored'],
      ['PV dom0', 'stored'],
      ['PVH DomU', 'stored'],
      ['PVH dom0', 'stored'],
    ],
    mistakes: [['any', 'no consequence']],
    examples: ['xen-elfpatch patch vmlinux --set SUSPEND_CANCEL=1 -o vmlinux.xen'],
    see: ['L1_MFN_VALID'],
  },
  MOD_START_PFN: {
    does: [
      `Any value but 0 tells the builder that the guest can find its initial ramdisk by page number: mod_start in the
      start info then holds a page frame number instead of a virtual address (flag SIF_MOD_START_PFN is set), and the
      ramdisk takes no room in the initial area. Needed for large ramdisks.`,
    ],
    readers: [
      ['PV DomU', 'used'],
      ['PV dom0', 'used'],
      ['PVH DomU', 'only changes when the ramdisk is placed'],
      ['PVH dom0', 'ignored'],
    ],
    mistakes: [
      ['1, and the kernel looks for a virtual address', 'it takes a page number for a pointer and finds no ramdisk'],
    ],
    examples: ['xen-elfpatch patch vmlinux --set MOD_START_PFN=1 -o vmlinux.xen'],
    see: ['INIT_P2M', 'pv'],
  },
} as const satisfies Record<string, NoteDoc>;
