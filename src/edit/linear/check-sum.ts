/** The checksum of a PE image: over everything else, so it is the last that is known. */
import { type Range, rangeOf, subtract } from '../../base/bytes/range.js';
import { type ByteSource, cut, DerivedSource, type Write } from '../../base/bytes/source.js';
import { OptionalHeader, PE } from '../../formats/pe/headers.js';
import { optionalHeaderOffset } from '../../formats/pe/image.js';

const FIELD_SIZE = 4n;
const CHUNK = 0x40000n;

/**
 * An image with its checksum in its field. The sum is worked out when somebody reads the field: a plan that is only shown reads no
 * byte for it. What was read before that, in one go from wherever it began, counts as it passes by, so that who writes the front
 * last goes through the image once.
 */
export class ChecksummedSource extends DerivedSource {
  readonly #base: ByteSource;
  readonly #field: Range;
  /** What is in the sum already: one range, which grows at its end. */
  #seen: Range | undefined;
  #sum = 0;
  #value: Uint8Array | undefined;

  /** `peOffset`: where the headers of the image that `base` holds begin. */
  constructor(base: ByteSource, image: { readonly peOffset: bigint }) {
    super(base.name, base.size);
    this.#base = base;
    const start = optionalHeaderOffset(image) + BigInt(OptionalHeader.offsetOf('CheckSum', PE));
    this.#field = rangeOf(start, FIELD_SIZE);
  }

  protected fill(target: Write, part: string): void {
    this.#base.readInto(target.offset, target.bytes, part);
    const over = cut(target, this.#field.start, this.#field.end);
    if (over === undefined) this.#pass(target);
    else {
      this.#value ??= this.#finish();
      over.bytes.set(this.#value.subarray(Number(over.offset - this.#field.start)).subarray(0, over.bytes.length));
    }
  }

  /** Bytes without the field. */
  #pass({ offset, bytes }: Write): void {
    if (this.#value !== undefined || (this.#seen !== undefined && this.#seen.end !== offset)) return;
    this.#add(offset, bytes);
    this.#seen = { start: this.#seen?.start ?? offset, end: offset + BigInt(bytes.length) };
  }

  /** The field counts as zero. */
  #finish(): Uint8Array {
    // One buffer for all: what a checksum takes must not depend on the size of the file.
    const buffer = new Uint8Array(Number(this.size < CHUNK ? this.size : CHUNK));
    const seen = this.#seen === undefined ? [this.#field] : [this.#seen, this.#field];
    const rest = subtract({ start: 0n, end: this.size }, seen);
    for (const { start, end } of rest) {
      for (let at = start; at < end; at += CHUNK) {
        const bytes = buffer.subarray(0, Number(end - at < CHUNK ? end - at : CHUNK));
        this.#base.readInto(at, bytes, 'bytes of the checksum');
        this.#add(at, bytes);
      }
    }
    const value = new Uint8Array(Number(FIELD_SIZE));
    new DataView(value.buffer).setUint32(0, (this.#sum + Number(this.size)) % 2 ** 32, true);
    return value;
  }

  /** From an odd offset on every byte is the other half of its word, and so of the sum. */
  #add(offset: bigint, bytes: Uint8Array): void {
    const words = folded(sumOfWords(bytes));
    this.#sum = folded(this.#sum + (offset % 2n === 1n ? words * 256 : words));
  }
}

const LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Carries brought round: 16 bits of a sum of any length that a number holds exactly. */
function folded(sum: number): number {
  let rest = sum;
  while (rest > 0xffff) rest = (rest % 0x10000) + Math.floor(rest / 0x10000);
  return rest;
}

/**
 * The sum of little-endian words. Two at a time where the machine reads them as they stand: the upper one counts 65,536 times, which
 * is the same once carries are brought round.
 */
function sumOfWords(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let sum = 0;
  let at = 0;
  if (LITTLE_ENDIAN && bytes.byteOffset % 4 === 0) {
    const pairs = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
    sum = sumOfPairs(pairs);
    at = pairs.length * 4;
  }
  for (; at + 1 < bytes.length; at += 2) sum += view.getUint16(at, true);
  if (at < bytes.length) sum += bytes[at] ?? 0;
  return sum;
}

/** Two sums that do not wait for each other; a function of its own is compiled while it is still being called. */
function sumOfPairs(pairs: Uint32Array): number {
  let [even, odd] = [0, 0];
  for (let index = 0; index + 1 < pairs.length; index += 2) {
    even += pairs[index] ?? 0;
    odd += pairs[index + 1] ?? 0;
  }
  return even + odd + (pairs.length % 2 === 1 ? (pairs.at(-1) ?? 0) : 0);
}
