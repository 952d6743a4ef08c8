/** The stamps of an image, as text for people and as members of a `xen-elfpatch/stamp/1` document. */
import { hex } from '../base/errors/hex.js';
import { printable } from '../base/printable.js';
import type { Stamp } from '../edit/stamp/stamp.js';
import { noteWords } from '../formats/note/note-types.js';
import { bytesToJson, type Json } from './json.js';
import { type Style, table } from './text.js';

/** The stamps of an image, for people. */
export function stampsText(file: string, stamps: readonly Stamp[], style: Style): string {
  const name = style.bold(printable(file));
  if (stamps.length === 0) return `${name}: no package metadata and no build-id\n`;
  const rows = stamps.map(({ owner, type, desc, text, problem }) => [
    printable(owner),
    noteWords(owner, type) ?? hex(type),
    text === undefined ? bytesToJson(desc) : printable(text),
    ...(problem === undefined ? [] : [{ text: problem, paint: style.bad }]),
  ]);
  return `${name}:\n${table(rows, '  ')}`;
}

/** The stamps of an image, for `--json`. */
export function stampsJson(stamps: readonly Stamp[]): Json {
  return stamps.map(({ owner, type, desc, text, problem }) => ({
    owner,
    type,
    bytes: bytesToJson(desc),
    ...(text === undefined ? {} : { text }),
    ...(problem === undefined ? {} : { problem }),
  }));
}
