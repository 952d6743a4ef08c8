/** Seeded choices that stay the same for ever: no library's next release changes an image of a committed table. */

/** A stream of choices. */
export interface Dice {
  /** A whole number below `limit`. */
  below(limit: number): number;
  /** One of these. */
  of<T>(...values: readonly T[]): T;
  /** True so many times out of a hundred. */
  percent(chance: number): boolean;
}

/** The same two numbers give the same choices. Mulberry32, by Tommy Ettinger (public domain), seeded anew for each index. */
export function dice(seed: number, index: number): Dice {
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)) >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return {
    below,
    of: (...values) => values[below(values.length)] as (typeof values)[number],
    percent: (chance) => below(100) < chance,
  };
}
