// String measures for help texts, which are plain ASCII: one character is one column, and there are no escapes.
export const stringWidth = (text) => text.length;
export const stripAnsi = (text) => text;

// Breaks lines at blanks so that none is wider than `width`; a word that is wider is cut.
export function wrapAnsi(text, width) {
  return text
    .split('\n')
    .map((line) => wrapLine(line, width))
    .join('\n');
}

function wrapLine(line, width) {
  const rows = [];
  let row = '';
  for (const word of line.split(' ')) {
    if (row !== '' && row.length + 1 + word.length > width) {
      rows.push(row);
      row = '';
    }
    let rest = row === '' ? word : `${row} ${word}`;
    for (; rest.length > width; rest = rest.slice(width)) rows.push(rest.slice(0, width));
    row = rest;
  }
  rows.push(row);
  return rows.join('\n');
}
