/** How the result of an edit is to be placed. The edits themselves are data of src/note. */
export {
  EDIT_ORDER,
  type Edit,
  inOrder,
  isOtherOwnersEdit,
  type OtherOwnersEdit,
  type PlainEdit,
} from '../../../formats/note/edits.js';

import type { SurvivorWish } from './later-tools.js';

export { partsOf, SURVIVORS, type Survivor, type SurvivorWish, TRIED, type Tried, wishOf } from './later-tools.js';

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

/** How the result is to be placed; everything has a default. */
export interface PlacementOptions {
  readonly placement: PlacementName | 'auto';
  /** true: the notes must be in memory; false: they must not; undefined: as they were. */
  readonly loaded: boolean | undefined;
  readonly section: string;
  readonly notesAlign: 4 | 8;
  /** Tools that the notes must outlive, each perhaps in one version. */
  readonly mustSurvive: readonly SurvivorWish[];
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
