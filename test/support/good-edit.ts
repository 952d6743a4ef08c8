/**
 * An image, an edit of its notes made by hand, and what that edit meant: the notes are redirected to a merged copy at
 * the end of the file, with a section of their own. Tests break one thing at a time. Made without src/plan or src/write.
 */
import type { Range } from '../../src/base/bytes/range.js';
import { BufferSource } from '../../src/base/bytes/source.js';
import { Ehdr, Phdr, Shdr } from '../../src/formats/elf/headers.js';
import type { ElfImage } from '../../src/formats/elf/image.js';
import { readElf } from '../../src/formats/elf/read.js';
import { sectionName } from '../../src/formats/elf/section-names.js';
import type { Encoding } from '../../src/formats/elf/struct.js';
import type { NoteContent } from '../../src/formats/note/record.js';
import type { Expectation } from '../../src/verify/finding.js';
import { concat, cstr, elf, latin1, noteBytes, num, type TestNote } from './elf-builder.js';

export const TEXT = 0;
export const DATA = 1;
export const NOTE = 2;
export const STACK = 3;

/** Sections: .notes .text .data .comment .rela.notes .symtab .strtab .shstrtab, from index 1; `after` adds .note.Xen. */
export interface Edit {
  readonly encoding: Encoding;
  before: Uint8Array;
  after: Uint8Array;
  expectation: Expectation;
  /** Where the edit put its notes. */
  readonly notes: Range;
}

const BUILD_ID: TestNote = { name: 'GNU', type: 3, desc: Uint8Array.from({ length: 20 }, (_, i) => i + 1) };
const OTHER: TestNote = { name: 'Other', type: 7, desc: latin1('unlike any other') };

/** A kernel in miniature: two LOADs, notes in bytes of their own, room behind the program headers, bytes at the end. */
export function goodImage(encoding: Encoding): Uint8Array {
  const bytes = (size: number, seed: number) => Uint8Array.from({ length: size }, (_, i) => ((i * seed) % 251) + 1);
  return elf(encoding)
    .load(0x100000n, bytes(0x200, 7))
    .load(0x200000n, bytes(0x80, 11), { memsz: 0x1000n, paddr: 0x300000n, flags: 6 })
    .noteSegment([BUILD_ID, OTHER, { type: 1, desc: num(0x100000n, 8, encoding) }], { section: '.notes' })
    .segment(0x6474e551, undefined, { flags: 6, align: 16n })
    .section('.text', { inside: { load: 0, at: 0x10, size: 0x100 }, flags: 6n, align: 16n })
    .section('.data', { inside: { load: 1, at: 0, size: 0x40 }, flags: 3n, align: 16n })
    .section('.comment', { bytes: cstr('made by hand') })
    .section('.rela.notes', { type: 4, bytes: bytes(24, 5), link: 6, info: 1, align: 8n, entsize: 24n })
    .symbol('start', 0x100000n, { section: 2 })
    .with({ slack: 0x400, trailing: latin1('someone knows why this is here') })
    .build();
}

/** The image read from bytes. */
export function imageOf(bytes: Uint8Array): ElfImage {
  return readElf(new BufferSource(bytes, 'image'));
}

/** Rewrites fields of the ELF header. */
export function setHeader(bytes: Uint8Array, fields: Partial<Ehdr>): void {
  const { header, encoding } = imageOf(bytes);
  Ehdr.encodeInto(bytes, 16, { ...header, ...fields }, encoding);
}

/** Rewrites fields of a program header. */
export function setSegment(bytes: Uint8Array, index: number, fields: Partial<Phdr>): void {
  const { header, segments, encoding } = imageOf(bytes);
  const segment = segments[index];
  if (segment === undefined) throw new Error(`no program header ${index}`);
  Phdr.encodeInto(bytes, Number(header.e_phoff) + index * Phdr.size(encoding), { ...segment, ...fields }, encoding);
}

/** Rewrites fields of a section header, by the section's name; '' is section header 0, `last` the last one. */
export function setSection(bytes: Uint8Array, name: string, fields: Partial<Shdr>): void {
  const image = imageOf(bytes);
  const index = sectionIndex(image, name);
  const section = image.sections[index];
  if (section === undefined) throw new Error(`no section ${name}`);
  const at = Number(image.header.e_shoff) + index * Shdr.size(image.encoding);
  Shdr.encodeInto(bytes, at, { ...section, ...fields }, image.encoding);
}

/** A section's header, by name. */
export function sectionOf(bytes: Uint8Array, name: string): Shdr {
  const image = imageOf(bytes);
  const section = image.sections[sectionIndex(image, name)];
  if (section === undefined) throw new Error(`no section ${name}`);
  return section;
}

function sectionIndex(image: ElfImage, name: string): number {
  return name === '' ? 0 : image.sections.findIndex((_, index) => index > 0 && sectionName(image, index) === name);
}

/** Changes one byte. */
export function flip(bytes: Uint8Array, at: bigint | number): void {
  bytes[Number(at)] = (bytes[Number(at)] ?? 0) ^ 0xff;
}

/** A note as the verifier is told of it. */
function content({ name = 'Xen', type, desc }: TestNote): NoteContent {
  return { name: typeof name === 'string' ? cstr(name) : name, type, desc };
}

/** The edit: ENTRY changes, PHYS32_ENTRY comes in front, the notes of other owners stay. */
export function goodEdit(encoding: Encoding): Edit {
  const before = goodImage(encoding);
  const image = imageOf(before);
  const xen: TestNote[] = [
    { type: 18, desc: num(0x100040n, encoding.bits / 8, encoding) },
    { type: 1, desc: num(0x100080n, 8, encoding) },
  ];
  const notes = noteBytes([...xen, BUILD_ID, OTHER], encoding);
  const names = image.sections[image.shstrndx];
  if (names === undefined) throw new Error('no section names');
  const oldNames = before.subarray(Number(names.sh_offset), Number(names.sh_offset + names.sh_size));
  const newNames = concat([oldNames, cstr('.note.Xen')]);

  const notesAt = up(before.length, 4);
  // Twelve zero bytes behind the notes: walkable, in no section and no segment.
  const namesAt = notesAt + notes.length + 12;
  const headersAt = up(namesAt + newNames.length, encoding.bits / 8);
  const range = { sh_offset: BigInt(notesAt), sh_size: BigInt(notes.length) };
  const headers = [
    ...image.sections.map((section, index) =>
      index === image.shstrndx ? { ...section, sh_offset: BigInt(namesAt), sh_size: BigInt(newNames.length) } : section,
    ),
    { ...sectionOf(before, '.notes'), sh_name: oldNames.length, sh_flags: 0n, sh_addr: 0n, ...range },
  ].map((section) => Shdr.encode(section, encoding));
  const table = concat(headers);

  const after = new Uint8Array(headersAt + table.length);
  after.set(before);
  after.set(notes, notesAt);
  after.set(newNames, namesAt);
  after.set(table, headersAt);
  const size = BigInt(notes.length);
  setHeader(after, { e_shoff: BigInt(headersAt), e_shnum: headers.length });
  setSegment(after, NOTE, { p_offset: BigInt(notesAt), p_filesz: size, p_memsz: size });

  const tableEnd = image.header.e_phoff + BigInt(image.segments.length * Phdr.size(encoding));
  return {
    encoding,
    before,
    after,
    notes: { start: BigInt(notesAt), end: BigInt(notesAt) + size },
    expectation: {
      xenNotes: xen.map(content),
      planned: [
        { start: 0n, end: tableEnd },
        { start: BigInt(before.length), end: BigInt(after.length) },
      ],
      shift: undefined,
      fileSize: BigInt(after.length),
      extendedLoad: undefined,
      addedLoads: 0,
      replacedSegments: [NOTE],
      touchedSections: [image.shstrndx],
    },
  };
}

function up(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
