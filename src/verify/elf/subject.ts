/** One image and the facts about it that several checks need. */

import { lazy } from '../../base/bytes/lazy.js';
import { holderOf, intersect, normalize, type Range, rangeOf } from '../../base/bytes/range.js';
import { PatchError } from '../../base/errors/patch-error.js';
import type { Phdr } from '../../formats/elf/headers.js';
import {
  type ElfImage,
  ehdrSize,
  hasFileBytes,
  loads,
  phdrTable,
  sectionFileRange,
  segmentFileRange,
  shdrTable,
} from '../../formats/elf/image.js';
import { PT_LOAD, PT_NOTE, SHT_NOTE, SHT_NULL, SHT_PROGBITS } from '../../formats/elf/names.js';
import { sectionName } from '../../formats/elf/section-names.js';
import { distinctAreas, type NoteArea, noteAreas } from '../../formats/note/areas.js';
import type { NoteWalk } from '../../formats/note/record.js';

/** An image to be judged, with what several checks need of it. Ranges are of the file. */
export interface Subject {
  readonly image: ElfImage;
  readonly fileSize: bigint;
  /** The ELF header's bytes. */
  readonly ehdr: Range;
  readonly phdrs: Range;
  readonly shdrs: Range;
  readonly loads: readonly { readonly index: number; readonly segment: Phdr }[];
  /** Every place that holds notes. Errors: `note.too-large`. */
  areas(): readonly NoteArea[];
  /** Bytes of headers and notes, sorted and disjoint. */
  ownRanges(): readonly Range[];
  /** Offset and size of each PT_NOTE, as one word. */
  notePlaces(): ReadonlySet<string>;
  /** Does one PT_NOTE hold all of these bytes? */
  isInNotes(range: Range): boolean;
  /** Does any PT_NOTE hold one of them? */
  meetsNotes(range: Range): boolean;
  /** Does one PT_LOAD take all of them from the file? */
  isInLoad(range: Range): boolean;
}

/** Gathers what checks need of an image; notes are read when a check asks for them. */
export function subjectOf(image: ElfImage): Subject {
  const notes = lazy(() => image.segments.filter(isNote).map(segmentFileRange));
  const inNotes = lazy(() => holderOf(notes()));
  const allNotes = lazy(() => normalize(notes()));
  const withBytes = lazy(() => image.segments.filter((s) => s.p_type === PT_LOAD && s.p_filesz > 0n));
  const inLoads = lazy(() => holderOf(withBytes().map(segmentFileRange)));
  const subject: Subject = {
    image,
    fileSize: image.source.size,
    ehdr: rangeOf(0n, ehdrSize(image.encoding)),
    phdrs: phdrTable(image),
    shdrs: shdrTable(image),
    loads: loads(image),
    areas: lazy(() => noteAreas(image)),
    ownRanges: lazy(() => normalize(headerAndNoteRanges(subject))),
    notePlaces: lazy(() => new Set(notes().map(({ start, end }) => `${start} ${end - start}`))),
    isInNotes: (range) => inNotes()(range) !== undefined,
    meetsNotes: (range) => intersect([range], allNotes()).length > 0,
    isInLoad: (range) => inLoads()(range) !== undefined,
  };
  return subject;
}

/**
 * May an edit have added this section? It describes notes or the program headers, behind the section names, where linkers write
 * none: no symbol, relocation or link knows its index.
 */
export function isAdded({ image, phdrs }: Subject, index: number): boolean {
  const section = image.sections[index];
  if (section === undefined || image.shstrndx === 0 || index <= image.shstrndx) return false;
  const { start, end } = sectionFileRange(section);
  return (
    section.sh_type === SHT_NOTE || (section.sh_type === SHT_PROGBITS && start === phdrs.start && end === phdrs.end)
  );
}

function isNote({ p_type }: Phdr): boolean {
  return p_type === PT_NOTE;
}

/** Bytes that headers and notes of an image stand in: an edit of notes may write there. */
export function headerAndNoteRanges(subject: Subject): Range[] {
  const { image, ehdr, phdrs, shdrs } = subject;
  const names = image.shstrndx === 0 ? undefined : image.sections[image.shstrndx];
  const nameRange = names === undefined ? [] : [rangeOf(names.sh_offset, names.sh_size)];
  return [ehdr, phdrs, shdrs, ...nameRange, ...areasOrNone(subject).map(({ range }) => range)];
}

/** Notes too large to read are a finding of the checks that walk them; here they only may not differ. */
function areasOrNone(subject: Subject): ReturnType<Subject['areas']> {
  try {
    return subject.areas();
  } catch (error) {
    if (error instanceof PatchError) return [];
    throw error;
  }
}

/** A program header as findings name it, `program header 3`. */
export function segmentPart(index: number): string {
  return `program header ${index}`;
}

/** `section 3 (.text)`, or without the name where there is none. */
export function sectionPart(image: ElfImage, index: number): string {
  const name = sectionName(image, index);
  return name === '' ? `section ${index}` : `section ${index} (${name})`;
}

/** Is it an entry that stands for a section at all? */
export function isRealSection(image: ElfImage, index: number): boolean {
  const section = image.sections[index];
  return index > 0 && section !== undefined && section.sh_type !== SHT_NULL;
}

/** Sections with bytes in the file, with their index. */
export function sectionsWithBytes(image: ElfImage): { readonly index: number; readonly range: Range }[] {
  return image.sections.flatMap((section, index) =>
    hasFileBytes(section) ? [{ index, range: rangeOf(section.sh_offset, section.sh_size) }] : [],
  );
}

/** The areas of one view, each distinct walk once: thousands of equal headers may share one. */
export function distinctWalks(areas: readonly NoteArea[], kind: NoteArea['kind']): readonly NoteWalk[] {
  return distinctAreas(areas, kind).map(({ walk }) => walk);
}
