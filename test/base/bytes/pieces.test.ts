import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PiecedSource } from '../../../src/base/bytes/pieces.js';
import { BufferSource } from '../../../src/base/bytes/source.js';

describe('BufferSource', () => {
  it('gives copies, also of a Buffer', () => {
    const held = Buffer.from([1, 2, 3]);
    new BufferSource(held).read(0n, 3n, 'bytes').fill(9);
    expect([...held]).toEqual([1, 2, 3]);
  });
});

describe('PiecedSource', () => {
  it('reads any range as if the whole had been put together', () => {
    const pieces = fc.array(fc.record({ gap: fc.nat(20), size: fc.nat(20), zero: fc.boolean() }), { maxLength: 12 });
    fc.assert(
      fc.property(pieces, fc.nat(400), fc.nat(400), (list, a, b) => {
        const base = Uint8Array.from({ length: 256 }, (_, i) => (i % 255) + 1);
        const whole: number[] = [];
        let from = 0;
        const made = list.map(({ gap, size, zero }) => {
          whole.push(...new Array<number>(gap).fill(0));
          const start = BigInt(whole.length);
          for (let i = 0; i < size; i++) whole.push(zero ? 0 : (base[from + i] ?? 0));
          const piece = { start, end: BigInt(whole.length), from: zero ? undefined : BigInt(from) };
          if (!zero) from += size;
          return piece;
        });
        whole.push(0, 0, 0);
        const source = new PiecedSource(new BufferSource(base), made, BigInt(whole.length));
        const [start, end] = [a % (whole.length + 1), b % (whole.length + 1)].sort((x, y) => x - y);
        const read = source.read(BigInt(start ?? 0), BigInt((end ?? 0) - (start ?? 0)), 'bytes');
        expect([...read]).toEqual(whole.slice(start, end));
      }),
    );
  });

  it('ends where it is said to end', () => {
    const source = new PiecedSource(new BufferSource(new Uint8Array(4)), [], 8n);
    expect(() => source.read(4n, 5n, 'bytes')).toThrow('read.truncated');
  });
});
