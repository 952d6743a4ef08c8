/** Foreign strings on their way to people: nothing in them may drive a terminal, or pass for a line of our own. */

/** Controls (C0, C1, DEL), formats (bidirectional ones among them), unassigned, surrogates, and the separators of lines. */
const UNSEEN = '[\\p{C}\\p{Zl}\\p{Zp}]';
/** Text with nothing to escape, signs of our reports among it. Nearly all is, and a pattern of the above takes long to make. */
const PLAIN = /^[\n\x20-\x7e×→…’]*$/;

/** A foreign string in quotes, with control characters and everything beyond ASCII that is no letter escaped. */
export function quoted(text: string, most = 200): string {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  return `"${printable(cut).replaceAll('"', '\\"')}"`;
}

/** A foreign string that may go to a terminal: control and format characters become escapes, and a backslash two. */
export function printable(text: string): string {
  return oneLine(text.replaceAll('\\', '\\\\'));
}

/**
 * A whole message on one line, foreign strings in it and all. Backslashes stay as they are: some are of a word for a shell,
 * some of an escape already.
 */
export function oneLine(text: string): string {
  return PLAIN.test(text) && !text.includes('\n') ? text : text.replace(new RegExp(UNSEEN, 'gu'), escapeOf);
}

/** Text in lines, coloured or not: everything in it that no report of ours is made of becomes an escape. */
export function inLines(text: string, colored: boolean): string {
  if (PLAIN.test(text)) return text;
  // Line feeds and colours are what reports are made of.
  const unseenButOurs = new RegExp(`\\n|\x1b\\[(?:0|1|2|31|32|33)m|${UNSEEN}`, 'gu');
  return text.replace(unseenButOurs, (found) => {
    if (found === '\n') return found;
    if (found.length > 1 && found.startsWith('\x1b')) return colored ? found : oneLine(found);
    return escapeOf(found);
  });
}

function escapeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}
