/**
 * All checks of ELF images, in one table. The numbers in `invariant` are those of the project's list:
 *
 *   1–5 the ELF header and its tables; 6–13 segments; 14–22 conservation of bytes and of memory; 23–26 sections;
 *   27–33 notes.
 *
 * Four more are about the process and cannot be seen in two files; tests hold them instead: 34, the same input and
 * options give the same bytes; 35, the same edit again changes nothing; 36, no new complaints of eu-elflint and readelf;
 * 37, undoing an edit restores what was loaded. 29 has a second half too: elfy, an independent reader, agrees
 * (second-reader.ts).
 */
import { editedNoteChecks } from './checks-edited-notes.js';
import { headerChecks } from './checks-header.js';
import { keptByteChecks } from './checks-kept-bytes.js';
import { keptHeaderChecks } from './checks-kept-headers.js';
import { noteChecks } from './checks-notes.js';
import { programChecks } from './checks-program.js';
import { sectionChecks } from './checks-sections.js';
import { segmentChecks } from './checks-segments.js';
import type { ElfCheck } from './elf-check.js';

/** Every check of an ELF image, in the order in which findings are listed. */
export const CHECKS: readonly ElfCheck[] = [
  ...headerChecks,
  ...segmentChecks,
  ...sectionChecks,
  ...noteChecks,
  ...keptHeaderChecks,
  ...programChecks,
  ...keptByteChecks,
  ...editedNoteChecks,
];
