/** The result of rewriting a container, before a byte of it is written: writes over the input, and where it then ends. */
import { type ByteSource, OverlaySource, type Write } from '../../base/bytes/source.js';
import { type BzImage, setupField } from '../../formats/container/bzimage.js';
import { wordBytes } from '../../formats/container/limits.js';
import { crcWrite, hasCrc } from '../../formats/container/signature-and-checksums.js';

/** A rewritten container, as writes over the input. Offsets and sizes are of the result's file. */
export interface Rebuilt {
  /** Sorted by nothing, disjoint; the input is kept elsewhere up to `fileSize`. */
  readonly writes: readonly Write[];
  readonly fileSize: bigint;
  /** What was done, in words. */
  readonly summary: string;
  readonly warnings: readonly string[];
}

/** A word of the setup header, to be written. */
export function headerWord(field: 'payload_offset' | 'payload_length' | 'init_size', value: number | bigint): Write {
  return { offset: setupField(field), bytes: wordBytes(value) };
}

/** The input with the result's writes laid over it. */
export function resultSource(
  source: ByteSource,
  { writes, fileSize }: Pick<Rebuilt, 'writes' | 'fileSize'>,
): ByteSource {
  return new OverlaySource(source, writes, fileSize);
}

/** Adds the CRC word where there was a good one, last, when all other fields are settled. */
export function withCrc(image: BzImage, writes: readonly Write[], fileSize: bigint): Write[] {
  if (!hasCrc(image)) return [...writes];
  return [...writes, crcWrite(image, new OverlaySource(image.source, writes, fileSize))];
}

/** Without the writes that change nothing. */
export function differing(source: ByteSource, writes: readonly Write[]): Write[] {
  return writes.filter(({ offset, bytes }) => {
    const size = BigInt(bytes.length);
    if (size === 0n) return false;
    if (offset + size > source.size) return true;
    // A payload is never compared: it is new.
    if (size > 64n) return true;
    const now = source.read(offset, size, 'bytes to be changed');
    return now.some((byte, i) => byte !== bytes[i]);
  });
}
