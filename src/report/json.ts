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
 * is undefined is left out.
 */
export function jsonDocument(name: string, members: { readonly [key: string]: Json }): string {
  const document = { schema: `xen-elfpatch/${name}/1`, ...members };
  return `${JSON.stringify(document, (_key, value: unknown) => (typeof value === 'bigint' ? hex(value) : value), 2)}\n`;
}

/** Bytes as hexadecimal digits, as documents hold them. */
export function bytesToJson(bytes: Uint8Array): string {
  return hexDigits(bytes);
}
