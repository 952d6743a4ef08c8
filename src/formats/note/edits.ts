/** Edits of notes as plain data, before an image is looked at: what a person asks for, and what a fix is made of. */
import type { NoteContent } from './record.js';
import type { Setting } from './value.js';

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
  | { readonly kind: 'put-note'; readonly note: NoteContent }
  /** Beside those of its owner and type that are there. */
  | { readonly kind: 'add-note'; readonly note: NoteContent };

/** Any edit but a whole notes file. */
export type PlainEdit = Exclude<Edit, { kind: 'spec' }>;
/** The kinds of edit in the order in which they take effect. */
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
  'add-note',
] as const;

/** Is the edit about notes of another owner than Xen? */
export function isOtherOwnersEdit(edit: Edit | PlainEdit): edit is OtherOwnersEdit {
  return edit.kind === 'drop-note' || edit.kind === 'put-note' || edit.kind === 'add-note';
}

/** An edit of notes of other owners. */
export type OtherOwnersEdit = Extract<Edit, { kind: 'drop-note' | 'put-note' | 'add-note' }>;

/** The edits in the order in which they apply; those of a notes file stand in its place. */
export function inOrder(edits: readonly Edit[]): PlainEdit[] {
  return EDIT_ORDER.flatMap((kind) => edits.filter((edit) => edit.kind === kind)).flatMap((edit) =>
    edit.kind === 'spec' ? inOrder(edit.edits) : [edit],
  );
}
