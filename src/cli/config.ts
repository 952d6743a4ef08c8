/**
 * `--config FILE`: what a project says once for all its command lines. Each key stands for an option and counts where the
 * command has that option and the line does not give it. The file is read only when it is named, and what it says goes the
 * way of what is typed: the same readers, the same refusals, and those name the line of the file. schema/config.schema.json
 * describes it for editors.
 */
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import { FileSource } from '../base/bytes/file-source.js';
import { utf8Text } from '../base/bytes/text.js';
import { fail, PatchError } from '../base/errors/patch-error.js';
import { parseBuildId } from '../edit/stamp/build-id.js';
import { checkNote } from '../edit/stamp/note-words.js';
import { nearest } from '../formats/note/nearest.js';
import { parsePreset } from '../formats/note/preset-name.js';
import { parseSetting } from '../formats/note/value.js';
import { readMemory } from '../loaders/memory-size.js';
import { parseXenVersion } from '../loaders/xen-version.js';
import { checkMember, checkPlacement, checkTools } from './config-values.js';
import { newestUnlessNamed, readTarget, XEN_VERSION_OPTION } from './loader-option.js';
import type { OptionTable, RawOptions } from './option-table.js';

/** What the value of a key is: one word, a list of them, or a mapping of names to words. */
type Shape = 'word' | 'words' | 'mapping';

interface Key {
  /** The option that it stands for, without dashes. */
  readonly option: string;
  readonly shape: Shape;
  /** Reads a word, or `NAME=VALUE` of a mapping, as the command does. Errors: those of the option. */
  readonly check: (text: string) => unknown;
}

/** Every key, in the order of the schema. */
export const CONFIG_KEYS: Readonly<Record<string, Key>> = {
  loaders: { option: 'for', shape: 'words', check: readTarget },
  xenVersion: { option: 'xen-version', shape: 'word', check: XEN_VERSION_OPTION['xen-version'].read },
  memory: { option: 'memory', shape: 'word', check: readMemory },
  mustSurvive: { option: 'must-survive', shape: 'words', check: checkTools },
  preset: { option: 'preset', shape: 'words', check: parsePreset },
  notes: { option: 'set', shape: 'mapping', check: parseSetting },
  placement: { option: 'placement', shape: 'word', check: checkPlacement },
  packageMetadata: { option: 'package-metadata', shape: 'mapping', check: checkMember },
  buildId: { option: 'build-id', shape: 'word', check: parseBuildId },
  stamps: { option: 'note', shape: 'mapping', check: checkNote },
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
    const text = utf8Text(source.read(0n, source.size, 'settings'));
    if (text === undefined) fail('config.bad', { file: path }, { what: 'found bytes that are no UTF-8, wanted text' });
    return parseConfig(text, path);
  } finally {
    source.close();
  }
}

/** Reads the text of a file; JSON is read as the YAML that it is. Errors: `config.bad`. */
export function parseConfig(text: string, file: string): Config {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, maxAliasCount: 0 } as object);
  const lineAt = (offset: number | undefined) => (offset === undefined ? 1 : lines.linePos(offset).line);
  const refuse: Refuse = (node, part, what, hint) => {
    const offset = isNode(node) ? node.range?.[0] : undefined;
    return fail('config.bad', { file: `${file}:${lineAt(offset)}`, part }, { what, hint });
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
    config.set(known.option, wordsOf(value, name, known, refuse));
  }
  const release = parseXenVersion(config.get('xen-version')?.[0] ?? '');
  const asked = config.get('for') ?? [];
  checked(() => newestUnlessNamed(release, asked), root.get('xenVersion', true), 'xenVersion', refuse);
  return config;
}

type Refuse = (node: unknown, part: string | undefined, what: string, hint?: string) => never;

/** What a reader refuses is refused with its place in the file. */
function checked(read: () => unknown, at: unknown, part: string, refuse: Refuse): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    refuse(at, part, error.detail, error.hint);
  }
}

function wordsOf(node: unknown, path: string, { shape, check }: Key, refuse: Refuse): readonly string[] {
  const read = (text: string, at: unknown, part: string) => {
    checked(() => check(text), at, part, refuse);
    return text;
  };
  const word = (at: unknown, part: string) => read(wordOf(at, part, refuse), at, part);
  if (shape === 'word') return [word(node, path)];
  if (shape === 'words') {
    if (isScalar(node)) return [word(node, path)];
    if (!isSeq(node)) return refuse(node, path, 'found no list, wanted a word or a list of words');
    return node.items.map((item, i) => word(item, `${path}[${i}]`));
  }
  if (!isMap(node)) return refuse(node, path, 'found no mapping, wanted names with a value each');
  return node.items.map(({ key, value }) => {
    const name = wordOf(key, path, refuse);
    return read(`${name}=${wordOf(value, `${path}.${name}`, refuse)}`, key, `${path}.${name}`);
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

/**
 * The options of a line with what the file adds: an option that was typed is not touched. Errors: `config.bad` where the release
 * of Xen that the file has contradicts the loaders that were typed, or the other way round.
 */
export function withConfig(file: string, config: Config, table: OptionTable, typed: RawOptions): RawOptions {
  const added = [...config].flatMap(([name, values]) => {
    const option = Object.hasOwn(table, name) ? table[name] : undefined;
    if (option === undefined || typed[name] !== undefined) return [];
    return [[name, option.kind === 'values' || option.kind === 'list' ? values : values.at(-1)] as const];
  });
  const options = { ...typed, ...Object.fromEntries(added) };
  const [key] = added.flatMap(([name]) =>
    name === 'xen-version' ? ['xenVersion'] : name === 'for' ? ['loaders'] : [],
  );
  if (key !== undefined) refuseContradiction(file, key, options);
  return options;
}

function isRead(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof PatchError) return false;
    throw error;
  }
}

function refuseContradiction(file: string, key: string, options: RawOptions): void {
  const targets = Array.isArray(options['for']) ? options['for'].map(String) : [];
  // What is wrong by itself is told where it is read.
  const known = targets.filter((target) => isRead(() => readTarget(target)));
  try {
    newestUnlessNamed(parseXenVersion(String(options['xen-version'] ?? '')), known);
  } catch (error) {
    if (!(error instanceof PatchError)) throw error;
    fail(
      'config.bad',
      { file, part: key },
      { what: error.detail, hint: 'One stands in this file, the other was typed: name the release once.' },
    );
  }
}

/** What a file says, as the words of a command line, one option a line; those that the command has not are told apart. */
export function configText(config: Config, command: string, table: OptionTable): string {
  const lines = [...config].flatMap(([name, values]) =>
    values.map((value) => `${Object.hasOwn(table, name) ? '' : `# not for ${command}: `}--${name}=${value}\n`),
  );
  return lines.join('');
}
