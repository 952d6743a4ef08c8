/** Are the notes of other owners as they were, in segments and in sections, but for those that were asked for? */

import { isXens, type NoteContent, ownerOf } from '../../formats/note/record.js';
import type { Violation } from '../check.js';
import { describeNote, isNobodys, noteKey } from './note-facts.js';
import type { Pair } from './pair.js';
import { distinctWalks, type Subject } from './subject.js';

/** Every note of another owner is shown as often as it was, with what was added and removed on request. */
export function* foreignNotesKept(pair: Pair): Generator<Violation> {
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
