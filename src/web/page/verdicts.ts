/** What each loader makes of the image: a word, and behind it its message, the reason, the cure and its rules. */
import type { VerifyVerdict } from '../../documents.js';
import type { ImageData, ReleaseVerdict } from '../work/page-data.js';
import { type Child, code, h, section } from './dom.js';
import { counted } from './units.js';

/** What a loader does, in a word, and the class that colours it. */
export const WORDS: Readonly<Record<VerifyVerdict['outcome'], readonly [word: string, kind: string]>> = {
  accepted: ['starts it', 'good'],
  'with-warnings': ['starts it, but', 'warn'],
  refused: ['refuses it', 'bad'],
  crash: ['crashes', 'bad'],
  'other-path': ['another way', 'warn'],
  undecided: ['undecided', 'warn'],
};

/** The loaders, each to be opened; `actions` gives what can be done about one. */
export function verdictsView(data: ImageData, actions?: (verdict: VerifyVerdict) => Child): HTMLElement {
  const { loaders } = data.verify;
  const takes = loaders.filter(({ accepts }) => accepts).length;
  return section(
    'loaders',
    'Who starts it',
    h(
      'p',
      { class: 'lead' },
      `${takes} of ${counted(loaders.length, 'loader')} would start this image. Open one to see why.`,
    ),
    h('div', { class: 'verdicts' }, ...loaders.map((verdict) => verdictView(data, verdict, actions?.(verdict)))),
  );
}

function verdictView({ releases }: ImageData, verdict: VerifyVerdict, action: Child): HTMLElement {
  const [word, kind] = WORDS[verdict.outcome];
  const facts = factsOf(verdict, spanOf(verdict, releases ?? []));
  const says = verdict.message ?? verdict.warnings[0]?.text;
  return h(
    'details',
    { class: `verdict ${kind}`, 'data-loader': verdict.row ?? verdict.loader },
    h(
      'summary',
      {},
      h('span', { class: `badge ${kind}` }, word),
      h('span', { class: 'who' }, verdict.title),
      says === undefined ? undefined : h('span', { class: 'says' }, says),
    ),
    h('dl', {}, ...facts.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, value)])),
    action,
    rulesView(verdict),
  );
}

function factsOf(verdict: VerifyVerdict, span: string | undefined): (readonly [string, Child])[] {
  const { message, reason, cure, advice, needsMemory, warnings, values, rule } = verdict;
  const rows: (readonly [string, Child] | undefined)[] = [
    message === undefined ? undefined : ['it says', code(message)],
    reason === undefined ? undefined : ['because', reason],
    cure === undefined ? undefined : ['cure', code(cure)],
    advice === undefined || advice === reason ? undefined : ['what to do', advice],
    needsMemory === undefined ? undefined : ['memory', `at least ${BigInt(needsMemory) >> 20n} MiB`],
    span === undefined ? undefined : ['holds in', span],
    ...warnings.map(({ text }) => ['warning', text] as const),
    ...Object.entries(values).map(([name, value]) => [name, code(plain(value))] as const),
    rule === undefined ? undefined : ['decided by', code(rule)],
  ];
  return rows.filter((row) => row !== undefined);
}

/** The releases that say yes, or no, as this verdict does; undefined: all that are known do. */
function spanOf({ row, loader, accepts }: VerifyVerdict, releases: readonly ReleaseVerdict[]): string | undefined {
  const own = releases.filter((each) => each.row === (row ?? loader));
  const same = own.filter((each) => each.accepts === accepts);
  if (same.length === own.length) return undefined;
  return `${own[0]?.product} ${same.map((each) => each.releases).join(', ')}`;
}

function plain(value: unknown): string {
  return Array.isArray(value) ? (value.length === 0 ? 'none' : value.join(' ')) : String(value);
}

function rulesView({ rules }: VerifyVerdict): HTMLElement {
  const rows = rules.map(({ name, result, because }) =>
    h('li', { class: `rule ${result}` }, h('b', {}, result), ' ', code(name), ` ${because}`),
  );
  return h('details', { class: 'rules' }, h('summary', {}, counted(rules.length, 'rule')), h('ol', {}, ...rows));
}
