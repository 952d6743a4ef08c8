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

/** A tool, or one version of it: `strip`, `strip@2.40`. Without a version it stands for every one that was tried. */
export type SurvivorWish = Survivor | `${Survivor}@${string}`;

/** The package of a tool, and the versions that the forecasts of it were held against; of others nothing is known. */
export interface Tried {
  readonly program: string;
  readonly versions: readonly string[];
}

const BINUTILS: Tried = { program: 'binutils', versions: ['2.40'] };
const LLVM: Tried = { program: 'LLVM', versions: ['14.0.6'] };
const ELFUTILS: Tried = { program: 'elfutils', versions: ['0.188'] };

/** What was tried of each tool. */
export const TRIED: Readonly<Record<Survivor, Tried>> = {
  strip: BINUTILS,
  objcopy: BINUTILS,
  'llvm-strip': LLVM,
  'llvm-objcopy': LLVM,
  'eu-strip': ELFUTILS,
  'eu-strip-o': ELFUTILS,
  patchelf: { program: 'patchelf', versions: ['0.14.3'] },
  flat: BINUTILS,
};

/** The tool and the version of a wish; the version undefined where none was named. */
export function partsOf(wish: SurvivorWish): { readonly tool: Survivor; readonly version: string | undefined } {
  const tool = SURVIVORS.find((name) => wish === name || wish.startsWith(`${name}@`)) ?? SURVIVORS[0];
  return { tool, version: wish === tool ? undefined : wish.slice(tool.length + 1) };
}

/** A word as a wish; undefined when it names no tool that is followed, or no version behind the `@`. */
export function wishOf(word: string): SurvivorWish | undefined {
  const tool = SURVIVORS.find((name) => word === name || word.startsWith(`${name}@`));
  if (tool === undefined) return undefined;
  if (word === tool) return tool;
  const version = word.slice(tool.length + 1);
  return /^\d+(\.\d+)*$/.test(version) ? `${tool}@${version}` : undefined;
}

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
