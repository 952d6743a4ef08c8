/**
 * A notes file (JSON or YAML) to plain data. Values are taken as they are written, so no number passes through a double;
 * every mistake is reported with its path and line. It pulls in a YAML reader and a schema validator: import it lazily.
 */
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml';
import { port } from '../../base/bytes/ports.js';
import { fail, PatchError } from '../../base/errors/patch-error.js';
import { parsePreset } from './preset-name.js';
import { member, nodeAt, offsetOf, type Path, type Plain, pathText, scalarText } from './spec-nodes.js';
import { schemaMistakes } from './spec-schema.js';
import { parseValue, type Setting } from './value.js';
import { parseNoteName } from './xen-notes.js';

/** One note that the file sets. */
export interface SpecNote {
  /** As written, a width suffix included. */
  readonly name: string;
  /** As --set would take it. */
  readonly value: string;
  readonly line: number;
  readonly setting: Setting;
}

/** What a notes file asks for; absent keys are undefined or empty. */
export interface Spec {
  readonly preset: string | undefined;
  readonly placement: string | undefined;
  readonly section: string | undefined;
  readonly notes: readonly SpecNote[];
  /** Names as written, each one that parseNoteName() takes. */
  readonly remove: readonly string[];
}

/**
 * The largest notes file that is read. The YAML reader takes time with the square of the lines in a quoted text, and memory by
 * the hundredfold; bytes for a note that need more room have `file:PATH`.
 */
const FILE_LIMIT = 0x10000n;
/** The schema has four levels. */
const DEPTH_LIMIT = 8;
const TOO_DEEP = 'found lists or mappings nested too deeply';
/** Mistakes told beside the first. */
const MORE_LIMIT = 20;

/** Reads a notes file. Errors: those of opening it, `note.too-large` above 64 KiB, `note.bad-spec`. */
export function loadSpec(path: string): Spec {
  const source = port('openFile')(path);
  try {
    const { size } = source;
    if (size > FILE_LIMIT) {
      fail('note.too-large', { file: path }, { what: 'a notes file', found: size, limit: FILE_LIMIT });
    }
    return parseSpec(decodeText(source.read(0n, size, 'notes file'), path), path);
  } finally {
    source.close();
  }
}

function decodeText(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    return fail('note.bad-spec', { file }, { what: 'found bytes that are no UTF-8, wanted text', more: [] }, error);
  }
}

/** Reads the text of a notes file; JSON is read as the YAML that it is. Errors: `note.bad-spec`. */
export function parseSpec(text: string, file = 'notes file'): Spec {
  const reader = new SpecReader(text);
  const spec = reader.read();
  const [first, ...rest] = reader.mistakes.sort((a, b) => a.line - b.line);
  if (first === undefined) return spec;
  const more = rest.slice(0, MORE_LIMIT).map((m) => `line ${m.line}: ${m.path === '' ? '' : `${m.path}: `}${m.what}`);
  if (rest.length > MORE_LIMIT) more.push(`${rest.length - MORE_LIMIT} more`);
  const part = first.path === '' ? undefined : first.path;
  return fail('note.bad-spec', { file: `${file}:${first.line}`, part }, { what: first.what, more });
}

interface Mistake {
  readonly line: number;
  readonly path: string;
  readonly what: string;
}

const EMPTY: Spec = { preset: undefined, placement: undefined, section: undefined, notes: [], remove: [] };

class SpecReader {
  readonly mistakes: Mistake[] = [];
  readonly #lines = new LineCounter();
  readonly #root: Node | null;

  constructor(text: string) {
    this.#root = this.#parse(text);
  }

  read(): Spec {
    const root = this.#root;
    if (this.mistakes.length === 0) this.#validate();
    // From here on the shapes are those of the schema.
    if (this.mistakes.length > 0 || !isMap(root)) return EMPTY;
    return {
      preset: this.#preset(root),
      placement: text(root, 'placement'),
      section: text(root, 'section'),
      notes: this.#notes(member(root, 'notes')),
      remove: this.#remove(member(root, 'remove')),
    };
  }

  #parse(text: string): Node | null {
    try {
      const document = parseDocument(text, { intAsBigInt: true, lineCounter: this.#lines, prettyErrors: false });
      for (const { message, pos } of [...document.errors, ...document.warnings]) {
        // The YAML reader recurses, and says by what it ended.
        this.#add(pos[0], [], message.includes('call stack') ? TOO_DEEP : message);
      }
      return document.contents;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      this.#add(0, [], error instanceof RangeError ? TOO_DEEP : `cannot be read: ${why}`);
      return null;
    }
  }

  #validate(): void {
    const plain = this.#plain(this.#root, []);
    if (this.mistakes.length > 0) return;
    for (const { path, key, what } of schemaMistakes(plain)) {
      const node = nodeAt(this.#root, path);
      const pair = isMap(node) ? node.items.find((item) => scalarText(item.key) === key) : undefined;
      this.#add(offsetOf(key === undefined ? node : pair?.key), path, what);
    }
  }

  #plain(node: unknown, path: Path): Plain {
    if (node === null || node === undefined) return null;
    if (path.length > DEPTH_LIMIT) return this.#add(offsetOf(node), path, TOO_DEEP);
    if (isScalar(node)) {
      const { value } = node;
      if (typeof value === 'bigint') return Number(value);
      return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
    }
    if (isSeq(node)) return node.items.map((item, index) => this.#plain(item, [...path, index]));
    if (isMap(node)) {
      const entries = node.items.map(({ key, value }): [string, Plain] => {
        if (!isScalar(key)) this.#add(offsetOf(key), path, 'found a key that is no word');
        const name = scalarText(key);
        return [name, this.#plain(value, [...path, name])];
      });
      // Keys as written, `__proto__` included, become own properties.
      return Object.fromEntries(entries);
    }
    return this.#add(offsetOf(nodeAt(this.#root, path)), path, 'found an alias, wanted the value itself');
  }

  #preset(root: YAMLMap): string | undefined {
    const name = text(root, 'preset');
    const place = offsetOf(member(root, 'preset'));
    if (name !== undefined) this.#attempt(['preset'], place, () => parsePreset(name));
    return name;
  }

  #notes(node: unknown): SpecNote[] {
    const lines = new Map<number, number>();
    const notes: SpecNote[] = [];
    const add = (path: Path, place: number, name: string, value: unknown) => {
      const note = this.#attempt(path, place, () => this.#note(path, place, name, value));
      if (note === undefined) return;
      const before = lines.get(note.setting.type);
      if (before !== undefined) this.#add(place, path, `found the note of line ${before} again, wanted each once`);
      lines.set(note.setting.type, note.line);
      notes.push(note);
    };
    if (isMap(node)) {
      for (const { key, value } of node.items) add(['notes', scalarText(key)], offsetOf(key), scalarText(key), value);
    }
    if (isSeq(node)) {
      for (const [index, item] of node.items.entries()) {
        if (!isMap(item)) continue;
        const width = text(item, 'width');
        const name = `${text(item, 'name') ?? ''}${width === undefined ? '' : `/${width}`}`;
        add(['notes', index], offsetOf(item), name, member(item, 'value'));
      }
    }
    return notes;
  }

  #note(path: Path, place: number, name: string, node: unknown): SpecNote | undefined {
    const { type, info, width } = parseNoteName(name);
    const features = info?.name === 'FEATURES';
    if (isSeq(node) && info?.kind !== 'list' && !features) {
      this.#add(place, path, 'found a list, wanted one value');
      return undefined;
    }
    const value = isSeq(node) ? node.items.map(scalarText).join(features ? '|' : ',') : scalarText(node);
    const setting = { type, info, width, expr: parseValue(type, info, width, value) };
    return { name, value, line: this.#line(place), setting };
  }

  #remove(node: unknown): string[] {
    if (!isSeq(node)) return [];
    for (const [index, item] of node.items.entries()) {
      this.#attempt(['remove', index], offsetOf(item), () => parseNoteName(scalarText(item)));
    }
    return node.items.map(scalarText);
  }

  /** What the command line would refuse is a mistake of this line. */
  #attempt<T>(path: Path, place: number, work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof PatchError)) throw error;
      const near = error.hint?.startsWith('Did you mean') ? `. ${error.hint}` : '';
      this.#add(place, path, `${error.detail}${near}`);
      return undefined;
    }
  }

  #add(place: number, path: Path, what: string): null {
    this.mistakes.push({ line: this.#line(place), path: pathText(path), what });
    return null;
  }

  #line(place: number): number {
    // An empty text has no line for the counter.
    return Math.max(1, this.#lines.linePos(place).line);
  }
}

function text(map: YAMLMap, key: string): string | undefined {
  const node = member(map, key);
  return isScalar(node) ? scalarText(node) : undefined;
}
