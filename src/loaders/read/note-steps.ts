/**
 * How readers of notes go on: from a name to its descriptor, and from there to the next record. One table for all of them, so
 * that what a release does otherwise is a row. Sizes in bytes.
 */

/** four: everything is padded to 4. p_align: to that of the header. four-or-eight: to 4 where that is 4 or less, else to 8. */
export type NoteStep = 'four' | 'p_align' | 'four-or-eight';

/** A reader of notes as data. */
export interface NoteWalkRow {
  /** The program, and from which of its releases on. */
  readonly reader: string;
  readonly step: NoteStep;
  /** Whose notes it takes. */
  readonly owner: string;
  /** What it reads of a number. */
  readonly width: string;
  /** Where it looks, and which of several notes counts. */
  readonly order: string;
}

/** Every reader, by the name under which the walks ask for it. */
export const NOTE_WALKS = {
  xen: {
    reader: 'Xen',
    step: 'four',
    owner: 'Xen as a string; namesz is not looked at',
    width: 'descsz, if that is 1, 2, 4 or 8; else 0',
    order: 'all PT_NOTEs, the last note counts; sections where those gave none; then __xen_guest',
  },
  'xen-proposed': {
    reader: 'Xen, proposed in July 2026',
    step: 'four-or-eight',
    owner: 'as before',
    width: 'as before',
    order: 'as before; only ELF64 is stepped otherwise',
  },
  qemu: {
    reader: 'QEMU',
    step: 'p_align',
    owner: 'any',
    width: 'a word of the class, whatever descsz is',
    order: 'the first of a PT_NOTE, the last PT_NOTE that has one',
  },
  'linux-loader-0.8': {
    reader: 'linux-loader up to 0.8.1',
    step: 'p_align',
    owner: 'Xen with namesz 4',
    width: '4, and descsz no less',
    order: 'the first of a PT_NOTE, and the last PT_NOTE decides, with one or without',
  },
  'linux-loader': {
    reader: 'linux-loader since 0.9',
    step: 'four',
    owner: 'Xen with namesz 4',
    width: '4, and descsz no less',
    order: 'the first of a PT_NOTE, and the last PT_NOTE decides, with one or without',
  },
  grub: {
    reader: 'GRUB for Xen',
    step: 'four',
    owner: 'Xen with its NUL, namesz 3 or more',
    width: 'a word of the class, whatever descsz is',
    order: 'all PT_NOTEs, the last note counts; sections where those gave none; then __xen_guest',
  },
  kexec: {
    reader: 'kexec-tools',
    step: 'four',
    owner: 'any: it takes none, and wants the records to end exactly where their area ends',
    width: 'none',
    order: 'the first PT_NOTE whose p_offset is not 0; the first note section where there is none',
  },
  readnotes: {
    reader: "Xen's readnotes",
    step: 'four',
    owner: 'Xen as a string; namesz is not looked at',
    width: 'descsz, if that is 1, 2, 4 or 8; else 0',
    order: 'all PT_NOTEs, each note is printed; sections where the last PT_NOTE gave none; then __xen_guest too',
  },
} as const satisfies Readonly<Record<string, NoteWalkRow>>;

/** What names and descriptors are padded to, for a header with that alignment. */
export function unitOf(step: NoteStep, align: bigint, bits: 32 | 64): bigint {
  if (step === 'p_align') return align;
  return step === 'four' || bits === 32 || align <= 4n ? 4n : 8n;
}
