// Text as man(7) markup: what stands for itself, what is bold or italic, paragraphs, lists, examples.

/** Text that stands for itself inside a line. A minus sign is one that can be pasted into a shell. */
export function literal(text) {
  return text.replaceAll('\\', '\\e').replaceAll('-', '\\-');
}

/** Prose: hyphens may be hyphens, options in it are bold. */
export function prose(text) {
  const escaped = text.replaceAll('\\', '\\e');
  const marked = escaped.replace(
    /(?<![\w/.=-])(--?[a-zA-Z][\w-]*)(?![\w-])/g,
    (option) => `\\fB${option.replaceAll('-', '\\-')}\\fR`,
  );
  return marked.replace(/(?<!\\)--/g, '\\-\\-');
}

export const bold = (text) => `\\fB${literal(text)}\\fR`;
export const italic = (text) => `\\fI${literal(text)}\\fR`;

/** A synopsis: options bold, words in capitals italic, brackets as they are. */
export function synopsis(text) {
  return text
    .split(/( |(?<=[[(|])|(?=[\])|]))/)
    .map((word) => {
      if (/^--?[a-z]/.test(word)) return bold(word);
      if (/^[A-Z][A-Z0-9.-]*(\.{3}|…)?$/.test(word)) return italic(word);
      return literal(word);
    })
    .join('');
}

/** A request or text line; what would be read as a request is none. */
export function line(text) {
  return `${text.replace(/^([.'])/, '\\&$1')}\n`;
}

export function paragraph(text) {
  return `.PP\n${line(prose(text))}`;
}

/** A term, and what is said about it. `term` is markup already. */
export function item(term, text) {
  return `.TP\n${line(term)}${line(prose(text))}`;
}

/** Columns of a terminal of 80 behind the indentation of a paragraph. */
const WIDTH = 73;

/** Lines as they stand, but that a command line which is too wide goes on behind a backslash. */
export function example(lines) {
  return `.PP\n.nf\n${lines
    .flatMap(folded)
    .map((each) => line(literal(each)))
    .join('')}.fi\n`;
}

function folded(text) {
  if (text.length <= WIDTH || !text.trimStart().startsWith('$ ')) return [text];
  const [first = '', ...rest] = text.split(/ (?=-|[^ ]+$)/);
  const lines = [first];
  for (const word of rest) {
    const last = lines.length - 1;
    if (`${lines[last]} ${word}`.length <= WIDTH - 2) lines[last] += ` ${word}`;
    else lines.push(`      ${word}`);
  }
  return lines.map((each, i) => (i < lines.length - 1 ? `${each} \\` : each));
}

export function section(name) {
  return `.SH "${literal(name).replaceAll('"', '""')}"\n`;
}

export function subsection(name) {
  return `.SS "${prose(name).replaceAll('"', '""')}"\n`;
}

/** The first lines of a page. */
export function head({ name, section: number, date, version, manual, about }) {
  const title = `.TH "${literal(name.toUpperCase())}" "${number}" "${date}" "xen\\-elfpatch ${literal(version)}" "${manual}"\n`;
  return `${title}.SH NAME\n${line(`${literal(name)} \\- ${prose(about)}`)}`;
}

/** Blocks of an explanation (src/explain/blocks.ts). */
export function blocks(all) {
  return all.map(block).join('');
}

function block(each) {
  switch (each.kind) {
    case 'heading':
      return subsection(each.text);
    case 'text':
      return paragraph(each.text);
    case 'list':
      return each.items.map((text) => `.IP \\(bu 2\n${line(prose(text))}`).join('');
    case 'code':
      return example(each.lines);
    case 'table':
      return each.rows.map((row) => tableRow(each.head, row)).join('');
    default:
      throw new Error(`a block of kind ${each.kind}`);
  }
}

/** The first cell as a term; the others with their heads, where there are any to tell apart. */
function tableRow(heads, [key, ...cells]) {
  const said = cells.length < 2 || heads === undefined ? cells : cells.map((cell, i) => `${heads[i + 1]}: ${cell}`);
  const words = said.filter((cell) => cell !== '').join('; ');
  return item(bold(key), words === '' ? '\u2013' : words);
}
