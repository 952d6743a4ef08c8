/**
 * A Linux payload unpacks to its ELF and, behind it, a table for moving the kernel to a random address, which is read
 * backwards from the very end (Linux arch/x86/boot/compressed/misc.c, handle_relocations). The ELF is what notes are
 * written into; the tail is put back behind it byte for byte.
 */
import { BufferSource } from '../../base/bytes/source.js';
import {
  type ElfImage,
  ehdrSize,
  hasFileBytes,
  phdrTable,
  sectionFileRange,
  segmentFileRange,
  shdrTable,
} from '../elf/image.js';
import { wordAt } from './limits.js';

/** The first byte behind everything that the ELF headers name. May lie behind the end of a damaged image. */
export function elfEnd(image: ElfImage): bigint {
  let end = ehdrSize(image.encoding);
  const reach = (to: bigint) => {
    if (to > end) end = to;
  };
  reach(phdrTable(image).end);
  reach(shdrTable(image).end);
  for (const segment of image.segments) reach(segmentFileRange(segment).end);
  for (const section of image.sections) if (hasFileBytes(section)) reach(sectionFileRange(section).end);
  return end;
}

/** An unpacked payload, taken apart. */
export interface Parts {
  /** The ELF part; its name is for messages. */
  readonly elf: BufferSource;
  readonly tail: Uint8Array;
}

/** Splits unpacked data behind the ELF that `image` was read from. */
export function splitElfAndRelocs(unpacked: Uint8Array, image: ElfImage, name: string): Parts {
  const end = elfEnd(image);
  const at = end < BigInt(unpacked.length) ? Number(end) : unpacked.length;
  return { elf: new BufferSource(unpacked.subarray(0, at), name), tail: unpacked.subarray(at) };
}

/** Why bytes behind the ELF are not a relocation table as Linux builds it; undefined: they are, or there are none. */
export function tailProblem(tail: Uint8Array, bits: 32 | 64): string | undefined {
  if (tail.length === 0) return undefined;
  if (tail.length % 4 !== 0) return 'their number is not a multiple of 4';
  if (wordAt(tail, 0) !== 0) return 'the first word is not 0';
  let zeros = 0;
  for (let at = 0; at < tail.length; at += 4) if (wordAt(tail, at) === 0) zeros += 1;
  const most = bits === 32 ? 1 : 3;
  if (zeros > most || (bits === 64 && zeros < 2)) return `${zeros} words are 0, wanted ${bits === 32 ? '1' : '2 or 3'}`;
  return undefined;
}
