/** The frame of every JSON document: the schema's name first, addresses, offsets and sizes as hexadecimal strings. */
import { hexDigits } from '../base/bytes/text.js';
import { hex } from '../base/errors/hex.js';

/** What may stand in a document. A bigint is an address, an offset or a size; counts are numbers. */
export type Json =
  | string
  | number
  | boolean
  | null
  | bigint
  | undefined
  | readonly Json[]
  | { readonly [key: string]: Json };

/**
 * One document as text: `{"schema": "xen-elfpatch/<name>/1", …}` and a line feed. A bigint becomes `"0x…"`; a member that
 * is undefined is left out. JSON allows C1 controls and marks of writing direction in strings, and a document is looked at in
 * terminals and editors as well: they stand as `\u` escapes, which mean the same.
 */
export function jsonDocument(name: string, members: { readonly [key: string]: Json }): string {
  return plainDocument({ schema: `xen-elfpatch/${name}/1`, ...members });
}

/** The same for a document whose frame is somebody else's. */
export function plainDocument(document: { readonly [key: string]: Json }): string {
  const text = JSON.stringify(document, (_key, value: unknown) => (typeof value === 'bigint' ? hex(value) : value), 2);
  return `${text.replace(UNSEEN, jsonEscape)}\n`;
}

/** A document on one line. Line feeds in it stand between members alone: in strings they are escaped. */
export function onOneLine(document: string): string {
  return `${document.trimEnd().replace(/\n */g, '')}\n`;
}

/** What `base/printable.ts` escapes, but for the line feeds between members; inside strings these are escaped already. */
const UNSEEN = /[^\n\P{C}]|[\p{Zl}\p{Zp}]/gu;

function jsonEscape(character: string): string {
  const units = Array.from({ length: character.length }, (_, i) => character.charCodeAt(i));
  return units.map((unit) => `\\u${unit.toString(16).padStart(4, '0')}`).join('');
}

/** Bytes as hexadecimal digits, as documents hold them. */
export function bytesToJson(bytes: Uint8Array): string {
  return hexDigits(bytes);
}
