/** The wish as data: what a person asked for, before the image is looked at. */
import type { NoteContent } from '../note/record.js';
import type { Setting } from '../note/value.js';

/** One edit. Lists of edits are applied in the order of EDIT_ORDER, within a kind in the order given. */
export type Edit =
  | { readonly kind: 'clear' }
  | { readonly kind: 'from-legacy' }
  | { readonly kind: 'copy-from'; readonly file: string; readonly notes: readonly NoteContent[] }
  | { readonly kind: 'preset'; readonly name: string }
  | { readonly kind: 'set'; readonly setting: Setting }
  | { readonly kind: 'unset'; readonly type: number }
  /** The notes are written anew even where all of them say what they shall say: contiguous, p_align 4, Xen's PT_NOTE last. */
  | { readonly kind: 'rewrite' }
  /** Written anew even where it says the same: the record that is there is damaged. */
  | { readonly kind: 'renew'; readonly note: NoteContent }
  | { readonly kind: 'drop-note'; readonly owner: string; readonly type: number }
  | { readonly kind: 'put-note'; readonly note: NoteContent };

export const EDIT_ORDER = [
  'rewrite',
  'clear',
  'from-legacy',
  'copy-from',
  'preset',
  'set',
  'unset',
  'renew',
  'drop-note',
  'put-note',
] as const;

/** Is the edit about notes of another owner than Xen? */
export function isForeignEdit(edit: Edit): edit is Extract<Edit, { kind: 'drop-note' | 'put-note' }> {
  return edit.kind === 'drop-note' || edit.kind === 'put-note';
}

/** The edits in the order in which they apply. */
export function inOrder(edits: readonly Edit[]): Edit[] {
  return EDIT_ORDER.flatMap((kind) => edits.filter((edit) => edit.kind === kind));
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
}

export const DEFAULT_WISH: PlacementWish = {
  placement: 'auto',
  loaded: undefined,
  section: '.note.Xen',
  notesAlign: 4,
  mustSurvive: [],
};
