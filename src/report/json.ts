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
  const text = JSON.stringify(document, hexOf, 2);
  return `${text.replace(UNSEEN, jsonEscape)}\n`;
}

/** A list of a document whose elements are made when they are written: what they are made of is smaller. */
export class Lazy {
  readonly elements: () => Iterable<Json>;

  constructor(elements: () => Iterable<Json>) {
    this.elements = elements;
  }
}

/** A document, or a part of one, that may hold lists of that kind. */
export type Streamed = Json | Lazy | readonly Streamed[] | { readonly [key: string]: Streamed };

/** The text of jsonDocument() in pieces: no list that is lazy is ever held as a whole, nor is the text. */
export function* jsonPieces(name: string, members: { readonly [key: string]: Streamed }): Generator<string> {
  for (const piece of piecesOf({ schema: `xen-elfpatch/${name}/1`, ...members }, '\n')) {
    yield piece.replace(UNSEEN, jsonEscape);
  }
  yield '\n';
}

/** As JSON.stringify() has it with an indentation of 2; `line` begins a line of the value's own. */
function* piecesOf(value: Streamed, line: string): Generator<string> {
  const inner = `${line}  `;
  if (value instanceof Lazy) yield* listOf(value.elements(), line, (element) => [stringOf(element, inner)]);
  else if (isList(value)) yield* listOf(value, line, (element) => piecesOf(element, inner));
  else if (typeof value === 'object' && value !== null) {
    let before = '{';
    for (const [key, member] of Object.entries(value)) {
      if (member === undefined) continue;
      yield `${before}${inner}${JSON.stringify(key)}: `;
      yield* piecesOf(member, inner);
      before = ',';
    }
    yield before === '{' ? '{}' : `${line}}`;
  } else yield stringOf(value, line);
}

function* listOf<T extends Streamed>(
  elements: Iterable<T>,
  line: string,
  pieces: (element: T) => Iterable<string>,
): Generator<string> {
  let before = '[';
  for (const element of elements) {
    yield `${before}${line}  `;
    yield* pieces(element);
    before = ',';
  }
  yield before === '[' ? '[]' : `${line}]`;
}

function isList(value: Streamed): value is readonly Streamed[] {
  return Array.isArray(value);
}

/** A list has null where a value is undefined. */
function stringOf(value: Json, line: string): string {
  const text: string | undefined = JSON.stringify(value, hexOf, 2);
  return text === undefined ? 'null' : text.replaceAll('\n', line);
}

function hexOf(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? hex(value) : value;
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
