/** One image and the facts about it that several checks need. */

import { lazy } from '../../base/bytes/lazy.js';
import { type Range, rangeOf } from '../../base/bytes/range.js';
import type { Phdr } from '../../formats/elf/headers.js';
import { type ElfImage, ehdrSize, hasFileBytes, loads, phdrTable, shdrTable } from '../../formats/elf/image.js';
import { SHT_NULL } from '../../formats/elf/names.js';
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
}

/** Gathers what checks need of an image; notes are read when a check asks for them. */
export function subjectOf(image: ElfImage): Subject {
  return {
    image,
    fileSize: image.source.size,
    ehdr: rangeOf(0n, ehdrSize(image.encoding)),
    phdrs: phdrTable(image),
    shdrs: shdrTable(image),
    loads: loads(image),
    areas: lazy(() => noteAreas(image)),
  };
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
