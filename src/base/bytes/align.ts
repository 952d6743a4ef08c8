/** Alignment laws. Zero and one mean "no alignment" wherever ELF uses the value (gABI, "Program Header": p_align). */

/** The least multiple of `align` at or after `value`; `align` 0 and 1 leave it alone. Any positive `align` will do. */
export function alignUp(value: bigint, align: bigint): bigint {
  if (align <= 1n) return value;
  const over = value % align;
  return over === 0n ? value : value + (align - over);
}

/** The greatest multiple of `align` at or before `value`. */
export function alignDown(value: bigint, align: bigint): bigint {
  return align <= 1n ? value : value - (value % align);
}

/** The least offset at or after `from` that equals `address` modulo `align` (0 and 1: any offset will do). */
export function firstFit(from: bigint, address: bigint, align: bigint): bigint {
  if (align <= 1n) return from;
  const wanted = ((address % align) + align) % align;
  const over = from % align;
  return from + ((wanted - over + align) % align);
}

/** Is it 0 or a power of two? The only values gABI allows for an alignment. */
export function isAlignment(value: bigint): boolean {
  return (value & (value - 1n)) === 0n || value === 0n;
}
