/**
 * Answers of real loaders, committed: a line for each image, a column for each version. A loader that changes its mind is a
 * line of a diff; a version that can no longer be had keeps its column.
 */
import { readFileSync } from 'node:fs';
import type { Kernel } from './kernels.js';

/** What one version said of one image; NOT_ASKED where it was not. */
export const NOT_ASKED = '?';
/** In the file: as the version in front of it. */
const SAME = '=';

/** One image with the answers by version. */
export interface Row {
  readonly name: string;
  readonly digest: string;
  readonly bends: string;
  readonly answers: ReadonlyMap<string, string>;
}

/** A table as it is read and written. */
export interface Table {
  readonly versions: readonly string[];
  readonly rows: readonly Row[];
}

/** Where the table of that name is. */
export const pathOf = (name: string): string => `test/judges/tables/${name}.tsv`;

/** The committed table. */
export function readTable(name: string): Table {
  const [head = '', ...lines] = readFileSync(pathOf(name), 'utf8').trimEnd().split('\n');
  const versions = head.split('\t').slice(3);
  const rows = lines.map((line): Row => {
    const [image = '', digest = '', bends = '', ...said] = line.split('\t');
    const answers = new Map<string, string>();
    let before = NOT_ASKED;
    for (const [at, version] of versions.entries()) {
      const answer = said[at] ?? NOT_ASKED;
      if (answer !== SAME) before = answer;
      answers.set(version, before);
    }
    return { name: image, digest, bends, answers };
  });
  return { versions, rows };
}

/** The file of a table. */
export function tableText({ versions, rows }: Table): string {
  const lines = rows.map(({ name, digest, bends, answers }) => {
    let before: string | undefined;
    const said = versions.map((version) => {
      const answer = answers.get(version) ?? NOT_ASKED;
      const cell = answer === before ? SAME : answer;
      before = answer;
      return cell;
    });
    return [name, digest, bends, ...said].join('\t');
  });
  return `${[['image', 'digest', 'bends', ...versions].join('\t'), ...lines].join('\n')}\n`;
}

const numbers = (version: string): number[] => (version.match(/\d+/g) ?? []).map(Number);

/** Versions, oldest first. */
export function inOrder(versions: readonly string[]): string[] {
  return [...new Set(versions)].sort((a, b) => {
    const [left, right] = [numbers(a), numbers(b)];
    const at = left.findIndex((number, index) => number !== right[index]);
    return at < 0 ? left.length - right.length : (left[at] ?? 0) - (right[at] ?? -1);
  });
}

/** The table with these answers put in; of images that are not the same any more, nothing old is kept. */
export function withAnswers(
  old: Table,
  images: readonly Kernel[],
  heard: ReadonlyMap<string, ReadonlyMap<string, string>>,
): Table {
  const before = new Map(old.rows.map((row) => [`${row.name} ${row.digest}`, row.answers]));
  const versions = inOrder([...old.versions, ...heard.keys()]);
  const rows = images.map(({ name, digest, bends }) => {
    const answers = new Map(before.get(`${name} ${digest}`));
    for (const [version, said] of heard) answers.set(version, said.get(name) ?? answers.get(version) ?? NOT_ASKED);
    return { name, digest, bends, answers };
  });
  return { versions, rows };
}
