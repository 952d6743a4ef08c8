/** How numbers are printed. Addresses, offsets and sizes always in hexadecimal, never padded. */

/** `0x1f`, for any unsigned number. */
export function hex(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}

/** A half-open range, `[0x10, 0x20)`. */
export function hexRange(start: bigint, end: bigint): string {
  return `[${hex(start)}, ${hex(end)})`;
}

/** Bytes as a hexadecimal dump, `58 65 6e 00`. */
export function hexBytes(bytes: Uint8Array, separator = ' '): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(separator);
}
