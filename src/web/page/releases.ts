/** Every release of every loader as a table: what it says, why, and what helps. */
import type { ReleaseVerdict } from '../work/page-data.js';
import { type Child, code, h, section, table } from './dom.js';
import { counted } from './units.js';
import { WORDS } from './verdicts.js';
import { sentence } from './words.js';

/** The table, folded: it is long. */
export function releasesView(releases: readonly ReleaseVerdict[]): HTMLElement {
  const loaders = new Set(releases.map(({ row }) => row));
  const change = [...loaders].filter((row) => {
    const words = releases.filter((each) => each.row === row).map(({ outcome }) => outcome);
    return new Set(words).size > 1;
  });
  const told =
    change.length === 0
      ? 'No release of a loader answers otherwise than its newest.'
      : `It depends on the release with ${counted(change.length, 'loader')}: ${change.join(', ')}.`;
  const rows = releases.map((each): Child[] => {
    const { row, title, product, releases: span, outcome, message, reason, cure, advice, warnings } = each;
    const [word, kind] = WORDS[outcome];
    const why = message ?? warnings[0]?.text;
    const helps = cure ?? advice;
    return [
      h('span', { title }, row),
      `${product} ${span}`,
      h('span', { class: `badge ${kind}` }, word),
      h(
        'span',
        {},
        ...(why === undefined ? [] : sentence(why)),
        ...(reason === undefined ? [] : [' ', ...sentence(reason)]),
      ),
      cure !== undefined ? code(cure) : h('span', {}, ...(helps === undefined ? [] : sentence(helps))),
    ];
  });
  const heads = ['loader', 'releases', 'answer', 'why', 'what helps'];
  return section(
    'releases',
    'By release',
    h('p', { class: 'lead' }, told),
    h('details', {}, h('summary', {}, 'Every loader and release'), table('Loaders by release', heads, rows)),
  );
}
