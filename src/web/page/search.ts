/** The search of a map: an address, an offset, or part of the name of a section, a note or a symbol. */

import { hex } from '../../base/errors/hex.js';
import type { LayoutDocument } from '../../documents.js';
import { h } from './dom.js';

/** A place on the map that was found. */
export interface Hit {
  readonly column: 'file' | 'memory';
  readonly at: bigint;
  readonly name: string;
}

interface Searched {
  readonly symbols: readonly { readonly name: string; readonly address: bigint }[];
  readonly moreSymbols: number;
  readonly notes: readonly { readonly name: string; readonly offset: string }[];
}

/** Places that are listed. */
const MOST = 24;

/** A field with what it finds; choosing one shows it. */
export function searchBox(id: string, layout: LayoutDocument, names: Searched, show: (hit: Hit) => void): HTMLElement {
  const list = h('ul', { class: 'hits', 'aria-label': 'Found', hidden: true });
  const input = h('input', {
    type: 'search',
    id: `${id}-search`,
    autocomplete: 'off',
    spellcheck: 'false',
    placeholder: '0x100000, .text, PHYS32_ENTRY, symbol',
    input: () => {
      const hits = find(input.value.trim(), layout, names);
      const rest = names.moreSymbols > 0 ? `; ${names.moreSymbols} symbols are not in this page` : '';
      const none = input.value.trim() === '' ? [] : [h('li', { class: 'none' }, `nothing found${rest}`)];
      list.replaceChildren(...(hits.length === 0 ? none : hits.map((hit) => h('li', {}, hitButton(hit, show)))));
      list.hidden = list.childElementCount === 0;
    },
    keydown: (event) => {
      if (!(event instanceof KeyboardEvent)) return;
      const first = find(input.value.trim(), layout, names)[0];
      if (event.key === 'Enter' && first !== undefined) show(first);
      if (event.key === 'Escape') list.hidden = true;
    },
  });
  return h('div', { class: 'search' }, h('label', { for: `${id}-search` }, 'Find'), input, list);
}

function hitButton(hit: Hit, show: (hit: Hit) => void): HTMLElement {
  const where = hit.column === 'file' ? 'in the file at' : 'in memory at';
  return h('button', { type: 'button', click: () => show(hit) }, `${hit.name} ${where} ${hex(hit.at)}`);
}

/** What a text may mean, numbers first. */
export function find(text: string, layout: LayoutDocument, { symbols, notes }: Searched): Hit[] {
  if (text === '') return [];
  const hits: Hit[] = [];
  const number = /^(0x[0-9a-f]+|[0-9]+)$/i.test(text) ? BigInt(text) : undefined;
  if (number !== undefined) {
    if (number < BigInt(layout.size)) hits.push({ column: 'file', at: number, name: `offset ${hex(number)}` });
    for (const { start, end, paddr, load } of layout.memory) {
      const size = BigInt(end) - BigInt(start);
      const by = (base: string, what: string) => {
        const inside = number - BigInt(base);
        if (inside >= 0n && inside < size) {
          hits.push({ column: 'memory', at: BigInt(start) + inside, name: `${what} ${hex(number)} in load ${load}` });
        }
      };
      by(start, 'address');
      if (paddr !== start) by(paddr, 'physical address');
    }
  }
  const wanted = text.toLowerCase();
  const meets = (name: string) => name.toLowerCase().includes(wanted);
  for (const { name, offset, address } of layout.sizes?.sections ?? []) {
    if (!meets(name)) continue;
    if (address !== null) hits.push({ column: 'memory', at: BigInt(address), name });
    else if (offset !== null) hits.push({ column: 'file', at: BigInt(offset), name });
  }
  for (const { name, offset } of notes) if (meets(name)) hits.push({ column: 'file', at: BigInt(offset), name });
  for (const { name, address } of symbols) {
    if (hits.length >= MOST) break;
    if (meets(name)) hits.push({ column: 'memory', at: address, name });
  }
  return hits.slice(0, MOST);
}
