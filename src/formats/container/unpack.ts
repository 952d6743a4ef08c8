/** Compressed data to what it was, by format, never to more than is allowed. */
import type { PayloadFormat } from './formats.js';
import { unpackGzip } from './gzip.js';
import { type OnProgress, UNPACKED_LIMIT } from './limits.js';
import { unpackLz4 } from './lz4-legacy.js';
import { bzip2StreamEnd, xzStreamEnd } from './stream-end.js';
import { type ProgramFormat, UNPACKERS, unpackStream } from './unpackers.js';
import { onlySkippable, unpackZstd, zstdFrame } from './zstd.js';

/** An unpacked payload, or what went wrong with it. */
export type Unpacked =
  | {
      readonly kind: 'unpacked';
      readonly bytes: Uint8Array;
      /** Bytes that do not belong to the stream, behind it; those formats that tell. */
      readonly spare: number;
    }
  /** It unpacks to more or to less than `size`. */
  | { readonly kind: 'wrong-size'; readonly found: string }
  | { readonly kind: 'corrupt'; readonly why: string }
  | { readonly kind: 'missing'; readonly program: string };

/** LZ4 spends at least a byte on 255. */
const LZ4_RATIO = 255;

/** Where the first stream ends, in formats whose program reads on or stops without a word. */
const STREAM_ENDS: Readonly<Partial<Record<PayloadFormat, (packed: Uint8Array) => number>>> = {
  xz: xzStreamEnd,
  bzip2: bzip2StreamEnd,
};

/** Unpacks one stream that must become exactly `size` bytes; undefined: any number up to `limit`. */
export async function unpack(
  format: PayloadFormat,
  packed: Uint8Array,
  size: number | undefined,
  {
    limit = Number(UNPACKED_LIMIT),
    onProgress,
  }: { readonly limit?: number; readonly onProgress?: OnProgress | undefined } = {},
): Promise<Unpacked> {
  switch (format) {
    case 'gzip':
      return gunzip(packed, size, limit);
    case 'lz4':
      return lz4(packed, size, limit);
    case 'zstd':
      return zstd(packed, size, limit);
    case 'stored':
      return sized(packed, size, 0);
    case 'xz':
    case 'lzma':
    case 'bzip2':
    case 'lzo':
      return byProgram(format, packed, size, limit, onProgress);
  }
}

function sized(bytes: Uint8Array, size: number | undefined, spare: number): Unpacked {
  if (size === undefined || bytes.length === size) return { kind: 'unpacked', bytes, spare };
  return { kind: 'wrong-size', found: `0x${bytes.length.toString(16)} bytes unpacked` };
}

const MORE: Unpacked = { kind: 'wrong-size', found: 'more bytes unpacked' };

function gunzip(packed: Uint8Array, size: number | undefined, limit: number): Unpacked {
  const member = unpackGzip(packed, size ?? limit);
  if ('bytes' in member) return sized(member.bytes, size, packed.length - member.end);
  return member.problem === 'too-large' ? MORE : { kind: 'corrupt', why: member.why };
}

function lz4(packed: Uint8Array, size: number | undefined, limit: number): Unpacked {
  const most = packed.length * LZ4_RATIO;
  if (size !== undefined && size > most) {
    return { kind: 'wrong-size', found: `${packed.length} bytes of lz4 data cannot become that` };
  }
  const result = unpackLz4(packed, size ?? Math.min(limit, most));
  if ('problem' in result) return result.tooLong ? MORE : { kind: 'corrupt', why: result.problem };
  return sized(result.bytes, size, result.spare);
}

async function zstd(packed: Uint8Array, size: number | undefined, limit: number): Promise<Unpacked> {
  const frame = zstdFrame(packed);
  if (typeof frame === 'string') return { kind: 'corrupt', why: frame };
  const wanted = size ?? Number(frame.contentSize ?? frame.most);
  if (BigInt(wanted) > frame.most) {
    return { kind: 'wrong-size', found: `the frame has blocks for 0x${frame.most.toString(16)} bytes` };
  }
  if (wanted > limit) return MORE;
  const bytes = await unpackZstd(packed.subarray(0, frame.end), wanted);
  if (bytes === undefined) {
    const large = frame.window > limit ? `, and its window of 0x${frame.window.toString(16)} is too large` : '';
    return { kind: 'corrupt', why: `the frame does not unpack to at most 0x${wanted.toString(16)} bytes${large}` };
  }
  const behind = packed.subarray(frame.end);
  return sized(bytes, size, onlySkippable(behind) ? 0 : behind.length);
}

async function byProgram(
  format: ProgramFormat,
  packed: Uint8Array,
  size: number | undefined,
  limit: number,
  onProgress: OnProgress | undefined,
): Promise<Unpacked> {
  const end = STREAM_ENDS[format]?.(packed) ?? packed.length;
  const result = await unpackStream(format, packed.subarray(0, end), size ?? limit, onProgress);
  switch (result.kind) {
    case 'done':
      return sized(result.bytes, size, packed.length - end);
    case 'missing':
      return { kind: 'missing', program: UNPACKERS[format][0] };
    case 'too-long':
      return MORE;
    case 'failed':
      return { kind: 'corrupt', why: result.why };
  }
}
