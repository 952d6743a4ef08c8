/** Numbers as C reads them: strtoul() and strtoull() with base 16 (ISO C 7.22.1.4), on a host with 64-bit long. */

const U64 = 1n << 64n;

/** The low 32 bits: every value of the container is an unsigned 32-bit number that wraps. */
export function u32(value: bigint): bigint {
  return BigInt.asUintN(32, value);
}

/**
 * Leading blanks, a sign, `0x` if it is there, then digits up to the first character that is none; nothing read is 0. A
 * number above 2^64 - 1 becomes 2^64 - 1, a minus sign negates modulo 2^64. Never an error.
 */
export function hexAsC(text: string): bigint {
  const [, sign, digits = ''] = /^[ \t\n\v\f\r]*([+-]?)(?:0x(?=[0-9a-f]))?([0-9a-f]*)/i.exec(text) ?? [];
  const value = digits === '' ? 0n : BigInt(`0x${digits}`);
  if (value >= U64) return U64 - 1n;
  return sign === '-' ? BigInt.asUintN(64, -value) : value;
}

/** `<load-base>`: the same, cut to 32 bits. */
export function loadBase(text: string): bigint {
  return u32(hexAsC(text));
}

/** Is it a plain number, so that C and its reader mean the same? */
export function isPlainHex(text: string): boolean {
  return /^(0x)?[0-9a-f]+$/i.test(text);
}
