/** Text for people: aligned columns and a few colours. */
import { portOrNone, type TextFormat } from '../base/bytes/ports.js';
import { inLines } from '../base/printable.js';

/** How a piece of text is set off. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  bad(text: string): string;
  warn(text: string): string;
}

const same = (text: string) => text;
const colored = (format: TextFormat) => (text: string) =>
  text === '' ? '' : (portOrNone('styleText')?.(format, text) ?? text);

const PLAIN: Style = { bold: same, dim: same, good: same, bad: same, warn: same };
const COLORED: Style = {
  bold: colored('bold'),
  dim: colored('dim'),
  good: colored('green'),
  bad: colored('red'),
  warn: colored('yellow'),
};

/** The style for a writer that wants colours or does not. */
export function styleOf(color: boolean): Style {
  return color ? COLORED : PLAIN;
}

/** A cell of a table: its text, and how it is set off once its width is known. */
export interface Cell {
  readonly text: string;
  readonly paint?: ((text: string) => string) | undefined;
}

/** The cells of a line. */
export type Row = readonly (string | Cell)[];

/**
 * Rows in columns, each as wide as its widest cell but at most `most`, two blanks apart, the last one free. No line ends
 * in blanks, and no cell is more than one.
 */
export function table(rows: readonly Row[], indent = '', most = 64): string {
  return [...tableLines(() => rows, indent, most)].join('');
}

/** The lines of table(), one by one. The rows are asked for twice, for their widths and to be written, and none is held. */
export function* tableLines(rows: () => Iterable<Row>, indent = '', most = 64): Generator<string> {
  const widths: number[] = [];
  for (const row of rows()) {
    for (const [i, cell] of row.entries()) {
      if (i < row.length - 1) widths[i] = Math.max(widths[i] ?? 0, Math.min(plainCell(cell).text.length, most));
    }
  }
  for (const row of rows()) yield `${indent}${line(row.map(plainCell), widths)}\n`;
}

function plainCell(cell: string | Cell): Cell {
  const { text, paint } = typeof cell === 'string' ? { text: cell, paint: undefined } : cell;
  return { text: inLines(text, true).replaceAll('\n', '\\x0a'), paint };
}

function line(row: readonly Cell[], widths: readonly number[]): string {
  let last = row.length - 1;
  while (last > 0 && row[last]?.text === '') last--;
  return row
    .slice(0, last + 1)
    .map(({ text, paint = same }, i) => {
      const gap = i === last ? '' : ' '.repeat(Math.max(0, (widths[i] ?? 0) - text.length) + 2);
      return paint(text) + gap;
    })
    .join('');
}

/** A count with its noun, `1 note` or `3 notes`. */
export function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
