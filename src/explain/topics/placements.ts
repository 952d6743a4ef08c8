import { code, heading, list, table, text } from '../blocks.js';
import type { Page } from '../page.js';

/** What is to be known about one placement; also asked for by its own name. */
export interface PlacementDoc {
  readonly name: string;
  readonly moves: string;
  readonly how: string;
  readonly needs: readonly string[];
  readonly survives: string;
}

/** Least disturbing first: the order in which `auto` tries them. */
export const PLACEMENTS: readonly PlacementDoc[] = [
  {
    name: 'in-place',
    moves: 'nothing',
    how: `Descriptors are overwritten where they stand, or records are rewritten in the room that their segment and section
      have now. Shrinking adjusts segment and section alike, so that both views stay true. When the last Xen note of
      its own PT_NOTE goes, the entry becomes PT_NULL: an empty PT_NOTE would hide the PVH note of another one from
      Firecracker and Cloud Hypervisor. Where an edit only removes what an earlier one added, the headers and the memory
      of before are restored as far as the file shows them. An edit that needs more room than an earlier one made takes
      that back and is placed anew, and a note in the plan says what stays where nothing shows what was before.`,
    needs: [
      'the new notes are not longer than the room of the old ones',
      'no kept relocation points into the notes whose boundaries would move (vmlinux keeps .rela.notes)',
    ],
    survives: 'whatever the notes survived before',
  },
  {
    name: 'grow',
    moves: 'nothing',
    how: `Zero padding directly behind the notes is taken. Linkers align sections, so a few bytes are often there. In a
      PT_LOAD this changes loaded bytes that were zero; the size of the PT_LOAD stays.`,
    needs: [
      'bytes behind the notes that are zero and belong to no section, no other segment and no symbol',
      'the PT_NOTE ends where its section ends',
    ],
    survives: 'whatever the notes survived before',
  },
  {
    name: 'append',
    moves: 'nothing that is loaded',
    how: `All records of the PT_NOTE, of whatever owner, are copied with the edit applied, into free header space or to
      the end of the file, and the one PT_NOTE is pointed at the copy. An image without PT_NOTE gets an entry: in the
      slack behind the program header table, else in place of a PT_NULL, else of a PT_LOAD that loads nothing, else of a
      PT_GNU_STACK that no loader evaluates.
      If movable tables stand directly behind the program headers (section headers in GRUB's images), they go to the
      end of the file first. The copy has address 0 and is not loaded; the old bytes stay in memory, dead.`,
    needs: [
      'one PT_NOTE, or a free place for an entry',
      'a PT_GNU_STACK is taken only in a static ET_EXEC without PT_INTERP and PT_DYNAMIC that does not look like a program',
    ],
    survives: 'strip, objcopy, llvm-strip and objcopy -O binary; eu-strip leaves the PT_NOTE pointing at stale bytes',
  },
  {
    name: 'extend',
    moves: 'the end of one PT_LOAD',
    how: `A PT_LOAD grows over a hole behind it in the file and the notes stand inside, with true addresses, an allocated
      section and a PT_NOTE over them. They are part of the memory image. Where the notes end a PT_LOAD already, they stay in
      place and it grows with them. The best place for a kernel that is stripped later. In a program whose PT_NOTE of GNU’s
      properties has a PT_GNU_PROPERTY beside it, that PT_NOTE is pointed at a copy with the new notes behind it, so that the
      build-id stays in the first page, which core files hold.`,
    needs: [
      'p_filesz = p_memsz in that PT_LOAD: otherwise the addresses behind it are .bss and must stay zero',
      'unclaimed file bytes behind it, and no other PT_LOAD or NOBITS section at the new virtual or physical addresses',
      'not the PT_LOAD that ends highest in physical memory, unless its end stays in the same page: loaders take that ' +
        'end as the end of the kernel',
    ],
    survives: 'every strip tool, without a warning, and objcopy -O binary',
  },
  {
    name: 'move-table',
    moves: 'the program header table',
    how: `As append, with the program header table at the end of the file or in a zero gap, and e_phoff pointing there.`,
    needs: [
      'no PT_PHDR and no PT_INTERP',
      'the table is in no PT_LOAD, or the image does not look like a program',
      'no multiboot header: GRUB wants the table within the first 8 KiB (multiboot 1) or 32 KiB (multiboot 2)',
    ],
    survives:
      'llvm-strip; GNU strip and objcopy, which move the table back if it fits and fail if it does not; not eu-strip',
  },
  {
    name: 'shift',
    moves: 'everything behind the program header table, in the file only',
    how: `The table grows where it is and everything behind moves by a multiple of the largest p_align of a PT_LOAD, and
      by whole pages where the file could be mapped. No address changes. e_shoff and every p_offset and sh_offset behind the point move along.`,
    needs: [
      'no segment or section that begins before the point and ends behind it',
      'multiboot headers stay within their limit: 8 KiB for multiboot 1, 32 KiB for multiboot 2',
      'nothing outside the ELF holds an offset into it (bzImage payload, appended signature)',
    ],
    survives: 'strip, objcopy, llvm-strip and objcopy -O binary; eu-strip leaves the PT_NOTE pointing at stale bytes',
  },
  {
    name: 'new-load',
    moves: 'the end of the kernel in memory',
    how: `A PT_LOAD of its own at a fresh address above the others; its p_paddr keeps the distance that the neighbouring
      PT_LOAD has between virtual and physical. For programs that read their own notes at run time; no loader needs it.`,
    needs: ['room for two program headers', 'addresses above every other PT_LOAD that do not wrap'],
    survives: 'the strip tools as extend does; a flat binary made by objcopy -O binary grows up to the new address',
  },
  {
    name: 'new-table',
    moves: 'the program header table, into a PT_LOAD of its own; where brk begins',
    how: `For programs, which find their headers in memory: a new read-only PT_LOAD above all others holds the program header
      table and the notes, PT_PHDR follows, and no byte that was loaded moves. The new PT_LOAD has the distance between
      address and offset of the first one, so that AT_PHDR is right on every kernel; where .bss is too large for that, a
      warning says that Linux before 5.18 would miss the table. Notes that are only added to a program get a PT_NOTE of their own, and
      those that were there stay where they are.`,
    needs: [
      'the table is in a PT_LOAD now',
      'addresses behind every other PT_LOAD, for a program below the end of what a user has',
      'no Multiboot header, and not FreeBSD, which reads the table from the first page of the file only',
      'nothing appended to a program, unless the placement is asked for by name',
    ],
    survives:
      'llvm-strip and eu-strip; not GNU strip and objcopy, which send the table to an address of nothing: strip first',
  },
];

/** The page on the placements of notes. */
export const placements: Page = {
  name: 'placements',
  title: 'Placements: where the notes go',
  blocks: [
    text`A linked image has no free room for notes by itself. --placement auto (the default) takes the least disturbing way
      that works; a named placement takes only that way, or refuses and says which condition failed, with numbers.
      --dry-run prints the choice and why the others were refused.`,
    table(['placement', 'what moves'], ...PLACEMENTS.map(({ name, moves }) => [name, moves])),
    code`
      $ xen-elfpatch patch vmlinux --preset pvh --dry-run
      $ xen-elfpatch patch vmlinux --preset pvh --placement extend -o vmlinux.pvh
      $ xen-elfpatch patch vmlinux --preset pvh --must-survive strip,flat -o out`,
    ...PLACEMENTS.flatMap((doc) => [heading(doc.name), ...placementBlocks(doc)]),
    heading('What holds after every placement'),
    list(
      'One merged PT_NOTE with p_align 4, exact size, no gap inside, behind the PT_LOADs: every loader finds the notes.',
      'Every PT_LOAD gives the same memory image, except the bytes the plan names.',
      'Section headers, section names and the symbol table stay true; a new section is the last one, so no index moves.',
      'Notes that had to leave a PT_LOAD stay there as bytes, for code that goes by symbols to them; the section over ' +
        'them becomes PROGBITS, so that readelf -n and others show every note once.',
      'A stripped image stays one: no section table is invented.',
      'Bytes that nothing claims, and data behind the end of the ELF proper, are kept.',
    ),
    text`--loaded and --not-loaded force the notes into or out of memory. Loaders read notes from the file, so they need not
      be loaded; a program that reads its own notes, as Linux does for /sys/kernel/notes, wants them loaded. With auto,
      notes that were loaded, of whatever owner, stay loaded where that is possible; where it is not, a warning says who
      finds nothing there any more. In a program they are never taken out of memory.`,
    heading('Kernels and programs'),
    text`execve hands a program the address of its program headers in memory (AT_PHDR), and the C library reads them there for
      thread storage, relocation and the rights of stacks. So where the image looks like a program, a table in a PT_LOAD
      stays where it is and grows only over bytes that section headers show to be padding, or goes where AT_PHDR leads
      (new-table); PT_GNU_STACK is not taken, and no PT_NOTE is left without an address. A placement that would is refused
      and names the sign. One PT_NOTE of several may be pointed elsewhere, but never one with .note.gnu.property. Any sign of
      a kernel outweighs all of a program, but for Xen notes alone, which an edit may have put there, against an interpreter,
      an ABI tag or EI_OSABI GNU; an image without signs is taken for a kernel; --kind kernel and --kind program
      decide where the signs fail.`,
    text`Signs of a kernel:`,
    list(
      'Xen notes, or a section __xen_guest; a Multiboot header',
      'a PT_LOAD whose p_paddr is not its p_vaddr, or whose p_vaddr is in the upper half of the addresses',
      'a PT_INTERP that no system has: /red/herring (FreeBSD), /nonexistent/solo5/ (Solo5)',
    ),
    text`Signs of a program:`,
    list(
      'any other PT_INTERP; PT_TLS; PT_DYNAMIC; an ABI tag note of GNU or Android; EI_OSABI GNU',
      'PT_GNU_STACK with an entry in the lower half and headers in a PT_LOAD, but for a PC image that is linked to 1 MiB',
    ),
    text`See also: explain survival.`,
  ],
};

/** The blocks of one placement. */
export function placementBlocks({ moves, how, needs, survives }: PlacementDoc): Page['blocks'] {
  return [text`Moves ${moves}. ${how}`, text`Conditions:`, list(...needs), text`Survives: ${survives}.`];
}
