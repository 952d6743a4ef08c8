/**
 * What a layout changes that nothing in the file will tell any more: when the notes are removed again, it stays. Everything else
 * an undo takes back (undo.ts).
 */

import { findBytes } from '../../../base/bytes/text.js';
import { hex } from '../../../base/errors/hex.js';
import type { Phdr } from '../../../formats/elf/headers.js';
import { PT_LOAD, PT_NOTE, PT_NULL } from '../../../formats/elf/names.js';
import type { NoteArea } from '../../../formats/note/areas.js';
import type { Analysis } from '../plan/analyze.js';
import { bytesOfNotes } from './former-notes.js';
import type { Layout } from './layout.js';
import { onlyRemoves, type PlacementInput } from './placement-input.js';

/** In words for the plan: what stays where an edit that adds is taken back. */
export function staysAfterUndo(input: PlacementInput, layout: Layout): string[] {
  const { analysis, target } = input;
  const { noteRange, segments, shift } = layout;
  if (noteRange === undefined || onlyRemoves(input)) return [];
  const told: string[] = [];
  if (shift !== undefined) {
    told.push(
      `what stands behind ${hex(shift.at)} stays ${hex(shift.by)} later in the file when the notes are removed again`,
    );
  }
  const own = target.segments.at(-1);
  const reused = own ?? layout.replacedSegments.at(-1);
  const place = segments.findLastIndex(({ p_type, p_offset }) => p_type === PT_NOTE && p_offset === noteRange.start);
  if (reused !== undefined && rivals(segments.slice(place + 1)) < rivals(analysis.image.segments.slice(reused + 1))) {
    const entry = `program header ${reused}`;
    told.push(`${entry} becomes number ${place}, behind the others, and stays there when the notes are removed again`);
  }
  for (const index of layout.replacedSegments) {
    if (analysis.image.segments[index]?.p_type !== PT_LOAD) continue;
    told.push(
      `PT_LOAD ${index}, which loads nothing, becomes their PT_NOTE, and a PT_NULL that stays when the notes are removed again`,
    );
  }
  const emptied = target.segments.slice(0, -1).filter((index) => segments[index]?.p_type === PT_NULL);
  for (const index of emptied) {
    told.push(
      `PT_NOTE ${index} becomes PT_NULL, its notes now being with the others, and stays that when they are removed again`,
    );
  }
  const { only } = target;
  // Notes of before that still stand elsewhere would show it.
  const isUnshown = own === undefined || only?.range.start === noteRange.start;
  if (layout.extendedLoad !== undefined && analysis.image.sections.length === 0 && isUnshown) {
    told.push(
      `PT_LOAD ${layout.extendedLoad.index} stays longer when the notes are removed again: no section headers show that an edit made it so`,
    );
  }
  const isMoved = only?.kind === 'segment' && only.loaded === undefined && only.range.start !== noteRange.start;
  if (isMoved && isInSpare(analysis, only)) {
    told.push(
      'the place of these notes before earlier edits is used again: the PT_NOTE stays at another one when they are removed again',
    );
  }
  if (own === undefined && target.areas.length > 0) {
    const names = target.areas.map(({ name }) => name).join(', ');
    told.push(`${names} gets a PT_NOTE, which stays when the notes are removed again`);
  }
  return told;
}

/** Does room that edits left hold the first of these notes as well? It will be cleared, or taken. */
function isInSpare(analysis: Analysis, { walk }: NoteArea): boolean {
  const bytes = bytesOfNotes(analysis, walk.records.slice(0, 1));
  if (bytes === undefined || bytes.length === 0) return false;
  const { source } = analysis.image;
  return analysis
    .spare()
    .some(
      ({ start, end }) => end - start <= SEARCHED && findBytes(source.read(start, end - start, 'room'), bytes) >= 0,
    );
}

/** Larger room is not searched. */
const SEARCHED = 0x100000n;

/** Entries behind which loaders want Xen's PT_NOTE. */
function rivals(entries: readonly Phdr[]): number {
  return entries.filter(({ p_type }) => p_type === PT_LOAD || p_type === PT_NOTE).length;
}
