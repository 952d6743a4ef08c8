import type { NoteDoc } from './note-doc.js';

/** Notes that say what the kernel is. Behaviour: xen/common/libelf/libelf-dominfo.c, elf_xen_note_check(). */
export const identityDocs = {
  INFO: {
    does: [
      `A place for a remark, such as a build name. Xen's parser has no use for it and logs it as an unknown note; its
      tool readnotes prints it. It still counts as a Xen note: one INFO in a PT_NOTE segment is enough to make Xen
      ignore every note section and the __xen_guest string, even if all the useful notes stand there.`,
    ],
    readers: [['Xen', 'not read; readnotes prints it']],
    mistakes: [
      [
        'the only note in a PT_NOTE',
        'it hides notes that stand in sections only: "Will only load images built for the generic loader or Linux ' +
          'images"',
      ],
    ],
    examples: ['xen-elfpatch patch kernel.elf --set INFO=BUILD=42 -o kernel.xen'],
    see: ['loaders'],
  },
  XEN_VERSION: {
    releases: 'Up to Xen 4.10 a PVH kernel needs it too; from 4.11 on PHYS32_ENTRY alone is enough for PVH.',
    does: [
      `A gate, not a request: the interface that PV guests use got its final form in Xen 3.0, and each later release
      still calls it by that name. The value has to begin with xen-3.0, in lower case. It does not name the release you
      run on.`,
    ],
    readers: [
      ['PV DomU', 'required'],
      ['PV dom0', 'required'],
      ['PVH DomU', 'not needed beside PHYS32_ENTRY (needed up to Xen 4.10)'],
      ['PVH dom0', 'not needed beside PHYS32_ENTRY (needed up to Xen 4.10)'],
    ],
    mistakes: [
      ['missing', `"Xen will only load images built for Xen v3.0 (Not '')"`],
      ['xen-4.17, Xen-3.0, 3.0', `"Xen will only load images built for Xen v3.0 (Not 'xen-4.17')"`],
    ],
    examples: ['xen-elfpatch patch kernel.elf --set XEN_VERSION=xen-3.0 --set LOADER=generic -o kernel.xen'],
    see: ['LOADER', 'pv'],
  },
  GUEST_OS: {
    does: [
      `Mostly a label. Two values have an effect: one that begins with linux (lower case) opens the gate that LOADER
      opens otherwise, and in a PVH guest exactly linux makes the toolstack put the ACPI root pointer below 1 MiB, where
      old Linux kernels look for it (unless the feature linux_rsdp_unrestricted is in SUPPORTED_FEATURES). Anything that
      is not Linux gives its own name here and LOADER=generic.`,
    ],
    readers: [
      ['PV DomU', 'with LOADER: one of the two opens the gate'],
      ['PV dom0', 'with LOADER: one of the two opens the gate'],
      ['PVH DomU', 'a label; exactly linux: where the ACPI root pointer goes'],
      ['PVH dom0', 'a label'],
    ],
    mistakes: [
      [
        'Linux, with no LOADER',
        `the capital letter fails the gate: "Will only load images built for the generic loader or Linux images (Not ''
        and 'Linux')"`,
      ],
      ['more than 15 characters', 'only the first 15 are kept'],
    ],
    examples: ['xen-elfpatch patch kernel.elf --set GUEST_OS=mykernel -o kernel.xen'],
    see: ['LOADER'],
  },
  GUEST_VERSION: {
    does: ['Stored and printed, nothing depends on it.'],
    readers: [['Xen', 'stored and logged only']],
    mistakes: [['more than 15 characters', 'only the first 15 are kept']],
    examples: ['xen-elfpatch patch kernel.elf --set GUEST_VERSION=1.4.2 -o kernel.xen'],
    see: ['GUEST_OS'],
  },
  LOADER: {
    releases: 'Up to Xen 4.10 a PVH kernel needs it too; from 4.11 on PHYS32_ENTRY alone is enough for PVH.',
    does: [
      `Says that the image can be loaded by copying its PT_LOAD segments and jumping to its entry, with no loader of its
      own. The only value in use is generic.`,
    ],
    readers: [
      ['PV DomU', 'required, unless GUEST_OS begins with linux'],
      ['PV dom0', 'required, unless GUEST_OS begins with linux'],
      ['PVH DomU', 'not needed beside PHYS32_ENTRY (needed up to Xen 4.10)'],
      ['PVH dom0', 'not needed beside PHYS32_ENTRY (needed up to Xen 4.10)'],
      ['GRUB (PV)', 'when present it must be exactly generic'],
    ],
    mistakes: [
      [
        'missing, GUEST_OS missing too',
        `"Will only load images built for the generic loader or Linux images (Not '' and '') or with PHYS32_ENTRY set"`,
      ],
      ['not beginning with generic', 'the same message, with the value in it'],
      ['generic-2', 'Xen accepts it, GRUB does not: "invalid loader"'],
    ],
    examples: ['xen-elfpatch patch kernel.elf --set LOADER=generic --set XEN_VERSION=xen-3.0 -o kernel.xen'],
    see: ['XEN_VERSION', 'GUEST_OS', 'pv'],
  },
} as const satisfies Record<string, NoteDoc>;
