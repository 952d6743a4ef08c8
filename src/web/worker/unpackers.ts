/**
 * What unpacks kernels in a browser, loaded when a file is no bare ELF: zlib, zstd, and in the place of the host's programs
 * decoders of xz, lzma and bzip2. For lzo there is none.
 */
import {
  Z_FINISH,
  Z_OK,
  Z_STREAM_END,
  Z_SYNC_FLUSH,
  ZStream,
  zlibInflate,
  zlibInflateEnd,
  zlibInflateInit2,
} from 'pako';
import { type Inflated, installPorts } from '../../base/bytes/ports.js';
import { joinBytes } from '../../base/bytes/text.js';
import { crc32 } from './crc32.js';

/** Raw deflate data, with the largest window. */
const RAW = -15;
const STEP = 0x100000;
/** The word by which every unpacker is told to unpack (formats/container/unpackers.ts). */
const UNPACK = '-dc';

/** Installs the ports that containers need. */
export function installUnpackers(): void {
  installPorts({
    crc32,
    inflate: (packed, limit, likely) => inflate(packed, limit, likely, Z_FINISH),
    inflateBeginning(packed) {
      const result = inflate(packed, Number.POSITIVE_INFINITY, STEP, Z_SYNC_FLUSH);
      return 'bytes' in result ? result.bytes : undefined;
    },
    async loadZstd() {
      const { ZSTDDecoder } = await import('zstddec');
      const decoder = new ZSTDDecoder();
      await decoder.init();
      return (frame, size) => decoder.decode(frame, size);
    },
    async runProgram(program, args, input, limit, onProgress) {
      // Nothing here packs.
      if (!args.includes(UNPACK)) return { kind: 'missing' };
      const decode = (await import('./decoders.js')).DECODERS.get(program);
      if (decode === undefined) return { kind: 'missing' };
      const packed = input.read(0n, input.size, 'packed data');
      try {
        return await decode(packed, limit, onProgress);
      } catch (error) {
        return { kind: 'failed', why: error instanceof Error ? error.message : String(error) };
      }
    },
  });
}

function inflate(packed: Uint8Array, limit: number, likely: number, flush: number): Inflated {
  const stream = new ZStream();
  zlibInflateInit2(stream, RAW);
  stream.input = packed;
  stream.next_in = 0;
  stream.avail_in = packed.length;
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const room = Math.max(64, Math.min(size === 0 ? likely : STEP, limit - size + 1));
      const output = new Uint8Array(room);
      stream.output = output;
      stream.next_out = 0;
      stream.avail_out = room;
      const status = zlibInflate(stream, flush === Z_SYNC_FLUSH ? Z_SYNC_FLUSH : 0);
      parts.push(output.subarray(0, stream.next_out));
      size += stream.next_out;
      if (size > limit) return { problem: 'too-large' };
      if (status === Z_STREAM_END) return { bytes: joinBytes(parts), used: stream.next_in };
      const stuck = stream.avail_out > 0;
      if (flush === Z_SYNC_FLUSH && (stuck || status !== Z_OK))
        return { bytes: joinBytes(parts), used: stream.next_in };
      if (status !== Z_OK) return { problem: 'corrupt', why: stream.msg || 'invalid deflate data' };
      if (stuck) return { problem: 'corrupt', why: 'unexpected end of file' };
    }
  } finally {
    zlibInflateEnd(stream);
  }
}
