/** Finds what is known about a message from a piece of it, as a user would paste it. */
import type { Message } from './message.js';

/** Stands for every part that varies, here and in the table. */
const VARIES = '…';

/**
 * The entries whose wording contains the words asked for, or is contained in them (a whole line, with the program's name
 * in front). Quoted parts and numbers do not count, they differ from case to case. One short word is no message: at least
 * two words are wanted, or one whole word of nine letters.
 */
export function findMessages(asked: string, messages: readonly Message[]): Message[] {
  const wanted = normal(asked);
  const words = wanted.split(' ');
  const solid = wanted.replaceAll(VARIES, '').trim();
  if (solid.length < (words.length > 1 ? 6 : 9)) return [];
  const inside = messages.filter(({ says }) => says.some((line) => containsWords(normal(line), wanted)));
  return inside.length > 0 ? inside : longest(wanted, messages);
}

/** The entries whose wording is part of the line; of several, those with the longest wording. */
function longest(line: string, messages: readonly Message[]): Message[] {
  let best = 0;
  let found: Message[] = [];
  for (const message of messages) {
    for (const said of message.says) {
      const wording = normal(said);
      if (wording.length < best || !containsWords(line, wording)) continue;
      if (wording.length > best) found = [];
      best = wording.length;
      if (!found.includes(message)) found.push(message);
    }
  }
  return found;
}

/** Whether `part` stands in `whole` at word boundaries. */
function containsWords(whole: string, part: string): boolean {
  for (let at = whole.indexOf(part); at >= 0; at = whole.indexOf(part, at + 1)) {
    const before = whole[at - 1] ?? ' ';
    const after = whole[at + part.length] ?? ' ';
    if (!(isWord(before) && isWord(part[0] ?? ' ')) && !(isWord(after) && isWord(part.at(-1) ?? ' '))) return true;
  }
  return false;
}

function isWord(char: string): boolean {
  return /[a-z0-9_]/.test(char);
}

function normal(text: string): string {
  return text
    .toLowerCase()
    .replace(/[`'"‘“][^`'"’”]*['"’”]/g, VARIES)
    .replace(/\b(0x)?[0-9a-f]*[0-9][0-9a-f]*\b/g, VARIES)
    .replace(/[.!]+$/, '')
    .replace(/\s+/g, ' ')
    .trim();
}
