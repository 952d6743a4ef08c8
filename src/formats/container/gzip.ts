/** gzip members (RFC 1952): taken apart by hand, because what stands behind the first one decides who can read the file. */
import { port, portOrNone } from '../../base/bytes/ports.js';
import type { ByteSource } from '../../base/bytes/source.js';
import { joinBytes } from '../../base/bytes/text.js';
import { type OnProgress, wordAt } from './limits.js';

const FHCRC = 2;
const FEXTRA = 4;
const FNAME = 8;
const FCOMMENT = 16;
const RESERVED = 0xe0;
const TRAILER = 8;
/** Deflate cannot do better, so a larger size is a lie. */
const BEST_RATIO = 1032;
const STEP = 0x100000;

/** An unpacked member. */
export interface GzipMember {
  readonly bytes: Uint8Array;
  /** First byte behind the member. */
  readonly end: number;
  readonly flags: number;
}

/** A member, or why it cannot be unpacked. */
export type GzipResult =
  | GzipMember
  | { readonly problem: 'corrupt'; readonly why: string }
  | { readonly problem: 'too-large' };

/** Unpacks the first member of `packed`, to at most `limit` bytes. CRC-32 and length are checked. */
export function unpackGzip(packed: Uint8Array, limit: number): GzipResult {
  const corrupt = (why: string): GzipResult => ({ problem: 'corrupt', why });
  const header = gzipHeaderSize(packed);
  if (typeof header === 'string') return corrupt(header);
  const data = packed.subarray(header);
  const stated = packed.length >= 4 ? wordAt(packed, packed.length - 4) : 0;
  // One buffer of the right size saves a copy; the size is believed only as far as it is possible.
  const plausible = stated > 0 && stated <= Math.min(limit, packed.length * BEST_RATIO);
  const inflated = port('inflate')(data, limit, plausible ? stated + 1 : STEP);
  if ('problem' in inflated) return inflated;
  const end = header + inflated.used;
  const { bytes } = inflated;
  if (packed.length - end < TRAILER) return corrupt('the CRC-32 and the length behind the data are missing');
  const crc = port('crc32')(bytes, 0);
  if (wordAt(packed, end) !== crc) return corrupt('the CRC-32 does not match');
  if (wordAt(packed, end + 4) !== bytes.length % 2 ** 32) return corrupt('the length does not match');
  return { bytes, end: end + TRAILER, flags: packed[3] ?? 0 };
}

/** Bytes of the first member's header, or what is wrong with it. */
export function gzipHeaderSize(packed: Uint8Array): number | string {
  if (packed.length < 10) return 'the header is cut short';
  if (packed[2] !== 8) return `compression method ${packed[2]}, wanted 8 (deflate)`;
  const flags = packed[3] ?? 0;
  if ((flags & RESERVED) !== 0) return 'reserved flags are set';
  let at = 10;
  if ((flags & FEXTRA) !== 0) at += 2 + (packed[at] ?? 0) + ((packed[at + 1] ?? 0) << 8);
  for (const flag of [FNAME, FCOMMENT]) {
    if ((flags & flag) === 0) continue;
    const zero = packed.indexOf(0, at);
    if (zero < 0) return 'the header is cut short';
    at = zero + 1;
  }
  if ((flags & FHCRC) !== 0) at += 2;
  return at < packed.length ? at : 'the header is cut short';
}

/** One call packs this much; between two, progress is shown and signals are handled. */
const PACKED_AT_ONCE = 0x100000n;
/** The strongest level takes twice the time for 0.15 % of a kernel. */
const LEVEL = 6;

/**
 * One member with no name and no time: the same bytes on every machine and with every Node, because the compressor comes
 * with this package.
 */
export async function packGzip(data: ByteSource, onProgress?: OnProgress): Promise<Uint8Array> {
  const { Gzip } = await import('fflate');
  const parts: Uint8Array[] = [];
  // What is handed out is a view of a buffer that is used again.
  const gzip = new Gzip({ level: LEVEL, mem: 12, mtime: 0 }, (part) => parts.push(part.slice()));
  const buffer = new Uint8Array(Number(data.size < PACKED_AT_ONCE ? data.size : PACKED_AT_ONCE));
  let done = 0n;
  do {
    const part = buffer.subarray(0, Number(data.size - done < PACKED_AT_ONCE ? data.size - done : PACKED_AT_ONCE));
    data.readInto(done, part, 'data to pack');
    done += BigInt(part.length);
    gzip.push(part, done >= data.size);
    onProgress?.(done, data.size);
    await portOrNone('pause')?.();
  } while (done < data.size);
  return joinBytes(parts);
}
