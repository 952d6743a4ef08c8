/** Which known words an unknown one is likely meant to be. */

/**
 * Up to three of `known`, best first: those within about a third of the word's length in edits, and those that contain
 * it or are contained in it. Words of the user are cut at 64 characters.
 */
export function nearest(word: string, known: readonly string[]): string[] {
  const asked = word.slice(0, 64);
  const limit = Math.max(1, Math.floor(asked.length / 3));
  const lengthBeside = (name: string) => Math.abs(name.length - asked.length);
  return (
    known
      .map((name) => ({ name, distance: likeness(asked, name, limit) }))
      .filter(({ distance }) => distance <= limit)
      // Of two that are as near, the one with as many letters: two were swapped, or one is wrong.
      .sort((a, b) => a.distance - b.distance || lengthBeside(a.name) - lengthBeside(b.name))
      .slice(0, 3)
      .map(({ name }) => name)
  );
}

/** The hint on a word that is none of `known`; undefined where none is near. */
export function didYouMean(word: string, known: readonly string[]): string | undefined {
  const [close] = nearest(word, known);
  return close === undefined ? undefined : `Did you mean ${close}?`;
}

/** Letters of the longest word that is worth comparing with `word` where there are very many. */
export function mostLike(word: string): number {
  return word.length + Math.max(2, Math.floor(word.length / 3));
}

function likeness(asked: string, name: string, limit: number): number {
  const a = asked.toLowerCase();
  const b = name.toLowerCase();
  const distance = editDistance(a, b);
  // PHYS32 for PHYS32_ENTRY is near, whatever the number of letters between; a misspelling is nearer.
  const partial = a.length >= 3 && (b.includes(a) || a.includes(b));
  return partial ? Math.min(distance, limit) : distance;
}

/** Insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const line = [row];
    for (let column = 1; column <= b.length; column++) {
      const replace = (above[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const insert = (line[column - 1] ?? 0) + 1;
      const remove = (above[column] ?? 0) + 1;
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const swap = swapped ? (before[column - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      line.push(Math.min(replace, insert, remove, swap));
    }
    before = above;
    above = line;
  }
  return above[b.length] ?? 0;
}
