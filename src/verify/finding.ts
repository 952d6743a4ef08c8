/** What the verifier is given: plain data, so that it never has to know who made the edit. */
import type { Range } from '../base/bytes/range.js';
import type { Shift } from '../base/bytes/shifted.js';
import type { ElfImage } from '../formats/elf/image.js';
import type { NoteContent } from '../formats/note/record.js';

/** What an edit was meant to change. */
export interface Expectation {
  /** Exactly these notes of Xen, in this order, seen through segments. */
  readonly xenNotes: readonly NoteContent[];
  /** The edit is not about Xen's notes: instead, every loader has to see what it saw before. */
  readonly xenKept?: boolean;
  /** The image is one that execve starts: it finds its own headers in memory, and no boot loader is asked. */
  readonly isProgram?: boolean;
  /** Ranges of the output file that may differ from the input. */
  readonly planned: readonly Range[];
  readonly shift: Shift | undefined;
  readonly fileSize: bigint;
  /** The LOAD (input program header index) that grew over a hole, and by how much in file and memory. */
  readonly extendedLoad: { readonly index: number; readonly by: bigint } | undefined;
  /** The LOAD (input program header index) that gave back what it grew by, and how much. */
  readonly shrunkLoad?: { readonly index: number; readonly by: bigint } | undefined;
  /** Fewer where an edit is undone. */
  readonly addedLoads: number;
  /** Sections at the end of the table that were meant to go. */
  readonly droppedSections?: number | undefined;
  /** Input file ranges that were meant to hold nothing any more, nor to be loaded. */
  readonly freed?: readonly Range[] | undefined;
  /** Input program header indices that were reused or nulled: PT_NULL, PT_GNU_STACK, PT_NOTE. */
  readonly replacedSegments: readonly number[];
  /** Input section indices whose header was meant to change: the reused note section, the name table. */
  readonly touchedSections: readonly number[];
  /** The mode that the file was meant to get; the input's when left out. */
  readonly fileMode?: number | undefined;
  /** Notes of other owners that were meant to appear or to go; none when left out. */
  readonly foreignAdded?: readonly NoteContent[];
  readonly foreignRemoved?: readonly NoteContent[];
  /** Notes of other owners that were meant to go or to come where only sections show them. */
  readonly foreignInSections?: { readonly removed: readonly NoteContent[]; readonly added: readonly NoteContent[] };
}

/** What is verified, and against what. */
export interface VerifyInput {
  /** The image to judge, as read back. */
  readonly image: ElfImage;
  /** The image it was made from. Without an expectation, nothing but notes and headers may differ. */
  readonly baseline?: ElfImage | undefined;
  /** What the edit was meant to change; has no meaning without a baseline. */
  readonly expectation?: Expectation | undefined;
  /** Called while the two files are compared, with bytes. */
  readonly onProgress?: ((done: bigint, total: bigint) => void) | undefined;
}
