/** Are all bytes of a range zero? Gaps of an image may have tens of megabytes, so they are looked at by words. */
import type { Range } from './range.js';
import type { ByteSource } from './source.js';

/** Bytes per look. */
const WINDOW = 0x40000n;
const WORD = 4;

/** True when every byte of the range is zero; bytes behind the end of the file are none. */
export function allZero(source: ByteSource, range: Range, part: string): boolean {
  const end = range.end < source.size ? range.end : source.size;
  if (range.start >= end) return true;
  const window = new Uint8Array(Number(end - range.start < WINDOW ? end - range.start : WINDOW));
  for (let at = range.start; at < end; at += WINDOW) {
    const bytes = window.subarray(0, Number(end - at < WINDOW ? end - at : WINDOW));
    source.readInto(at, bytes, part);
    if (!isZero(bytes)) return false;
  }
  return true;
}

/** True when every byte is zero. */
export function isZero(bytes: Uint8Array): boolean {
  const { buffer, byteOffset, length } = bytes;
  if (length < 2 * WORD) return bytes.every((byte) => byte === 0);
  const head = (WORD - (byteOffset % WORD)) % WORD;
  const words = new Uint32Array(buffer, byteOffset + head, Math.floor((length - head) / WORD));
  for (let i = 0; i < head; i++) if (bytes[i] !== 0) return false;
  for (let i = 0; i < words.length; i++) if (words[i] !== 0) return false;
  for (let i = head + words.length * WORD; i < length; i++) if (bytes[i] !== 0) return false;
  return true;
}
