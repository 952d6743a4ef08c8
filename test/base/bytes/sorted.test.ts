import fc from 'fast-check';
import { expect, it } from 'vitest';
import { countWhile } from '../../../src/base/bytes/sorted.js';

it('counts what a walk from the front counts, in any sorted list, with repeats', () => {
  fc.assert(
    fc.property(fc.array(fc.bigInt({ min: 0n, max: 40n })), fc.bigInt({ min: -1n, max: 41n }), (numbers, limit) => {
      const sorted = numbers.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
      const first = sorted.findIndex((number) => number > limit);
      expect(countWhile(sorted, (number) => number <= limit)).toBe(first < 0 ? sorted.length : first);
    }),
  );
});

it('asks about few of many items', () => {
  const sorted = Array.from({ length: 65_536 }, (_, index) => index);
  let asked = 0;
  const count = countWhile(sorted, (item) => {
    asked += 1;
    return item < 12_345;
  });
  expect(count).toBe(12_345);
  expect(asked).toBeLessThanOrEqual(17);
});
