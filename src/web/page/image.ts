/** Everything that a page shows of one image, or of two that are compared. */

import { roundSize } from '../../base/round-size.js';
import type { VerifyVerdict } from '../../documents.js';
import type { ImageData, PageData } from '../work/page-data.js';
import { compareView } from './compare.js';
import { type Child, h, section } from './dom.js';
import { mapView, type Names } from './map.js';
import { notesView, valueText } from './notes.js';
import { releasesView } from './releases.js';
import { sizesView } from './sizes.js';
import { counted } from './units.js';
import { verdictsView } from './verdicts.js';

/** The sections on an image, in the order in which they help. */
export function imageSections(data: ImageData, actions?: (verdict: VerifyVerdict) => Child): HTMLElement[] {
  const { notes, layout } = data;
  return [
    soundView(data),
    verdictsView(data, actions),
    ...(data.releases === undefined ? [] : [releasesView(data.releases)]),
    ...(notes === undefined ? [] : [notesView(notes)]),
    ...(layout === undefined ? [] : [mapView('map', 'The map', layout, namesOf(data)), sizesView(layout)]),
  ];
}

/** A page that stands for itself. */
export function pageSections(data: PageData): HTMLElement[] {
  const { image, other } = data;
  if (other === undefined) return imageSections(image);
  return [
    h('p', { class: 'lead' }, `Before: ${image.name}. After: ${other.name}.`),
    ...comparison(data),
    ...(other.notes === undefined ? [] : [notesView(other.notes)]),
    verdictsView(other),
    ...(other.releases === undefined ? [] : [releasesView(other.releases)]),
  ];
}

/** Two images beside each other; nothing where there is one. */
export function comparison({ image, other, diff }: PageData): HTMLElement[] {
  if (other === undefined) return [];
  const maps = [image, other].flatMap((each, i) =>
    each.layout === undefined
      ? []
      : [mapView(`map-${i}`, `${i === 0 ? 'Before' : 'After'}: ${each.name}`, each.layout, namesOf(each))],
  );
  return [
    ...(diff === undefined ? [] : [compareView(diff)]),
    ...changedVerdicts(image, other),
    h('div', { class: 'pair' }, ...maps),
  ];
}

/** Loaders that say something else of the second image. */
function changedVerdicts(before: ImageData, after: ImageData): HTMLElement[] {
  const rows = before.verify.loaders.flatMap((was) => {
    const is = after.verify.loaders.find(({ row, loader }) => (row ?? loader) === (was.row ?? was.loader));
    if (is === undefined || is.accepts === was.accepts) return [];
    const words = is.accepts ? 'starts the second, not the first' : 'starts the first, not the second';
    return [h('li', {}, h('b', {}, was.title), ` ${words}`)];
  });
  const none = h('p', {}, 'No loader says something else of the second image.');
  return [section('changed', 'What loaders make of it', rows.length === 0 ? none : h('ul', {}, ...rows))];
}

/** Is the file sound, and what is it? */
function soundView({ name, format, wrapped, verify, layout }: ImageData): HTMLElement {
  const size = layout === undefined ? '' : `, ${roundSize(BigInt(layout.size))}`;
  const { structure, malformed, secondReader } = verify;
  const told =
    malformed !== undefined
      ? h('p', { class: 'bad box' }, `It cannot be read: ${malformed.text} [${malformed.id}]`)
      : structure === undefined || structure.errors === 0
        ? h(
            'p',
            {},
            `The file is sound: ${counted(structure?.checks ?? 0, 'check')}${readerText(secondReader?.verdict)}.`,
          )
        : h('p', { class: 'bad box' }, `The file is broken: ${counted(structure.errors, 'fault')}.`);
  const findings = (structure?.findings ?? []).map(({ level, text, check }) =>
    h('li', {}, h('b', {}, level), ` ${text} [${check}]`),
  );
  return section(
    'image',
    'The image',
    h('p', { class: 'file' }, h('strong', {}, name), ` ${format}${size}`),
    wrapped === undefined ? undefined : h('p', {}, `Looked through: ${wrapped}`),
    told,
    findings.length === 0 ? undefined : h('ul', {}, ...findings),
  );
}

function readerText(verdict: string | undefined): string {
  if (verdict === 'agrees') return ', and a second reader agrees';
  if (verdict === 'differs') return ', but a second reader reads something else';
  return '';
}

function namesOf({ symbols, moreSymbols, notes }: ImageData): Names {
  const [image] = notes?.images ?? [];
  const list = image === undefined || 'error' in image || 'format' in image ? [] : image.notes;
  const named = list.map(({ owner, name, type, value, offset }) => ({
    name: `${owner} ${name ?? type} ${valueText(value)}`,
    offset,
  }));
  return { symbols, moreSymbols, notes: named };
}
