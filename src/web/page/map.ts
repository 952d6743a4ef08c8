/** The map: the file on one side, memory on the other, ribbons between what is loaded and where it goes; zoom, pointer, keys. */

import { hex } from '../../base/errors/hex.js';
import { roundSize } from '../../base/round-size.js';
import type { LayoutDocument } from '../../documents.js';
import { h, section } from './dom.js';
import { type Box, heightAt, type MapModel, mapModel, placeAt } from './map-model.js';
import { type Hit, searchBox } from './search.js';

const SVG = 'http://www.w3.org/2000/svg';
const ZOOMS = [1, 1.6, 2.6, 4.2, 7, 11, 18, 30];
/** A line of text has room from here on. */
const LINE = 15;

/** What the map knows of addresses besides the layout. */
export interface Names {
  readonly symbols: readonly (readonly [name: string, address: string])[];
  readonly moreSymbols: number;
  readonly notes: readonly { readonly name: string; readonly offset: string }[];
}

/** The map of one image; `id` tells two maps of a page apart. */
export function mapView(id: string, title: string, layout: LayoutDocument, names: Names): HTMLElement {
  let zoom = 0;
  let model: MapModel = mapModel(layout, 1);
  let marked: Hit | undefined;
  const facts = h('p', { class: 'facts', role: 'status' }, 'Point at a part, or go through them with the arrow keys.');
  const stage = h('div', { class: 'map', role: 'group', 'aria-label': `${title}: file and memory` });
  const level = h('span', { class: 'level' }, '1×');
  const symbols = names.symbols
    .map(([name, address]) => ({ name, address: BigInt(`0x${address}`) }))
    .sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));

  const zoomTo = (next: number) => {
    zoom = Math.min(Math.max(next, 0), ZOOMS.length - 1);
    level.textContent = `${ZOOMS[zoom]}×`;
    draw();
  };
  const tell = (box: Box, at?: bigint) => facts.replaceChildren(...factsOf(layout, symbols, model, box, at));
  const show = (hit: Hit) => {
    marked = hit;
    draw();
    const mark = stage.querySelector('.marked');
    mark?.scrollIntoView({ block: 'center' });
    const box = model.boxes.find((each) => each.column === hit.column && hit.at >= each.start && hit.at < each.end);
    if (box !== undefined) tell(box, hit.at);
  };

  function draw(): void {
    model = mapModel(layout, ZOOMS[zoom] ?? 1);
    stage.style.height = `${model.height + 8}px`;
    stage.replaceChildren(
      h('span', { class: 'column file', 'aria-hidden': 'true' }, 'file'),
      h('span', { class: 'column memory', 'aria-hidden': 'true' }, 'memory'),
      ribbons(model, layout),
      ...model.boxes.map((box, i) => boxView(model, box, i, tell)),
    );
    for (const column of ['file', 'memory'] as const) {
      const y = marked?.column === column ? heightAt(model, column, marked.at) : undefined;
      if (y === undefined) continue;
      const line = h('div', { class: `marked ${column}` }, marked?.name);
      line.style.top = `${y}px`;
      stage.append(line);
    }
    const first = stage.querySelector('button');
    first?.setAttribute('tabindex', '0');
  }

  stage.addEventListener('keydown', (event) => moveBy(stage, event));
  draw();
  const button = (text: string, label: string, go: () => void) =>
    h('button', { type: 'button', 'aria-label': label, click: go }, text);
  return section(
    id,
    title,
    h(
      'div',
      { class: 'tools' },
      searchBox(id, layout, { ...names, symbols }, show),
      h(
        'div',
        { class: 'zoom', role: 'group', 'aria-label': 'Zoom' },
        button('−', 'Smaller', () => zoomTo(zoom - 1)),
        level,
        button('+', 'Larger: shows the sections inside', () => zoomTo(zoom + 1)),
      ),
    ),
    legend(),
    stage,
    facts,
  );
}

/** One part as a button, with its address beside it and the sections inside where there is room. */
function boxView(model: MapModel, box: Box, index: number, tell: (box: Box, at?: bigint) => void): HTMLElement {
  const size = roundSize(box.end - box.start);
  const button = h(
    'button',
    {
      type: 'button',
      class: `box ${box.column} ${box.kind}`,
      tabindex: -1,
      'data-index': index,
      'aria-label': `${box.column}: ${box.name}, ${size}, from ${hex(box.start)}`,
      focus: () => tell(box),
      pointermove: (event) => {
        if (event instanceof PointerEvent) tell(box, placeAt(box, box.y + event.offsetY));
      },
    },
    h('span', { class: 'name' }, `${box.name}, ${size}`),
    ...box.notes.slice(0, 24).map((note) => h('span', { class: 'note' }, note)),
  );
  const inside = insideOf(model, box);
  button.append(...inside);
  const address = h('span', { class: `address ${box.column}` }, hex(box.start));
  const frame = h('div', { class: `frame ${box.column}` }, address, button);
  frame.style.top = `${box.y}px`;
  frame.style.height = `${box.height}px`;
  return frame;
}

function insideOf(model: MapModel, box: Box): HTMLElement[] {
  const shown: HTMLElement[] = [];
  // The name of the part stands in its first line.
  let free = LINE + 8;
  const marks = model.marks
    .filter(({ column, start }) => column === box.column && start >= box.start && start < box.end)
    .sort((a, b) => (a.start < b.start ? -1 : 1));
  for (const { kind, name, start, end } of marks) {
    const top = (heightAt(model, box.column, start) ?? box.y) - box.y;
    const bottom = end >= box.end ? box.height : (heightAt(model, box.column, end) ?? box.y + box.height) - box.y;
    // In the first line stands the name of the part, and in notes the names of the records.
    if (kind === 'section' && (bottom - top < 4 || (top > 1 && top < LINE + 8) || box.notes.length > 0)) continue;
    const line = h('span', { class: `inside ${kind}` });
    line.style.top = `${top}px`;
    if (kind !== 'entry') line.style.height = `${Math.max(bottom - top, 3)}px`;
    const at = Math.max(top, free);
    const room = kind === 'section' ? bottom - at >= LINE : box.height - at >= LINE;
    if (room && name !== box.name) {
      const label = h('span', { class: `label ${kind}` }, kind === 'entry' ? `▸ entry ${hex(start)}` : name);
      label.style.top = `${at}px`;
      shown.push(label);
      free = at + LINE;
    }
    shown.push(line);
  }
  return shown;
}

function ribbons({ boxes, height }: MapModel, layout: LayoutDocument): SVGSVGElement {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'ribbons');
  svg.setAttribute('viewBox', `0 0 100 ${Math.max(height, 1)}`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('aria-hidden', 'true');
  for (const { load } of layout.memory) {
    const from = boxes.filter((box) => box.column === 'file' && box.load === load);
    const to = boxes.find((box) => box.column === 'memory' && box.load === load && box.fromFile !== undefined);
    const [first, last] = [from[0], from.at(-1)];
    if (first === undefined || last === undefined || to === undefined) continue;
    const path = document.createElementNS(SVG, 'path');
    const [a, b, c, d] = [first.y, last.y + last.height, to.y, to.y + to.height];
    path.setAttribute('d', `M0 ${a}C50 ${a} 50 ${c} 100 ${c}L100 ${d}C50 ${d} 50 ${b} 0 ${b}Z`);
    path.setAttribute('class', to.kind);
    svg.append(path);
  }
  return svg;
}

/** What is told of a place: the part, where it is on the other side, the section and the symbol there. */
function factsOf(
  layout: LayoutDocument,
  symbols: readonly { readonly name: string; readonly address: bigint }[],
  { marks }: MapModel,
  box: Box,
  at: bigint | undefined,
): string[] {
  const place = at ?? box.start;
  const [offset, address] = bothSides(layout, box, place);
  const sections = marks.filter(({ kind, column, start, end }) => {
    const here = column === 'file' ? offset : address;
    return kind === 'section' && here !== undefined && here >= start && here < end;
  });
  const symbol = address === undefined ? undefined : symbols.findLast((each) => each.address <= address);
  const near =
    symbol !== undefined && address !== undefined && address - symbol.address < 0x10000n ? symbol : undefined;
  const words = [
    `${box.name}, ${roundSize(box.end - box.start)}: ${hex(box.start)} to ${hex(box.end)}`,
    offset === undefined ? undefined : `file ${hex(offset)}`,
    address === undefined ? undefined : `address ${hex(address)}`,
    address === undefined || box.physical === undefined ? undefined : `physical ${hex(address + box.physical)}`,
    sections[0] === undefined ? undefined : `section ${sections[0].name}`,
    near === undefined || address === undefined ? undefined : `${near.name}+${hex(address - near.address)}`,
    ...box.notes.slice(0, 6),
  ];
  return [words.filter((word) => word !== undefined).join(' · ')];
}

function bothSides(
  layout: LayoutDocument,
  box: Box,
  at: bigint,
): [offset: bigint | undefined, address: bigint | undefined] {
  if (box.column === 'memory') {
    return [box.fromFile === undefined ? undefined : box.fromFile.offset + (at - box.start), at];
  }
  const band = layout.memory.find(({ offset, filesz }) => at >= BigInt(offset) && at < BigInt(offset) + BigInt(filesz));
  return [at, band === undefined ? undefined : BigInt(band.start) + (at - BigInt(band.offset))];
}

/** Up and down within a column, left and right to the other one. */
function moveBy(stage: HTMLElement, event: KeyboardEvent): void {
  const { target } = event;
  if (!(target instanceof HTMLElement) || !target.classList.contains('box')) return;
  const column = target.classList.contains('file') ? 'file' : 'memory';
  const list = [...stage.querySelectorAll<HTMLElement>(`.box.${column}`)];
  const other = [...stage.querySelectorAll<HTMLElement>(`.box.${column === 'file' ? 'memory' : 'file'}`)];
  const index = list.indexOf(target);
  const next: Record<string, HTMLElement | undefined> = {
    ArrowDown: list[index + 1],
    ArrowUp: list[index - 1],
    Home: list[0],
    End: list.at(-1),
    ArrowLeft: column === 'memory' ? other[Math.min(index, other.length - 1)] : undefined,
    ArrowRight: column === 'file' ? other[Math.min(index, other.length - 1)] : undefined,
  };
  const to = next[event.key];
  if (to === undefined) return;
  event.preventDefault();
  target.setAttribute('tabindex', '-1');
  to.setAttribute('tabindex', '0');
  to.focus();
}

function legend(): HTMLElement {
  const kinds = [
    ['code', 'code'],
    ['data', 'read only'],
    ['write', 'writable'],
    ['zero', 'zeros'],
    ['notes', 'notes'],
    ['head', 'headers'],
    ['plain', 'not loaded'],
    ['free', 'free'],
  ];
  return h(
    'ul',
    { class: 'legend', 'aria-label': 'Colours' },
    ...kinds.map(([kind = '', text = '']) => h('li', {}, h('span', { class: `swatch ${kind}` }), text)),
  );
}
