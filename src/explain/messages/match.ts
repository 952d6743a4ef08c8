/** Finds what is known about a message from a piece of it, as a user would paste it. */
import { cutOff, indexWords, type WordIndex } from './cut-off.js';
import type { Message } from './message.js';
import { pastedLines } from './pasted.js';

/** Stands for every part that varies, here and in the table. */
const VARIES = '…';

/**
 * The entries whose wording contains the words asked for or is contained in them (a whole line, with the program's name
 * in front), or of which the line has the beginning, the end or the middle, because it was cut. Numbers do not count, they
 * differ from case to case; quoted parts neither, unless they are what makes the match. One short word is no message:
 * wanted are two words, or one of nine letters, or a whole wording. Of several lines each is looked for, and two that follow
 * each other as one that was wrapped; what says why comes first, then how every refusal ends, and remarks only where there
 * is nothing else.
 */
export function findMessages(asked: string, messages: readonly Message[]): Message[] {
  const spelled = wordingsOf(messages);
  const lines = pastedLines(asked);
  const alone = lines.map((line) => inOneLine(line, spelled));
  const found: Message[] = [];
  // What is there in part is less sure than what is there as a whole.
  const inPart: Message[] = [];
  const take = ({ messages: said, cut }: Answer) => (cut === true ? inPart : found).push(...said);
  for (let k = 0; k < lines.length; k++) {
    const [own, next] = [alone[k] ?? NOTHING, alone[k + 1]];
    const both = next === undefined ? NOTHING : inOneLine(`${lines[k] ?? ''} ${lines[k + 1] ?? ''}`, spelled);
    if (next !== undefined && both.letters > Math.max(own.letters, next.letters)) {
      // What a wrapped message says is not what its halves say.
      take(both);
      k++;
    } else take(own);
  }
  return inOrder([...new Set([...found, ...inPart])]);
}

function inOrder(found: readonly Message[]): Message[] {
  const reasons = found.filter(({ kind }) => kind === undefined);
  const endings = found.filter(({ kind }) => kind === 'ending');
  return reasons.length + endings.length > 0 ? [...reasons, ...endings] : [...found];
}

/** A message that is like the one asked for. */
export interface NearMessage {
  readonly message: Message;
  /** Its wording, as printed. */
  readonly said: string;
}

/**
 * The wording that shares most of its words with those asked for, rare words counting more; undefined where it is less than
 * half of the wording, or one word. For a message that no entry has. Of several lines, the best that any of them gives.
 */
export function nearestMessage(asked: string, messages: readonly Message[]): NearMessage | undefined {
  const wordings = messages.flatMap((message) => message.says.map((said) => ({ message, said, words: wordsIn(said) })));
  const counts = new Map<string, number>();
  for (const { words } of wordings) for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  const weight = (words: readonly string[]) => words.reduce((sum, word) => sum + 1 / (counts.get(word) ?? 1), 0);
  let best: (NearMessage & { readonly share: number }) | undefined;
  for (const line of pastedLines(asked).slice(-MOST_NEAR)) {
    const wanted = wordsIn(line.slice(0, LONGEST));
    const asks = weight([...wanted].filter((word) => counts.has(word)));
    for (const { message, said, words } of wordings) {
      const shared = [...words].filter((word) => wanted.has(word));
      const [both, own] = [weight(shared), weight([...words])];
      if (shared.length < 2 || both / own < 0.5) continue;
      const share = both / (own + asks);
      if (best === undefined || share > best.share) best = { message, said, share };
    }
  }
  return best;
}

/** What is looked at of a line that no entry has, and how many such lines. */
const LONGEST = 4096;
const MOST_NEAR = 200;

function wordsIn(text: string): Set<string> {
  return new Set(plain(text).match(/[a-z_][a-z_-]+/g) ?? []);
}

interface Wording {
  readonly message: Message;
  readonly wording: string;
}

/** The wordings in one form of spelling, with those that a line can hold found by their rarest word. */
interface Spelled {
  readonly form: (text: string) => string;
  readonly all: readonly Wording[];
  readonly byWord: ReadonlyMap<string, readonly Wording[]>;
  /** Those that have no word at all. */
  readonly wordless: readonly Wording[];
  readonly runs: WordIndex<Wording>;
}

const SPELLED = new WeakMap<readonly Message[], readonly Spelled[]>();

/** A log has many lines, and the table is the same for all of them. */
function wordingsOf(messages: readonly Message[]): readonly Spelled[] {
  const known = SPELLED.get(messages) ?? [plain, withoutQuoted].map((form) => spell(form, messages));
  SPELLED.set(messages, known);
  return known;
}

function spell(form: (text: string) => string, messages: readonly Message[]): Spelled {
  const all = messages.flatMap((message) => message.says.map((said) => ({ message, wording: form(said) })));
  const counts = new Map<string, number>();
  for (const { wording } of all) for (const word of ownWords(wording)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const byWord = new Map<string, Wording[]>();
  const wordless: Wording[] = [];
  for (const each of all) {
    const [rarest] = [...ownWords(each.wording)].sort((a, b) => (counts.get(a) ?? 0) - (counts.get(b) ?? 0));
    if (rarest === undefined) wordless.push(each);
    else byWord.set(rarest, [...(byWord.get(rarest) ?? []), each]);
  }
  return { form, all, byWord, wordless, runs: indexWords(all) };
}

/** The words that a line with this wording has as they are: none that touch a part that varies. */
function ownWords(wording: string): Set<string> {
  return solidWords(wording.replace(/[a-z0-9_]*…[a-z0-9_]*/g, ' '));
}

function solidWords(text: string): Set<string> {
  return new Set(text.match(/[a-z0-9_]+/g) ?? []);
}

/** What a line says, and how many letters of it told that. */
interface Answer {
  readonly messages: readonly Message[];
  readonly letters: number;
  /** It has the beginning, the end or the middle of a wording alone. */
  readonly cut?: true;
}

const NOTHING: Answer = { messages: [], letters: 0 };

function inOneLine(asked: string, spelled: readonly Spelled[]): Answer {
  const [first] = spelled;
  const part = first === undefined ? { found: [], letters: 0 } : cutOff(first.form(asked), first.runs);
  for (const { form, all, byWord, wordless } of spelled) {
    const wanted = form(asked);
    const inside = isTelling(wanted) ? holders(wanted, all) : [];
    if (inside.length > 0) {
      const answer = { messages: messagesOf(inside), letters: letters(wanted) };
      return inside.some(({ wording }) => wording === wanted) ? answer : { ...answer, cut: true };
    }
    const holdable = [...[...solidWords(wanted)].flatMap((word) => byWord.get(word) ?? []), ...wordless];
    const found = longestIn(wanted, holdable);
    const length = Math.max(0, ...found.map(({ wording }) => letters(wording)));
    // A long message that was cut can hold a short one whole, unless it is no reason.
    const tells = found.some(isReason) && !part.found.some(isReason);
    if (found.length > 0 && (tells || length >= part.letters)) return { messages: messagesOf(found), letters: length };
  }
  return { messages: messagesOf(part.found), letters: part.letters, cut: true };
}

/** The wordings in which the line stands; most lines are longer than any. */
function holders(line: string, all: readonly Wording[]): readonly Wording[] {
  const least = line.replace(/[…\s]+/g, '').length;
  return all.filter(({ wording }) => wording.length >= least && standsIn(line, wording));
}

function isReason({ message }: Wording): boolean {
  return message.kind === undefined;
}

function letters(text: string): number {
  return text.replace(/[^a-z_]/g, '').length;
}

function messagesOf(found: readonly Wording[]): Message[] {
  return [...new Set(found.map(({ message }) => message))];
}

function isTelling(wanted: string): boolean {
  const solid = wanted
    .replaceAll(VARIES, '')
    .replace(/[^a-z_ ]/g, '')
    .trim();
  return solid.length >= (solid.includes(' ') ? 6 : 9);
}

/** Of the wordings that stand in the line, the longest; a reason goes before what every refusal says around it. */
function longestIn(line: string, wordings: readonly Wording[]): Wording[] {
  const all = wordings.filter(({ wording }) => standsIn(wording, line));
  const reasons = all.filter(isReason);
  const found = reasons.length > 0 ? reasons : all;
  const best = Math.max(0, ...found.map(({ wording }) => wording.length));
  return found.filter(({ wording }) => wording.length === best);
}

/**
 * Whether `part` stands in `whole`, at word boundaries; a mark matches any text, and what touches it may go on in a number
 * (cpu… in cpu0).
 */
function standsIn(part: string, whole: string): boolean {
  const pieces = part.split(VARIES);
  let at = 0;
  let some = false;
  for (const [k, piece] of pieces.entries()) {
    if (piece.trim() === '') continue;
    some = true;
    at = indexOfWords(whole, piece, at, { before: k === 0, behind: k === pieces.length - 1 });
    if (at < 0) return false;
    at += piece.length;
  }
  return some;
}

/** Where the part begins; the sides that are named have to be at the boundary of a word. */
function indexOfWords(
  whole: string,
  part: string,
  from: number,
  bounded: { readonly before: boolean; readonly behind: boolean },
): number {
  for (let at = whole.indexOf(part, from); at >= 0; at = whole.indexOf(part, at + 1)) {
    const cutBefore = bounded.before && isWord(whole[at - 1]) && isWord(part[0]);
    const cutBehind = bounded.behind && isWord(whole[at + part.length]) && isWord(part.at(-1));
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
