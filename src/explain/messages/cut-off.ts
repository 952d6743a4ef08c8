/**
 * Which wordings a line has a part of, because a terminal, a column or a mouse cut it: where the words of the wording go on, the
 * line has to end, so that a message that says something else in another word is not taken for it.
 */

/** A run of so many words and letters tells a message. */
const TELLING = [
  { words: 3, letters: 14 },
  { words: 2, letters: 18 },
] as const;

/** Wordings with their words, found by each of these. */
export interface WordIndex<Each> {
  readonly byWord: ReadonlyMap<string, readonly Entry<Each>[]>;
}

interface Entry<Each> {
  readonly each: Each;
  readonly words: readonly string[];
}

/** The wordings, all in the plain spelling in which lines will be asked for. */
export function indexWords<Each extends { readonly wording: string }>(wordings: readonly Each[]): WordIndex<Each> {
  const byWord = new Map<string, Entry<Each>[]>();
  for (const each of wordings) {
    const entry = { each, words: wordsOf(each.wording) };
    for (const word of new Set(entry.words)) {
      const known = byWord.get(word);
      if (known === undefined) byWord.set(word, [entry]);
      else known.push(entry);
    }
  }
  return { byWord };
}

/** The wordings of which the longest run of words stands at the cut end of the line, and how many letters it has. */
export function cutOff<Each>(line: string, index: WordIndex<Each>): { found: Each[]; letters: number } {
  const words = wordsOf(line.replace(/(?:…|\.\.\.)$/, ''));
  const shared = new Set<Entry<Each>>();
  for (const word of new Set(words))
    if (word !== '…') for (const entry of index.byWord.get(word) ?? []) shared.add(entry);
  let best = 0;
  let found: Each[] = [];
  for (const { each, words: said } of shared) {
    const letters = longestRun(words, said);
    if (letters < best || letters === 0) continue;
    found = letters === best ? [...found, each] : [each];
    best = letters;
  }
  return { found, letters: best };
}

/** The letters of the longest telling run that is cut by an end of the line, or is the whole wording; 0 for none. */
function longestRun(line: readonly string[], said: readonly string[]): number {
  let best = 0;
  for (let start = 0; start < line.length; start++) {
    // Elsewhere in a line the first word of a run is the first of the wording.
    for (let from = 0; from < (start === 0 ? said.length : 1); from++) {
      let length = 0;
      while (isSame(line, start + length, said, from + length)) length++;
      const cutBehind = start + length === line.length;
      if (length < 2 || (from + length < said.length && !cutBehind)) continue;
      const run = line.slice(start, start + length).filter((_, at) => said[from + at] !== '…');
      const letters = run.join('').replace(/[^a-z_]/g, '').length;
      const telling = TELLING.some((least) => run.length >= least.words && letters >= least.letters);
      if (telling && letters > best) best = letters;
    }
  }
  return best;
}

function isSame(line: readonly string[], at: number, said: readonly string[], k: number): boolean {
  const [a, b] = [line[at], said[k]];
  if (a === undefined || b === undefined) return false;
  if (a === b || b === '…') return true;
  return (at === line.length - 1 && b.startsWith(a)) || (at === 0 && b.endsWith(a));
}

function wordsOf(text: string): string[] {
  return text.match(/[a-z_][a-z0-9_-]*|…/g) ?? [];
}
