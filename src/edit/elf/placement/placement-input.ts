/** What every placement is given: the analysis of the image, where its notes are, and the notes it shall have. */
import { ZEROS } from '../../../base/bytes/byte-comparison.js';
import type { Range } from '../../../base/bytes/range.js';
import { joinBytes } from '../../../base/bytes/text.js';
import { notesSize, placeNotes } from '../../../formats/note/large-notes.js';
import { NEUTRAL_OWNER, XEN_ELFNOTE } from '../../../formats/note/note-types.js';
import { encodedSize, type NoteContent, type NoteRecord, nameOf, ownerOf } from '../../../formats/note/record.js';
import type { Analysis } from '../plan/analyze.js';
import type { KindAnswer } from '../plan/image-kind.js';
import type { OtherOwnersNotes } from '../plan/other-owners.js';
import type { PlacementOptions } from '../plan/placement-options.js';
import type { RewriteTarget } from '../plan/rewrite-target.js';
import type { WantedNote } from '../plan/wanted.js';
import type { Blob, CopiedBlob } from './layout.js';
import { isPackage, packagesLast } from './package-part.js';

/** Everything that a placement may look at. */
export interface PlacementInput {
  readonly analysis: Analysis;
  readonly target: RewriteTarget;
  readonly wanted: readonly WantedNote[];
  /** What becomes of notes of other owners. */
  readonly otherOwners: OtherOwnersNotes;
  /** Is the edit about Xen's notes? If not, it is enough that they stay as good as they are. */
  readonly xenEdited: boolean;
  /** Write the notes anew even where they say what they shall say. */
  readonly rewrite: boolean;
  readonly options: PlacementOptions;
  /** A program finds its headers in memory when it runs, and they stay as they are. */
  readonly kind: KindAnswer;
}

/**
 * All records of the merged PT_NOTE: the target's records in their order, replaced, dropped or kept as wanted, and new ones
 * behind them, those of other owners last, and package metadata behind all that is new. A type-18 note of another owner in front
 * would hide PHYS32_ENTRY from QEMU, which does not look at owners; then PHYS32_ENTRY goes first.
 */
export function mergedNotes({ target, wanted, otherOwners }: PlacementInput): NoteContent[] {
  const byOffset = new Map(wanted.flatMap((w) => (w.original === undefined ? [] : [[w.original.offset, w.content]])));
  const xen = new Set(target.xen.map(({ offset }) => offset));
  const kept = target.records.flatMap((record): NoteContent[] => {
    if (!xen.has(record.offset)) return foreignNote(otherOwners, record);
    const content = byOffset.get(record.offset);
    return content === undefined ? [] : [content];
  });
  const fresh = wanted.filter(({ original }) => original === undefined).map(({ content }) => content);
  const added = [...fresh, ...otherOwners.added];
  const joined = [...kept, ...added];
  const all = added.some((note) => !isPackage(note)) ? packagesLast(joined) : joined;
  const own = all.find(isPhysEntry(wanted));
  const first = all.find(({ type }) => type === XEN_ELFNOTE.PHYS32_ENTRY);
  if (own === undefined || first === own) return all;
  return [own, ...all.filter((note) => note !== own)];
}

function foreignNote({ changed }: OtherOwnersNotes, record: NoteRecord): NoteContent[] {
  if (!changed.has(record.offset)) return [record];
  const content = changed.get(record.offset);
  return content === undefined ? [] : [content];
}

function isPhysEntry(wanted: readonly WantedNote[]): (note: NoteContent) => boolean {
  const contents = new Set(wanted.map(({ content }) => content));
  return (note) => note.type === XEN_ELFNOTE.PHYS32_ENTRY && contents.has(note);
}

/**
 * Why these records cannot stand in a PT_NOTE with p_align 8; undefined where they can, or nobody asked for it. Every record
 * but the last must fill a multiple of 8 without padding, because Xen always steps by 4.
 */
export function gapAtEight({ options }: PlacementInput, notes: readonly NoteContent[]): string | undefined {
  if (options.notesAlign !== 8) return undefined;
  const odd = notes.slice(0, -1).find((note) => encodedSize(note) % 8 !== 0);
  if (odd === undefined) return undefined;
  return `with --notes-align 8 the note of type ${odd.type} leaves a gap that Xen cannot step over; give it a width of 8`;
}

/** Do all notes that are there stay as they are, and new ones come? None of Xen's may be among those that would move. */
export function onlyAdds({ target, otherOwners, wanted }: PlacementInput): boolean {
  if (otherOwners.changed.size > 0 || target.xen.length > 0 || target.damaged !== undefined) return false;
  return wanted.every(({ original }) => original === undefined);
}

/** Does something go, and all that is left is what was there, as it was? */
export function onlyRemoves({
  wanted,
  otherOwners,
  target,
  rewrite,
}: Pick<PlacementInput, 'wanted' | 'otherOwners' | 'target' | 'rewrite'>): boolean {
  const { added, overwritten, changed } = otherOwners;
  if (rewrite || added.length > 0 || overwritten.length > 0 || target.damaged !== undefined) return false;
  if ([...changed.values()].some((content) => content !== undefined)) return false;
  if (wanted.some(({ content, original }) => original !== content)) return false;
  return changed.size > 0 || wanted.length < target.xen.length;
}

/** The Xen notes of a list of records that the job wants, in the order they will stand. */
export function xenOf(input: PlacementInput, notes: readonly NoteContent[]): NoteContent[] {
  const wanted = new Set(input.wanted.map(({ content }) => content));
  return notes.filter((note) => wanted.has(note));
}

/** What is written of notes: bytes, and copies of what is too large for memory. */
export interface Parts {
  readonly blobs: readonly Blob[];
  readonly copies: readonly CopiedBlob[];
}

/** Several of them as one. */
export function joined(parts: readonly Parts[]): Parts {
  return { blobs: parts.flatMap(({ blobs }) => blobs), copies: parts.flatMap(({ copies }) => copies) };
}

/** Records from a place of the output on, and zeros behind them up to `end`: no walker shall find remains. */
export function noteParts(notes: readonly NoteContent[], { analysis }: PlacementInput, { start, end }: Range): Parts {
  const what = 'notes';
  const { writes, copies } = placeNotes(notes, analysis.image.encoding.endian, start);
  const rest = zeroParts({ start: start + notesSize(notes), end }, what);
  const [last] = writes.slice(-1);
  const [zeros] = rest.blobs;
  // One stretch of bytes stays one.
  const joins = last !== undefined && zeros !== undefined && last.offset + BigInt(last.bytes.length) === zeros.offset;
  const whole = joins
    ? [{ offset: last.offset, bytes: joinBytes([last.bytes, zeros.bytes]) }]
    : [...writes.slice(-1), ...rest.blobs];
  return {
    blobs: [...writes.slice(0, -1), ...whole].map((write) => ({ ...write, what })),
    copies: [...copies.map((copy) => ({ ...copy, what })), ...rest.copies],
  };
}

/** More zeros than this are copied from where there is nothing else. */
const ZEROS_AT_ONCE = 0x100000n;

/** Zeros over a range of the output. */
export function zeroParts({ start, end }: Range, what: string): Parts {
  const size = end - start;
  if (size <= 0n) return { blobs: [], copies: [] };
  if (size > ZEROS_AT_ONCE) return { blobs: [], copies: [{ to: start, source: ZEROS, offset: 0n, size, what }] };
  return { blobs: [{ offset: start, bytes: new Uint8Array(Number(size)), what }], copies: [] };
}

/** Descriptors of other owners that are overwritten where they stand, outside the rewrite target; `at` answers where that is now. */
export function overwriteParts(
  { otherOwners }: PlacementInput,
  at: (offset: bigint) => bigint = (offset) => offset,
): Parts {
  return joined(
    otherOwners.overwritten.map(({ record, content: { desc, rest } }) => {
      const what = `note of ${ownerOf(record.name)}`;
      const offset = at(record.descOffset);
      const copies = rest === undefined ? [] : [{ ...rest, to: offset + BigInt(desc.length), what }];
      return { blobs: [{ offset, bytes: desc, what }], copies };
    }),
  );
}

/** Alignment may cost a file this much, which is more than any page; beyond it, an alignment is taken for a mistake. */
export const PADDING_LIMIT = 0x1000000n;

/** For messages: a size with its unit. */
export function bytesText(size: bigint): string {
  return `${size} byte${size === 1n ? '' : 's'}`;
}

/** Bytes in a range. */
export function sizeOf({ start, end }: Range): bigint {
  return end - start;
}

/** The owner written over a note that no loader shall find any more, in as many bytes as the old one had. */
export function neutralName(length: number): Uint8Array {
  const name = new Uint8Array(length);
  name.set(NOBODY.subarray(0, length));
  return name;
}

const NOBODY = nameOf(NEUTRAL_OWNER);
