/** How the result of an edit is to be placed. The edits themselves are data of src/note. */
export {
  EDIT_ORDER,
  type Edit,
  inOrder,
  isOtherOwnersEdit,
  type OtherOwnersEdit,
  type PlainEdit,
} from '../../../formats/note/edits.js';

/** Every way to place notes, least disturbing first. */
export const PLACEMENTS = [
  'in-place',
  'grow',
  'append',
  'extend',
  'move-table',
  'shift',
  'new-load',
  'new-table',
] as const;
/** A placement, or `auto` for the least disturbing one that works. */
export type PlacementName = (typeof PLACEMENTS)[number];

/** Later tools that a placement may have to survive. `eu-strip-o` is `eu-strip -o OUT`, `flat` is `objcopy -O binary`. */
export const SURVIVORS = [
  'strip',
  'objcopy',
  'llvm-strip',
  'llvm-objcopy',
  'eu-strip',
  'eu-strip-o',
  'patchelf',
  'flat',
] as const;
/** A tool whose work on the image the notes must survive. */
export type Survivor = (typeof SURVIVORS)[number];

/** How the result is to be placed; everything has a default. */
export interface PlacementOptions {
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
/** What an image is for. */
export type ImageKind = (typeof IMAGE_KINDS)[number];

/** What holds where the user says nothing about the placement. */
export const DEFAULT_PLACEMENT: PlacementOptions = {
  placement: 'auto',
  loaded: undefined,
  section: '.note.Xen',
  notesAlign: 4,
  mustSurvive: [],
};
