/**
 * Notes that an earlier edit left: no header names them any more. Such bytes may be used again in a file without section headers,
 * where a gap behind everything that is loaded holds such notes and zeros, and nothing else at all; of anything more the owner is
 * not known. And in any file where they are a note that says so itself: one of nobody's with nothing but zeros in it, which edits
 * write over room that nothing else would prove to be free.
 */
import { normalize, type Range, subtractSorted } from '../../base/bytes/range.js';
import { findBytes } from '../../base/bytes/text.js';
import { deadRanges } from '../elf/dead-tables.js';
import { type ElfImage, loads, rangesInUse, segmentFileRange } from '../elf/image.js';
import { ELF_MAGIC } from '../elf/names.js';
import type { Encoding } from '../elf/struct.js';
import { NEUTRAL_OWNER, NEUTRAL_TYPE } from './note-types.js';
import { encodeNotes, isXens, NHDR_SIZE, nameOf, roundUp } from './record.js';

/** A gap that is larger holds more than notes. */
const SEARCHED = 0x100000n;
const SEARCHED_IN_ALL = 0x800000n;
const UNIT = 4;
/** Owners are short words. */
const LONGEST_OWNER = 64;

/** What earlier edits left behind and nothing of the image looks at, sorted: old tables with what they name, old notes. */
export function remainsOf(image: ElfImage): readonly Range[] {
  return normalize([...deadRanges(image), ...deadNotes(image)]);
}

/** End of the last PT_LOAD in the file: only behind it may bytes be known as free. 0: there is no PT_LOAD. */
export function loadedEnd(image: ElfImage): bigint {
  const ends = loads(image).map(({ segment }) => segmentFileRange(segment).end);
  return ends.reduce<bigint>((last, end) => (end > last ? end : last), 0n);
}

/** Free notes anywhere; in an image without section headers also gaps behind all PT_LOADs that hold notes of nobody's and zeros. */
function deadNotes(image: ElfImage): readonly Range[] {
  const { source, sections, encoding } = image;
  const loaded = sections.length > 0 ? source.size : loadedEnd(image);
  const isLittle = encoding.endian === 'little';
  const used = normalize(rangesInUse(image));
  const places = loaded > 0n && loaded < source.size ? [0n, loaded, source.size] : [0n, source.size];
  const gaps = places.slice(1).flatMap((end, i) => subtractSorted({ start: places[i] ?? 0n, end }, used));
  let left = SEARCHED_IN_ALL;
  return gaps.toReversed().flatMap((gap) => {
    const size = gap.end - gap.start;
    if (size < LEAST_FREE_NOTE || size > SEARCHED || size > left) return [];
    left -= size;
    const bytes = source.read(gap.start, size, 'unclaimed bytes');
    if (findBytes(bytes, Uint8Array.from(ELF_MAGIC)) >= 0) return [];
    if (loaded > 0n && gap.start >= loaded && holdsOnlyNotes(bytes, gap.start, isLittle)) return [gap];
    return freeNotes(bytes, isLittle, gap.start);
  });
}

/** A note that says of its bytes that they are free, as long as `size`, a multiple of 4; the rest of it is zeros. */
export function freeNoteHead(size: bigint, encoding: Encoding): Uint8Array {
  const head = encodeNotes([{ name: FREE_NAME, type: NEUTRAL_TYPE, desc: new Uint8Array(0) }], encoding.endian);
  new DataView(head.buffer, head.byteOffset).setUint32(UNIT, Number(size) - head.length, encoding.endian === 'little');
  return head;
}

const FREE_NAME = nameOf(NEUTRAL_OWNER);
/** The shortest such note: a header and the owner. */
export const LEAST_FREE_NOTE = BigInt(NHDR_SIZE + roundUp(FREE_NAME.length, UNIT));

/** Where such notes stand in these bytes. */
function freeNotes(bytes: Uint8Array, isLittle: boolean, offset: bigint): Range[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found: Range[] = [];
  for (let at = findBytes(bytes, FREE_NAME); at >= 0; at = findBytes(bytes, FREE_NAME, at + 1)) {
    const start = at - NHDR_SIZE;
    if (start < 0 || (offset + BigInt(start)) % 4n !== 0n) continue;
    const [namesz, descsz, type] = [0, UNIT, 2 * UNIT].map((field) => view.getUint32(start + field, isLittle));
    const end = start + Number(LEAST_FREE_NOTE) + (descsz ?? 0);
    if (namesz !== FREE_NAME.length || type !== NEUTRAL_TYPE || end > bytes.length) continue;
    if (bytes.subarray(start + Number(LEAST_FREE_NOTE), end).some((byte) => byte !== 0)) continue;
    found.push({ start: offset + BigInt(start), end: offset + BigInt(end) });
  }
  return found;
}

/** Records and zeros from the first multiple of 4 on, and a note of Xen's among them. */
function holdsOnlyNotes(bytes: Uint8Array, offset: bigint, isLittle: boolean): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = Number((4n - (offset % 4n)) % 4n);
  if (bytes.subarray(0, at).some((byte) => byte !== 0)) return false;
  let found = false;
  while (at + UNIT <= bytes.length) {
    const namesz = view.getUint32(at, isLittle);
    if (namesz === 0) {
      at += UNIT;
      continue;
    }
    if (at + NHDR_SIZE > bytes.length || namesz > LONGEST_OWNER) return false;
    const descsz = view.getUint32(at + UNIT, isLittle);
    const name = bytes.subarray(at + NHDR_SIZE, at + NHDR_SIZE + namesz);
    const end = at + NHDR_SIZE + roundUp(namesz, UNIT) + roundUp(descsz, UNIT);
    if (end > bytes.length || name.indexOf(0) !== namesz - 1) return false;
    found ||= isXens({ name });
    at = end;
  }
  return found && bytes.subarray(at).every((byte) => byte === 0);
}
