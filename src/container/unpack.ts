/** Compressed data to what it was, by format, never to more than is allowed. */

import type { PayloadFormat } from './formats.js';
import { unpackGzip } from './gzip.js';
import { unpackLz4 } from './lz4-legacy.js';
import { runProgram } from './program.js';
import { onlySkippable, unpackZstd, zstdFrame } from './zstd.js';

export type Unpacked =
  | {
      readonly kind: 'unpacked';
      readonly bytes: Uint8Array;
      /** Bytes that do not belong to the stream, behind it; those formats that tell. */
      readonly spare: number;
      readonly warnings: readonly string[];
    }
  /** It unpacks to more or to less than `size`. */
  | { readonly kind: 'wrong-size'; readonly found: string }
  | { readonly kind: 'corrupt'; readonly why: string }
  | { readonly kind: 'missing'; readonly program: string };

/** LZ4 spends at least a byte on 255. */
const LZ4_RATIO = 255;

/** Programs that unpack a format from standard input to standard output. */
const UNPACKERS: Readonly<Partial<Record<PayloadFormat, readonly [program: string, ...args: string[]]>>> = {
  // Dictionaries of real kernels have at most 128 MiB; the limit keeps a lying one from costing more.
  xz: ['xz', '-dc', '--format=xz', '--single-stream', '--memlimit-decompress=320MiB'],
  lzma: ['xz', '-dc', '--format=lzma', '--memlimit-decompress=320MiB'],
  bzip2: ['bzip2', '-dc'],
  lzo: ['lzop', '-dc'],
};

/** Unpacks one stream that must become exactly `size` bytes. */
export async function unpack(format: PayloadFormat, packed: Uint8Array, size: number): Promise<Unpacked> {
  switch (format) {
    case 'gzip':
      return gunzip(packed, size);
    case 'lz4':
      return lz4(packed, size);
    case 'zstd':
      return zstd(packed, size);
    case 'stored':
      return sized(packed, size, 0);
    case 'xz':
    case 'lzma':
    case 'bzip2':
    case 'lzo':
      return byProgram(format, packed, size);
  }
}

function sized(bytes: Uint8Array, size: number, spare: number, warnings: readonly string[] = []): Unpacked {
  if (bytes.length === size) return { kind: 'unpacked', bytes, spare, warnings };
  return { kind: 'wrong-size', found: `0x${bytes.length.toString(16)} bytes unpacked` };
}

const MORE: Unpacked = { kind: 'wrong-size', found: 'more bytes unpacked' };

function gunzip(packed: Uint8Array, size: number): Unpacked {
  const member = unpackGzip(packed, size);
  if ('bytes' in member) return sized(member.bytes, size, packed.length - member.end);
  return member.problem === 'too-large' ? MORE : { kind: 'corrupt', why: member.why };
}

function lz4(packed: Uint8Array, size: number): Unpacked {
  if (size > packed.length * LZ4_RATIO) {
    return { kind: 'wrong-size', found: `${packed.length} bytes of lz4 data cannot become that` };
  }
  const result = unpackLz4(packed, size);
  if ('problem' in result) return { kind: 'corrupt', why: result.problem };
  return sized(result.bytes, size, 0);
}

async function zstd(packed: Uint8Array, size: number): Promise<Unpacked> {
  const frame = zstdFrame(packed);
  if (typeof frame === 'string') return { kind: 'corrupt', why: frame };
  const bytes = await unpackZstd(packed.subarray(0, frame.end), size);
  if (bytes === undefined) return { kind: 'corrupt', why: `the frame does not unpack to 0x${size.toString(16)} bytes` };
  const behind = packed.subarray(frame.end);
  return sized(bytes, size, onlySkippable(behind) ? 0 : behind.length);
}

function byProgram(format: PayloadFormat, packed: Uint8Array, size: number): Unpacked {
  const [program, ...args] = UNPACKERS[format] ?? ['', ''];
  const result = runProgram(program, args, packed, size);
  switch (result.kind) {
    case 'done':
      return sized(result.bytes, size, format === 'xz' ? spareBehindXz(packed) : 0);
    case 'missing':
      return { kind: 'missing', program };
    case 'too-long':
      return MORE;
    case 'failed':
      return { kind: 'corrupt', why: result.why };
  }
}

/** An xz stream ends with "YZ"; zeros behind it are padding. */
function spareBehindXz(packed: Uint8Array): number {
  let end = packed.length;
  while (end > 0 && packed[end - 1] === 0) end -= 1;
  return packed[end - 2] === 0x59 && packed[end - 1] === 0x5a ? packed.length - end : packed.length;
}
