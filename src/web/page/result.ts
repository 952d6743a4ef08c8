/** What came of an edit: a proved file to take along, to look at, or to compare; or why there is none. */
import type { EditAnswer } from '../worker/protocol.js';
import { h } from './dom.js';

/** What can be done with a result. */
export interface ResultActions {
  /** A link by which the blob is saved under the name. */
  link(blob: Blob, name: string, words: string): HTMLElement;
  /** Takes the place of the open image. */
  look(blob: Blob, name: string): void;
  compare(blob: Blob, name: string): void;
  /** To the form where notes are set by hand. */
  byHand(): void;
}

/** `name`: of the result as a file. */
export function resultView(answer: EditAnswer, name: string, actions: ResultActions): HTMLElement[] {
  const { text, blob, changed, cured, law, secondReader } = answer;
  const details = h(
    'details',
    { open: blob === undefined },
    h('summary', {}, blob === undefined ? 'What was found' : 'What is done, byte by byte'),
    h('pre', { tabindex: 0 }, text),
  );
  const button = (words: string, click: () => void) => h('button', { type: 'button', click }, words);
  if (blob === undefined) {
    const own = h('p', {}, button('Set notes yourself', actions.byHand));
    return [h('p', { class: 'warn box' }, noneWords(changed, cured)), ...(cured ? [] : [own]), details];
  }
  const reader = secondReader === 'agrees' ? ', and a second reader agrees' : '';
  return [
    h('p', { class: 'good box' }, `Made and verified: ${law}${reader}.`),
    h(
      'p',
      { class: 'row' },
      actions.link(blob, name, `Download ${name}`),
      button('Look at the result', () => actions.look(blob, name)),
      button('What differs', () => actions.compare(blob, name)),
    ),
    details,
  ];
}

function noneWords(changed: boolean, cured: boolean): string {
  if (!cured) return 'No edit is known that fixes it.';
  return changed ? 'Nothing was made.' : 'It is so already: nothing is to be changed.';
}
