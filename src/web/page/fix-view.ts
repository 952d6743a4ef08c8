/** The first answer: does a loader start the image, why not, and one button that fixes it. */
import type { VerifyVerdict } from '../../documents.js';
import type { ImageData, Offer } from '../work/page-data.js';
import { code, h, section } from './dom.js';
import { type Explain, explainLink, sentence } from './words.js';

/** Whom people ask about first. */
const FIRST = [
  'qemu-pvh',
  'xen-pvh',
  'xen-pv',
  'firecracker',
  'cloud-hypervisor',
  'xen-dom0-pv',
  'grub-multiboot2',
  'grub-multiboot',
  'uefi',
];

/**
 * The loader that a page is about, where its link does not say: one that does not start the image and can be fixed, else
 * the first of those that people ask about.
 */
export function likelyLoader({ verify, offers }: ImageData): string {
  const rank = (verdict: VerifyVerdict) => {
    const at = FIRST.indexOf(nameOf(verdict));
    return at < 0 ? FIRST.length : at;
  };
  const sorted = [...verify.loaders].sort((a, b) => rank(a) - rank(b));
  const usual = sorted.filter((verdict) => rank(verdict) < FIRST.length);
  const curable = usual.find((verdict) => fails(verdict) && verdict.cure !== undefined);
  const offered = usual.find((verdict) => fails(verdict) && offers[nameOf(verdict)]?.preset.startsWith('pvh') === true);
  // QEMU takes a bzImage by Linux's own boot protocol. A kernel that the usual loaders start is not asked about for the sake of one that it was never made for.
  const starts = usual.find((verdict) => verdict.accepts || (verdict.outcome === 'other-path' && rank(verdict) === 0));
  return nameOf(starts === undefined || rank(starts) > 1 ? (curable ?? offered ?? starts ?? sorted[0]) : starts);
}

function fails({ accepts, outcome }: VerifyVerdict): boolean {
  return !accepts && outcome !== 'other-path';
}

function nameOf(verdict: VerifyVerdict | undefined): string {
  return verdict?.row ?? verdict?.loader ?? '';
}

/** What the card asks of the page around it. */
export interface CardActions {
  /** Another loader is asked about. */
  choose(loader: string): void;
  /** The smallest edit that is found, made; what comes of it goes into the element. */
  fix(loader: string, answer: HTMLElement): void;
  /** What its builder says of the code is written into the notes. */
  say(loader: string, offer: Offer, answer: HTMLElement): void;
  readonly explain: Explain;
}

/** The card. */
export function answerView({ verify, offers }: ImageData, loader: string, actions: CardActions): HTMLElement {
  const verdict = verify.loaders.find((each) => nameOf(each) === loader);
  const select = h(
    'select',
    { id: 'for', change: () => actions.choose(select.value) },
    ...verify.loaders.map((each) =>
      h('option', { value: nameOf(each), selected: nameOf(each) === loader }, `${markOf(each)} ${each.title}`),
    ),
  );
  const picker = h('p', { class: 'row' }, h('label', { for: 'for' }, 'What is to start it?'), select);
  if (verdict === undefined) return section('answer', 'The answer', picker);
  const answer = h('div', { role: 'status', class: 'result', id: 'fix-answer' });
  const card = section('answer', headline(verdict), picker, ...reasons(verdict, actions.explain));
  card.classList.add('answer');
  card.append(...waysOut(verdict, offers[loader], answer, actions), ...othersThatStartIt(verify.loaders, verdict));
  card.append(answer);
  return card;
}

function markOf({ accepts, outcome }: VerifyVerdict): string {
  if (accepts) return '✓';
  return outcome === 'other-path' ? '↪' : '✗';
}

function shortTitle({ title }: VerifyVerdict): string {
  return title.split(',')[0] ?? title;
}

function headline(verdict: VerifyVerdict): string {
  const { accepts, outcome } = verdict;
  const who = shortTitle(verdict);
  if (outcome === 'accepted') return `Yes: ${who} starts it`;
  if (accepts) return `Yes, but: ${who} starts it with a warning`;
  if (outcome === 'other-path') return `${who} takes it another way, not by its notes`;
  if (outcome === 'undecided') return `Whether ${who} starts it is not known`;
  return `No: ${who} does not start it`;
}

function reasons(verdict: VerifyVerdict, explain: Explain): HTMLElement[] {
  const { message, reason, advice, warnings } = verdict;
  const lines: HTMLElement[] = [];
  if (message !== undefined && fails(verdict)) {
    const meaning = explain === undefined ? undefined : explainLink(message, 'What this message means', explain);
    lines.push(h('p', { class: 'bad box because' }, 'It says: ', code(message)));
    if (meaning !== undefined) lines.push(h('p', {}, meaning));
  } else if (message !== undefined) lines.push(h('p', { class: 'warn box because' }, ...sentence(message, explain)));
  if (reason !== undefined) lines.push(h('p', { class: 'because' }, ...sentence(`the reason: ${reason}`, explain)));
  if (advice !== undefined && advice !== reason)
    lines.push(h('p', { class: 'because' }, ...sentence(`what to do: ${advice}`, explain)));
  for (const { text } of warnings.slice(0, 4)) lines.push(h('p', { class: 'warn box' }, ...sentence(text, explain)));
  return lines;
}

/** The buttons by which someone leaves with an image that starts. */
function waysOut(
  verdict: VerifyVerdict,
  offer: Offer | undefined,
  answer: HTMLElement,
  { fix, say }: CardActions,
): HTMLElement[] {
  const { accepts, cure, outcome } = verdict;
  if (accepts) return [];
  const loader = nameOf(verdict);
  const who = shortTitle(verdict);
  const button = (words: string, go: () => void) =>
    h('p', {}, h('button', { type: 'button', class: 'primary', id: 'mend', click: go }, words));
  if (cure !== undefined) {
    const words = outcome === 'other-path' ? `Make one that ${who} starts by its notes` : 'Fix it';
    return [button(words, () => fix(loader, answer)), h('p', {}, 'The same on a command line: ', code(cure))];
  }
  if (offer === undefined) return [];
  const kind = offer.preset.startsWith('pvh') ? 'such 32-bit code' : 'made for a PV guest';
  return [
    button(`The code there is ${kind}: write it into the notes`, () => say(loader, offer, answer)),
    h(
      'p',
      { class: 'hint' },
      'Only the author of the kernel knows that. If the code is not such code, it is started and fails.',
    ),
  ];
}

/** Who does start it, where the one asked about does not. */
function othersThatStartIt(loaders: readonly VerifyVerdict[], asked: VerifyVerdict): HTMLElement[] {
  if (asked.accepts) return [];
  const others = loaders.filter(({ accepts }) => accepts).map(({ title }) => title);
  if (others.length === 0) return [];
  const [shown, more] = [others.slice(0, 4).join('; '), others.length - 4];
  return [h('p', { class: 'hint' }, `As it is, it is started by: ${shown}${more > 0 ? `; and ${more} more` : ''}.`)];
}
