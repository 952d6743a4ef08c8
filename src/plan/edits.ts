/** The wish as data: what a person asked for, before the image is looked at. */
import type { NoteContent } from '../note/record.js';
import type { Setting } from '../note/value.js';

/** One edit. Lists of edits are applied in the order of EDIT_ORDER, within a kind in the order given. */
export type Edit =
  | { readonly kind: 'clear' }
  | { readonly kind: 'from-legacy' }
  | { readonly kind: 'copy-from'; readonly file: string; readonly notes: readonly NoteContent[] }
  | { readonly kind: 'preset'; readonly name: string }
  /** A notes file: its edits apply together, in their own order, before any that the command line makes. */
  | { readonly kind: 'spec'; readonly file: string; readonly edits: readonly PlainEdit[] }
  | { readonly kind: 'set'; readonly setting: Setting }
  | { readonly kind: 'unset'; readonly type: number }
  /** The notes are written anew even where all of them say what they shall say: contiguous, p_align 4, Xen's PT_NOTE last. */
  | { readonly kind: 'rewrite' }
  /** The same, and the records of every other PT_NOTE join them in the one that is left. */
  | { readonly kind: 'merge' }
  /** Written anew even where it says the same: the record that is there is damaged. */
  | { readonly kind: 'renew'; readonly note: NoteContent }
  | { readonly kind: 'drop-note'; readonly owner: string; readonly type: number }
  | { readonly kind: 'put-note'; readonly note: NoteContent };

/** Any edit but a whole notes file. */
export type PlainEdit = Exclude<Edit, { kind: 'spec' }>;
export const EDIT_ORDER = [
  'rewrite',
  'merge',
  'clear',
  'from-legacy',
  'copy-from',
  'preset',
  'spec',
  'set',
  'unset',
  'renew',
  'drop-note',
  'put-note',
] as const;

/** Is the edit about notes of another owner than Xen? */
export function isForeignEdit(edit: Edit | PlainEdit): edit is Extract<Edit, { kind: 'drop-note' | 'put-note' }> {
  return edit.kind === 'drop-note' || edit.kind === 'put-note';
}

/** The edits in the order in which they apply; those of a notes file stand in its place. */
export function inOrder(edits: readonly Edit[]): PlainEdit[] {
  return EDIT_ORDER.flatMap((kind) => edits.filter((edit) => edit.kind === kind)).flatMap((edit) =>
    edit.kind === 'spec' ? inOrder(edit.edits) : [edit],
  );
}

/** Every way to place notes, least disturbing first. */
export const PLACEMENTS = ['in-place', 'grow', 'append', 'extend', 'move-table', 'shift', 'new-load'] as const;
export type PlacementName = (typeof PLACEMENTS)[number];

/** Later tools that a placement may have to survive. */
export const SURVIVORS = ['strip', 'objcopy', 'llvm-strip', 'llvm-objcopy', 'eu-strip', 'flat'] as const;
export type Survivor = (typeof SURVIVORS)[number];

/** How the result is to be placed; everything has a default. */
export interface PlacementWish {
  readonly placement: PlacementName | 'auto';
  /** true: the notes must be in memory; false: they must not; undefined: as they were. */
  readonly loaded: boolean | undefined;
  readonly section: string;
  readonly notesAlign: 4 | 8;
  readonly mustSurvive: readonly Survivor[];
  /** What the image is, where its own signs fail; undefined: as they tell. */
  readonly kind?: ImageKind | undefined;
}

/** A kernel is started by a boot loader, a program by execve. */
export const IMAGE_KINDS = ['kernel', 'program'] as const;
export type ImageKind = (typeof IMAGE_KINDS)[number];

export const DEFAULT_WISH: PlacementWish = {
  placement: 'auto',
  loaded: undefined,
  section: '.note.Xen',
  notesAlign: 4,
  mustSurvive: [],
};
