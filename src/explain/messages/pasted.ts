/** What people paste, without what terminals, mail, web pages and log files put around the words of a message. */

/** What begins a colour of a terminal. */
const ESCAPE = new RegExp(`${String.fromCharCode(0x1b)}\\[[0-9;?]*[A-Za-z]`, 'g');

/** Of a log that is longer, the end is looked at: what stopped a boot stands there. */
const MOST_LINES = 2000;
/** And what is no log has long lines. */
const MOST_LETTERS = 1 << 18;

const ENTITIES: Readonly<Record<string, string>> = {
  '&gt;': '>',
  '&lt;': '<',
  '&amp;': '&',
  '&quot;': '"',
  '&apos;': "'",
  '&nbsp;': ' ',
};

/** The lines of a text that have words: colours of a terminal, marks of a quotation and entities of HTML are gone. */
export function pastedLines(text: string): string[] {
  const lines = clean(text.slice(-MOST_LETTERS)).split(/\r\n?|\n/);
  return lines
    .slice(-MOST_LINES)
    .map((line) => line.replace(/^\s*(?:[>|]+\s+)+/, '').trim())
    .filter((line) => line !== '');
}

function clean(text: string): string {
  return text
    .replace(ESCAPE, '')
    .replace(/&(?:gt|lt|amp|quot|apos|nbsp);/g, (entity) => ENTITIES[entity] ?? entity)
    .replace(/&#(\d{1,5});/g, (_, code: string) => String.fromCharCode(Number(code)))
    .replaceAll('\u00a0', ' ');
}
