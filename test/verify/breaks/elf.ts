/** One deliberate break or more for each check of ELF images, and who else is bound to notice it. */
import { Phdr, Shdr } from '../../../src/formats/elf/headers.js';
import type { ElfImage } from '../../../src/formats/elf/image.js';
import type { Encoding } from '../../../src/formats/elf/struct.js';
import type { Expectation } from '../../../src/verify/finding.js';
import { concat, cstr, num } from '../../support/elf-builder.js';
import {
  DATA,
  type Edit,
  flip,
  goodEdit,
  imageOf,
  NOTE,
  STACK,
  sectionOf,
  setHeader,
  setSection,
  setSegment,
  TEXT,
} from '../../support/good-edit.js';

const PT_INTERP = 3;
const PT_NOTE = 4;
const PT_PHDR = 6;
const PT_TLS = 7;
const PT_GNU_PROPERTY = 0x6474e553;

/** One thing broken in a good image or a good edit, and who else is bound to notice. */
export interface ElfBreak {
  readonly what: string;
  readonly level?: 'warning';
  /** Other laws that the same damage breaks. */
  readonly also?: readonly string[];
  /** The damage needs this class or byte order. */
  readonly only?: Partial<Encoding>;
  /** Alone, without a baseline. */
  image?(bytes: Uint8Array, encoding: Encoding): ElfImage | undefined;
  /** What changed; the expectation that it returns replaces the good one. */
  edit?(edit: Edit): Partial<Expectation> | undefined;
}

/** Damages to the image alone, to be read again. */
function damage(change: (bytes: Uint8Array, encoding: Encoding) => void): NonNullable<ElfBreak['image']> {
  return (bytes, encoding) => {
    change(bytes, encoding);
    return undefined;
  };
}

/** Damages to the edit, with the expectation as it was. */
function spoil(change: (edit: Edit) => void): NonNullable<ElfBreak['edit']> {
  return (edit) => {
    change(edit);
    return undefined;
  };
}

function withTable(image: ElfImage, fields: Partial<ElfImage['header']>): ElfImage {
  return { ...image, header: { ...image.header, ...fields } };
}

/** Adds a program header behind the table, where there is room for it. */
function addSegment(edit: Edit, fields: Partial<Phdr>): Partial<Expectation> {
  const image = imageOf(edit.after);
  const count = image.segments.length;
  setHeader(edit.after, { e_phnum: count + 1 });
  setSegment(edit.after, count, { p_type: PT_NOTE, ...fields });
  const end = image.header.e_phoff + BigInt((count + 1) * Phdr.size(edit.encoding));
  return { planned: [...edit.expectation.planned, { start: 0n, end }] };
}

/** Makes PT_LOAD DATA show the ELF header and the table, and nothing more. */
function showHeaders(bytes: Uint8Array): void {
  const { header, segments, encoding } = imageOf(bytes);
  const size = header.e_phoff + BigInt(segments.length * Phdr.size(encoding));
  // At an address of its own: .data goes on to describe the old one, which no LOAD has any more.
  setSegment(bytes, DATA, { p_offset: 0n, p_vaddr: 0x7000000n, p_paddr: 0x7000000n, p_filesz: size, p_memsz: size });
}

export const ELF_BREAKS: Readonly<Record<string, readonly ElfBreak[]>> = {
  'entry-sizes': [
    {
      what: 'e_phentsize one too large',
      image: (bytes) => withTable(imageOf(bytes), { e_phentsize: imageOf(bytes).header.e_phentsize + 1 }),
    },
    { what: 'e_shentsize 0', image: (bytes) => withTable(imageOf(bytes), { e_shentsize: 0 }) },
  ],
  'extended-counts': [
    { what: 'sh_info of section 0 without the escape', image: damage((b) => setSection(b, '', { sh_info: 5 })) },
    { what: 'sh_addr of section 0', image: damage((b) => setSection(b, '', { sh_addr: 5n })) },
    {
      what: 'a small count in section 0',
      image: damage((b) => {
        const count = imageOf(b).sections.length;
        setSection(b, '', { sh_size: BigInt(count) });
        setHeader(b, { e_shnum: 0 });
      }),
    },
    { what: 'another number of program headers', image: (b) => withTable(imageOf(b), { e_phnum: 3 }) },
  ],
  'tables-apart': [
    {
      what: 'program headers over section headers',
      image: (b) => withTable(imageOf(b), { e_phoff: imageOf(b).header.e_shoff }),
    },
    {
      what: 'program headers over the ELF header',
      image: (b) => withTable(imageOf(b), { e_phoff: 16n }),
    },
    {
      what: 'section headers behind the end',
      also: ['tables-aligned'],
      image: (b) => withTable(imageOf(b), { e_shoff: BigInt(b.length) }),
    },
  ],
  'tables-aligned': [
    {
      what: 'section headers at an odd offset',
      level: 'warning',
      image: (bytes) => {
        const image = imageOf(bytes);
        const at = Number(image.header.e_shoff);
        const table = bytes.slice(at, at + image.sections.length * Shdr.size(image.encoding));
        const odd = concat([bytes, new Uint8Array(bytes.length % 2 === 0 ? 1 : 2), table]);
        setHeader(odd, { e_shoff: BigInt(odd.length - table.length) });
        return imageOf(odd);
      },
    },
  ],
  'tables-over-contents': [
    {
      what: 'a section over the section headers',
      image: damage((b) => setSection(b, '.comment', { sh_offset: imageOf(b).header.e_shoff + 4n })),
    },
    {
      what: 'a LOAD over part of the program headers',
      also: ['load-congruence', 'section-follows-load'],
      image: damage((b) => setSegment(b, TEXT, { p_offset: imageOf(b).header.e_phoff + 8n, p_paddr: 0x8000000n })),
    },
    {
      what: 'a PT_GNU_PROPERTY that patchelf left under program headers',
      level: 'warning',
      image: damage((b) =>
        setSegment(b, STACK, { p_type: PT_GNU_PROPERTY, p_offset: imageOf(b).header.e_phoff + 8n, p_filesz: 16n }),
      ),
    },
  ],
  'segment-in-file': [
    {
      what: 'a segment one byte too long',
      image: damage((b) => setSegment(b, STACK, { p_offset: BigInt(b.length) - 15n, p_filesz: 16n })),
    },
    {
      what: 'a segment that wraps',
      image: damage((b, { bits }) => setSegment(b, STACK, { p_offset: (1n << BigInt(bits)) - 8n, p_filesz: 16n })),
    },
  ],
  'load-sizes': [{ what: 'p_filesz above p_memsz', image: damage((b) => setSegment(b, TEXT, { p_memsz: 0x1ffn })) }],
  'segment-alignment': [
    { what: 'p_align 3', level: 'warning', image: damage((b) => setSegment(b, STACK, { p_align: 3n })) },
  ],
  'load-congruence': [
    {
      what: 'p_align larger than what offset and address share',
      level: 'warning',
      image: damage((b) => setSegment(b, DATA, { p_align: 0x10000n })),
    },
  ],
  'load-overlap': [
    {
      what: 'physical addresses',
      level: 'warning',
      image: damage((b) => setSegment(b, DATA, { p_paddr: 0x1001ffn })),
    },
    {
      what: 'virtual addresses',
      level: 'warning',
      image: damage((b) => setSegment(b, DATA, { p_vaddr: 0x100010n })),
    },
    {
      what: 'an overlap that the baseline did not have',
      also: ['segment-fields-kept', 'memory-image'],
      edit: spoil(({ after }) => setSegment(after, TEXT, { p_memsz: 0x100001n })),
    },
  ],
  'address-wrap': [
    {
      what: 'virtual',
      image: damage((b, { bits }) => setSegment(b, STACK, { p_vaddr: (1n << BigInt(bits)) - 8n, p_memsz: 9n })),
    },
    {
      what: 'physical',
      image: damage((b, { bits }) => setSegment(b, DATA, { p_paddr: (1n << BigInt(bits)) - 0xfffn })),
    },
  ],
  'leading-entries': [
    {
      what: 'PT_INTERP behind the LOADs',
      level: 'warning',
      image: damage((b) => setSegment(b, STACK, { p_type: PT_INTERP })),
    },
  ],
  'phdr-segment': [
    {
      what: 'PT_PHDR that points elsewhere',
      also: ['leading-entries'],
      image: damage((b) => setSegment(b, STACK, { p_type: PT_PHDR })),
    },
    {
      what: 'PT_PHDR in no LOAD',
      also: ['leading-entries'],
      image: damage((b) => {
        const { header, segments, encoding } = imageOf(b);
        const size = BigInt(segments.length * Phdr.size(encoding));
        setSegment(b, STACK, { p_type: PT_PHDR, p_offset: header.e_phoff, p_filesz: size, p_memsz: size });
      }),
    },
  ],
  'section-in-file': [
    {
      what: 'sh_size beyond the end',
      image: damage((b) => setSection(b, '.comment', { sh_size: BigInt(b.length) })),
      also: ['tables-over-contents'],
    },
    {
      what: 'sh_offset beyond the end',
      image: damage((b) => setSection(b, '.comment', { sh_offset: BigInt(b.length) })),
    },
  ],
  'section-alignment': [
    { what: 'sh_addralign 3', image: damage((b) => setSection(b, '.comment', { sh_addralign: 3n })) },
  ],
  'section-address': [
    {
      what: 'an address that does not fit the alignment',
      level: 'warning',
      image: damage((b) => setSection(b, '.text', { sh_addralign: 0x1000n })),
    },
  ],
  'section-follows-load': [
    {
      what: 'bytes shifted away from their address',
      level: 'warning',
      image: damage((b) => setSection(b, '.text', { sh_offset: sectionOf(b, '.text').sh_offset + 4n })),
    },
    {
      what: 'a section longer than its LOAD',
      level: 'warning',
      image: damage((b) => setSection(b, '.text', { sh_size: 0x1f1n })),
    },
  ],
  'section-links': [
    { what: 'sh_link', image: damage((b) => setSection(b, '.comment', { sh_link: 10 })) },
    { what: 'sh_info of relocations', image: damage((b) => setSection(b, '.rela.notes', { sh_info: 10 })) },
    {
      what: 'sh_info that a flag makes an index',
      image: damage((b) => setSection(b, '.comment', { sh_flags: 0x40n, sh_info: 10 })),
    },
  ],
  'section-names': [
    {
      what: 'sh_name behind the table',
      image: damage((b) => setSection(b, '.comment', { sh_name: Number(sectionOf(b, '.shstrtab').sh_size) })),
    },
    {
      what: 'a name without an end',
      image: damage((b) => setSection(b, '.shstrtab', { sh_size: sectionOf(b, '.shstrtab').sh_size - 1n })),
    },
    { what: 'a name table of another type', image: damage((b) => setSection(b, '.shstrtab', { sh_type: 1 })) },
    {
      what: 'a name table that is not there',
      image: (b) => ({ ...imageOf(b), shstrndx: 99 }),
      also: ['extended-counts'],
    },
  ],
  'note-segment-walk': [
    {
      what: 'p_filesz 8 too short',
      level: 'warning',
      image: damage((b) => setSegment(b, NOTE, { p_filesz: (imageOf(b).segments[NOTE]?.p_filesz ?? 0n) - 8n })),
    },
  ],
  'note-section-walk': [
    {
      what: 'sh_size 8 too short',
      level: 'warning',
      image: damage((b) => setSection(b, '.notes', { sh_size: sectionOf(b, '.notes').sh_size - 8n })),
    },
  ],
  'phys-entry-position': [
    {
      what: 'a last PT_NOTE without it',
      level: 'warning',
      image: (_, encoding) => {
        const { after } = goodEdit(encoding);
        setSegment(after, STACK, { p_type: PT_NOTE });
        return imageOf(after);
      },
    },
    {
      what: 'a note of type 18 of another owner in front',
      level: 'warning',
      image: (_, encoding) => {
        const { after, notes } = goodEdit(encoding);
        // The second record becomes the PHYS32_ENTRY, the first one somebody else's.
        const at = Number(notes.start);
        after[at + 12] = 0x59;
        const second = at + 16 + encoding.bits / 8;
        after.set(num(18, 4, encoding), second + 8);
        return imageOf(after);
      },
    },
  ],
  'header-kept': [
    { what: 'e_entry', edit: spoil(({ after }) => setHeader(after, { e_entry: 0x100004n })) },
    { what: 'e_flags', edit: spoil(({ after }) => setHeader(after, { e_flags: 4 })) },
    { what: 'e_ident', edit: spoil(({ after }) => flip(after, 15)) },
  ],
  'segments-kept': [
    {
      what: 'an entry that became something else',
      also: ['new-segments-last'],
      edit: spoil(({ after }) => setSegment(after, STACK, { p_type: PT_TLS })),
    },
    {
      what: 'an entry that was reused without being named',
      also: ['written-note-segments', 'phys-entry-position', 'loaders-agree'],
      only: { bits: 64, endian: 'little' },
      edit: spoil(({ after }) => setSegment(after, STACK, { p_type: PT_NOTE, p_align: 4n })),
    },
  ],
  'new-segments-last': [{ what: 'a new PT_TLS', edit: (edit) => addSegment(edit, { p_type: PT_TLS }) }],
  'new-loads': [
    { what: 'a LOAD that was promised', edit: () => ({ addedLoads: 1 }) },
    { what: 'a LOAD that was not', edit: (edit) => addSegment(edit, { p_type: 1 }) },
  ],
  'segment-fields-kept': [
    { what: 'p_flags', edit: spoil(({ after }) => setSegment(after, TEXT, { p_flags: 7 })) },
    { what: 'p_align', edit: spoil(({ after }) => setSegment(after, TEXT, { p_align: 8n })) },
    {
      what: 'a LOAD that grew unplanned',
      also: ['memory-image'],
      edit: spoil(({ after }) => setSegment(after, TEXT, { p_filesz: 0x204n, p_memsz: 0x204n })),
    },
  ],
  'sections-kept': [
    { what: 'sh_flags', edit: spoil(({ after }) => setSection(after, '.text', { sh_flags: 2n })) },
    {
      what: 'sh_type of a section meant to change',
      edit: (edit) => {
        setSection(edit.after, '.comment', { sh_type: 0x70000000 });
        return { touchedSections: [...edit.expectation.touchedSections, 4] };
      },
    },
    {
      what: 'the name of a section meant to change',
      edit: (edit) => {
        setSection(edit.after, '.comment', { sh_name: 1 });
        return { touchedSections: [...edit.expectation.touchedSections, 4] };
      },
    },
    {
      what: 'fewer sections',
      edit: spoil(({ after }) => setHeader(after, { e_shnum: 4, e_shstrndx: 0 })),
    },
  ],
  'program-headers-found': [
    {
      what: 'a table that no LOAD of a program shows to its end',
      also: ['loaded-notes-found', 'tables-over-contents'],
      edit: (edit) => {
        // A PT_LOAD of the headers, in both; the edit makes the table one entry longer than it.
        for (const bytes of [edit.before, edit.after]) showHeaders(bytes);
        return { ...addSegment(edit, { p_type: 0 }), isProgram: true };
      },
    },
  ],
  'loaded-notes-found': [
    {
      what: 'a PT_NOTE of a program that lies in no LOAD',
      edit: (edit) => {
        for (const bytes of [edit.before, edit.after]) showHeaders(bytes);
        return { isProgram: true };
      },
    },
  ],
  'stack-rights-kept': [
    {
      what: 'other rights',
      also: ['segment-fields-kept'],
      edit: (edit) => {
        setSegment(edit.after, STACK, { p_flags: 7 });
        return { isProgram: true };
      },
    },
    {
      what: 'an entry that was reused',
      also: ['segments-kept'],
      edit: (edit) => {
        setSegment(edit.after, STACK, { p_type: 0, p_flags: 0 });
        return { isProgram: true, replacedSegments: [...edit.expectation.replacedSegments, STACK] };
      },
    },
  ],
  'load-bytes': [
    { what: 'a byte of .text', edit: spoil(({ after }) => flip(after, sectionOf(after, '.text').sh_offset + 5n)) },
    {
      what: 'a byte between sections',
      edit: spoil(({ after }) => flip(after, sectionOf(after, '.text').sh_offset - 1n)),
    },
  ],
  'memory-image': [
    {
      what: 'other bytes at the address',
      also: ['segment-fields-kept', 'section-follows-load'],
      edit: spoil(({ after }) => setSegment(after, TEXT, { p_offset: sectionOf(after, '.text').sh_offset })),
    },
    {
      what: 'zero memory that was not there',
      also: ['segment-fields-kept'],
      edit: spoil(({ after }) => setSegment(after, DATA, { p_memsz: 0x1001n })),
    },
    {
      what: 'memory that is gone',
      also: ['segment-fields-kept'],
      edit: spoil(({ after }) => setSegment(after, DATA, { p_memsz: 0xfffn })),
    },
  ],
  'section-bytes': [
    { what: 'a byte in place', edit: spoil(({ after }) => flip(after, sectionOf(after, '.comment').sh_offset)) },
    {
      what: 'a section sent to other bytes',
      edit: spoil(({ after }) =>
        setSection(after, '.comment', { sh_offset: sectionOf(after, '.comment').sh_offset + 1n }),
      ),
    },
  ],
  'section-name-table': [
    { what: 'another name', edit: spoil(({ after }) => flip(after, sectionOf(after, '.shstrtab').sh_offset + 2n)) },
    {
      what: 'a shorter table',
      also: ['section-names'],
      edit: spoil(({ after }) => setSection(after, '.shstrtab', { sh_size: 4n })),
    },
  ],
  'unclaimed-bytes': [
    { what: 'a byte of the room behind the table', edit: spoil(({ after }) => flip(after, 0x180)) },
    {
      what: 'bytes nobody planned to add',
      also: ['file-size'],
      edit: spoil((edit) => {
        edit.after = concat([edit.after, Uint8Array.of(1)]);
      }),
    },
  ],
  'taken-bytes-free': [
    {
      what: 'a section taken',
      edit: ({ before, expectation }) => {
        const { sh_offset } = sectionOf(before, '.comment');
        return { planned: [...expectation.planned, { start: sh_offset, end: sh_offset + 4n }] };
      },
    },
    {
      what: 'loaded bytes taken',
      edit: ({ before, expectation }) => {
        const start = sectionOf(before, '.text').sh_offset - 4n;
        return { planned: [...expectation.planned, { start, end: start + 2n }] };
      },
    },
  ],
  'trailing-bytes': [
    { what: 'a byte behind everything', edit: spoil((edit) => flip(edit.after, edit.before.length - 1)) },
  ],
  'linked-tables': [
    { what: 'a byte of the symbols', edit: spoil(({ after }) => flip(after, sectionOf(after, '.symtab').sh_offset)) },
    {
      what: 'a byte of relocations',
      edit: spoil(({ after }) => flip(after, sectionOf(after, '.rela.notes').sh_offset)),
    },
  ],
  'file-size': [
    { what: 'one byte less than planned', edit: ({ after }) => ({ fileSize: BigInt(after.length) + 1n }) },
    {
      what: 'zeros behind the end',
      edit: spoil((edit) => {
        edit.after = concat([edit.after, new Uint8Array(8)]);
      }),
    },
  ],
  'multiboot-kept': [
    {
      what: 'a header that appeared',
      edit: spoil(({ after, notes }) => {
        const words = [0x1badb002, 0, 0x100000000 - 0x1badb002];
        const little = { bits: 32, endian: 'little' } as const;
        after.set(concat(words.map((word) => num(word, 4, little))), Number(notes.end));
      }),
    },
  ],
  'linux-magic': [
    {
      what: 'HdrS in the room behind the table',
      edit: ({ after, expectation }) => {
        after.set([0x48, 0x64, 0x72, 0x53], 0x202);
        return { planned: [...expectation.planned, { start: 0x202n, end: 0x206n }] };
      },
    },
  ],
  'build-id-kept': [
    {
      what: 'another id',
      also: ['foreign-notes'],
      edit: spoil(({ after, notes, encoding }) => flip(after, notes.start + BigInt(16 + encoding.bits / 8 + 24 + 16))),
    },
  ],
  'written-section-walk': [
    {
      what: 'a section that ends inside a record',
      also: ['note-section-walk'],
      edit: spoil(({ after }) =>
        setSection(after, '.note.Xen', { sh_size: sectionOf(after, '.note.Xen').sh_size - 4n - 8n }),
      ),
    },
  ],
  'xen-notes': [
    {
      what: 'another value',
      edit: spoil(({ after, notes, encoding }) => flip(after, notes.start + BigInt(16 + encoding.bits / 8 + 16))),
    },
    {
      what: 'one that is missing',
      edit: ({ expectation }) => ({
        xenNotes: [...expectation.xenNotes, { ...goodNote(expectation), type: 4 }],
      }),
    },
    { what: 'one too many', edit: ({ expectation }) => ({ xenNotes: expectation.xenNotes.slice(0, 1) }) },
  ],
  'loaders-agree': [
    {
      what: 'padding that QEMU takes literally',
      level: 'warning',
      only: { endian: 'little' },
      also: ['written-note-segments'],
      edit: spoil(({ after }) => setSegment(after, NOTE, { p_align: 0x40n })),
    },
    {
      what: 'an empty PT_NOTE at the end, which decides alone for some',
      only: { bits: 64, endian: 'little' },
      also: ['written-note-segments', 'phys-entry-position'],
      edit: ({ after, expectation }) => {
        setSegment(after, STACK, { p_type: PT_NOTE, p_align: 4n });
        return { replacedSegments: [...expectation.replacedSegments, STACK] };
      },
    },
  ],
  'foreign-notes': [
    {
      what: 'another descriptor',
      edit: spoil(({ after, notes }) => flip(after, notes.end - 1n)),
    },
    {
      what: 'a note that was to be overwritten where only sections show it',
      edit: () => {
        const note = { name: cstr('Other'), type: 8, desc: num(1n, 4, { bits: 32, endian: 'little' }) };
        return { foreignInSections: { removed: [], added: [note] } };
      },
    },
  ],
  'written-note-segments': [
    { what: 'p_align 2', edit: spoil(({ after }) => setSegment(after, NOTE, { p_align: 2n })) },
  ],
  'note-section-in-segment': [
    {
      what: 'a section that reaches out of the segment',
      edit: spoil(({ after }) =>
        setSection(after, '.note.Xen', { sh_size: sectionOf(after, '.note.Xen').sh_size + 12n }),
      ),
    },
  ],
};

function goodNote({ xenNotes }: Expectation): Expectation['xenNotes'][number] {
  const [first] = xenNotes;
  if (first === undefined) throw new Error('no notes are expected');
  return first;
}
