/** The page of `make web`: a file comes in, the worker answers, and what it answers is shown. Nothing leaves the machine. */
import type { VerifyVerdict } from '../../documents.js';
import type { ImageData } from '../work/page-data.js';
import type { EditAnswer } from '../worker/protocol.js';
import { byId, h, section } from './dom.js';
import { editForm } from './edit-form.js';
import { answerView, likelyLoader } from './fix-view.js';
import { imageSections } from './image.js';
import { hashOf, type Question, questionOf } from './link.js';
import { startWorker, WorkerTrouble } from './worker-client.js';

declare const XEN_ELFPATCH_VERSION: string;
declare const XEN_VERSIONS: readonly string[];

const progress = byId('progress');
const trouble = byId('trouble');
const main = byId('main');
const drop = byId('drop');
const ask = startWorker('worker.js', (step, done) => {
  progress.textContent = `${step} ${Math.round(done * 100)} %`;
});

let question = questionOf(location.hash);
let image: ImageData | undefined;
/** Links to results that are not shown any more are given back. */
const links: string[] = [];

byId('version').textContent = XEN_ELFPATCH_VERSION;

function change(next: Partial<Question>): void {
  question = { ...question, ...next };
  history.replaceState(null, '', `${location.pathname}${location.search}${hashOf(question)}`);
}

/** Runs something that may fail, and tells what is wrong as the command does. */
async function busy(words: string, place: HTMLElement, work: () => Promise<void>): Promise<void> {
  progress.textContent = words;
  document.body.setAttribute('aria-busy', 'true');
  place.replaceChildren();
  try {
    await work();
  } catch (error) {
    place.replaceChildren(troubleView(error));
  } finally {
    progress.textContent = '';
    document.body.removeAttribute('aria-busy');
  }
}

function troubleView(error: unknown): HTMLElement {
  const told =
    error instanceof WorkerTrouble
      ? error.trouble
      : { id: 'internal.bug', text: String(error), message: String(error), hint: undefined };
  return h(
    'div',
    { class: 'bad box', 'data-problem': told.id },
    h('p', {}, told.message),
    told.hint === undefined ? undefined : h('p', {}, told.hint),
    h('button', { type: 'button', click: () => explain(told.id) }, `What ${told.id} means`),
  );
}

async function openFile(file: File): Promise<void> {
  await busy(`reading ${file.name}`, trouble, async () => {
    main.replaceChildren();
    image = undefined;
    for (const link of links.splice(0)) URL.revokeObjectURL(link);
    show(imageAnswer(await ask({ kind: 'open', file, name: file.name })));
    if (question.xenVersion !== '') await judgeAgain();
    drop.classList.add('small');
    main.querySelector<HTMLElement>('h2')?.scrollIntoView({ block: 'nearest' });
  });
}

async function judgeAgain(): Promise<void> {
  show(imageAnswer(await ask({ kind: 'judge', xenVersion: question.xenVersion })));
}

function imageAnswer(answer: unknown): ImageData {
  // The kind of an answer is that of its question.
  return answer as ImageData;
}

function show(data: ImageData): void {
  image = data;
  const loaders = data.verify.loaders.map(({ row, loader }) => row ?? loader);
  const loader = loaders.includes(question.loader) ? question.loader : likelyLoader(data);
  const action = ({ accepts, row, loader: name }: VerifyVerdict) =>
    accepts ? undefined : h('button', { type: 'button', click: () => choose(row ?? name, true) }, 'Ask about this one');
  const [about, ...rest] = imageSections(data, action);
  main.replaceChildren(
    answerView(data, loader, (next) => choose(next, false), fix),
    ...(about === undefined ? [] : [about]),
    ...rest.slice(0, 1),
    optionsView(data),
    editForm(question.preset, plan),
    ...rest.slice(1),
  );
}

function choose(loader: string, focus: boolean): void {
  change({ loader });
  if (image === undefined) return;
  const card = answerView(image, loader, (next) => choose(next, false), fix);
  byId('answer').replaceWith(card);
  byId('for').focus();
  if (focus) card.scrollIntoView({ block: 'start' });
}

/** Xen's release, and the documents as files. */
function optionsView(data: ImageData): HTMLElement {
  const select = h(
    'select',
    {
      id: 'xen',
      change: () => {
        change({ xenVersion: select.value });
        void busy('asking the loaders again', trouble, judgeAgain);
      },
    },
    ...XEN_VERSIONS.map((version) =>
      h('option', { value: version, selected: version === data.verify.xenVersion }, version),
    ),
  );
  const button = (name: 'notes' | 'verify' | 'layout') =>
    h(
      'button',
      { type: 'button', 'data-document': name, click: () => void busy('', trouble, () => saveDocument(name)) },
      `${name}.json`,
    );
  return section(
    'options',
    'By other rules, and as data',
    h('p', { class: 'row' }, h('label', { for: 'xen' }, 'Release of Xen'), select),
    h(
      'p',
      { class: 'row' },
      'What the command prints with --json:',
      button('notes'),
      button('verify'),
      button('layout'),
    ),
  );
}

async function saveDocument(name: 'notes' | 'verify' | 'layout'): Promise<void> {
  const text = String(await ask({ kind: 'document', name, xenVersion: question.xenVersion }));
  const link = linkTo(new Blob([text], { type: 'application/json' }), `${image?.name ?? 'image'}.${name}.json`);
  link.click();
}

function linkTo(blob: Blob, name: string, ...words: string[]): HTMLAnchorElement {
  const href = URL.createObjectURL(blob);
  links.push(href);
  return h('a', { href, download: name, class: 'download' }, ...words);
}

function plan(wish: Parameters<Parameters<typeof editForm>[1]>[0], answer: HTMLElement): void {
  change({ preset: wish.preset });
  void busy('planning', answer, async () => {
    const made = (await ask({ kind: 'plan', wish })) as EditAnswer;
    answer.replaceChildren(...editView(made, 'patched'));
  });
}

function fix(loader: string, answer: HTMLElement): void {
  void busy('looking for the smallest edit', answer, async () => {
    const made = (await ask({ kind: 'fix', loaders: [loader], xenVersion: question.xenVersion })) as EditAnswer;
    answer.replaceChildren(...editView(made, 'fixed'));
    answer.querySelector('a')?.focus();
  });
}

function editView({ text, blob, changed, cured, secondReader }: EditAnswer, suffix: string): HTMLElement[] {
  const details = h(
    'details',
    { open: blob === undefined },
    h('summary', {}, blob === undefined ? 'What was found' : 'What is done, byte by byte'),
    h('pre', { tabindex: 0 }, text),
  );
  if (blob === undefined) {
    const words = !cured
      ? 'No edit is known that fixes it.'
      : changed
        ? 'Nothing was made.'
        : 'It is so already: nothing is to be changed.';
    const own = h('button', { type: 'button', click: () => byId('edit-preset').focus() }, 'Set notes yourself');
    return [h('p', { class: 'warn box' }, words), ...(cured ? [] : [h('p', {}, own)]), details];
  }
  const name = `${image?.name ?? 'kernel'}.${suffix}`;
  const reader = secondReader === 'agrees' ? ', and a second reader agrees' : '';
  return [
    h('p', { class: 'good box' }, `Made and verified: read back, every law holds, nothing else changed${reader}.`),
    h('p', {}, linkTo(blob, name, `Download ${name}`)),
    details,
  ];
}

function explain(name: string): void {
  const field = byId('ask-text');
  if (field instanceof HTMLInputElement) field.value = name;
  change({ ask: name });
  const answer = byId('ask-answer');
  void busy('', answer, async () => {
    const { body } = (await ask({ kind: 'explain', name })) as { readonly body: string };
    answer.replaceChildren(h('pre', { tabindex: 0 }, body));
    byId('ask').scrollIntoView({ block: 'nearest' });
  });
}

byId('ask-form').addEventListener('submit', (event) => {
  event.preventDefault();
  const field = byId('ask-text');
  if (field instanceof HTMLInputElement) explain(field.value);
});
byId('file').addEventListener('change', ({ target }) => {
  const [file] = target instanceof HTMLInputElement ? (target.files ?? []) : [];
  if (file !== undefined) void openFile(file);
});
for (const name of ['dragover', 'dragleave', 'drop']) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.toggle('over', name === 'dragover');
    const [file] = event instanceof DragEvent && name === 'drop' ? (event.dataTransfer?.files ?? []) : [];
    if (file !== undefined) void openFile(file);
  });
}
if (question.ask !== '') explain(question.ask);
// The page works on without a network where the browser keeps it; from a file: address there is nothing to keep.
if ('serviceWorker' in navigator && location.protocol.startsWith('http')) {
  navigator.serviceWorker.register('service-worker.js').catch(() => undefined);
}
