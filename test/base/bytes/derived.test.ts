/** What every derived source promises, whatever its bytes come from: one table, each row against bytes put together by hand. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JoinedSource } from '../../../src/base/bytes/joined.js';
import { PiecedSource } from '../../../src/base/bytes/pieces.js';
import { ShiftedSource } from '../../../src/base/bytes/shifted.js';
import {
  BufferSource,
  type ByteSource,
  cut,
  OverlaySource,
  READ_LIMIT,
  RepairedSource,
} from '../../../src/base/bytes/source.js';

const BASE = Uint8Array.from({ length: 24 }, (_, index) => index + 1);
const base = () => new BufferSource(BASE, 'base');
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);
const write = (offset: bigint, ...bytes: number[]) => ({ offset, bytes: Uint8Array.from(bytes) });

/** A source, and the bytes that it has to have. The bytes of the base are 1 to 24. */
const ROWS: readonly (readonly [string, ByteSource, readonly number[]])[] = [
  ['an overlay without writes', new OverlaySource(base(), []), numbers(1, 25)],
  [
    'an overlay, the later write over the earlier',
    new OverlaySource(base(), [write(2n, 91, 92, 93), write(4n, 94)]),
    [1, 2, 91, 92, 94, ...numbers(6, 25)],
  ],
  [
    'an overlay that grows, with a hole in front of its last write',
    new OverlaySource(base(), [write(26n, 99)]),
    [...numbers(1, 25), 0, 0, 99],
  ],
  ['an overlay cut short', new OverlaySource(base(), [write(3n, 95, 96)], 4n), [1, 2, 3, 95]],
  ['an overlay made longer', new OverlaySource(base(), [write(0n, 97)], 27n), [97, ...numbers(2, 25), 0, 0, 0]],
  ['a repaired source', new RepairedSource(base(), [write(0n, 90)]), [90, ...numbers(2, 25)]],
  [
    'a shift from within',
    new ShiftedSource(base(), { at: 5n, by: 3n }),
    [...numbers(1, 6), 0, 0, 0, ...numbers(6, 25)],
  ],
  ['a shift of everything', new ShiftedSource(base(), { at: 0n, by: 2n }), [0, 0, ...numbers(1, 25)]],
  ['a shift behind the end', new ShiftedSource(base(), { at: 24n, by: 2n }), [...numbers(1, 25), 0, 0]],
  ['two joined', new JoinedSource(base(), new BufferSource(Uint8Array.of(71, 72))), [...numbers(1, 25), 71, 72]],
  ['nothing joined to something', new JoinedSource(new BufferSource(new Uint8Array(0)), base()), numbers(1, 25)],
  [
    'pieces, an empty one among them',
    new PiecedSource(
      base(),
      [
        { start: 1n, end: 3n, from: 10n },
        { start: 4n, end: 4n, from: 0n },
        { start: 5n, end: 7n, from: undefined },
        { start: 7n, end: 9n, from: 0n },
      ],
      10n,
    ),
    [0, 11, 12, 0, 0, 0, 0, 1, 2, 0],
  ],
  [
    'one over another',
    new OverlaySource(new ShiftedSource(base(), { at: 1n, by: 1n }), [write(1n, 81)]),
    [1, 81, ...numbers(2, 25)],
  ],
];

describe.each(ROWS)('%s', (_what, source, whole) => {
  it('has the size of its bytes and the name of its base', () => {
    expect(source.size).toBe(BigInt(whole.length));
    expect(['base', 'image']).toContain(source.name);
  });

  it('read() and readInto() give any range, over whatever the target held', () => {
    fc.assert(
      fc.property(fc.nat(whole.length), fc.nat(whole.length), (a, b) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        const wanted = whole.slice(start, end);
        expect([...source.read(BigInt(start), BigInt(end - start), 'bytes')]).toEqual(wanted);
        const target = new Uint8Array(end - start + 2).fill(0xee);
        source.readInto(BigInt(start), target.subarray(1, end - start + 1), 'bytes');
        expect([...target]).toEqual([0xee, ...wanted, 0xee]);
      }),
    );
  });

  it('gives copies', () => {
    source.read(0n, source.size, 'bytes').fill(0xdd);
    expect([...source.read(0n, source.size, 'bytes')]).toEqual(whole);
  });

  it.each([
    [source.size, 1n],
    [source.size + 1n, 0n],
    [-1n, 1n],
    [0n, source.size + 1n],
  ])('refuses what leaves it: %i, %i bytes', (offset, length) => {
    expect(() => source.read(offset, length, 'bytes')).toThrow('read.truncated');
    expect(() => source.readInto(offset, new Uint8Array(Number(length)), 'bytes')).toThrow('read.truncated');
  });
});

describe('read() of more than READ_LIMIT', () => {
  const huge: ByteSource = {
    ...base(),
    name: 'huge',
    size: READ_LIMIT * 2n,
    read: () => BASE,
    readInto: () => undefined,
  };
  it.each([
    ['an overlay', new OverlaySource(huge, [])],
    ['a shift', new ShiftedSource(huge, { at: 0n, by: 1n })],
    ['two joined', new JoinedSource(huge, base())],
    ['pieces', new PiecedSource(huge, [], huge.size)],
  ] as const)('%s refuses it before anything is allocated', (_what, source) => {
    expect(() => source.read(0n, READ_LIMIT + 1n, 'bytes')).toThrow('read.too-large');
  });
});

describe('cut()', () => {
  it('is a view of what lies in both ranges', () => {
    const bytes = Uint8Array.from([0, 1, 2, 3]);
    const part = cut({ offset: 10n, bytes }, 11n, 13n);
    part?.bytes.fill(9);
    expect([part?.offset, [...bytes]]).toEqual([11n, [0, 9, 9, 3]]);
  });

  it.each([
    [0n, 10n],
    [14n, 20n],
    [12n, 12n],
    [13n, 11n],
  ])('is undefined where nothing does: [%i, %i)', (start, end) => {
    expect(cut({ offset: 10n, bytes: new Uint8Array(4) }, start, end)).toBeUndefined();
  });
});
