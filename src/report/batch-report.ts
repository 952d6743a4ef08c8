/** What a batch says of all its images: the table at the end for people, and the frames of its documents. */
import { printable } from '../base/printable.js';
import { type Json, plainDocument } from './json.js';
import { type Cell, counted, type Style, table } from './text.js';

/** A line of the table. */
export interface BatchRow {
  readonly file: string;
  readonly exit: 0 | 1 | 2 | 3;
  /** How it came out: a word of the command, or the id of a problem. */
  readonly word: string;
  /** What loaders do with it, in the order of the command's own table. */
  readonly verdicts: readonly { readonly loader: string; readonly word: string }[];
}

/** How many of each kind there were. */
export interface BatchCounts {
  /** Exit 0, 1 and above. */
  readonly good: number;
  readonly no: number;
  readonly failed: number;
  /** Files of folders and archives that are no images. */
  readonly passedOver: number;
  /** Files that were named before, by this name or by another one. */
  readonly duplicates: number;
}

const LONGEST_NAME = 120;

/** Image by loader where there are verdicts, else image and result; the counts below. */
export function batchTable(rows: readonly BatchRow[], counts: BatchCounts, style: Style): string {
  const loaders = [...new Set(rows.flatMap(({ verdicts }) => verdicts.map(({ loader }) => loader)))];
  const head = ['IMAGE', 'RESULT', ...loaders].map((text): Cell => ({ text, paint: style.dim }));
  const lines = rows.map(({ file, exit, word, verdicts }) => {
    const words = new Map(verdicts.map((verdict) => [verdict.loader, verdict.word]));
    const paint = exit === 0 ? style.good : style.bad;
    return [printable(file), { text: word, paint }, ...loaders.map((loader) => verdictCell(words.get(loader), style))];
  });
  return `${lines.length === 0 ? '' : table([head, ...lines], '', LONGEST_NAME)}${countsText(counts)}\n`;
}

function verdictCell(word: string | undefined, style: Style): Cell {
  if (word === undefined) return { text: '-' };
  const paint = word === 'yes' ? style.good : word === 'no' || word === 'crash' ? style.bad : style.warn;
  return { text: word, paint };
}

function countsText({ good, no, failed, passedOver, duplicates }: BatchCounts): string {
  const parts = [`${good} good`, ...(no > 0 ? [`${no} not`] : []), ...(failed > 0 ? [`${failed} failed`] : [])];
  const others = [
    ...(passedOver > 0 ? [`${counted(passedOver, 'file')} passed over`] : []),
    ...(duplicates > 0 ? [`${counted(duplicates, 'name')} of images that were named before`] : []),
  ];
  return [`${counted(good + no + failed, 'image')}: ${parts.join(', ')}`, ...others].join('; ');
}

/** An image of a batch in its document: what the command says of it alone, or why it says nothing. */
export function batchEntry(
  file: string,
  exit: number,
  result: Json | undefined,
  error: Json | undefined,
): { readonly [key: string]: Json } {
  return { file, exit, result, ...(error === undefined ? {} : { errors: [error] }) };
}

/** The members of an array, one behind the other, so that no more than one is in memory. */
export function memberText(entry: { readonly [key: string]: Json }, first: boolean): string {
  return `${first ? '\n    ' : ',\n    '}${plainDocument(entry).trimEnd().replace(/\n/g, '\n    ')}`;
}

/** What stands in front of the members, and behind them: a document that is written while it grows. */
export function frameOf(
  before: { readonly [key: string]: Json },
  after: { readonly [key: string]: Json },
): { readonly head: string; tail(empty: boolean): string } {
  const head = plainDocument({ ...before, images: [] }).replace(/\[\]\n\}\n$/, '[');
  const rest = plainDocument(after).replace(/^\{\n/, '');
  const members = rest === '{}\n' ? '\n}\n' : `,\n${rest}`;
  return { head, tail: (empty) => `${empty ? ']' : '\n  ]'}${members}` };
}

/** The counts as documents have them. */
export function countsJson(counts: BatchCounts): { readonly [key: string]: Json } {
  return { counts: { ...counts } };
}
