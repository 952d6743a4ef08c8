/** Laws about notes after an edit: the wanted ones are there for every reader, the others are as they were. */

import { compare, contains, overlaps, type Range } from '../../base/bytes/range.js';
import { movedOffset } from '../../base/bytes/shifted.js';
import { countWhile } from '../../base/bytes/sorted.js';
import { hex, hexRange } from '../../base/errors/hex.js';
import { sectionFileRange, segmentFileRange } from '../../formats/elf/image.js';
import { PT_NOTE, SHT_NOTE } from '../../formats/elf/names.js';
import type { NoteContent } from '../../formats/note/record.js';
import type { Violation } from '../check.js';
import type { ElfCheck } from './elf-check.js';
import { foreignNotesKept } from './foreign-notes.js';
import { describeNote, isBuildId, noteKey } from './note-facts.js';
import type { Pair } from './pair.js';
import { distinctWalks, type Subject, sectionPart, segmentPart } from './subject.js';
import { loadersAgree, xenNotesAsWanted } from './wanted-notes.js';

/** Checks that the notes of an edit are the wanted ones and that all others are as they were. */
export const editedNoteChecks: readonly ElfCheck[] = [
  {
    name: 'build-id-kept',
    invariant: 20,
    needs: 'baseline',
    because: 'debug information is found by the build-id',
    *run({ before, after, expectation }) {
      const { foreignAdded = [], foreignRemoved = [], foreignInSections: hidden } = expectation ?? {};
      const inSections = [...(hidden?.added ?? []), ...(hidden?.removed ?? [])];
      const planned = new Set([...foreignAdded, ...foreignRemoved, ...inSections].map(noteKey));
      const old = new Map(buildIds(before).map((note) => [noteKey(note), note]));
      const now = new Map(buildIds(after).map((note) => [noteKey(note), note]));
      const level = expectation === undefined && now.size > 0 ? 'warning' : 'error';
      for (const [key, note] of old)
        if (!now.has(key) && !planned.has(key)) yield { part: 'notes', level, text: `${describeNote(note)}, is gone` };
      for (const [key, note] of now)
        if (!old.has(key) && !planned.has(key)) yield { part: 'notes', level, text: `${describeNote(note)}, is new` };
    },
  },
  {
    name: 'written-section-walk',
    invariant: 28,
    needs: 'baseline',
    because: 'a note section that was written has to hold whole records and nothing else',
    *run(pair) {
      const written = new Set(writtenNoteSections(pair));
      for (const { kind, index, name, walk } of pair.after.areas()) {
        if (kind !== 'section' || !written.has(index) || walk.problem === undefined) continue;
        yield { offset: walk.end, part: name, text: walk.problem };
      }
    },
  },
  {
    name: 'xen-notes',
    invariant: 29,
    needs: 'expectation',
    because: 'these are the notes that were asked for, as Xen itself walks the image',
    run: xenNotesAsWanted,
  },
  {
    name: 'loaders-agree',
    invariant: 29,
    needs: 'expectation',
    because: 'QEMU and the rust-vmm monitors look for PHYS32_ENTRY each in their own way',
    run: loadersAgree,
  },
  {
    name: 'foreign-notes',
    invariant: 30,
    needs: 'baseline',
    because: 'notes of other owners mean something to other tools',
    run: foreignNotesKept,
  },
  {
    name: 'written-note-segments',
    invariant: 31,
    needs: 'baseline',
    because: 'QEMU pads by p_align and Xen passes over a PT_NOTE at offset 0',
    run: writtenNoteSegments,
  },
  {
    name: 'note-section-in-segment',
    invariant: 33,
    needs: 'baseline',
    because: 'a section half inside a PT_NOTE shows other notes than the loader sees',
    run: noteSectionInSegment,
  },
];

function buildIds(subject: Subject): NoteContent[] {
  const walks = [...distinctWalks(subject.areas(), 'segment'), ...distinctWalks(subject.areas(), 'section')];
  return walks.flatMap(({ records }) => records.filter(isBuildId));
}

/** Note sections of `after` that are new, or whose header says something else than before. */
function writtenNoteSections({ before, after, shift }: Pair): number[] {
  return after.image.sections.flatMap((now, index) => {
    if (now.sh_type !== SHT_NOTE) return [];
    const old = before.image.sections[index];
    const same =
      old?.sh_type === SHT_NOTE &&
      old.sh_size === now.sh_size &&
      movedOffset(shift, old.sh_offset) === now.sh_offset &&
      old.sh_addralign === now.sh_addralign;
    return same ? [] : [index];
  });
}

function* writtenNoteSegments({ before, after, counterparts, shift, expectation }: Pair): Generator<Violation> {
  const origin = new Map(counterparts.map((place, index) => [place, before.image.segments[index]]));
  const level = expectation === undefined ? 'warning' : 'error';
  for (const [index, now] of after.image.segments.entries()) {
    if (now.p_type !== PT_NOTE) continue;
    const old = origin.get(index);
    const same =
      old?.p_type === PT_NOTE &&
      old.p_align === now.p_align &&
      old.p_filesz === now.p_filesz &&
      movedOffset(shift, old.p_offset) === now.p_offset;
    if (same) continue;
    const violation = { offset: now.p_offset, part: segmentPart(index) };
    if (now.p_align !== 4n) {
      // Some readers want 8, and an edit in place leaves what it found.
      const meant = now.p_align === 8n || now.p_align === old?.p_align;
      yield {
        ...violation,
        level: meant ? 'warning' : level,
        text: `PT_NOTE was written with p_align ${hex(now.p_align)}, wanted 4`,
      };
    }
    const misplaced = now.p_offset === 0n || now.p_offset % 4n !== 0n;
    if (misplaced) {
      yield { ...violation, level, text: `PT_NOTE was written at ${hex(now.p_offset)}, wanted a multiple of 4 but 0` };
    }
    if (now.p_filesz === 0n) yield { ...violation, level, text: 'PT_NOTE was written empty, wanted PT_NULL instead' };
  }
}

function* noteSectionInSegment(pair: Pair): Generator<Violation> {
  const { image } = pair.after;
  const segments = image.segments.flatMap((s, index) =>
    s.p_type === PT_NOTE ? [{ index, range: segmentFileRange(s) }] : [],
  );
  const edges = segments.flatMap(({ range: { start, end } }) => (start < end ? [start, end] : [])).sort(compare);
  const isCut = ({ start, end }: Range) => (edges[countWhile(edges, (edge) => edge <= start)] ?? end) < end;
  let told = 0;
  for (const index of writtenNoteSections(pair)) {
    const section = image.sections[index];
    if (section === undefined || told > TOLD) continue;
    const range = sectionFileRange(section);
    // Only one that begins or ends within the section holds a part of it; the search for it is for the few that are told.
    if (!isCut(range)) continue;
    const half = segments.find((segment) => overlaps(segment.range, range) && !contains(segment.range, range));
    if (half === undefined) continue;
    told += 1;
    const text = `its bytes ${show(range)} are partly in PT_NOTE ${half.index}, ${show(half.range)}`;
    yield { offset: range.start, part: sectionPart(image, index), text };
  }
}

/** More than are told by name of any check. */
const TOLD = 1000;

function show({ start, end }: Range): string {
  return hexRange(start, end);
}
