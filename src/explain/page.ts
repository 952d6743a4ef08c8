import { type Block, render } from './blocks.js';

/** What `explain NAME` prints: `body` for people, `json` for programs. */
export interface Topic {
  readonly title: string;
  readonly body: string;
  readonly json: Record<string, unknown>;
}

/** One explanation as it is written down: a name to ask for it by, a title, and what is said. */
export interface Page {
  readonly name: string;
  readonly title: string;
  readonly blocks: readonly Block[];
}

/** Title, underlined, then the blocks; `json` carries the blocks themselves. */
export function topicOf({ name, title, blocks }: Page, kind: string, more: Record<string, unknown> = {}): Topic {
  const body = `${title}\n${'='.repeat(title.length)}\n\n${render(blocks)}\n`;
  return { title, body, json: { kind, name, title, ...more, blocks } };
}
