/** Questions to the syntax tree of a notes file: what is written where. */
import { isMap, isScalar, isSeq, type YAMLMap } from 'yaml';

/** Where a node of the notes file stands: keys and indices from the top. */
export type Path = readonly (string | number)[];

/** A value without its tree, for the validator; it only asks for kinds, so numbers may be rounded here. */
export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain };

/** Where a node begins, in characters. */
export function offsetOf(node: unknown): number {
  const range = isScalar(node) || isMap(node) || isSeq(node) ? node.range : undefined;
  return range?.[0] ?? 0;
}

/** A scalar as it is written, quotes and escapes resolved; numbers keep every digit. Empty for anything else. */
export function scalarText(node: unknown): string {
  if (!isScalar(node)) return '';
  return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
}

/** The value under a key, the key compared as it is written. */
export function member(map: YAMLMap, key: string): unknown {
  return map.items.find((pair) => scalarText(pair.key) === key)?.value;
}

/** The node at a path, or the last one on the way to it. */
export function nodeAt(root: unknown, path: Path): unknown {
  let node = root;
  for (const step of path) {
    const next = isMap(node) ? member(node, String(step)) : isSeq(node) ? node.items[Number(step)] : undefined;
    if (next === undefined || next === null) return node;
    node = next;
  }
  return node;
}

/** The plain value at a path. */
export function plainAt(plain: Plain, path: Path): Plain | undefined {
  let value: Plain | undefined = plain;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Array.isArray(value) ? value[Number(step)] : Object.getOwnPropertyDescriptor(value, step)?.value;
  }
  return value;
}

/** A JSON pointer to steps; an index is a number only where it stands in a list. */
export function pointerPath(pointer: string, plain: Plain): Path {
  const steps: (string | number)[] = [];
  for (const part of pointer.split('/').slice(1)) {
    const step = part.replaceAll('~1', '/').replaceAll('~0', '~');
    steps.push(Array.isArray(plainAt(plain, steps)) ? Number(step) : step);
  }
  return steps;
}

/** The path as a message spells it, `notes[2].value`. */
export function pathText(path: Path): string {
  return path.reduce<string>(
    (text, step) => (typeof step === 'number' ? `${text}[${step}]` : text === '' ? step : `${text}.${step}`),
    '',
  );
}
