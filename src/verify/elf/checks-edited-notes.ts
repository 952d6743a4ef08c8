/** Laws about notes after an edit: the wanted ones are there for every reader, the others are as they were. */

import { compare, contains, overlaps, type Range } from '../../base/bytes/range.js';
import { movedOffset } from '../../base/bytes/shifted.js';
import { hex, hexRange } from '../../base/errors/hex.js';
import { sectionFileRange, segmentFileRange } from '../../formats/elf/image.js';
import { PT_NOTE, SHT_NOTE } from '../../formats/elf/names.js';
import { XEN_ELFNOTE } from '../../formats/note/note-types.js';
import { isXens, type NoteContent, ownerOf, sameNote } from '../../formats/note/record.js';
import {
  physEntryAsLinuxLoader,
  physEntryAsQemu,
  physEntryAsQemuFrom,
  walkAsXen,
} from '../../loaders/read/loader-walks.js';
import type { Violation } from '../check.js';
import type { ElfCheck, PlannedPair } from './elf-check.js';
import { describeNote, isBuildId, isNobodys, isPhysEntry, noteKey } from './note-facts.js';
import type { Pair } from './pair.js';
import { distinctWalks, type Subject, sectionPart, segmentPart } from './subject.js';

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

function* xenNotesAsWanted({ before, after, expectation }: PlannedPair): Generator<Violation> {
  const view = walkAsXen(after.image);
  const kept = expectation.xenKept === true;
  const xenNotes = kept ? walkAsXen(before.image).notes.map(({ record }) => record) : expectation.xenNotes;
  // What was asked for has to be seen through segments; where nothing was, Xen may not find anything anywhere.
  const found = kept || view.from === 'segments' || xenNotes.length === 0 ? view.notes : [];
  const part = 'notes as Xen walks them';
  for (const [index, wanted] of xenNotes.entries()) {
    const note = found[index];
    if (note === undefined) {
      yield { part, text: `note ${index} is missing, wanted type ${wanted.type} with ${wanted.desc.length} bytes` };
    } else if (!sameNote(note.record, wanted)) {
      const text = `note ${index} is ${describeNote(note.record)}, wanted other contents: ${describeNote(wanted)}`;
      yield { offset: note.record.offset, part, text };
    }
  }
  for (const { record } of found.slice(xenNotes.length)) {
    yield { offset: record.offset, part, text: `found ${describeNote(record)} beyond the notes that were wanted` };
  }
}

function* loadersAgree({ before, after, expectation }: PlannedPair): Generator<Violation> {
  const { xenNotes, xenKept, isProgram } = expectation;
  const { image } = after;
  if (image.encoding.endian === 'big') return;
  if (xenKept === true) {
    // What a loader of kernels makes of a program is chance: QEMU reads on behind a PT_NOTE, whatever stands there.
    if (isProgram !== true) yield* loadersSeeTheSame(before, after);
    return;
  }
  const wanted = xenNotes.filter(isPhysEntry);
  const entry = wanted[0] === undefined ? undefined : lowWord(wanted[0].desc);
  // Which of several counts is each loader's own choice.
  if (wanted.length > 1 || (entry === undefined && isProgram === true)) return;
  const views = [{ who: 'QEMU', ...physEntryAsQemu(image), level: qemuLevel(after) }];
  if (image.encoding.bits === 64) {
    views.push({ who: 'linux-loader', ...physEntryAsLinuxLoader(image), level: 'error' });
  }
  for (const { who, found, value, problem, level } of views) {
    const part = `PHYS32_ENTRY as ${who} sees it`;
    if (entry === undefined) {
      // A note of another owner with that type is taken for one, and was before.
      const foreign = distinctWalks(before.areas(), 'segment').some(({ records }) =>
        records.some((note) => note.type === XEN_ELFNOTE.PHYS32_ENTRY && !isXens(note)),
      );
      if (found) yield { part, level: foreign ? 'warning' : level, text: `found ${hex(value)}, wanted none` };
    } else if (entry !== 0n && !(found && value === entry)) {
      yield { part, level, text: `found ${problem ?? (found ? hex(value) : 'none')}, wanted ${hex(entry)}` };
    }
  }
}

/** A loader that found the entry point before finds the same one now. */
function* loadersSeeTheSame(before: Subject, after: Subject): Generator<Violation> {
  for (const [who, look] of [
    ['QEMU', physEntryAsQemu],
    ['linux-loader', physEntryAsLinuxLoader],
  ] as const) {
    const old = look(before.image);
    const now = look(after.image);
    if (!old.found || (now.found && now.value === old.value)) continue;
    const found = now.problem ?? (now.found ? hex(now.value) : 'none');
    yield { part: `PHYS32_ENTRY as ${who} sees it`, text: `found ${found}, wanted ${hex(old.value)} as before` };
  }
}

/**
 * QEMU may run out of another owner's PT_NOTE, and misreads other paddings than 4; neither comes from an edit, so both
 * are warnings.
 */
function qemuLevel({ image, areas }: Subject): 'error' | 'warning' {
  const lost = physEntryAsQemu(image);
  const segments = areas().filter(({ kind }) => kind === 'segment');
  const xens = new Set(distinctWalks(segments, 'segment').filter(({ records }) => records.some(isXens)));
  const own = segments.filter(({ walk }) => xens.has(walk)).map(({ index }) => index);
  // Lost in another owner's notes, not in Xen's.
  if (!lost.found && lost.problem !== undefined && physEntryAsQemuFrom(image, own).found) return 'warning';
  const odd = image.segments.some((s) => s.p_type === PT_NOTE && s.p_filesz > 0n && !QEMU_ALIGNS.has(s.p_align));
  return odd ? 'warning' : 'error';
}

const QEMU_ALIGNS: ReadonlySet<bigint> = new Set([1n, 2n, 4n]);

/** The 32 bits that PVH loaders use; the images that have such loaders are little-endian. */
function lowWord(desc: Uint8Array): bigint {
  return desc.subarray(0, 4).reduce((sum, byte, index) => sum + (BigInt(byte) << BigInt(8 * index)), 0n);
}

function* foreignNotesKept(pair: Pair): Generator<Violation> {
  const { foreignAdded = [], foreignRemoved = [] } = pair.expectation ?? {};
  const shown = foreign(pair.after, 'segment');
  const level = foreignLevel(pair, shown);
  const seen = count(shown);
  const wanted = count([...foreign(pair.before, 'segment'), ...foreignAdded]);
  for (const note of foreignRemoved) take(wanted, note);
  for (const [key, { note, times }] of wanted) {
    const found = seen.get(key)?.times ?? 0;
    if (found === times) continue;
    yield {
      part: 'note segments',
      level: level('less', note),
      text: `found ${describeNote(note)}, ${found} times, wanted ${times}`,
    };
  }
  // Without an expectation: an edit may have brought notes into a segment that only sections showed.
  const inSections = pair.expectation === undefined ? count(foreign(pair.before, 'section')) : new Map();
  for (const [key, { note }] of seen) {
    if (wanted.has(key) || inSections.has(key)) continue;
    const text = `found ${describeNote(note)}, which was not there before`;
    yield { part: 'note segments', level: level('more', note), text };
  }
  const { added = [], removed = [] } = pair.expectation?.foreignInSections ?? {};
  yield* foreignInSections(pair, [...foreignAdded, ...added], [...foreignRemoved, ...removed]);
  const inThem = count(foreign(pair.after, 'section'));
  for (const note of added) {
    if (inThem.has(noteKey(note))) continue;
    yield { part: 'note sections', text: `found no ${describeNote(note)}, wanted it where it was overwritten` };
  }
}

/**
 * Without an expectation a note that is new, or says something else, may be a stamp, and is a warning. That
 * the last one of an owner and type is gone stays an error.
 */
function foreignLevel(
  { expectation }: Pair,
  shown: readonly NoteContent[],
): (what: 'less' | 'more', note: NoteContent) => 'error' | 'warning' {
  if (expectation !== undefined) return () => 'error';
  const kinds = new Set(shown.map(kindOf));
  return (what, note) => (what === 'more' || kinds.has(kindOf(note)) ? 'warning' : 'error');
}

function kindOf({ name, type }: NoteContent): string {
  return `${type} ${ownerOf(name)}`;
}

/** A new section may show a merged copy once more, so only what is shown counts here, not how often. */
function* foreignInSections(
  pair: Pair,
  added: readonly NoteContent[],
  removed: readonly NoteContent[],
): Generator<Violation> {
  const sections = foreign(pair.after, 'section');
  const level = foreignLevel(pair, sections);
  const shown = count(sections);
  const before = count(foreign(pair.before, 'section'));
  const known = count([...foreign(pair.before, 'section'), ...foreign(pair.before, 'segment'), ...added]);
  const gone = count(removed);
  const part = 'note sections';
  for (const [key, { note }] of before) {
    if (shown.has(key) || gone.has(key)) continue;
    yield { part, level: level('less', note), text: `${describeNote(note)}, is gone` };
  }
  for (const [key, { note }] of shown) {
    if (known.has(key)) continue;
    yield { part, level: level('more', note), text: `found ${describeNote(note)}, which was not there before` };
  }
}

type Counted = Map<string, { readonly note: NoteContent; times: number }>;

function foreign(subject: Subject, kind: 'segment' | 'section'): NoteContent[] {
  const walks = distinctWalks(subject.areas(), kind);
  return walks.flatMap(({ records }) => records.filter((note) => !isXens(note) && !isNobodys(note)));
}

function count(notes: readonly NoteContent[]): Counted {
  const counted: Counted = new Map();
  for (const note of notes) {
    const entry = counted.get(noteKey(note));
    if (entry === undefined) counted.set(noteKey(note), { note, times: 1 });
    else entry.times += 1;
  }
  return counted;
}

function take(counted: Counted, note: NoteContent): void {
  const entry = counted.get(noteKey(note));
  if (entry === undefined) return;
  entry.times -= 1;
  if (entry.times === 0) counted.delete(noteKey(note));
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
  const isCut = ({ start, end }: Range) => (edges[firstAbove(edges, start)] ?? end) < end;
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

/** Index of the first of sorted numbers above one; logarithmic. */
function firstAbove(sorted: readonly bigint[], value: bigint): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? value) <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function show({ start, end }: Range): string {
  return hexRange(start, end);
}
