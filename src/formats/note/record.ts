/**
 * Note framing, both ways (gABI, "Note Section"): a header of three 32-bit words, the name, the descriptor, each padded.
 * What a note means is not known here; every record is kept byte for byte.
 */

import { newBlocks, sameStretch } from '../../base/bytes/byte-comparison.js';
import { BufferSource, type BytesAt } from '../../base/bytes/source.js';
import { equalBytes, latin1 } from '../../base/bytes/text.js';
import { hex } from '../../base/errors/hex.js';
import { Nhdr } from '../elf/headers.js';
import type { Encoding } from '../elf/struct.js';
import { XEN } from './note-types.js';

/** A note without its place. */
export interface NoteContent {
  /** n_namesz bytes, the NUL included. */
  readonly name: Uint8Array;
  readonly type: number;
  /** The descriptor, or, where it goes on in `rest`, its start. */
  readonly desc: Uint8Array;
  /** What of a large descriptor stands behind `desc`; it is never held in memory. Undefined: `desc` is all of it. */
  readonly rest?: BytesAt | undefined;
}

/** A note where it was found. */
export interface NoteRecord extends NoteContent {
  /** File offset of the record's header. */
  readonly offset: bigint;
  /** File offset of the descriptor. */
  readonly descOffset: bigint;
  /** The whole record, paddings included. */
  readonly size: bigint;
}

/** What a strict walk of a note area found. */
export interface NoteWalk {
  readonly records: readonly NoteRecord[];
  /** The padding unit that was used. */
  readonly unit: 4 | 8;
  /** File offset behind the last whole record. */
  readonly end: bigint;
  /** Why the walk stopped before the end of the area; undefined when the records fill it exactly. */
  readonly problem: string | undefined;
}

/** Records kept per walk; Xen itself stops at this count. */
export const RECORD_LIMIT = 65_536;

/** Bytes of a note header, in both classes. */
export const NHDR_SIZE = 12;

/** The n_name bytes of an owner: one character a byte, and the NUL. */
export function nameOf(owner: string): Uint8Array {
  return Uint8Array.from(`${owner}\0`, (character) => character.charCodeAt(0));
}

/** The owner name of every note Xen reads: `Xen` and its NUL. */
export const XEN_OWNER: Uint8Array = nameOf(XEN);

const ENCODING_OF = {
  little: { bits: 64, endian: 'little' },
  big: { bits: 64, endian: 'big' },
} as const;

/**
 * Walks a note area strictly. `start` is the file offset of `bytes`, `align` the p_align or sh_addralign that declares
 * the padding: 8 only if it is exactly 8, else 4. Files exist that say 8 and pad by 4 (GRUB's x86_64-xen images), so 4
 * is taken when it explains the area better. The padding of the last record may be missing.
 */
export function walkNotes(bytes: Uint8Array, start: bigint, endian: Encoding['endian'], align: bigint): NoteWalk {
  return walkArea({ size: bytes.length, bytes: (from, to) => bytes.subarray(from, to) }, start, endian, align);
}

/** The bytes of a note area as a walk asks for them. Offsets from its start. */
export interface AreaBytes {
  readonly size: number;
  bytes(from: number, to: number): Uint8Array;
  /** How much of a long descriptor stays behind, and where; undefined: nothing does. */
  rest?(from: number, to: number): { readonly kept: number; readonly rest: BytesAt } | undefined;
}

/** walkNotes() over an area that need not be in memory. Errors: those of its `bytes`. */
export function walkArea(area: AreaBytes, start: bigint, endian: Encoding['endian'], align: bigint): NoteWalk {
  if (align !== 8n) return walkBy(4, area, start, endian).walk;
  const by8 = walkBy(8, area, start, endian);
  if (by8.fit === EXACT && hasNames(by8.walk)) return by8.walk;
  const by4 = walkBy(4, area, start, endian);
  const fit4 = hasNames(by4.walk) ? by4.fit : LOST;
  const fit8 = hasNames(by8.walk) ? by8.fit : LOST;
  return fit4 > fit8 ? by4.walk : by8.walk;
}

/** Does every name end in its NUL? A walk that fell out of step may still end where the area ends; its names give it away. */
function hasNames({ records }: NoteWalk): boolean {
  return records.every(({ name }) => name.length === 0 || name.at(-1) === 0);
}

/** How well a padding unit explains an area: all of it, all but trailing zeros, or not. */
const EXACT = 2;
const ZERO_TAIL = 1;
const LOST = 0;

function walkBy(
  unit: 4 | 8,
  area: AreaBytes,
  start: bigint,
  endian: Encoding['endian'],
): { walk: NoteWalk; fit: number } {
  const records: NoteRecord[] = [];
  const { size } = area;
  let at = 0;
  const stop = (fit: number, problem: string | undefined) => ({
    walk: { records, unit, end: start + BigInt(at), problem },
    fit,
  });

  while (at < size) {
    const remain = size - at;
    if (remain < NHDR_SIZE) {
      const zero = area.bytes(at, size).every((byte) => byte === 0);
      const what = zero ? 'zero bytes' : 'bytes';
      return stop(zero ? ZERO_TAIL : LOST, `${hex(remain)} ${what} at ${hex(start + BigInt(at))} hold no record`);
    }
    if (records.length === RECORD_LIMIT) return stop(LOST, `more than ${RECORD_LIMIT} records`);

    // Sizes of 32 bits each: these sums stay far below 2^53.
    const { n_namesz, n_descsz, n_type } = Nhdr.decode(area.bytes(at, at + NHDR_SIZE), 0, ENCODING_OF[endian]);
    const desc = roundUp(NHDR_SIZE + n_namesz, unit);
    const need = desc + n_descsz;
    if (need > remain) {
      const where = hex(start + BigInt(at));
      return stop(LOST, `record at ${where} needs ${hex(need)} bytes, ${hex(remain)} remain`);
    }
    const whole = Math.min(roundUp(need, unit), remain);
    const apart = area.rest?.(at + desc, at + need);
    records.push({
      name: area.bytes(at + NHDR_SIZE, at + NHDR_SIZE + n_namesz),
      type: n_type,
      desc: area.bytes(at + desc, apart === undefined ? at + need : at + desc + apart.kept),
      ...(apart === undefined ? {} : { rest: apart.rest }),
      offset: start + BigInt(at),
      descOffset: start + BigInt(at + desc),
      size: BigInt(whole),
    });
    at += whole;
  }
  return stop(EXACT, undefined);
}

/** Rounds up to a power of two, exact for sums of two 32-bit sizes. */
export function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

/** Bytes of the whole descriptor. */
export function descSize({ desc, rest }: Pick<NoteContent, 'desc' | 'rest'>): number {
  return desc.length + Number(rest?.size ?? 0n);
}

/** Bytes of one record when padded to 4. */
export function encodedSize(note: NoteContent): number {
  return NHDR_SIZE + roundUp(note.name.length, 4) + roundUp(descSize(note), 4);
}

/**
 * Records back to back, each padded to 4, the padding zero. A type wider than 32 bits is a fault of the program.
 * Errors: those of reading what is large, `read.too-large`; placeNotes() takes those.
 */
export function encodeNotes(notes: readonly NoteContent[], endian: Encoding['endian']): Uint8Array {
  const bytes = new Uint8Array(notes.reduce((sum, note) => sum + encodedSize(note), 0));
  let at = 0;
  for (const note of notes) {
    const head = encodeHead(note, endian);
    bytes.set(head, at);
    const { rest } = note;
    if (rest !== undefined) bytes.set(rest.source.read(rest.offset, rest.size, 'descriptor'), at + head.length);
    at += encodedSize(note);
  }
  return bytes;
}

/** A record up to the end of what of its descriptor is in memory, without the padding behind it. */
export function encodeHead(note: NoteContent, endian: Encoding['endian']): Uint8Array {
  const { name, desc, type } = note;
  const at = NHDR_SIZE + roundUp(name.length, 4);
  const bytes = new Uint8Array(at + desc.length);
  const header = { n_namesz: name.length, n_descsz: descSize(note), n_type: type };
  Nhdr.encodeInto(bytes, 0, header, ENCODING_OF[endian]);
  bytes.set(name, NHDR_SIZE);
  bytes.set(desc, at);
  return bytes;
}

/** The owner: the name up to its first NUL, one character a byte. */
export function ownerOf(name: Uint8Array): string {
  const end = name.indexOf(0);
  const used = end < 0 ? name : name.subarray(0, end);
  return latin1(used);
}

/** Is the owner Xen? Only what stands in front of the first NUL counts. */
export function isXens({ name }: Pick<NoteContent, 'name'>): boolean {
  return ownerOf(name) === XEN;
}

/** A note of Xen's. */
export function xenNote(type: number, desc: Uint8Array): NoteContent {
  return { name: XEN_OWNER, type, desc };
}

/** Are name, type and descriptor the same bytes? */
export function sameNote(a: NoteContent, b: NoteContent): boolean {
  return a.type === b.type && sameBytes(a.name, b.name) && sameDesc(a, b);
}

type Desc = Pick<NoteContent, 'desc' | 'rest'>;

/** Are the descriptors the same bytes, however much of them is in memory? Errors: those of reading. */
export function sameDesc(a: Desc, b: Desc): boolean {
  if (a.rest === undefined && b.rest === undefined) return sameBytes(a.desc, b.desc);
  if (descSize(a) !== descSize(b)) return false;
  // Where both change from memory to a source, and how far each stretch goes.
  const ends = [...new Set([a.desc.length, b.desc.length, descSize(a)])].sort((x, y) => x - y);
  let from = 0;
  for (const to of ends) {
    const length = BigInt(to - from);
    if (length > 0n && !sameStretch(stretchAt(a, from), stretchAt(b, from), length, newBlocks(length))) return false;
    from = to;
  }
  return true;
}

function stretchAt({ desc, rest }: Desc, at: number) {
  if (rest === undefined || at < desc.length) return { source: new BufferSource(desc), offset: BigInt(at) };
  return { source: rest.source, offset: rest.offset + BigInt(at - desc.length) };
}

/** Do the two arrays hold the same bytes? */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return equalBytes(a, b);
}
