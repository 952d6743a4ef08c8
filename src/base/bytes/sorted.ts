/** The search in sorted lists that all maps of offsets and addresses are built on. */

/**
 * How many items at the front of a sorted list the condition holds for. It has to hold for a front part of the list and for nothing
 * behind it; then the answer is also the index of the first item that it does not hold for. Logarithmic.
 */
export function countWhile<Item>(sorted: readonly Item[], holds: (item: Item) => boolean): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = sorted[middle];
    if (item !== undefined && holds(item)) low = middle + 1;
    else high = middle;
  }
  return low;
}
