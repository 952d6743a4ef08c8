import { EFI_ROWS, LOADER_ROWS, type LoaderName } from '../../loaders/names.js';
import { PRODUCT_TITLES, releasesOf } from '../../loaders/versions.js';
import { code, heading, list, table, text } from '../blocks.js';
import type { Page } from '../page.js';

/** What is to be known about one loader; also asked for by its own name. */
export interface LoaderDoc {
  readonly name: LoaderName;
  readonly title: string;
  readonly what: string;
  readonly steps: readonly string[];
}

/** What the library does for each of its callers; `entry`: what it asks of e_entry. */
function linuxLoaderSteps(entry: string): string[] {
  return [
    `ELF64, little endian, e_phentsize 56, e_phoff at least 64, ${entry}.`,
    'Only PT_NOTE is read, in steps of 4 since version 0.9 of the library; before that by p_align, with wrong entries as a result.',
    'The owner must be Xen with namesz 4; the descriptor at least 4 bytes, of which the low 4 are used.',
    'Every PT_NOTE overwrites the result: the last one decides, even if it has no such note, even if it is empty.',
  ];
}

/** Sources: xen/common/libelf, tools/libs/guest, QEMU hw/i386, rust-vmm/linux-loader, GRUB grub-core/loader, kexec-tools. */
export const LOADERS: readonly LoaderDoc[] = [
  {
    name: 'xen-pv',
    title: 'Xen, PV guest started by xl',
    what: `The toolstack library (libxenguest) parses the file with the same code as the hypervisor (libelf).`,
    steps: [
      'Notes: every PT_NOTE in table order, except those with p_offset 0, always in steps of 4 whatever p_align says. Only ' +
        'if none of them holds a note owned by Xen: every SHT_NOTE section. Only if those hold none: the section ' +
        '__xen_guest.',
      'Gate: LOADER begins with generic or GUEST_OS begins with linux; XEN_VERSION begins with xen-3.0.',
      'Addresses: the image runs from kstart to kend (explain ENTRY); the entry lies inside, VIRT_BASE not above ' +
        'kstart, INIT_P2M outside.',
      'Kind: EM_X86_64 gives xen-3.0-x86_64, EM_386 with PAE gives xen-3.0-x86_32p; Xen must offer it.',
      'A required feature dom0 refuses. kstart must be page aligned. Segments without R, W or X are skipped.',
      'A segment that lies beyond the end of the file is not refused: its bytes are left out.',
    ],
  },
  {
    name: 'xen-pvh',
    title: 'Xen, PVH guest started by xl',
    what: `The same library; the container is an HVM one.`,
    steps: [
      'Notes are found as for xen-pv, but __xen_guest is never read (since Xen 4.16).',
      'PHYS32_ENTRY opens the gate by itself (since Xen 4.11) and must lie between the lowest p_paddr and the highest ' +
        'p_paddr + p_memsz.',
      'FEATURES may not require anything unknown, INIT_P2M may not point into the physical range of the image.',
      'If the notes do not hold, the file is tried as HVM firmware: an ELF32 is then entered at e_entry without a word ' +
        'about the notes, an ELF64 is refused with "ELF image is not 32bit". A guest that starts does not prove that its ' +
        'notes are right.',
      'e_machine and class do not matter.',
    ],
  },
  {
    name: 'xen-dom0-pv',
    title: 'Xen, PV dom0 built by the hypervisor',
    what: 'The hypervisor builds dom0 by itself. PV is the default where it is built in.',
    steps: [
      'Gate and addresses as for xen-pv.',
      'ELF64 with EM_X86_64, little endian. ELF32 only where Xen is built for 32-bit PV, with PAE_MODE.',
      'SUPPORTED_FEATURES, when present, must have bit 11 (dom0), or FEATURES must name dom0.',
      'HYPERCALL_PAGE, when present, must lie in the initial area; the area must stay clear of 0xffff800000000000 to ' +
        '0xffff880000000000; VIRT_BASE must be page aligned.',
      'The kernel may be compressed (gzip, bzip2, xz, lzma, lzo, lz4, zstd as built) or a bzImage.',
    ],
  },
  {
    name: 'xen-dom0-pvh',
    title: 'Xen, PVH dom0 built by the hypervisor',
    what: 'Asked for by dom0=pvh on the command line of Xen; the notes do not choose.',
    steps: [
      'Gate and addresses as for xen-pvh; PHYS32_ENTRY is required. Nothing is tried as firmware.',
      'SUPPORTED_FEATURES, when present, must have bit 11 (dom0): since 4.22, and from 4.20.4 and 4.21.2; others do not look.',
      'The physical range must be free RAM of the machine; otherwise PHYS32_RELOC must allow another place.',
    ],
  },
  {
    name: 'qemu-pvh',
    title: 'QEMU -kernel',
    what: `Tried in this order: a bzImage (HdrS at file offset 0x202), a multiboot 1 header in the first 8 KiB, an ELF with
      a PVH note. The first that matches is final.`,
    steps: [
      'Machines pc and q35 of version 4.0 and later, microvm and isapc; older versions do not know PVH and hang.',
      'The ELF must be little endian, e_machine 3 or 62 (qemu-system-i386: 3), without the bits 0x10004 in e_flags.',
      'Only PT_NOTE is read, never sections. Steps are rounded by p_align: 1, 2 and 4 work, 8 gives garbage or no note, ' +
        '0 kills QEMU.',
      'The owner is not looked at: the first note of type 18 counts, in the last PT_NOTE that has one. The value is read ' +
        'with 8 bytes in an ELF64 and used with 32 bits; 0 means none.',
      'Whether the entry lies in a segment, and whether a segment lies in RAM, is not checked: the guest hangs. Load ' +
        'below 1 MiB and the BIOS overwrites it.',
      'Segments are placed at p_paddr; beyond the end of the file refuses; p_filesz above p_memsz is refused since 10.0.13 ' +
        'and never finishes loading before.',
      'A long run of zeros behind a PT_NOTE without type 18 can crash QEMU: its walk does not stop at the end.',
    ],
  },
  {
    name: 'qemu-multiboot',
    title: 'QEMU -kernel, by a Multiboot 1 header',
    what: 'A Multiboot 1 header in the first 8 KiB is final: no note is read, and there is no way back. Multiboot 2 is not known.',
    steps: [
      'Header: 4-aligned, up to offset 8140. Flags are not looked at but for bit 16, address fields; a video mode is a remark.',
      'Without address fields an ELF with EM_386, little endian; EM_X86_64 at 0x12 of any file is "Cannot load x86-64 image, ' +
        'give a 32bit one.", everything else "Error while loading elf kernel". Section headers play no part.',
      'One block from the lowest to the highest PT_LOAD is copied, with zeros between: one below the BIOS and one above it, and ' +
        'the kernel never starts.',
      'With address fields the file is copied as one piece; they must fit each other and the file.',
    ],
  },
  {
    name: 'firecracker',
    title: 'Firecracker (rust-vmm linux-loader)',
    what: 'Entry at PHYS32_ENTRY in 32-bit mode, as PVH. linux-loader is a name for this, Cloud Hypervisor and libkrun at once.',
    steps: [
      ...linuxLoaderSteps('e_entry at or above 1 MiB (even where the PVH entry is used)'),
      'Without a PVH entry, and before 1.12 always, e_entry is started in 64-bit mode with a Linux zero page, without a message.',
      'What is no ELF is refused; since July 2026 it is tried as a bzImage with a 64-bit entry.',
    ],
  },
  {
    name: 'cloud-hypervisor',
    title: 'Cloud Hypervisor (rust-vmm linux-loader)',
    what: 'Entry at PHYS32_ENTRY in 32-bit mode, as PVH.',
    steps: [
      ...linuxLoaderSteps('e_entry at or above 1 MiB (even where the PVH entry is used)'),
      'Without a PVH entry the kernel is refused ("Kernel lacks PVH header").',
      'After any ELF error the file is tried as a bzImage, since 39, and only that complaint is seen.',
    ],
  },
  {
    name: 'libkrun',
    title: 'libkrun (rust-vmm linux-loader)',
    what: 'Entry at PHYS32_ENTRY in 32-bit mode, as PVH, for a kernel that the caller calls ELF (krun_set_kernel).',
    steps: [
      ...linuxLoaderSteps('no lower bound for e_entry'),
      'Without a PVH entry, and before May 2026 always, e_entry is started as a 64-bit Linux.',
      'A kernel in a gzip, bzip2 or zstd stream is found by a search for the magic, and started at e_entry, never as PVH.',
    ],
  },
  {
    name: 'crosvm',
    title: 'crosvm, entered at e_entry',
    what: 'Reads no notes. Known from the source only, untried.',
    steps: [
      'A Multiboot 1 header with address fields comes first; an unknown flag bit (not 0, 1, 2, 16) refuses whatever follows.',
      'Then ELF32 or ELF64, little endian, EI_VERSION 1, e_phentsize exact, e_phoff behind the header; what is no ELF is tried ' +
        'as a bzImage.',
      'Every PT_LOAD at 2 MiB or above; the end of the last one in the table is taken for the end of the image, and e_entry, a ' +
        'physical address, must lie between. An ELF64 is entered in long mode.',
    ],
  },
  {
    name: 'openvmm',
    title: 'OpenVMM, direct boot of Linux',
    what: 'Reads no notes on this road. Known from the source only, untried.',
    steps: [
      'A bzImage first; then ELF64, little endian, EM_X86_64, with e_entry and every p_paddr at 1 MiB or above, entered at e_entry ' +
        'in long mode.',
      'Its sources have a loader for PVH as well (vm/loader/src/pvh.rs), which is not judged here.',
    ],
  },
  {
    name: 'grub-xen',
    title: 'GRUB built for Xen, starting a PV kernel',
    what: 'The x86_64 one starts ELF64 kernels with EM_X86_64, the i386 one ELF32 with EM_386 and PAE.',
    steps: [
      'PT_NOTE in steps of 4, whatever p_align; then SHT_NOTE sections; then __xen_guest. Later notes win.',
      'ENTRY, HYPERCALL_PAGE, VIRT_BASE, PADDR_OFFSET and INIT_P2M are read with the pointer size of the class, whatever ' +
        'the size in the note.',
      'LOADER must be exactly generic when present; VIRT_BASE page aligned.',
      'PHYS32_ENTRY is not used: an image with nothing but PVH notes is accepted and entered, wrongly, at e_entry.',
      'grub-file --is-x86_64-xen-domu FILE runs this very code and answers by its exit status.',
    ],
  },
  {
    name: 'grub-multiboot',
    title: 'GRUB, Multiboot 1',
    what: 'Reads no notes. What counts is where the header stands; patch keeps it there. multiboot is another name for it.',
    steps: [
      'Header: 4-aligned in the first 8 KiB, up to offset 8180. Flag bits 3 to 15 must be clear.',
      'The program header table has to end within the first 8 KiB; ELF32 with EM_386 or ELF64 with EM_X86_64.',
      'Two PT_LOADs may not meet ("overlap detected"); one of size 0 is where it starts.',
      'Since 2.12 section headers are wanted: without any it says "invalid section header table offset in e_shoff".',
      'The entry is found through the first program header of any type that covers e_entry: a PT_NOTE in front of the ' +
        'PT_LOAD with addresses over the entry redirects the jump.',
      'With address fields (flag bit 16) the file is copied as one piece: nothing in it may move. It need not be ELF then: ' +
        'linearize --mb1 makes such a file of a xen.efi.',
    ],
  },
  {
    name: 'grub-multiboot2',
    title: 'GRUB, Multiboot 2',
    what: 'Reads no notes. multiboot2 is another name for it.',
    steps: [
      'Header: 8-aligned in the first 32 KiB, at the latest at offset 32752.',
      'The program header table must end within the first 32 KiB. Images with relocation sections are refused.',
      'The tags are walked to the end tag, each padded to 8, whatever header_length says. A tag or an information ' +
        'that it does not know is refused unless marked optional ("unsupported tag: 0x8"), and a tag of size 0 hangs it.',
      'With an address tag and an entry tag the file is copied as one piece and need not be ELF: linearize makes such a file ' +
        'of a xen.efi. A file that ends too early is no error to GRUB.',
    ],
  },
  {
    name: 'limine',
    title: 'Limine, by its own protocol or by Multiboot',
    what:
      'Reads no notes. The protocol is named in its configuration; a Multiboot header is taken for it here. Known from the ' +
      'source only, untried.',
    steps: [
      'Its own protocol: ELF64 with EM_X86_64, PT_LOADs at 0xffffffff80000000 and above (others are left out), none overlapping, ' +
        'none sharing a page with other rights, p_filesz not above p_memsz; entered at e_entry in long mode.',
      'Multiboot 1 and 2: ELF32 with EM_386 or ELF64 with EM_X86_64, or address fields; entered in 32-bit mode. A Multiboot2 tag ' +
        'that it does not know is refused, optional or not.',
    ],
  },
  {
    name: 'kexec',
    title: 'kexec-tools, ELF images',
    what: 'The strictest reader of notes: it refuses the image over a note it does not need.',
    steps: [
      'The first PT_NOTE with p_offset above 0, else the first SHT_NOTE section, in steps of 4.',
      'The walk must end exactly at the end of the segment: trailing zeros, a gap, or a short size refuse the image with ' +
        '"ELF Note corrupted !".',
      'Every segment must lie in the file; sizes of all header entries must be exact; e_machine 386 or x86-64; e_type EXEC, ' +
        'DYN or CORE; program headers; no PT_INTERP.',
      'Each PT_LOAD with memory must start at a page ("Base address: … is not page aligned": what ld and lld lay out by ' +
        'themselves fails this), and no two may share one ("Overlapping memory segments").',
    ],
  },
  {
    name: 'uefi',
    title: 'UEFI firmware (EDK2)',
    what: 'Firmware starts PE images: xen.efi, a Linux kernel with an EFI stub, a UKI, shim, GRUB. Notes play no part.',
    steps: [
      'PE32+ of the own machine with Subsystem 10, 11 or 12; headers, certificate table and the data of every section in the ' +
        'file; at most 16 directories: else "Unsupported".',
      'Every section ends within SizeOfImage: else "Load Error".',
      'Each section is copied to its address, min(VirtualSize, SizeOfRawData) bytes, the rest zeros; discardable ones too.',
      'With Secure Boot on the signature must be of these bytes and by a key in db: else "Access Denied". Whose key it is no ' +
        'file tells; verify says whether there is a signature, and whether it is of this image.',
    ],
  },
  {
    name: 'shim',
    title: 'shim, as what it starts itself',
    what: 'With Secure Boot on, shim stands between firmware and what it starts: grubx64.efi beside it, or what its options name.',
    steps: [
      'The same headers, read more strictly: an odd FileAlignment, stripped relocations, a section table that SizeOfHeaders ' +
        'does not hold are refused, each in words of its own, which it prints where SHIM_VERBOSE is set.',
      'The image is signed, by a key of the firmware, of shim or a MOK: else "Verification failed: (0x1A) Security Violation".',
      'Section .sbat is there, and no component has a generation below the machine’s: the same words. stamp --sbat puts it in.',
      'Readable sections are copied, but discardable ones: Xen then misses its own relocations and stops with "Unsupported ' +
        'relocation type"; linearize --keep-reloc clears the flag.',
      'The entry lies in exactly one section.',
    ],
  },
  {
    name: 'grub-secure-boot',
    title: 'GRUB behind shim with Secure Boot on',
    what:
      'GRUB hands every kernel to shim, whatever starts it then: multiboot2, chainloader, linux. A kernel that is no signed PE ' +
      'image is refused, so of Xen only xen.efi can be started, by chainloader, or by multiboot2 behind linearize.',
    steps: [
      'GRUB 2.06 and 2.12 ask whether it is signed: else "bad shim signature".',
      'GRUB 2.14 has shim 16.1 load it, with all that shim asks of sections and entry: else "bad shim loader signature". shim ' +
        'says why where SHIM_VERBOSE is set; verify says it without.',
      'SBAT need not be there; where it is, no component may be revoked.',
      'multiboot2 then loads the file by its own rules (explain grub-multiboot2). Modules are refused by Debian’s GRUB: ' +
        '"prohibited by secure boot policy".',
    ],
  },
];

/** The page on the loaders and their readers of notes. */
export const loaders: Page = {
  name: 'loaders',
  title: 'Loaders: who reads which notes, and how',
  blocks: [
    text`Each program that starts a kernel by its notes has a reader of its own, and they differ. This is what each does;
      ask for one alone with explain NAME.`,
    table(['name', 'what'], ...LOADERS.map(({ name, title }) => [name, title])),
    heading('The layout that satisfies all of them'),
    text`patch writes it: one PT_NOTE, behind the PT_LOADs, or the last of several; p_align 4; p_offset not 0 and a
      multiple of 4; p_filesz the exact sum of the records, each padded to 4; owner Xen with its NUL, namesz 4;
      PHYS32_ENTRY once, the first of type 18, as 4 bytes, below 4 GiB, inside a PT_LOAD. verify shows where an image
      departs from it.`,
    code`
      $ xen-elfpatch verify kernel.elf
      $ xen-elfpatch verify kernel.elf --for xen-pvh --rules
      $ xen-elfpatch notes kernel.elf`,
    heading('Versions'),
    text`Rules hold since or until a release of the program that has them. --for NAME@VERSION chooses one, as in
      xen-dom0-pvh@4.20.3 or qemu-pvh@7.2; a branch (4.20) means its newest known release; without a version the newest
      known counts. How it is known: booted (kernels were started), asked (the program judged thousands of images), read (in
      the source).`,
    table(['program', 'release', 'known', 'what changed'], ...releaseRows()),
    heading('Memory'),
    text`Whether an image loads can hang on how much memory the guest or the machine has. --memory SIZE says it (256M, 1G); without
      it 4 GiB are there. A refusal for want of memory names the least that works. An image that is loaded and entered, and
      whose guest is then lost (an entry where nothing was loaded, a PT_LOAD where no memory is), is no yes.`,
    ...LOADERS.flatMap((doc) => [heading(`${doc.name}: ${doc.title}`), ...loaderBlocks(doc)]),
    heading('Others'),
    list(
      'StratoVirt: PT_NOTE, steps by p_align, any owner, always 8 bytes of value.',
      'Alioth: PT_NOTE, then sections; value of 4 or 8 bytes; copies every program header with bytes to its p_paddr, ' +
        'PT_NOTE too.',
      "kvmtool: bzImage or flat binary only. FreeBSD's boot loader: no notes.",
    ),
  ],
};

function releaseRows(): string[][] {
  const products = [...new Set([...LOADER_ROWS, ...EFI_ROWS].map(({ product }) => product))];
  return products.flatMap((product) =>
    releasesOf(product).map(({ version, evidence, changed = '' }) => [
      PRODUCT_TITLES[product],
      version,
      evidence,
      changed,
    ]),
  );
}

/** The blocks of one loader. */
export function loaderBlocks({ what, steps }: LoaderDoc): Page['blocks'] {
  return [text`${what}`, list(...steps)];
}
