/** The page of `make web`: a file comes in, the worker answers, and what it answers is shown. Nothing leaves the machine. */
import type { VerifyVerdict } from '../../documents.js';
import type { ImageData, PageData, ReleaseVerdict } from '../work/page-data.js';
import { type EditWish, NO_WISH } from '../work/wish.js';
import type { DocumentName, EditAnswer, Rules } from '../worker/protocol.js';
import { busyLine } from './busy.js';
import { byId, h, openForPrint, section } from './dom.js';
import { editForm } from './edit-form.js';
import { answerView, type CardActions, likelyLoader } from './fix-view.js';
import { comparison, imageSections } from './image.js';
import { hashOf, type Question, questionOf } from './link.js';
import { optionsView } from './options.js';
import { releasesView } from './releases.js';
import { resultView } from './result.js';
import { verdictsView } from './verdicts.js';
import { Stopped, startWorker, WorkerTrouble } from './worker-client.js';

declare const XEN_ELFPATCH_VERSION: string;
declare const XEN_VERSIONS: readonly string[];

const trouble = byId('trouble');
const main = byId('main');
const drop = byId('drop');
const { ask, stop } = startWorker('worker.js', (step, done) => line.progress(step, done));
const line = busyLine(stop, troubleView);
const busy = line.run;

let question = questionOf(location.hash);
let image: ImageData | undefined;
/** Links to results that are not shown any more are given back. */
const links: string[] = [];

byId('version').textContent = XEN_ELFPATCH_VERSION;

function change(next: Partial<Question>): void {
  question = { ...question, ...next };
  history.replaceState(null, '', `${location.pathname}${location.search}${hashOf(question)}`);
}

function rules(): Rules {
  return { xenVersion: question.xenVersion, memory: question.memory };
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
  // Nobody waits for what is said of the file before.
  if (image !== undefined || document.body.hasAttribute('aria-busy')) stop();
  await busy(`reading ${file.name}`, trouble, async () => {
    main.replaceChildren();
    image = undefined;
    for (const link of links.splice(0)) URL.revokeObjectURL(link);
    show(imageAnswer(await ask({ kind: 'open', file, name: file.name, rules: rules() })));
    drop.classList.add('small');
    main.querySelector<HTMLElement>('h2')?.scrollIntoView({ block: 'nearest' });
  });
  if (image !== undefined) await showReleases();
}

/** All releases take longer than the first answer: they come behind it, loader by loader, so that others can be asked between. */
async function showReleases(): Promise<void> {
  const asked = image;
  if (asked === undefined) return;
  const names = asked.verify.loaders.map(({ row, loader }) => row ?? loader);
  const [holder, place] = [byId('releases'), byId('releases-told')];
  const releases: ReleaseVerdict[] = [];
  try {
    for (const [k, loader] of names.entries()) {
      place.textContent = `asking every release: ${loader}, ${k + 1} of ${names.length}`;
      const own = await ask({ kind: 'releases', loader, rules: rules() });
      if (asked !== image || !holder.isConnected) return;
      releases.push(...(own as readonly ReleaseVerdict[]));
    }
  } catch (error) {
    place.replaceChildren(error instanceof Stopped ? 'Stopped.' : troubleView(error));
    return;
  }
  image = { ...asked, releases };
  holder.replaceWith(releasesView(releases));
  const verdicts = byId('loaders');
  // What is open or in use stays as it is.
  if (verdicts.contains(document.activeElement) || verdicts.querySelector('details[open]') !== null) return;
  verdicts.replaceWith(verdictsView(image, askAbout));
}

async function judgeAgain(): Promise<void> {
  const before = image;
  await busy('asking the loaders again', trouble, async () => {
    show(imageAnswer(await ask({ kind: 'judge', rules: rules() })));
  });
  if (image !== before) await showReleases();
}

function imageAnswer(answer: unknown): ImageData {
  // The kind of an answer is that of its question.
  return answer as ImageData;
}

const actions: CardActions = {
  choose: (loader) => choose(loader, false),
  fix(loader, answer) {
    make('looking for the smallest edit', 'fixed', answer, { kind: 'fix', loaders: [loader], rules: rules() });
  },
  say(_loader, offer, answer) {
    make('planning', 'fixed', answer, { kind: 'plan', wish: { ...NO_WISH, ...offer } });
  },
  explain,
};

function askAbout({ accepts, row, loader }: VerifyVerdict) {
  return accepts
    ? undefined
    : h('button', { type: 'button', click: () => choose(row ?? loader, true) }, 'Ask about this one');
}

function show(data: ImageData): void {
  image = data;
  const loaders = data.verify.loaders.map(({ row, loader }) => row ?? loader);
  const loader = loaders.includes(question.loader) ? question.loader : likelyLoader(data);
  const [about, verdicts, ...rest] = imageSections(data, askAbout);
  const { xenVersion, memory } = question;
  const options = { xenVersions: XEN_VERSIONS, xenVersion: xenVersion || data.verify.xenVersion, memory };
  main.replaceChildren(
    answerView(data, loader, actions),
    ...[about, verdicts].filter((each) => each !== undefined),
    section('releases', 'By release', h('p', { id: 'releases-told', class: 'lead' })),
    optionsView(options, {
      judge(next) {
        change(next);
        void judgeAgain();
      },
      save: (name) => void busy('', trouble, () => saveDocument(name)),
      compare: (file) => compareWith(file, file.name),
    }),
    ...(data.home === 'pe' ? [] : [editForm(question.preset, data.home, plan)]),
    ...rest,
  );
}

function choose(loader: string, focus: boolean): void {
  change({ loader });
  if (image === undefined) return;
  const card = answerView(image, loader, actions);
  byId('answer').replaceWith(card);
  byId('for').focus();
  if (focus) card.scrollIntoView({ block: 'start' });
}

function compareWith(file: Blob, name: string): void {
  const place = byId('comparison');
  void busy('comparing', place, async () => {
    const data = (await ask({ kind: 'compare', file, name, rules: rules() })) as PageData;
    place.replaceChildren(...comparison(data));
    place.scrollIntoView({ block: 'start' });
  });
}

async function saveDocument(name: DocumentName): Promise<void> {
  const text = String(await ask({ kind: 'document', name, rules: rules() }));
  const link = linkTo(new Blob([text], { type: 'application/json' }), `${image?.name ?? 'image'}.${name}.json`);
  link.click();
}

function linkTo(blob: Blob, name: string, ...words: string[]): HTMLAnchorElement {
  const href = URL.createObjectURL(blob);
  links.push(href);
  return h('a', { href, download: name, class: 'download' }, ...words);
}

function plan(wish: EditWish, answer: HTMLElement): void {
  change({ preset: wish.preset });
  make('planning', 'patched', answer, { kind: 'plan', wish });
}

/** Makes a result, and shows it; `suffix` ends its name. */
function make(words: string, suffix: string, answer: HTMLElement, asked: Parameters<typeof ask>[0]): void {
  void busy(words, answer, async () => {
    const made = (await ask(asked)) as EditAnswer;
    const name = `${image?.name ?? 'kernel'}.${suffix}`;
    answer.replaceChildren(
      ...resultView(made, name, {
        link: linkTo,
        look: (blob) => void openFile(new File([blob], name)),
        compare: compareWith,
        byHand: () => byId('edit-preset').focus(),
      }),
    );
    answer.querySelector('a')?.focus();
  });
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
  if (!(target instanceof HTMLInputElement)) return;
  const [file] = target.files ?? [];
  // A kernel that was built again has the same name, and no browser tells of the same name twice.
  target.value = '';
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
openForPrint();
if (question.ask !== '') explain(question.ask);
// The page works on without a network where the browser keeps it; from a file: address there is nothing to keep.
if ('serviceWorker' in navigator && location.protocol.startsWith('http')) {
  navigator.serviceWorker.register('service-worker.js').catch(() => undefined);
}
