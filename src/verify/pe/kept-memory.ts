/** Which bytes of memory differ between a linear image and its input, and which of them may. */

import { type Range, rangeOf } from '../../base/bytes/range.js';
import { MB1_CHECKSUM_AT, MB1_HEAD_SIZE, mb1FlagsAt } from '../../formats/multiboot/mb1.js';
import {
  MB2_ALIGN,
  MB2_ARCHITECTURE_I386,
  MB2_HEAD_SIZE,
  MB2_LENGTH_AT,
  type Mb2Header,
  mb2HeaderAt,
} from '../../formats/multiboot/mb2.js';
import { TAG_ADDRESS, TAG_ENTRY, TAG_HEAD_SIZE } from '../../formats/multiboot/tags.js';
import { debugEntries } from '../../formats/pe/debug.js';
import { DebugEntry, PE } from '../../formats/pe/headers.js';
import { fileOffsetOf, hasRawData, type PeImage, rawRange } from '../../formats/pe/image.js';
import { pePicture, pictureDifferences } from './memory-image.js';
import type { LinearSubject } from './subject.js';

/** Where memory differs, up to an RVA; nothing of an image whose sections are in disorder. */
export function* memoryDifferences({ image, orderly }: LinearSubject, input: PeImage, end: bigint): Generator<Range> {
  if (!orderly) return;
  yield* pictureDifferences(pePicture(input), pePicture(image), { start: 0n, end });
}

/** Single bytes: a comparison tells differences that stand close together as one range. */
export function* exactly({ image }: LinearSubject, input: PeImage, range: Range): Generator<Range> {
  for (let at = range.start; at < range.end; at += 1n) {
    if (byteAt(image, at) !== byteAt(input, at)) yield rangeOf(at, 1n);
  }
}

function byteAt(image: PeImage, rva: bigint): number {
  const offset = fileOffsetOf(image, rva);
  return offset === undefined ? 0 : (image.source.read(offset, 1n, 'byte')[0] ?? 0);
}

/** RVA of a file offset in a section; undefined in the headers. */
function rvaOf({ sections }: PeImage, offset: bigint): bigint | undefined {
  const home = sections.find((s) => hasRawData(s) && offset >= s.PointerToRawData && offset < rawRange(s).end);
  return home === undefined ? undefined : offset - home.PointerToRawData + home.VirtualAddress;
}

/** The header's length and checksum, what stands from the old end tag on, and the two tags. */
export function headerEdits({ image, mb2 }: LinearSubject, input: PeImage): Range[] {
  const start = mb2 === undefined ? undefined : rvaOf(image, mb2.offset);
  if (mb2 === undefined || start === undefined) return [];
  const old = headerAt(input, start, BigInt(mb2.bytes.length));
  const oldEnd = BigInt((old?.bytes.length ?? mb2.bytes.length) - TAG_HEAD_SIZE);
  return [
    rangeOf(start + MB2_LENGTH_AT, 8n),
    { start: start + oldEnd, end: start + BigInt(mb2.bytes.length) },
    ...mb2.tags
      .filter(({ type }) => type === TAG_ADDRESS || type === TAG_ENTRY)
      // What fills a tag up to the next one is its own.
      .map(({ at, size }) => rangeOf(start + BigInt(at), BigInt(Math.ceil(size / MB2_ALIGN) * MB2_ALIGN))),
  ];
}

/** The input's own header at an RVA. */
function headerAt(input: PeImage, rva: bigint, most: bigint): Mb2Header | undefined {
  const offset = fileOffsetOf(input, rva, most);
  if (offset === undefined) return undefined;
  const header = mb2HeaderAt(input.source.read(offset, most, 'Multiboot2 header'), 0, offset);
  return header?.architecture === MB2_ARCHITECTURE_I386 ? header : undefined;
}

/** The address fields of a Multiboot 1 header. */
export function mb1Edits({ image, mb1 }: LinearSubject): Range[] {
  if (mb1?.fields === undefined) return [];
  const start = rvaOf(image, mb1.offset);
  return start === undefined ? [] : [rangeOf(start, mb1.size)];
}

/** The file offsets in the debug directory. */
export function debugEdits(input: PeImage): Range[] {
  const field = BigInt(DebugEntry.offsetOf('PointerToRawData', PE));
  return debugEntries(input).flatMap(({ offset }) => {
    const rva = rvaOf(input, offset);
    return rva === undefined ? [] : [rangeOf(rva + field, 4n)];
  });
}

/**
 * Is this byte part of the mark of an old header that had to stop being one: the magic of a Multiboot2 header that now stands elsewhere,
 * or the checksum of a Multiboot 1 header without addresses?
 */
export function isOldHeader({ mb2, mb1, image }: LinearSubject, input: PeImage, rva: bigint): boolean {
  const word = rva & ~3n;
  const before = (at: bigint, size: bigint) => {
    const offset = fileOffsetOf(input, at, size);
    return offset === undefined ? undefined : input.source.read(offset, size, 'old header');
  };
  const moved = mb2 !== undefined && rvaOf(image, mb2.offset) === undefined;
  const old2 = moved ? before(word, BigInt(MB2_HEAD_SIZE)) : undefined;
  if (old2 !== undefined && mb2HeaderAt(old2, 0, 0n)?.architecture === MB2_ARCHITECTURE_I386) return true;
  const old1 = mb1?.fields === undefined ? undefined : before(word - MB1_CHECKSUM_AT, BigInt(MB1_HEAD_SIZE));
  return old1 !== undefined && mb1FlagsAt(old1, 0) !== undefined;
}
