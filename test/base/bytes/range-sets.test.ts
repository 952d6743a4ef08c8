import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { intersect, normalize, type Range, rangeAt, subtract, subtractSorted } from '../../../src/base/bytes/range.js';

const ranges = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 12 })), { maxLength: 12 })
  .map((pairs) => normalize(pairs.map(([start, size]) => ({ start: BigInt(start), end: BigInt(start + size) }))));

/** The points of a set, one by one: slow and obviously right. */
function points(sorted: readonly Range[]): number[] {
  return Array.from({ length: 80 }, (_, i) => i).filter((i) => sorted.some((r) => r.start <= i && BigInt(i) < r.end));
}

describe('sets of ranges', () => {
  it('subtractSorted() leaves exactly the points that no hole holds', () => {
    fc.assert(
      fc.property(ranges, fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 40 }), (holes, start, size) => {
        const whole = { start: BigInt(start), end: BigInt(start + size) };
        const wanted = points([whole]).filter((point) => !points(holes).includes(point));
        expect(points(subtractSorted(whole, holes))).toEqual(wanted);
        expect(subtract(whole, [...holes].reverse())).toEqual(subtractSorted(whole, holes));
      }),
    );
  });

  it('intersect() holds exactly the points of both', () => {
    fc.assert(
      fc.property(ranges, ranges, (a, b) => {
        const wanted = points(a).filter((point) => points(b).includes(point));
        expect(points(intersect(a, b))).toEqual(wanted);
      }),
    );
  });

  it('rangeAt() finds the one range that holds a point', () => {
    fc.assert(
      fc.property(ranges, fc.integer({ min: 0, max: 80 }), (sorted, point) => {
        const wanted = sorted.find((r) => r.start <= point && BigInt(point) < r.end);
        expect(rangeAt(sorted, BigInt(point))).toEqual(wanted);
      }),
    );
  });
});
