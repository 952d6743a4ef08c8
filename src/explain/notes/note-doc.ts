/**
 * The words about one Xen note. Its name, number, kind, width, legacy key, default and one-line summary stand in
 * src/formats/note/xen-notes.ts only.
 */
export interface NoteDoc {
  /** What differs between releases of Xen; undefined when those still met behave the same. */
  readonly releases?: string;
  /** Paragraphs: what it does. */
  readonly does: readonly string[];
  /** Who reads it, and to what end. */
  readonly readers: readonly (readonly [reader: string, use: string])[];
  /** A value that is wrong, and what follows: a message in double quotes is what Xen prints. */
  readonly mistakes: readonly (readonly [value: string, outcome: string])[];
  /** Command lines. */
  readonly examples: readonly string[];
  /** Topics and notes to read next. */
  readonly see: readonly string[];
}
