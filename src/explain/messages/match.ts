/** Finds what is known about a message from a piece of it, as a user would paste it. */
import type { Message } from './message.js';

/** Stands for every part that varies, here and in the table. */
const VARIES = '…';

/**
 * The entries whose wording contains the words asked for or, failing that, is contained in them (a whole line, with the
 * program's name in front). Numbers do not count, they differ from case to case; quoted parts neither, unless they are
 * what makes the match. One short word is no message: wanted are two words, or one of nine letters, or a whole wording. Of
 * several lines each is looked for.
 */
export function findMessages(asked: string, messages: readonly Message[]): Message[] {
  const lines = asked.split(/\r?\n/).filter((line) => line.trim() !== '');
  return lines.length < 2 || lines.length > MOST_LINES
    ? inOneLine(asked, messages)
    : [...new Set(lines.flatMap((line) => inOneLine(line, messages)))];
}

/** Of a log of more lines than these nothing is told line by line. */
const MOST_LINES = 200;

/** A message that is like the one asked for. */
export interface NearMessage {
  readonly message: Message;
  /** Its wording, as printed. */
  readonly said: string;
}

/**
 * The wording that shares most of its words with those asked for, rare words counting more; undefined where it is less than
 * half of the wording, or one word. For a message that no entry has.
 */
export function nearestMessage(asked: string, messages: readonly Message[]): NearMessage | undefined {
  const wanted = wordsIn(asked.slice(0, LONGEST));
  const wordings = messages.flatMap((message) => message.says.map((said) => ({ message, said, words: wordsIn(said) })));
  const counts = new Map<string, number>();
  for (const { words } of wordings) for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  const weight = (words: readonly string[]) => words.reduce((sum, word) => sum + 1 / (counts.get(word) ?? 1), 0);
  const asks = weight([...wanted].filter((word) => counts.has(word)));
  let best: (NearMessage & { readonly share: number }) | undefined;
  for (const { message, said, words } of wordings) {
    const shared = [...words].filter((word) => wanted.has(word));
    const [both, own] = [weight(shared), weight([...words])];
    if (shared.length < 2 || both / own < 0.5) continue;
    const share = both / (own + asks);
    if (best === undefined || share > best.share) best = { message, said, share };
  }
  return best;
}

/** What is looked at of a line that no entry has. */
const LONGEST = 4096;

function wordsIn(text: string): Set<string> {
  return new Set(plain(text).match(/[a-z_][a-z_-]+/g) ?? []);
}

function inOneLine(asked: string, messages: readonly Message[]): Message[] {
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
