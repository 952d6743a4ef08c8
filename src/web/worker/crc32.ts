/** CRC-32 as in gzip (RFC 1952, section 8), which browsers do not have. */

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** The CRC of bytes, going on from `crc`. */
export function crc32(bytes: Uint8Array, crc: number): number {
  let value = ~crc;
  for (const byte of bytes) value = (TABLE[(value ^ byte) & 255] ?? 0) ^ (value >>> 8);
  return ~value >>> 0;
}
