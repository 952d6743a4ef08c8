/**
 * Notes that an earlier edit left in a file without section headers: no header names them any more. Such bytes may be used again
 * where a gap behind everything that is loaded holds such notes and zeros, and nothing else at all; of anything more the owner is
 * not known.
 */
import { normalize, type Range, subtractSorted } from '../../base/bytes/range.js';
import { findBytes } from '../../base/bytes/text.js';
import { deadRanges } from '../elf/dead-tables.js';
import { type ElfImage, loads, rangesInUse, segmentFileRange } from '../elf/image.js';
import { ELF_MAGIC } from '../elf/names.js';
import { isXens, NHDR_SIZE, roundUp } from './record.js';

/** A gap that is larger holds more than notes. */
const SEARCHED = 0x100000n;
const UNIT = 4;
/** Owners are short words. */
const LONGEST_OWNER = 64;

/** What earlier edits left behind and nothing of the image looks at, sorted: old tables with what they name, old notes. */
export function remainsOf(image: ElfImage): readonly Range[] {
  return normalize([...deadRanges(image), ...deadNotes(image)]);
}

/** Gaps that hold notes of nobody's and zeros. Of an image with section headers none: those tell it better. */
function deadNotes(image: ElfImage): readonly Range[] {
  const { source, sections } = image;
  if (sections.length > 0) return [];
  const ends = loads(image).map(({ segment }) => segmentFileRange(segment).end);
  const start = ends.reduce<bigint>((last, end) => (end > last ? end : last), 0n);
  if (start === 0n || start >= source.size) return [];
  const gaps = subtractSorted({ start, end: source.size }, normalize(rangesInUse(image)));
  return gaps.filter(({ start: from, end }) => {
    if (end - from > SEARCHED) return false;
    const bytes = source.read(from, end - from, 'unclaimed bytes');
    return (
      findBytes(bytes, Uint8Array.from(ELF_MAGIC)) < 0 &&
      holdsOnlyNotes(bytes, from, image.encoding.endian === 'little')
    );
  });
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
