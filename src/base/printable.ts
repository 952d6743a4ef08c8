/** Foreign strings on their way to people: nothing in them may drive a terminal. */

/** A foreign string in quotes, with control characters and everything beyond ASCII that is no letter escaped. */
export function quoted(text: string, most = 200): string {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  return `"${printable(cut).replaceAll('"', '\\"')}"`;
}

/** A foreign string that may go to a terminal: control and format characters become escapes. */
export function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}\\]/gu, (character) => {
    if (character === '\\') return '\\\\';
    const code = character.codePointAt(0) ?? 0;
    return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
  });
}
