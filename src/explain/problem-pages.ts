/** Pages for the ids that stand in brackets behind every error of the command, made from src/base/errors/problems.ts. */
import type { Problem } from '../base/errors/problem.js';
import { PROBLEMS } from '../base/errors/problems.js';
import { type Block, heading, terms, text } from './blocks.js';
import { type Page, type Topic, topicOf } from './page.js';

/** An id with its meaning: a problem, or a named check of the verifier. */
export interface IdMeaning {
  readonly id: string;
  readonly meaning: string;
}

// The contexts differ from id to id; only what does not depend on one is read here.
const ALL: Readonly<Record<string, Pick<Problem<never>, 'exit' | 'meaning' | 'hint'>>> = PROBLEMS;

/** The id of every problem, in the order in which they are declared. */
export function problemIds(): string[] {
  return Object.keys(ALL);
}

const EXITS = {
  1: '1: the answer is no; nothing was written',
  2: '2: it could not be done; nothing was written',
  3: '3: the result is written and right, but the report could not be delivered',
} as const;

/** The page of one id; undefined when there is no such problem. */
export function problemTopic(id: string): Topic | undefined {
  const found = Object.hasOwn(ALL, id) ? ALL[id] : undefined;
  if (found === undefined) return undefined;
  const { exit, meaning } = found;
  const hint = typeof found.hint === 'string' ? found.hint : undefined;
  const rows: [string, string][] = [['exit status', EXITS[exit]]];
  if (hint !== undefined) rows.push(['hint', hint]);
  else if (found.hint !== undefined) rows.push(['hint', 'depends on the case; it stands below the error']);
  const page: Page = { name: id, title: `Problem ${id}`, blocks: [{ kind: 'text', text: meaning }, terms(...rows)] };
  return topicOf(page, 'problem', { id, exit, meaning, hint: hint ?? null });
}

/** `explain problems`: every id with the first sentence of its meaning, and below them what `extra` adds. */
export function problemIndex(extra: readonly IdMeaning[]): Topic {
  const problems = Object.entries(ALL).map(([id, { meaning }]) => ({ id, meaning }));
  const blocks: Block[] = [
    text`Every error of xen-elfpatch ends in an id in brackets. Ids never change hands: what one means today it means in
      ten years. explain ID tells more about one.`,
    terms(...problems.map(({ id, meaning }): [string, string] => [id, firstSentence(meaning)])),
  ];
  if (extra.length > 0) {
    blocks.push(heading('Checks'), text`What verify looks at, by the names it prints:`);
    blocks.push(terms(...extra.map(({ id, meaning }): [string, string] => [id, meaning])));
  }
  return topicOf({ name: 'problems', title: 'Problems: what the ids in brackets mean', blocks }, 'problems', {
    problems,
    checks: extra,
  });
}

/** Up to the first full stop that ends a sentence. */
function firstSentence(meaning: string): string {
  return /^.*?[.](?=\s+[A-Z]|$)/s.exec(meaning)?.[0] ?? meaning;
}
