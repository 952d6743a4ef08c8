/**
 * Package metadata have a section of their own, which build systems and readers of sections take by its name (UAPI.8, "ELF Package
 * Metadata"): where they share a PT_NOTE with others, they stand behind them, and a second section covers them.
 */

import type { Range } from '../../../base/bytes/range.js';
import { hasFileBytes, sectionFileRange } from '../../../formats/elf/image.js';
import { SHT_NOTE } from '../../../formats/elf/names.js';
import { sectionName } from '../../../formats/elf/section-names.js';
import { notesSize } from '../../../formats/note/large-notes.js';
import { FDO, FDO_PACKAGING_METADATA } from '../../../formats/note/note-types.js';
import { type NoteContent, ownerOf } from '../../../formats/note/record.js';
import type { Analysis } from '../plan/analyze.js';

/** The section that the specification names. */
export const PACKAGE_SECTION = '.note.package';

/** Is it the note that names the package? */
export function isPackage({ name, type }: NoteContent): boolean {
  return type === FDO_PACKAGING_METADATA && ownerOf(name) === FDO;
}

/** The notes with package metadata behind all others. */
export function packagesLast(notes: readonly NoteContent[]): NoteContent[] {
  return [...notes.filter((note) => !isPackage(note)), ...notes.filter(isPackage)];
}

/** Bytes of what stands in front of the package metadata that end these notes. */
export function frontSize(notes: readonly NoteContent[]): bigint {
  return notesSize(notes.slice(0, notes.findLastIndex((note) => !isPackage(note)) + 1));
}

/** The section of package metadata that ends these notes and leaves some in front of it; undefined: there is none. */
export function packageTail({ image, areas }: Analysis, notes: Range): number | undefined {
  const index = image.sections.findIndex((section, i) => {
    const range = sectionFileRange(section);
    const isTail = section.sh_type === SHT_NOTE && range.end === notes.end && range.start > notes.start;
    return isTail && hasFileBytes(section) && sectionName(image, i) === PACKAGE_SECTION;
  });
  const records = areas.find((area) => area.kind === 'section' && area.index === index)?.walk.records ?? [];
  return records.length > 0 && records.every(isPackage) ? index : undefined;
}
