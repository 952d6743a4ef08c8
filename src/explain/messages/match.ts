/** Finds what is known about a message from a piece of it, as a user would paste it. */
import type { Message } from './message.js';

/** Stands for every part that varies, here and in the table. */
const VARIES = '…';

/**
 * The entries whose wording contains the words asked for or, failing that, is contained in them (a whole line, with the
 * program's name in front). Numbers do not count, they differ from case to case; quoted parts neither, unless they are
 * what makes the match. One short word is no message: wanted are two words, or one of nine letters, or a whole wording.
 */
export function findMessages(asked: string, messages: readonly Message[]): Message[] {
  for (const form of [plain, withoutQuoted]) {
    const wanted = form(asked);
    const pairs = messages.flatMap((message) => message.says.map((said) => ({ message, wording: form(said) })));
    const inside = isTelling(wanted) ? pairs.filter(({ wording }) => standsIn(wanted, wording)) : [];
    const found = inside.length > 0 ? inside : longestIn(wanted, pairs);
    if (found.length > 0) return [...new Set(found.map(({ message }) => message))];
  }
  return [];
}

interface Pair {
  readonly message: Message;
  readonly wording: string;
}

function isTelling(wanted: string): boolean {
  const solid = wanted
    .replaceAll(VARIES, '')
    .replace(/[^a-z_ ]/g, '')
    .trim();
  return solid.length >= (solid.includes(' ') ? 6 : 9);
}

/** Of the wordings that stand in the line, the longest. */
function longestIn(line: string, pairs: readonly Pair[]): Pair[] {
  const found = pairs.filter(({ wording }) => standsIn(wording, line));
  const best = Math.max(0, ...found.map(({ wording }) => wording.length));
  return found.filter(({ wording }) => wording.length === best);
}

/** Whether `part` stands in `whole`, its first piece and its last at word boundaries; a mark matches any text. */
function standsIn(part: string, whole: string): boolean {
  const pieces = part.split(VARIES).filter((piece) => piece.trim() !== '');
  let at = 0;
  for (const piece of pieces) {
    at = indexOfWords(whole, piece, at);
    if (at < 0) return false;
    at += piece.length;
  }
  return pieces.length > 0;
}

function indexOfWords(whole: string, part: string, from: number): number {
  for (let at = whole.indexOf(part, from); at >= 0; at = whole.indexOf(part, at + 1)) {
    const cutBefore = isWord(whole[at - 1]) && isWord(part[0]);
    const cutBehind = isWord(whole[at + part.length]) && isWord(part.at(-1));
    if (!cutBefore && !cutBehind) return at;
  }
  return -1;
}

function isWord(char: string | undefined): boolean {
  return char !== undefined && /[a-z0-9_]/.test(char);
}

/** Lower case, blanks folded, numbers marked, quotation marks dropped. */
function plain(text: string): string {
  return text
    .toLowerCase()
    .replace(/[`'"‘’“”]/g, '')
    .replace(/\b(0x)?[0-9a-f]*[0-9][0-9a-f]*\b/g, VARIES)
    .replace(/[.!]+$/, '')
    .replace(/\s+/g, ' ')
    .trim();
}

/** As `plain`, with what stands between quotation marks marked as well; an apostrophe inside a word is none. */
function withoutQuoted(text: string): string {
  return plain(text.replace(/(?<!\w)[`'"‘“][^`'"’”]*['"’”](?!\w)/g, VARIES));
}
