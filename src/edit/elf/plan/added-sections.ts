/** Sections that edits made, as the file itself shows it. */
import { phdrTable, sectionFileRange } from '../../../formats/elf/image.js';
import { SHT_NOTE, SHT_PROGBITS } from '../../../formats/elf/names.js';
import type { Analysis } from './analyze.js';

/**
 * Did an edit add this section? It is notes, or covers the program headers, and stands behind the section names: linkers write
 * what is allocated in front of them, and edits put their sections last.
 */
export function isOfEdits({ image }: Pick<Analysis, 'image'>, index: number): boolean {
  const section = image.sections[index];
  if (section === undefined || image.shstrndx === 0 || index <= image.shstrndx) return false;
  const table = phdrTable(image);
  const range = sectionFileRange(section);
  const coversTable = range.start === table.start && range.end === table.end;
  return section.sh_type === SHT_NOTE || (section.sh_type === SHT_PROGBITS && coversTable);
}
