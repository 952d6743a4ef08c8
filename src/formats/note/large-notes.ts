/**
 * Notes whose descriptors are larger than what is held in memory (a single executable application's blob): walked through a
 * window, and written as bytes and copies. What is in memory of such a descriptor is its start.
 */
import type { ByteSource, Copied, Write } from '../../base/bytes/source.js';
import { fail } from '../../base/errors/patch-error.js';
import type { Encoding } from '../elf/struct.js';
import {
  type AreaBytes,
  encodedSize,
  encodeHead,
  encodeNotes,
  NHDR_SIZE,
  type NoteContent,
  roundUp,
} from './record.js';

/** What of a large descriptor is in memory. */
export const KEPT = 0x1000;
/** A note header counts the bytes of a descriptor in 32 bits, padding included. */
export const DESC_LIMIT = 0xffff_fff0n;
const WINDOW = 0x10000;

/** A note area read through a window; of what it gives at most `limit` bytes are kept. Errors: `note.too-large`. */
export function windowedArea(source: ByteSource, start: bigint, size: number, limit: bigint, name: string): AreaBytes {
  let from = 0;
  let window: Uint8Array = new Uint8Array(0);
  let left = limit;
  return {
    size,
    bytes(first, end) {
      const length = end - first;
      if (length > NHDR_SIZE) left -= BigInt(length);
      if (left < 0n) {
        const place = { file: source.name, offset: start + BigInt(first), part: name };
        fail('note.too-large', place, { what: 'what stays in memory of a note area', found: limit - left, limit });
      }
      if (length > WINDOW) return source.read(start + BigInt(first), BigInt(length), name);
      if (first < from || end > from + window.length) {
        from = first;
        window = source.read(start + BigInt(first), BigInt(Math.min(WINDOW, size - first)), name);
      }
      return window.slice(first - from, end - from);
    },
    rest(first, end) {
      if (end - first <= KEPT) return undefined;
      const offset = start + BigInt(first + KEPT);
      return { kept: KEPT, rest: { source, offset, size: BigInt(end - first - KEPT) } };
    },
  };
}

/** Records as they are written to a file: what is in memory, and what is copied. */
export interface EncodedNotes {
  readonly writes: readonly Write[];
  readonly copies: readonly Copied[];
}

/** Bytes that the records take. */
export function notesSize(notes: readonly NoteContent[]): bigint {
  return BigInt(notes.reduce((sum, note) => sum + encodedSize(note), 0));
}

/** Records back to back from a file offset on. */
export function placeNotes(notes: readonly NoteContent[], endian: Encoding['endian'], start: bigint): EncodedNotes {
  const writes: Write[] = [];
  const copies: Copied[] = [];
  let at = start;
  let run: NoteContent[] = [];
  const flush = () => {
    if (run.length > 0) writes.push({ offset: at, bytes: encodeNotes(run, endian) });
    at += notesSize(run);
    run = [];
  };
  for (const note of notes) {
    if (note.rest === undefined) {
      run.push(note);
      continue;
    }
    flush();
    const head = encodeHead(note, endian);
    const to = at + BigInt(head.length);
    const end = to + note.rest.size;
    const padding = roundUp(Number(note.rest.size) + head.length, 4) - Number(note.rest.size) - head.length;
    writes.push({ offset: at, bytes: head });
    copies.push({ ...note.rest, to });
    if (padding > 0) writes.push({ offset: end, bytes: new Uint8Array(padding) });
    at += BigInt(encodedSize(note));
  }
  flush();
  return { writes, copies };
}
