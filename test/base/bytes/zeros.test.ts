import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { allZero, isZero } from '../../../src/base/bytes/zeros.js';

describe('zeros', () => {
  it('are told from one byte that is none, wherever it stands and however the bytes are aligned', () => {
    const whole = new Uint8Array(24);
    for (let from = 0; from < 8; from++) {
      for (let length = 0; length <= 12; length++) {
        const part = whole.subarray(from, from + length);
        for (let at = 0; at < whole.length; at++) {
          whole.fill(0)[at] = 0x80;
          expect(isZero(part)).toBe(at < from || at >= from + length);
        }
      }
    }
  });

  it('of a file: as a look at each byte says, over more than one window and behind the end', () => {
    const size = 0x90000;
    fc.assert(
      fc.property(fc.nat(size - 1), fc.nat(size + 9), fc.nat(size + 9), (at, a, b) => {
        const bytes = new Uint8Array(size);
        bytes[at] = 1;
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        const range = { start: BigInt(start), end: BigInt(end) };
        expect(allZero(new BufferSource(bytes, 'any'), range, 'gap')).toBe(at < start || at >= end);
      }),
      { numRuns: 60 },
    );
  });
});
