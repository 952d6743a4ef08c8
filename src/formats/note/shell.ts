/**
 * Words of a POSIX shell (XCU 2.2, Quoting): what a shell makes of them is the text again, byte for byte. The line that they
 * make can be shown as it is: no control character stands in it.
 */

/** Needs no quotes anywhere in a line. */
const PLAIN = /^[\w@%+=:,./-]+$/;
/** Controls, formats, unassigned and the separators of lines: what must not reach a terminal as it stands. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/u;

/** The text as one word. Command substitution drops a newline at the end, so there is no word for such a text: undefined. */
export function shellWord(text: string): string | undefined {
  if (PLAIN.test(text)) return text;
  if (!UNSEEN.test(text)) return `'${text.replaceAll("'", "'\\''")}'`;
  return text.endsWith('\n') ? undefined : `"$(printf '${printfFormat(text)}')"`;
}

/** The name of a file as a word that no command takes for an option or for standard input. */
export function fileWord(name: string): string | undefined {
  return shellWord(name.startsWith('-') ? `./${name}` : name);
}

/** A format that printf(1) turns into the text: octal digits for what is no printable ASCII, and for a dash in front. */
function printfFormat(text: string): string {
  const octal = (byte: number) => `\\${byte.toString(8).padStart(3, '0')}`;
  return [...new TextEncoder().encode(text)]
    .map((byte, i) => {
      const character = String.fromCharCode(byte);
      if (character === '%') return '%%';
      const isPlain = byte < 0x80 && /[\w@+=:,./ -]/.test(character) && !(i === 0 && character === '-');
      return isPlain ? character : octal(byte);
    })
    .join('');
}
