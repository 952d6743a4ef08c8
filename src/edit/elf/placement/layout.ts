/** Where everything lands: the computed layout, before a byte of it is written. Pure data. */
import type { Range } from '../../../base/bytes/range.js';
import type { Shift } from '../../../base/bytes/shifted.js';
import type { Copied } from '../../../base/bytes/source.js';
import type { Ehdr, Phdr, Shdr } from '../../../formats/elf/headers.js';
import type { NoteContent } from '../../../formats/note/record.js';
import type { PlacementName, SurvivorWish } from '../plan/placement-options.js';

/** New bytes at a place of the output, and what they are. */
export interface Blob {
  readonly offset: bigint;
  readonly bytes: Uint8Array;
  readonly what: string;
}

/** Bytes of another source, too many to be held in memory, at a place of the output, and what they are. */
export interface CopiedBlob extends Copied {
  readonly what: string;
}

/** What a later tool does to the result. */
export interface Survival {
  readonly tool: SurvivorWish;
  readonly verdict: 'kept' | 'kept with a warning' | 'dropped' | 'broken' | 'unknown';
  readonly why: string;
  /** The versions that this was held against; of others it is not known. */
  readonly tried: string;
}

/** A complete answer of a placement: headers, tables and bytes of the result. Nothing is written yet. */
export interface Layout {
  readonly placement: PlacementName;
  /** In words: what this layout does. */
  readonly summary: string;
  readonly header: Ehdr;
  readonly segments: readonly Phdr[];
  /** Empty: the image has no section header table. */
  readonly sections: readonly Shdr[];
  readonly blobs: readonly Blob[];
  /** None unless given. */
  readonly copies?: readonly CopiedBlob[] | undefined;
  readonly shift: Shift | undefined;
  readonly fileSize: bigint;
  /** The Xen notes of the result, in order. */
  readonly xenNotes: readonly NoteContent[];
  /** File range of the one PT_NOTE that holds them; undefined when no note is left. */
  readonly noteRange: Range | undefined;
  /** Are the notes part of the memory image? */
  readonly loaded: boolean;
  /** How the section-header side describes them. */
  readonly cover: 'allocated' | 'plain' | 'none';
  readonly extendedLoad: { readonly index: number; readonly by: bigint } | undefined;
  /** The input PT_LOAD that became shorter at its end, as it was before an edit. */
  readonly shrunkLoad?: { readonly index: number; readonly by: bigint } | undefined;
  /** Fewer, where an undo takes back what an edit added. */
  readonly addedLoads: number;
  /** Sections at the end of the table that go. */
  readonly droppedSections?: number | undefined;
  /** Input file ranges that nothing of the result speaks of any more, and that hold nothing of it. */
  readonly freed?: readonly Range[] | undefined;
  /** Input program headers that were reused, redirected or nulled. */
  readonly replacedSegments: readonly number[];
  /** Input section headers that were meant to change. */
  readonly touchedSections: readonly number[];
  readonly warnings: readonly string[];
  /** What stays of it, or of the edit that it takes back, when nothing of the notes is left: no loss, and not to be warned of. */
  readonly stays?: readonly string[] | undefined;
}

/** A placement that does not work here, and why, with numbers. */
export interface Refusal {
  readonly placement: PlacementName;
  readonly reason: string;
  /** It would work in a kernel; what a running program finds would change. */
  readonly sparesProgram?: boolean;
}

/** Did the placement find a layout? */
export function isLayout(outcome: Layout | Refusal): outcome is Layout {
  return 'segments' in outcome;
}
