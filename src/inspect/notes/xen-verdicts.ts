/**
 * What Xen does with each note of an image, and by which rule: a comparison of the notes that are there with the ones
 * that Xen's own walk finds (xen/common/libelf/libelf-dominfo.c).
 */
import { hex } from '../../base/errors/hex.js';
import { quoted } from '../../base/printable.js';
import { XEN } from '../../formats/note/note-types.js';
import type { NoteRecord } from '../../formats/note/record.js';
import { noteInfo, type XenNoteInfo, type XenNoteName } from '../../formats/note/xen-notes.js';
import type { XenReads, XenView } from '../../loaders/read/loader-walks.js';
import type { Meaning } from './note-meanings.js';

/** Guests that a note can be for. */
export type Guest = 'pv' | 'pvh' | 'dom0';

/** What Xen does with a note, and by which rule. */
export interface XenVerdict {
  readonly used: boolean;
  readonly rule: /** Xen reads it and acts on it. */
    | 'used'
    /** Xen reads it, and nothing depends on it. */
    | 'stored'
    | 'other-owner'
    /** Xen counts it and skips it. */
    | 'unknown-type'
    /** A later note of the same type counts. */
    | 'overridden'
    /** Xen reads another value than stands there: a size that is none of a number, more than 32 bits, no NUL. */
    | 'reads-otherwise'
    /** Its string does not end. */
    | 'unreadable'
    /** Segments hold Xen notes, so sections are not looked at. */
    | 'segments-first'
    /** Xen's walk does not reach the note: it lost its step before, or skips the segment. */
    | 'not-reached'
    /** The image has Xen notes, so the legacy string is not looked at. */
    | 'notes-first';
  readonly text: string;
  /** The guests whose loader uses it. */
  readonly guests: readonly Guest[];
}

/** Types whose repeats add up instead of replacing each other. */
const ADDING: ReadonlySet<XenNoteName> = new Set(['FEATURES', 'SUPPORTED_FEATURES', 'BSD_SYMTAB', 'PAE_MODE']);

/** A note to be judged. */
export interface JudgedNote {
  readonly owner: string;
  readonly record: NoteRecord;
  readonly meaning: Meaning;
  /** Does a PT_NOTE hold it? */
  readonly inSegment: boolean;
}

/** Prepares the verdicts for the notes of one image; the answer is asked for note by note. */
export function xenJudge(view: XenView): (note: JudgedNote) => XenVerdict {
  const seen = new Map<bigint, XenReads>();
  const last = new Map<number, bigint>();
  for (const { record, reads } of view.notes) {
    seen.set(record.offset, reads);
    last.set(record.type, record.offset);
  }
  return (note) => {
    if (note.owner !== XEN) return ignored('other-owner', 'not for Xen');
    const reads = seen.get(note.record.offset);
    if (reads !== undefined) return judgeSeen(note, reads, last.get(note.record.type) ?? note.record.offset);
    return view.from === 'segments' && !note.inSegment
      ? ignored('segments-first', 'ignored: a PT_NOTE holds Xen notes, this is in a section only')
      : ignored('not-reached', "ignored: Xen's note walk never reaches this record");
  };
}

/** The verdict on the `__xen_guest` section of that index. */
export function judgeLegacy(section: number, view: XenView): XenVerdict {
  if (view.from === 'legacy' && view.legacySection === section) {
    return { used: true, rule: 'used', text: 'PV, dom0 (never PVH)', guests: ['pv', 'dom0'] };
  }
  if (view.notes.length > 0) return ignored('notes-first', 'ignored: the image has Xen notes');
  return ignored('not-reached', 'ignored: Xen does not find the section');
}

function judgeSeen({ record, meaning }: JudgedNote, reads: XenReads, winner: bigint): XenVerdict {
  const info = noteInfo(record.type);
  if (info === undefined || info.name === 'INFO') return ignored('unknown-type', 'ignored: not a type that Xen reads');
  if (reads.kind === 'unreadable') return ignored('unreadable', 'dropped: its string has no end');
  if (winner !== record.offset && !ADDING.has(info.name)) {
    return ignored('overridden', `overridden by the note at ${hex(winner)}`);
  }
  const guests = guestsOf(info);
  if (guests.length === 0) return { used: false, rule: 'stored', text: 'nothing: read, but not used', guests };
  const users = guests.map((guest) => GUEST_NAMES[guest]).join(', ');
  const other = otherReading(meaning, reads);
  if (other !== undefined) return { used: true, rule: 'reads-otherwise', text: `${users}: read as ${other}`, guests };
  return { used: true, rule: 'used', text: users, guests };
}

/** What Xen reads, where that is not what stands there. */
function otherReading(meaning: Meaning, reads: XenReads): string | undefined {
  if (reads.kind === 'number') {
    return meaning.kind === 'number' && meaning.value === reads.value ? undefined : hex(reads.value);
  }
  if (reads.kind === 'string') {
    return meaning.kind === 'string' && meaning.text === reads.text ? undefined : quoted(reads.text);
  }
  if (reads.kind === 'words') {
    const same = meaning.kind === 'list' && reads.words.every((word, i) => word === meaning.items[i]);
    return same ? undefined : reads.words.map(hex).join(', ');
  }
  return undefined;
}

const GUEST_NAMES = { pv: 'PV', pvh: 'PVH', dom0: 'dom0' } as const;

function guestsOf(info: XenNoteInfo): Guest[] {
  return (['pv', 'pvh', 'dom0'] as const).filter((guest) => info[guest] !== 'ignored');
}

function ignored(rule: XenVerdict['rule'], text: string): XenVerdict {
  return { used: false, rule, text, guests: [] };
}
