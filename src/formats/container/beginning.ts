/**
 * What packed data begins with, found out before the rest is unpacked: some hundred bytes can become a gigabyte, and only an
 * ELF is worth it. Each format is unpacked as little as it can be: a first block, or up to LOOK bytes.
 */
import { portOrNone } from '../../base/bytes/ports.js';
import type { PayloadFormat } from './formats.js';
import { gzipHeaderSize } from './gzip.js';
import { unpackLz4Chunk } from './lz4-legacy.js';
import { unpackStream } from './unpackers.js';
import { firstBlockAlone, unpackZstd } from './zstd.js';

/** Bytes that are looked at: enough for every magic. */
const LOOK = 4096;
/** Deflate makes at most 1032 times as much of these. */
const PACKED_LOOK = 1024;

/** The first bytes of what a stream unpacks to; undefined where they cannot be told, as of damaged data. */
export async function beginning(format: PayloadFormat, packed: Uint8Array): Promise<Uint8Array | undefined> {
  switch (format) {
    case 'stored':
      return packed.subarray(0, LOOK);
    case 'gzip': {
      const header = gzipHeaderSize(packed);
      if (typeof header === 'string') return undefined;
      return portOrNone('inflateBeginning')?.(packed.subarray(header, header + PACKED_LOOK));
    }
    case 'lz4':
      return unpackLz4Chunk(packed);
    case 'zstd': {
      const block = firstBlockAlone(packed);
      return block && unpackZstd(block.frame, block.most);
    }
    case 'xz':
    case 'lzma':
    case 'bzip2':
    case 'lzo': {
      const result = await unpackStream(format, packed, LOOK);
      return result.kind === 'done' || result.kind === 'too-long' ? result.bytes : undefined;
    }
  }
}
