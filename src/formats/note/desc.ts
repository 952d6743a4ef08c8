/** Descriptors to values and back (xen/include/public/elfnote.h; widths as Xen's libelf reads them). */
import { latin1, latin1Bytes, utf8Bytes } from '../../base/bytes/text.js';
import { type Encoding, nativeSize } from '../elf/struct.js';
import { noteInfo } from './xen-notes.js';

/** A descriptor's meaning. `raw` is what does not have the shape its type asks for, or has a type without a name. */
export type NoteValue =
  | { readonly kind: 'number'; readonly value: bigint; readonly width: number }
  | { readonly kind: 'string'; readonly text: string; readonly terminated: boolean }
  | { readonly kind: 'list'; readonly items: readonly bigint[]; readonly width: number }
  | { readonly kind: 'raw'; readonly bytes: Uint8Array };

/**
 * Reads a descriptor by its type's kind. A number of another size than 1, 2, 4 or 8 bytes (Xen reads it as 0) and a list
 * that is not a whole number of items come back raw.
 */
export function decodeValue(type: number, desc: Uint8Array, encoding: Encoding): NoteValue {
  switch (noteInfo(type)?.kind) {
    case 'number':
      return isWidth(desc.length)
        ? { kind: 'number', value: readNumber(desc, 0, desc.length, encoding.endian), width: desc.length }
        : { kind: 'raw', bytes: desc };
    case 'string':
      return decodeString(desc);
    case 'list':
      return decodeList(desc, listWidth(type, desc.length, encoding), encoding.endian);
    case undefined:
      return { kind: 'raw', bytes: desc };
  }
}

/** Up to the first NUL; bytes become characters one to one, so nothing is lost. */
function decodeString(desc: Uint8Array): NoteValue {
  const end = desc.indexOf(0);
  const used = end < 0 ? desc : desc.subarray(0, end);
  const text = latin1(used);
  return { kind: 'string', text, terminated: end >= 0 };
}

/**
 * L1_MFN_VALID is pairs of machine-address size: Linux writes 2 × 8 bytes in ELF64, the BSDs 2 × 4 there too. Two words
 * are a pair of 4 bytes; otherwise the class decides.
 */
function listWidth(type: number, size: number, encoding: Encoding): 4 | 8 {
  const width = noteInfo(type)?.width;
  if (width === 4 || size === 8) return 4;
  // readnotes decides by the size alone: 16 bytes are a pair of 8, in ELF32 too.
  return size === 16 ? 8 : nativeSize(encoding);
}

function decodeList(desc: Uint8Array, width: 4 | 8, endian: Encoding['endian']): NoteValue {
  if (desc.length % width !== 0) return { kind: 'raw', bytes: desc };
  const items = Array.from({ length: desc.length / width }, (_, i) => readNumber(desc, i * width, width, endian));
  return { kind: 'list', items, width };
}

/** Is it a width that Xen reads as a number? */
export function isWidth(width: number): width is 1 | 2 | 4 | 8 {
  return width === 1 || width === 2 || width === 4 || width === 8;
}

/** The unsigned number of `width` bytes at `at`; the caller has made sure that they are there. */
export function readNumber(bytes: Uint8Array, at: number, width: number, endian: Encoding['endian']): bigint {
  const little = endian === 'little';
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (width === 8) return view.getBigUint64(at, little);
  if (width === 4) return BigInt(view.getUint32(at, little));
  if (width === 2) return BigInt(view.getUint16(at, little));
  return BigInt(view.getUint8(at));
}

/** An unsigned number in 1, 2, 4 or 8 bytes. A value that does not fit is a fault of the program: RangeError. */
export function encodeNumber(value: bigint, width: number, endian: Encoding['endian']): Uint8Array {
  if (!isWidth(width)) throw new RangeError(`no number has ${width} bytes`);
  if (!fitsWidth(value, width)) throw new RangeError(`0x${value.toString(16)} does not fit ${width} bytes`);
  const bytes = new Uint8Array(width);
  for (let i = 0; i < width; i++) {
    const shift = BigInt(8 * (endian === 'little' ? i : width - 1 - i));
    bytes[i] = Number((value >> shift) & 0xffn);
  }
  return bytes;
}

/** Does an unsigned value fit so many bytes? */
export function fitsWidth(value: bigint, width: number): boolean {
  return value >= 0n && value >> BigInt(8 * width) === 0n;
}

/**
 * The text with its NUL, which descsz counts: without it Xen would read on into the next record. Characters up to U+00FF
 * become one byte each, so what decodeValue read comes out the same; anything beyond makes the whole text UTF-8.
 */
export function encodeString(text: string): Uint8Array {
  const single = [...text].every((character) => (character.codePointAt(0) ?? 0) <= 0xff);
  const bytes = single ? latin1Bytes(text) : utf8Bytes(text);
  const withNul = new Uint8Array(bytes.length + 1);
  withNul.set(bytes);
  return withNul;
}

/** Numbers of one width, back to back. Errors as encodeNumber. */
export function encodeList(items: readonly bigint[], width: number, endian: Encoding['endian']): Uint8Array {
  const bytes = new Uint8Array(items.length * width);
  for (const [i, item] of items.entries()) bytes.set(encodeNumber(item, width, endian), i * width);
  return bytes;
}
