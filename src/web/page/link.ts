/** A link carries the question, never the file: the loader, Xen's release, the memory, a preset, something to explain. */

/** What a link asks. */
export interface Question {
  readonly loader: string;
  readonly xenVersion: string;
  /** As `--memory` takes it; empty: 4 GiB. */
  readonly memory: string;
  readonly preset: string;
  readonly ask: string;
}

/** The question of this page's address. */
export function questionOf(hash: string): Question {
  const words = new URLSearchParams(hash.replace(/^#/, ''));
  const word = (name: string) => words.get(name) ?? '';
  return {
    loader: word('for'),
    xenVersion: word('xen'),
    memory: word('memory'),
    preset: word('preset'),
    ask: word('ask'),
  };
}

/** The address of a question. */
export function hashOf({ loader, xenVersion, memory, preset, ask }: Question): string {
  const words = new URLSearchParams();
  const pairs = [
    ['for', loader],
    ['xen', xenVersion],
    ['memory', memory],
    ['preset', preset],
    ['ask', ask],
  ] as const;
  for (const [name, value] of pairs) if (value !== '') words.set(name, value);
  return words.size === 0 ? '' : `#${words.toString()}`;
}
