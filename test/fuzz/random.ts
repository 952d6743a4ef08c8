/** Numbers that a seed tells: the same seed makes the same inputs on every machine. */

/** A stream of numbers. */
export interface Random {
  /** A whole number from 0 up to, and not including, `end`. */
  below(end: number): number;
  /** One of these. */
  pick<T>(from: readonly T[]): T;
}

/** The stream of a seed (mulberry32). */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (end: number) => Math.floor(next() * end);
  return {
    below,
    pick(from) {
      const item = from[below(from.length)];
      if (item === undefined) throw new RangeError('nothing to pick from');
      return item;
    },
  };
}
