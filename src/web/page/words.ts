/** What the core says, as a page shows it: a sentence, command lines in the letters of a program, `explain NAME` as a link. */
import { type Child, code, h } from './dom.js';
import { hashOf, type Question } from './link.js';

/** Shows what explain has on a name; undefined in a page that stands for itself. */
export type Explain = ((name: string) => void) | undefined;

// A command line is the last word of what is said: it goes to the end.
const PARTS = /(xen-elfpatch [a-z]+ .*$)|\bexplain ([a-z0-9+.-]*[a-z0-9])/g;

/** The text with its first letter large and, unless it ends with a command, a full stop. */
export function sentence(text: string, explain?: Explain): Child[] {
  const parts: Child[] = [];
  let done = 0;
  for (const { index, 0: whole, 1: command, 2: name } of text.matchAll(PARTS)) {
    parts.push(text.slice(done, index));
    if (command !== undefined) parts.push(code(command));
    else if (name !== undefined && explain !== undefined) parts.push(explainLink(name, `what ${name} means`, explain));
    else parts.push(whole);
    done = index + whole.length;
  }
  const rest = text.slice(done);
  parts.push(rest === '' || /[.!?)]$/.test(rest) ? rest : `${rest}.`);
  const [first] = parts;
  if (typeof first === 'string') parts[0] = first.charAt(0).toUpperCase() + first.slice(1);
  return parts;
}

/** A link that asks for a name, as an address that carries the question. */
export function explainLink(name: string, words: string, explain: (name: string) => void): HTMLElement {
  const asked: Question = { loader: '', xenVersion: '', memory: '', preset: '', ask: name };
  const click = (event: Event) => {
    event.preventDefault();
    explain(name);
  };
  return h('a', { href: hashOf(asked), click }, words);
}
