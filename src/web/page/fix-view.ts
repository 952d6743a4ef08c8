/** The first answer: does a loader start the image, why not, and one button that mends it. */
import type { VerifyVerdict } from '../../documents.js';
import type { ImageData } from '../work/page-data.js';
import { code, h, section } from './dom.js';

/** Whom people ask about first. */
const FIRST = ['qemu-pvh', 'xen-pvh', 'xen-pv', 'firecracker', 'cloud-hypervisor', 'xen-dom0-pv', 'grub-multiboot2'];

/**
 * The loader that a page is about, where its link does not say: one that does not start the image and can be mended, else
 * the first of those that people ask about.
 */
export function likelyLoader({ verify }: ImageData): string {
  const rank = (verdict: VerifyVerdict) => {
    const at = FIRST.indexOf(nameOf(verdict));
    return at < 0 ? FIRST.length : at;
  };
  const sorted = [...verify.loaders].sort((a, b) => rank(a) - rank(b));
  const usual = sorted.filter((verdict) => rank(verdict) < FIRST.length);
  const curable = usual.find((verdict) => fails(verdict) && verdict.cure !== undefined);
  // QEMU takes a bzImage by Linux's own boot protocol. A kernel that the usual loaders start is not asked about for the sake of one that it was never made for.
  const starts = usual.find((verdict) => verdict.accepts || (verdict.outcome === 'other-path' && rank(verdict) === 0));
  return nameOf(starts === undefined || rank(starts) > 1 ? (curable ?? sorted[0]) : starts);
}

function fails({ accepts, outcome }: VerifyVerdict): boolean {
  return !accepts && outcome !== 'other-path';
}

function nameOf(verdict: VerifyVerdict | undefined): string {
  return verdict?.row ?? verdict?.loader ?? '';
}

/** The card; `fix` mends the image for a loader, `choose` asks about another one. */
export function answerView(
  { verify }: ImageData,
  loader: string,
  choose: (loader: string) => void,
  fix: (loader: string, answer: HTMLElement) => void,
): HTMLElement {
  const verdict = verify.loaders.find((each) => nameOf(each) === loader);
  const select = h(
    'select',
    { id: 'for', change: () => choose(select.value) },
    ...verify.loaders.map((each) =>
      h(
        'option',
        { value: nameOf(each), selected: nameOf(each) === loader },
        `${each.accepts ? '✓' : '✗'} ${each.title}`,
      ),
    ),
  );
  const picker = h('p', { class: 'row' }, h('label', { for: 'for' }, 'What is to start it?'), select);
  if (verdict === undefined) return section('answer', 'The answer', picker);
  const answer = h('div', { role: 'status', class: 'result', id: 'fix-answer' });
  const card = section('answer', headline(verdict), picker, ...reasons(verdict));
  card.classList.add('answer');
  if (!verdict.accepts) {
    const words = verdict.cure === undefined ? 'Look for a way to fix it' : 'Fix it';
    const weight = fails(verdict) ? 'primary' : undefined;
    card.append(h('p', {}, h('button', { class: weight, id: 'mend', click: () => fix(loader, answer) }, words)));
  }
  card.append(answer);
  return card;
}

function headline({ accepts, outcome, title }: VerifyVerdict): string {
  const who = title.split(',')[0] ?? title;
  if (outcome === 'accepted') return `Yes: ${who} starts it`;
  if (accepts) return `Yes, but: ${who} starts it with a warning`;
  if (outcome === 'other-path') return `${who} loads it in another way`;
  if (outcome === 'undecided') return `Whether ${who} starts it is not known`;
  return `No: ${who} does not start it`;
}

function reasons(verdict: VerifyVerdict): HTMLElement[] {
  const { message, reason, advice, cure, warnings, accepts } = verdict;
  const kind = fails(verdict) ? 'bad' : 'warn';
  const lines: HTMLElement[] = [];
  if (message !== undefined)
    lines.push(h('p', { class: `${kind} box because` }, kind === 'bad' ? 'It says: ' : '', code(message)));
  if (reason !== undefined) lines.push(h('p', { class: 'because' }, `Because ${reason}.`));
  if (advice !== undefined && advice !== reason) lines.push(h('p', { class: 'because' }, advice));
  for (const { text } of warnings.slice(0, 4)) lines.push(h('p', { class: 'warn box' }, text));
  if (cure !== undefined && !accepts) lines.push(h('p', {}, 'On a command line: ', code(cure)));
  return lines;
}
