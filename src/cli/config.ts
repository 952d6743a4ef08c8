/**
 * `--config FILE`: what a project says once for all its command lines. Each key stands for an option and counts where the
 * command has that option and the line does not give it. The file is read only when it is named, and what it says goes the
 * way of what is typed: the same readers, the same refusals. schema/config.schema.json describes it for editors.
 */
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { FileSource } from '../base/bytes/file-source.js';
import { fail } from '../base/errors/patch-error.js';
import { nearest } from '../formats/note/nearest.js';
import type { OptionTable, RawOptions } from './option-table.js';

/** What the value of a key is: one word, a list of them, or a mapping of names to words. */
type Shape = 'word' | 'words' | 'mapping';

interface Key {
  /** The option that it stands for, without dashes. */
  readonly option: string;
  readonly shape: Shape;
}

/** Every key, in the order in which --print-config lists them. */
export const CONFIG_KEYS: Readonly<Record<string, Key>> = {
  loaders: { option: 'for', shape: 'words' },
  xenVersion: { option: 'xen-version', shape: 'word' },
  memory: { option: 'memory', shape: 'word' },
  mustSurvive: { option: 'must-survive', shape: 'words' },
  preset: { option: 'preset', shape: 'words' },
  notes: { option: 'set', shape: 'mapping' },
  placement: { option: 'placement', shape: 'word' },
  packageMetadata: { option: 'package-metadata', shape: 'mapping' },
  buildId: { option: 'build-id', shape: 'word' },
  stamps: { option: 'note', shape: 'mapping' },
};

/** A file of settings is no larger. */
const SIZE_LIMIT = 0x10000n;

/** The options that a file stands for, by their names without dashes, each with its values as typed. */
export type Config = ReadonlyMap<string, readonly string[]>;

/** Reads a file. Errors: those of opening it, `config.bad` with the line and the key. */
export function loadConfig(path: string): Config {
  const source = FileSource.open(path);
  try {
    if (source.size > SIZE_LIMIT) {
      fail('config.bad', { file: path }, { what: `found ${source.size} bytes, wanted at most ${SIZE_LIMIT}` });
    }
    return parseConfig(new TextDecoder().decode(source.read(0n, source.size, 'settings')), path);
  } finally {
    source.close();
  }
}

/** Reads the text of a file; JSON is read as the YAML that it is. Errors: `config.bad`. */
export function parseConfig(text: string, file: string): Config {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, maxAliasCount: 0 } as object);
  const lineAt = (offset: number | undefined) => (offset === undefined ? 1 : lines.linePos(offset).line);
  const refuse = (node: unknown, part: string | undefined, what: string): never => {
    const offset = isNode(node) ? node.range?.[0] : undefined;
    return fail('config.bad', { file: `${file}:${lineAt(offset)}`, part }, { what });
  };
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined)
    fail('config.bad', { file: `${file}:${lineAt(problem.pos[0])}` }, { what: problem.message });
  const root = document.contents;
  if (root === null) return new Map();
  if (!isMap(root)) return refuse(root, undefined, 'found no mapping, wanted settings by name');
  const config = new Map<string, readonly string[]>();
  for (const { key, value } of root.items) {
    const name = isScalar(key) ? String(key.value) : '';
    const known = Object.hasOwn(CONFIG_KEYS, name) ? CONFIG_KEYS[name] : undefined;
    if (known === undefined) {
      const [close] = nearest(name, Object.keys(CONFIG_KEYS));
      const meant = close === undefined ? `one of ${Object.keys(CONFIG_KEYS).join(', ')}` : close;
      return refuse(key, name, `found an unknown key, wanted ${meant}`);
    }
    config.set(known.option, wordsOf(value, name, known.shape, refuse));
  }
  return config;
}

type Refuse = (node: unknown, part: string, what: string) => never;

function wordsOf(node: unknown, path: string, shape: Shape, refuse: Refuse): readonly string[] {
  if (shape === 'word') return [wordOf(node, path, refuse)];
  if (shape === 'words') {
    if (isScalar(node)) return [wordOf(node, path, refuse)];
    if (!isSeq(node)) return refuse(node, path, 'found no list, wanted a word or a list of words');
    return node.items.map((item, i) => wordOf(item, `${path}[${i}]`, refuse));
  }
  if (!isMap(node)) return refuse(node, path, 'found no mapping, wanted names with a value each');
  return node.items.map(({ key, value }) => {
    const name = wordOf(key, path, refuse);
    return `${name}=${wordOf(value, `${path}.${name}`, refuse)}`;
  });
}

/** Numbers are taken as they are written: 4.10 is no 4.1, and an address no double. */
function wordOf(node: unknown, path: string, refuse: Refuse): string {
  if (!isScalar(node) || node.value === null) return refuse(node, path, 'found no word, wanted one');
  return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
}

function isNode(node: unknown): node is Node {
  return typeof node === 'object' && node !== null && 'range' in node;
}

/** The options of a line with what the file adds: an option that was typed is not touched. */
export function withConfig(config: Config, table: OptionTable, typed: RawOptions): RawOptions {
  const added = [...config].flatMap(([name, values]) => {
    const option = Object.hasOwn(table, name) ? table[name] : undefined;
    if (option === undefined || typed[name] !== undefined) return [];
    return [[name, option.kind === 'values' || option.kind === 'list' ? values : values.at(-1)] as const];
  });
  return { ...typed, ...Object.fromEntries(added) };
}

/** What a file says, as the words of a command line, one option a line; those that the command has not are told apart. */
export function configText(config: Config, command: string, table: OptionTable): string {
  const lines = [...config].flatMap(([name, values]) =>
    values.map((value) => `${Object.hasOwn(table, name) ? '' : `# not for ${command}: `}--${name}=${value}\n`),
  );
  return lines.join('');
}
