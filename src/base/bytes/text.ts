/** Bytes as text and text as bytes, in the three ways that images need, and bytes against bytes. Runs in any JavaScript. */
import { portOrNone } from './ports.js';

/** A call takes this many characters safely as arguments. */
const AT_ONCE = 0x2000;

/** One character a byte (ISO 8859-1), so nothing is lost. */
export function latin1(bytes: Uint8Array): string {
  if (bytes.length <= AT_ONCE) return characters(bytes);
  let text = '';
  for (let at = 0; at < bytes.length; at += AT_ONCE) text += characters(bytes.subarray(at, at + AT_ONCE));
  return text;
}

function characters(bytes: Uint8Array): string {
  return Reflect.apply(String.fromCharCode, undefined, bytes);
}

/** One byte a character; of characters beyond U+00FF the low byte. */
export function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** UTF-8; what is none becomes U+FFFD, and a byte order mark is a character like any other. */
export function utf8(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

/** UTF-8 that is nothing else, a byte order mark a character like any other; undefined for other bytes. */
export function utf8Text(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** The text as UTF-8, without a byte order mark or a NUL. */
export function utf8Bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Bytes as hexadecimal text, two lower-case digits a byte. */
export function hexDigits(bytes: Uint8Array): string {
  let digits = '';
  for (const byte of bytes) digits += byte.toString(16).padStart(2, '0');
  return digits;
}

/** The bytes of an even number of hexadecimal digits; the caller has made sure that they are some. */
export function hexDigitBytes(digits: string): Uint8Array {
  const bytes = new Uint8Array(digits.length / 2);
  for (let at = 0; at < bytes.length; at++) bytes[at] = Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16);
  return bytes;
}

/** Below 0, 0 or above 0, as the first byte that differs has it; of two where none does, the shorter comes first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const compare = portOrNone('compareBytes') ?? comparePlainly;
  return compare(a, b);
}

/** Do the two arrays hold the same bytes? */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0;
}

/** compareBytes() for a platform without one. */
export function comparePlainly(a: Uint8Array, b: Uint8Array): number {
  const common = Math.min(a.length, b.length);
  for (let at = 0; at < common; at++) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** Index of the first `wanted` at or behind `from`; -1: none. `wanted` is not empty. */
export function findBytes(bytes: Uint8Array, wanted: Uint8Array, from = 0): number {
  const find = portOrNone('findBytes') ?? findPlainly;
  return find(bytes, wanted, from);
}

/** findBytes() for a platform without one. */
export function findPlainly(bytes: Uint8Array, wanted: Uint8Array, from: number): number {
  const [first] = wanted;
  if (first === undefined) return -1;
  const last = bytes.length - wanted.length;
  for (let at = bytes.indexOf(first, from); at >= 0 && at <= last; at = bytes.indexOf(first, at + 1)) {
    let same = 1;
    while (same < wanted.length && bytes[at + same] === wanted[same]) same += 1;
    if (same === wanted.length) return at;
  }
  return -1;
}

/** One array with the bytes of all parts, in their order. */
export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, { length }) => size + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
