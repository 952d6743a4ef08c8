/**
 * What Linux's own start-up code reads its payload by. That is not the setup header: the lengths of its payload, packed
 * and unpacked, stand side by side in its data since Linux 5.10 (arch/x86/boot/compressed/mkpiggy.c). Here: the pair.
 */
import { rangeOf } from '../../base/bytes/range.js';
import { findBytes, joinBytes } from '../../base/bytes/text.js';
import { fail } from '../../base/errors/patch-error.js';
import { type BzImage, hasSizeWord } from './bzimage.js';
import { formatOf, MAGIC_SIZE, type PayloadFormat } from './formats.js';
import { readWhole, UNPACKED_LIMIT, wordAt, wordBytes } from './limits.js';

/** More finds than this are of no use: the pair has to be unique. */
const MOST = 8;

/** File offsets behind the payload at which `length` and `size` stand side by side. */
export function findPairs(image: BzImage, length: number, size: number): bigint[] {
  const { payload, sysEnd, source } = image;
  const start = image.attached ? image.setupSize : payload.end;
  if (start >= sysEnd || sysEnd > source.size) return [];
  const code = readWhole(source, { start, end: sysEnd }, 'kernel');
  const wanted = joinBytes([wordBytes(length), wordBytes(size)]);
  const found: bigint[] = [];
  for (let at = findBytes(code, wanted); at >= 0 && found.length < MOST; at = findBytes(code, wanted, at + 1)) {
    found.push(start + BigInt(at));
  }
  return found;
}

/** The one pair of a native payload. Errors: `bzimage.pair`. */
export function thePair(image: BzImage): bigint {
  const length = Number(image.payload.end - image.payload.start);
  const pairs = findPairs(image, length, image.unpackedSize);
  const [pair] = pairs;
  if (pair === undefined || pairs.length > 1) {
    fail('bzimage.pair', { file: image.source.name, part: 'decompressor' }, { count: pairs.length });
  }
  return pair;
}

/** The payload that the start-up code unpacks, in an image whose header names another. */
export interface NativePayload {
  /** As payload_offset has it. */
  readonly offset: number;
  readonly length: number;
  readonly size: number;
  readonly format: PayloadFormat;
  /** File offset of its pair. */
  readonly pair: bigint;
}

/** The payload stands right behind the start of the protected-mode part. */
const SEARCH = 0x40000;
/** Places looked at; with whole magics, chance makes less than one. */
const CANDIDATES = 64;
/** Two bytes, as readers compare, are met by chance: what compressors of kernels write has a third. */
const THIRD_BYTE: Readonly<Partial<Record<PayloadFormat, number>>> = { gzip: 0x08, lzma: 0x00 };

interface Candidate {
  readonly at: number;
  readonly format: PayloadFormat;
}

/**
 * Finds the native payload of an attached image: a compression magic at p, and behind the stream a pair (L, S) such that
 * the word at p + L - 4 is S. The lengths must be the larger part of the kernel, and a pair that stands within another
 * payload is packed data that looks like one: both keep chance out.
 * Errors: `bzimage.native`.
 */
export function findNative(image: BzImage): NativePayload {
  const { setupSize, sysEnd, source } = image;
  const kernel = readWhole(source, rangeOf(setupSize, sysEnd - setupSize), 'kernel');
  const candidates = candidatesIn(kernel);
  const found: NativePayload[] = [];
  const view = new DataView(kernel.buffer, kernel.byteOffset, kernel.length);
  // From the end: the pair is in the data behind the code, close to it, and words are aligned.
  for (let q = (kernel.length & ~3) - 8; q >= kernel.length / 2; q -= 4) {
    const length = view.getUint32(q, true);
    if (length < kernel.length / 4 || length > q) continue;
    const size = view.getUint32(q + 4, true);
    if (size <= length || size > UNPACKED_LIMIT) continue;
    for (const { at, format } of candidates) {
      if (at + length > q || view.getUint32(at + length - 4, true) !== size) continue;
      found.push({ offset: at, length, size, format, pair: setupSize + BigInt(q) });
    }
    if (found.length > MOST) break;
  }
  const outside = found.filter(({ pair }) => {
    const q = Number(pair - setupSize);
    return !found.some(({ offset, length }) => q >= offset && q < offset + length);
  });
  const [native] = outside;
  if (native === undefined || outside.length > 1) {
    fail('bzimage.native', { file: source.name, part: 'decompressor' }, { count: outside.length });
  }
  return native;
}

function candidatesIn(kernel: Uint8Array): Candidate[] {
  const candidates: Candidate[] = [];
  for (let at = 0; at < kernel.length && at < SEARCH && candidates.length < CANDIDATES; at++) {
    const format = formatOf(kernel.subarray(at, at + Number(MAGIC_SIZE)));
    if (format === undefined || !(hasSizeWord(format) || format === 'gzip')) continue;
    const third = THIRD_BYTE[format];
    if (third === undefined || kernel[at + 2] === third) candidates.push({ at, format });
  }
  return candidates;
}

/** The word of a kernel that was read whole; for tests and checks. */
export function pairAt(image: BzImage, at: bigint): { readonly length: number; readonly size: number } {
  const bytes = image.source.read(at, 8n, 'lengths of the payload');
  return { length: wordAt(bytes, 0), size: wordAt(bytes, 4) };
}
