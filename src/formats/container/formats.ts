/** The compressed formats that kernels use, and the first bytes that tell them apart (Linux lib/decompress.c). */
import { ELF_MAGIC } from '../elf/names.js';

/** How a payload is packed; `stored`: not at all. */
export type PayloadFormat = 'gzip' | 'bzip2' | 'xz' | 'lzma' | 'lzo' | 'lz4' | 'zstd' | 'stored';

interface Magic {
  readonly format: PayloadFormat;
  readonly bytes: readonly number[];
}

const MAGICS: readonly Magic[] = [
  { format: 'gzip', bytes: [0x1f, 0x8b] },
  { format: 'bzip2', bytes: [0x42, 0x5a, 0x68] },
  { format: 'xz', bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00] },
  { format: 'lzma', bytes: [0x5d, 0x00] },
  { format: 'lzo', bytes: [0x89, 0x4c, 0x5a, 0x4f, 0x00, 0x0d, 0x0a, 0x1a, 0x0a] },
  // The legacy format of lz4; no loader takes its frame format.
  { format: 'lz4', bytes: [0x02, 0x21, 0x4c, 0x18] },
  { format: 'zstd', bytes: [0x28, 0xb5, 0x2f, 0xfd] },
  { format: 'stored', bytes: ELF_MAGIC },
];

/** Bytes that have to be looked at to tell a format. */
export const MAGIC_SIZE = 9n;

const FRAME_LZ4 = [0x04, 0x22, 0x4d, 0x18];

/** The format of data that begins with these bytes. */
export function formatOf(start: Uint8Array): PayloadFormat | undefined {
  return MAGICS.find(({ bytes }) => beginsWith(start, bytes))?.format;
}

/** What unknown data is likely to be, for a message. */
export function likelyName(start: Uint8Array): string | undefined {
  if (beginsWith(start, FRAME_LZ4)) return 'LZ4 frame format, which no boot loader unpacks';
  if (beginsWith(start, [0x1f, 0x9e])) return 'an old gzip';
  return undefined;
}

/** Do these bytes stand at `at`? */
export function beginsWith(data: Uint8Array, bytes: readonly number[], at = 0): boolean {
  return at + bytes.length <= data.length && bytes.every((byte, i) => data[at + i] === byte);
}
