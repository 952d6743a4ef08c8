/** Laws of notes in one image (gABI, "Note Section"). Contents are judged against what was wanted elsewhere. */

import { hex } from '../../base/errors/hex.js';
import { PT_NOTE } from '../../formats/elf/names.js';
import type { NoteArea } from '../../formats/note/areas.js';
import { XEN_ELFNOTE } from '../../formats/note/note-types.js';
import { ownerOf } from '../../formats/note/record.js';
import type { KeyedViolation, Violation } from '../check.js';
import type { ElfCheck } from './elf-check.js';
import { isPhysEntry } from './note-facts.js';
import { distinctWalks, type Subject } from './subject.js';

/** Checks of note segments and note sections by themselves. */
export const noteChecks: readonly ElfCheck[] = [
  {
    name: 'note-segment-walk',
    invariant: 27,
    needs: 'image-or-not-worse',
    because: 'a loader walks p_filesz bytes record by record; what does not fill them exactly derails it',
    run: (subject) => brokenWalks(subject, 'segment'),
  },
  {
    name: 'note-section-walk',
    invariant: 28,
    needs: 'image-or-not-worse',
    because: 'readelf, perf and objcopy walk note sections record by record',
    run: (subject) => brokenWalks(subject, 'section'),
  },
  {
    name: 'phys-entry-position',
    invariant: 32,
    needs: 'image-or-not-worse',
    because: 'QEMU takes the first note of type 18 of any owner; other monitors let the last PT_NOTE decide alone',
    run: physEntryPosition,
  },
];

function* brokenWalks(subject: Subject, kind: NoteArea['kind']): Generator<KeyedViolation> {
  for (const area of subject.areas()) {
    const { range, walk } = area;
    if (area.kind !== kind || walk.problem === undefined) continue;
    // The same bytes elsewhere are the same violation: how much is walkable out of how much.
    const key = `${range.end - range.start} ${walk.end - range.start}`;
    yield { offset: walk.end, part: area.name, text: walk.problem, key };
  }
}

function* physEntryPosition(subject: Subject): Generator<KeyedViolation> {
  const walks = distinctWalks(subject.areas(), 'segment');
  const entry = walks.flatMap((walk) => walk.records).find(isPhysEntry);
  if (entry === undefined) return;

  const first = walks.flatMap((walk) => walk.records).find(({ type }) => type === XEN_ELFNOTE.PHYS32_ENTRY);
  if (first !== undefined && !isPhysEntry(first)) {
    const text = `a note of type 18 owned by "${ownerOf(first.name)}" stands in front of Xen's PHYS32_ENTRY`;
    yield { key: 'first', offset: first.offset, part: 'notes', text };
  }
  const last = subject.image.segments.findLastIndex(({ p_type }) => p_type === PT_NOTE);
  const decisive = subject.areas().find(({ kind, index }) => kind === 'segment' && index === last);
  if (decisive?.walk.records.some(isPhysEntry) === false) {
    const violation: Violation = {
      offset: entry.offset,
      part: decisive.name,
      text: `the last PT_NOTE does not hold the PHYS32_ENTRY that stands at ${hex(entry.offset)}`,
    };
    yield { ...violation, key: 'last' };
  }
}
