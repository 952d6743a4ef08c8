/** The checksum of a PE image is the same in whatever order the image is read, and however often. */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { ChecksummedSource } from '../../../src/edit/linear/check-sum.js';

const FIELD = 0x40 + 24 + 64;
const SIZES = [FIELD + 4, 1001, 0x40000, 0x80003];

function imageOf(size: number): Uint8Array {
  let state = size;
  const bytes = Uint8Array.from({ length: size }, () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return state >> 16;
  });
  return bytes;
}

/** The sum as the PE format has it, a word at a time: what is tested goes by other roads. */
function expected(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < bytes.length; at += 2) {
    const inField = at >= FIELD && at < FIELD + 4;
    sum += inField ? 0 : (bytes[at] ?? 0) + (bytes[at + 1] ?? 0) * 256;
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return sum + bytes.length;
}

type Span = readonly [from: number, to: number];
const cuts = (size: number, by: number): Span[] =>
  Array.from({ length: Math.ceil(size / by) }, (_, index) => [index * by, Math.min(size, (index + 1) * by)]);

const ORDERS: Readonly<Record<string, (size: number) => readonly Span[]>> = {
  'at once': (size) => [[0, size]],
  'front first': (size) => cuts(size, 333),
  'front last': (size) => {
    const [front = [0, 0], ...rest] = cuts(size, 512);
    return [...rest, front];
  },
  'from the end on': (size) => cuts(size, 1024).reverse(),
  'pieces of odd length, front last': (size) => {
    const [front = [0, 0], ...rest] = cuts(size, 777);
    return [...rest, front];
  },
  'all but the front twice, then the whole': (size) => [
    ...cuts(size, 512).slice(1),
    ...cuts(size, 512).slice(1),
    [0, size],
  ],
  'the field in two halves': (size) => [
    [FIELD + 2, size],
    [0, FIELD + 2],
  ],
  'a byte in the middle, then the whole': (size) => [
    [size - 2, size - 1],
    [0, size],
  ],
};

describe.each(SIZES)('an image of %i bytes', (size) => {
  const bytes = imageOf(size);
  const wanted = bytes.slice();
  new DataView(wanted.buffer).setUint32(FIELD, expected(bytes), true);

  it.each(Object.entries(ORDERS))('read %s', (_, order) => {
    const source = new ChecksummedSource(new BufferSource(bytes), { peOffset: 0x40n });
    const got = new Uint8Array(size);
    for (const [from, to] of order(size)) {
      if (from < to) source.readInto(BigInt(from), got.subarray(from, to), 'bytes');
    }
    expect(Buffer.compare(got, wanted)).toBe(0);
    expect(Buffer.compare(source.read(0n, BigInt(size), 'bytes'), wanted)).toBe(0);
  });
});
