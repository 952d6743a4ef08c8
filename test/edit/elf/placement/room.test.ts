/** Where new bytes go: free ranges that fit, at their edges, else the end of the file. */
import { describe, expect, it } from 'vitest';
import { roomOf, take } from '../../../../src/edit/elf/placement/room.js';

const range = (start: bigint, end: bigint) => ({ start, end });

describe('roomOf', () => {
  it('leaves out what is used, and ignores empty ranges', () => {
    const { free, end } = roomOf([range(0x10n, 0x40n)], [range(0x20n, 0x28n), range(0x30n, 0x30n)], 0x100n);
    expect({ free, end }).toEqual({ free: [range(0x10n, 0x20n), range(0x28n, 0x40n)], end: 0x100n });
  });
});

describe('take', () => {
  it.each([
    ['exactly fits', 0x10n, 0x10n, 0x100n],
    ['one byte too many', 0x11n, 0x100n, 0x111n],
  ])('a free range: %s', (_, size, at, end) => {
    const room = roomOf([range(0x10n, 0x20n)], [], 0x100n);
    expect(take(room, size, 1n)).toBe(at);
    expect(room.end).toBe(end);
  });

  it.each([
    ['the aligned rest exactly fits', 12n, 0x14n],
    ['the alignment costs one byte too many', 13n, 0x100n],
  ])('%s', (_, size, at) => {
    expect(take(roomOf([range(0x11n, 0x20n)], [], 0x100n), size, 4n)).toBe(at);
  });

  it('takes the first range that fits, and what it took is free no more', () => {
    const room = roomOf([range(0x10n, 0x14n), range(0x20n, 0x30n)], [], 0x100n);
    expect([take(room, 8n, 4n), take(room, 8n, 4n), take(room, 8n, 4n), take(room, 4n, 4n)]).toEqual([
      0x20n,
      0x28n,
      0x100n,
      0x10n,
    ]);
    expect(room).toEqual({ free: [], end: 0x108n });
  });

  it('outgrows a free range that reaches the end of the file, and none that ends one byte before', () => {
    const open = roomOf([range(0xf0n, 0x100n)], [], 0x100n);
    expect(take(open, 0x20n, 4n)).toBe(0xf0n);
    expect(open).toEqual({ free: [], end: 0x110n });
    expect(take(roomOf([range(0xf0n, 0xffn)], [], 0x100n), 0x20n, 4n)).toBe(0x100n);
  });

  it('aligns the end of the file', () => {
    const room = roomOf([], [], 0x101n);
    expect(take(room, 5n, 8n)).toBe(0x108n);
    expect(room.end).toBe(0x10dn);
  });
});
