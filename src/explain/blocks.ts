/**
 * What an explanation is made of, and how it becomes text of at most 80 columns. The blocks themselves are what `--json`
 * prints, so that a program never has to take the text apart.
 */
export type Block =
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  /** Shown as it stands, indented. Command lines begin with `$ `. */
  | { readonly kind: 'code'; readonly lines: readonly string[] }
  /** Every column but the last keeps its width, the last one wraps. */
  | {
      readonly kind: 'table';
      readonly head: readonly string[] | undefined;
      readonly rows: readonly (readonly string[])[];
    };

/** The widest line an explanation may have. */
export const COLUMNS = 80;

/** A heading. */
export function heading(text: string): Block {
  return { kind: 'heading', text };
}

/** A paragraph; line breaks and indentation of the source are folded into single blanks. */
export function text(strings: TemplateStringsArray, ...values: readonly string[]): Block {
  return { kind: 'text', text: fold(String.raw({ raw: strings }, ...values)) };
}

/** A list, one item a line or more; blanks are folded as in `text`. */
export function list(...items: readonly string[]): Block {
  return { kind: 'list', items: items.map(fold) };
}

/**
 * Lines as they stand, backslashes included; the common indentation of the source and the outer line breaks are taken
 * off.
 */
export function code(strings: TemplateStringsArray, ...values: readonly string[]): Block {
  const lines = String.raw(strings, ...values)
    .replace(/^\n/, '')
    .replace(/\n\s*$/, '')
    .split('\n');
  const indents = lines.filter((line) => line.trim() !== '').map((line) => line.search(/\S/));
  const common = Math.min(...indents);
  return { kind: 'code', lines: lines.map((line) => line.slice(common)) };
}

/** Two columns without a head: a term and what is to be said about it. */
export function terms(...rows: readonly (readonly [string, string])[]): Block {
  return { kind: 'table', head: undefined, rows: rows.map((row) => row.map(fold)) };
}

/** A table with a head; blanks of each cell are folded as in `text`. */
export function table(head: readonly string[], ...rows: readonly (readonly string[])[]): Block {
  return { kind: 'table', head, rows: rows.map((row) => row.map(fold)) };
}

/** The text of a sequence of blocks, one empty line between them, no trailing line break. */
export function render(blocks: readonly Block[]): string {
  return blocks.map((block) => renderBlock(block).join('\n')).join('\n\n');
}

/** Breaks at blanks so that no line is wider than `width`, except a single word that is. */
export function wrap(words: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of words.split(' ')) {
    if (line === '') line = word;
    else if (line.length + 1 + word.length <= width) line += ` ${word}`;
    else {
      lines.push(line);
      line = word;
    }
  }
  lines.push(line);
  return lines;
}

function renderBlock(block: Block): string[] {
  switch (block.kind) {
    case 'heading':
      return [block.text, '-'.repeat(block.text.length)];
    case 'text':
      return wrap(block.text, COLUMNS);
    case 'list':
      return block.items.flatMap((item) => hang('- ', wrap(item, COLUMNS - 2)));
    case 'code':
      return block.lines.map((line) => (line === '' ? '' : `    ${line}`));
    case 'table':
      return renderTable(block.head, block.rows);
  }
}

/** A first column wider than this stands on a line of its own, with its text indented below. */
const WIDEST_KEY = 30;
const GAP = '  ';

function renderTable(head: readonly string[] | undefined, rows: readonly (readonly string[])[]): string[] {
  const all = head === undefined ? rows : [head, ...rows];
  const keys = Math.max(...all.map((row) => row.length)) - 1;
  const widths = Array.from({ length: keys }, (_, k) => Math.max(...all.map((row) => (row[k] ?? '').length)));
  const used = widths.reduce((sum, width) => sum + width + GAP.length, GAP.length);
  if (keys === 1 && (widths[0] ?? 0) > WIDEST_KEY) {
    return rows.flatMap((row) => [
      `${GAP}${row[0] ?? ''}`,
      ...wrap(row[1] ?? '', COLUMNS - 6).map((line) => `      ${line}`),
    ]);
  }
  return all.flatMap((row) => {
    const key = GAP + widths.map((width, k) => (row[k] ?? '').padEnd(width) + GAP).join('');
    return hang(key, wrap(row[keys] ?? '', COLUMNS - used)).map((line) => line.trimEnd());
  });
}

/** `first` in front of the first line, as many blanks in front of the others. */
function hang(first: string, lines: readonly string[]): string[] {
  return lines.map((line, k) => (k === 0 ? first : ' '.repeat(first.length)) + line);
}

/** Line breaks and runs of blanks become single blanks. */
export function fold(source: string): string {
  return source.replace(/\s+/g, ' ').trim();
}
