/** Work that takes a while: what is done is told, how far it is, and it can be stopped. */
import { byId, h } from './dom.js';
import { Stopped } from './worker-client.js';

/** Tells of work, one piece after the other. */
export interface Busy {
  /** How far a step is, 0 to 1. */
  progress(step: string, done: number): void;
  /** Runs something that may fail; what goes wrong is shown in `place`, and that it was stopped beside the progress. */
  run(words: string, place: HTMLElement, work: () => Promise<void>): Promise<void>;
}

/** `stop` ends what is being done; `view` shows what is wrong. */
export function busyLine(stop: () => void, view: (error: unknown) => HTMLElement): Busy {
  const line = byId('progress');
  const words = h('span', {});
  const bar = h('progress', { max: 100, 'aria-label': 'How far it is' });
  const button = h('button', { type: 'button', id: 'stop', click: stop }, 'Stop');
  let running = 0;
  let step = '';
  let shown = 0;

  const begin = (text: string) => {
    step = text;
    shown = 0;
    bar.removeAttribute('value');
    words.textContent = text;
  };
  return {
    progress(name, done) {
      if (running === 0) return;
      if (name !== step) begin(name);
      // A step that reads twice does not go back.
      shown = Math.max(shown, Math.round(done * 100));
      bar.value = shown;
    },
    async run(text, place, work) {
      running += 1;
      begin(text);
      line.replaceChildren(words, bar, button);
      document.body.setAttribute('aria-busy', 'true');
      place.replaceChildren();
      let ended: string | undefined;
      try {
        await work();
      } catch (error) {
        if (error instanceof Stopped) ended = 'Stopped.';
        else place.replaceChildren(view(error));
      } finally {
        running -= 1;
        if (running === 0) {
          line.replaceChildren(...(ended === undefined ? [] : [ended]));
          document.body.removeAttribute('aria-busy');
        }
      }
    },
  };
}
