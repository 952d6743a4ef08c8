/**
 * A picture of an image: the file on the left, memory on the right, ribbons from what is loaded to where it goes, notes
 * marked. Heights grow with the logarithm of a size, so that a note of 20 bytes and a load of 40 MiB are both to be seen.
 */

import { hex } from '../../base/errors/hex.js';
import { roundSize } from '../../base/round-size.js';
import { segmentFlags } from '../../formats/elf/names.js';
import type { Band } from './bands.js';
import { type DrawnBand, foldBands } from './fold.js';
import type { ImageMap } from './image-map.js';
import type { MemoryBand } from './memory.js';
import { dashed, escapeXml, pointer, rect, ribbon, type TextStyle, text } from './svg-shapes.js';
import { SVG_STYLE } from './svg-style.js';
import { fitted, textWidth } from './text-width.js';

const PANEL = 776;
const FILE = { x: 96, width: 214 };
const MEMORY = { x: 390, width: 176 };
const TOP = 104;
const LINE = 15;
/** Bands that are drawn in one column. */
const MOST_BANDS = 120;
const MOST_NAMES = 24;
/** Between a text and the edge of what it stands in. */
const EDGE = 8;

/** The picture of one image, or of two side by side, the first titled `before`. */
export function mapSvg(map: ImageMap, other?: ImageMap): string {
  // Two memories stand at the same height, to be held against each other.
  const top = TOP + Math.min(...[map, ...(other === undefined ? [] : [other])].map(dropOf));
  const panels =
    other === undefined
      ? [panel(map, 0, top, '', undefined)]
      : [panel(map, 0, top, 'before: ', keysOf(other)), panel(other, PANEL, top, 'after: ', keysOf(map))];
  const width = PANEL * panels.length;
  const height = Math.max(...panels.map((p) => p.height)) + 64;
  const name = other === undefined ? map.name : `${map.name} and ${other.name}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">\n`,
    `<title>${escapeXml(`File and memory map of ${name}`)}</title>\n<style>${SVG_STYLE}</style>\n`,
    '<defs><pattern id="zeros" width="6" height="6" patternUnits="userSpaceOnUse"><path d="M0 6 L6 0" class="hatch"/></pattern></defs>\n',
    rect({ x: 0, y: 0, width, height }, 'back'),
    ...panels.map((p) => p.svg),
    legend(height - 26, other !== undefined),
    '</svg>\n',
  ].join('');
}

interface Panel {
  readonly svg: string;
  readonly height: number;
}

interface Placed {
  readonly y: number;
  readonly height: number;
}

function panel(map: ImageMap, x: number, top: number, lead: string, others: ReadonlySet<string> | undefined): Panel {
  const format = `${map.format}, ${roundSize(map.size)}`;
  const file = fileColumn(map, x, others);
  const memory = memoryColumn(map, x, others, top);
  const links = map.memory.slice(0, MOST_BANDS).map(({ load, flags }) => {
    const [from, to] = [file.loads.get(load), memory.loads.get(load)];
    if (from === undefined || to === undefined) return '';
    return ribbon(
      [x + FILE.x + FILE.width, from.y, from.y + from.height],
      [x + MEMORY.x, to.y, to.y + to.height],
      `link ${colorOf(flags)}`,
    );
  });
  const noteLinks = [...file.notes].map(([index, from]) => {
    const to = memory.notes.get(index);
    if (to === undefined) return '';
    return ribbon(
      [x + FILE.x + FILE.width, from.y, from.y + from.height],
      [x + MEMORY.x, to.y, to.y + to.height],
      'note-link',
    );
  });
  const svg = [
    text(x + 20, 34, `${lead}${map.name}`, { className: 'title', room: PANEL - 40 }),
    text(x + 20, 56, format, { className: 'muted', room: PANEL - 40 }),
    text(x + FILE.x + FILE.width / 2, TOP - 16, 'file', { className: 'muted', anchor: 'middle' }),
    text(x + MEMORY.x + MEMORY.width / 2, top - 16, 'memory', { className: 'muted', anchor: 'middle' }),
    ...links,
    ...noteLinks,
    file.svg,
    memory.svg,
  ].join('');
  return { svg, height: Math.max(file.end, memory.end) };
}

/** How far the memory column stands lower than the file's: so that what belongs together is level, on average. */
function dropOf(map: ImageMap): number {
  const [file, memory] = [fileColumn(map, 0, undefined), memoryColumn(map, 0, undefined, TOP)];
  const distances = [...memory.loads].flatMap(([load, { y, height }]) => {
    const from = file.loads.get(load);
    return from === undefined ? [] : [from.y + from.height / 2 - (y + height / 2)];
  });
  const mean = distances.reduce((sum, distance) => sum + distance, 0) / (distances.length || 1);
  return Math.max(0, Math.min(mean, file.end - memory.end));
}

/** Grows with the logarithm of the size; one line of text always fits. */
function heightOf(size: bigint, lines: number): number {
  const wide = 18 + 5 * Math.log2(1 + Number(size) / 256);
  return Math.max(lines * LINE + 6, Math.min(wide, 110));
}

interface Column {
  readonly svg: string;
  readonly end: number;
  /** What a PT_LOAD takes of the column, for the ribbons. */
  readonly loads: ReadonlyMap<number, Placed>;
  /** The same for PT_NOTEs. */
  readonly notes: ReadonlyMap<number, Placed>;
}

function fileColumn(map: ImageMap, x: number, others: ReadonlySet<string> | undefined): Column {
  const loads = new Map<number, Placed>();
  const notes = new Map<number, Placed>();
  let svg = '';
  let y = TOP;
  const drawn = foldBands(map.file);
  for (const band of drawn.slice(0, MOST_BANDS)) {
    const names = band.kind === 'notes' ? (map.notes.get(band.start) ?? []) : [];
    const shown =
      names.length > MOST_NAMES ? [...names.slice(0, MOST_NAMES), `and ${names.length - MOST_NAMES} more`] : names;
    const height = heightOf(band.end - band.start, 1 + shown.length);
    const box = { x: x + FILE.x, y, width: FILE.width, height };
    const changed = isChanged(band, others) ? ' changed' : '';
    const size = roundSize(band.end - band.start);
    svg += text(x + FILE.x - EDGE, y + 11, hex(band.start), ADDRESS_OF_FILE);
    svg += rect(
      box,
      `band ${classOf(map, band)}${changed}`,
      `${band.name}: ${hex(band.start)} to ${hex(band.end)}, ${size}`,
    );
    const ink = band.kind === 'notes' && isSeen(band.name) ? 'on-notes' : band.kind === 'free' ? 'muted' : '';
    svg += sizedName(box.x + EDGE, y + 15, band.name, size, { className: ink, room: FILE.width - 2 * EDGE });
    for (const [i, name] of shown.entries()) {
      const room = FILE.width - 3 * EDGE;
      svg += text(box.x + 2 * EDGE, y + 15 + (i + 1) * LINE, name, { className: `${ink} small`, room });
    }
    const [, index] = /^PT_NOTE (\d+)$/.exec(band.name) ?? [];
    if (index !== undefined) notes.set(Number(index), { y, height });
    if (band.load !== undefined) {
      const first = loads.get(band.load);
      loads.set(band.load, first === undefined ? { y, height } : { y: first.y, height: y + height - first.y });
    }
    y += height;
  }
  svg += text(x + FILE.x - EDGE, y + 4, hex(map.size), ADDRESS_OF_FILE);
  const more = drawn.length - MOST_BANDS;
  if (more > 0) svg += text(x + FILE.x, y + 20, `and ${more} more parts`, { className: 'muted', room: FILE.width });
  return { svg, end: y + 20, loads, notes };
}

function memoryColumn(map: ImageMap, x: number, others: ReadonlySet<string> | undefined, top: number): Column {
  const loads = new Map<number, Placed>();
  const notes = new Map<number, Placed>();
  const labels: Label[] = [];
  let svg = '';
  let y = top;
  let last: MemoryBand | undefined;
  const left = x + MEMORY.x;
  const right = left + MEMORY.width;
  const inside = MEMORY.width - 2 * EDGE;
  for (const band of map.memory.slice(0, MOST_BANDS)) {
    if (last !== undefined && band.start > last.end) {
      svg += dashed(left, right, y + 4) + dashed(left, right, y + 26);
      svg += text(left + MEMORY.width / 2, y + 19, `${roundSize(band.start - last.end)} unused`, {
        className: 'muted small',
        anchor: 'middle',
        room: MEMORY.width,
      });
      y += 30;
    }
    const zero = band.end - band.start - band.filesz;
    const fileHeight =
      band.filesz === 0n
        ? 0
        : heightOf(
            band.filesz,
            (band.p_paddr === band.start ? 1 : 2) + 1 + band.notes.length + (band.entry === undefined ? 0 : 1),
          );
    const zeroHeight = zero === 0n ? 0 : heightOf(zero, 1);
    const changed = others?.has(memoryKey(band)) === false ? ' changed' : '';
    const name = `${band.name} ${segmentFlags(band.flags)}`;
    const tip = `${name}: ${hex(band.start)} to ${hex(band.end)}, physical ${hex(band.p_paddr)}`;
    labels.push({ y: y + 11, text: hex(band.start), className: 'address', mark: undefined });
    if (band.p_paddr !== band.start) {
      labels.push({ y: y + 12 + LINE, text: `physical ${hex(band.p_paddr)}`, className: 'address', mark: undefined });
    }
    svg += rect({ x: left, y, width: MEMORY.width, height: fileHeight }, `band ${colorOf(band.flags)}${changed}`, tip);
    if (fileHeight > 0) svg += sizedName(left + EDGE, y + 15, name, roundSize(band.filesz), { room: inside });
    // The addresses of the band come first.
    const lowest = band.p_paddr === band.start ? 22 : 22 + LINE;
    const place = (address: bigint) => {
      const part = Number(((address - band.start) * 1000n) / (band.end - band.start || 1n)) / 1000;
      return y + Math.min(Math.max(part * (fileHeight + zeroHeight), lowest), Math.max(fileHeight - 8, lowest));
    };
    for (const note of band.notes) {
      const at = place(note.start);
      svg += rect(
        { x: left, y: at - 2, width: MEMORY.width, height: 5 },
        'notes',
        `PT_NOTE ${note.index} at ${hex(note.start)}`,
      );
      notes.set(note.index, { y: at - 2, height: 5 });
      labels.push({ y: at + 4, text: `PT_NOTE ${note.index}`, className: 'small', mark: at });
    }
    if (band.entry !== undefined) {
      const at = place(band.entry);
      labels.push({ y: at + 4, text: `entry ${hex(map.entry)}`, className: 'small', mark: at });
    }
    if (zeroHeight > 0) {
      svg += rect({ x: left, y: y + fileHeight, width: MEMORY.width, height: zeroHeight }, `band zero${changed}`, tip);
      const what = fileHeight > 0 ? 'zeros' : `${name}, zeros`;
      svg += sizedName(left + EDGE, y + fileHeight + 15, what, roundSize(zero), { room: inside });
    }
    loads.set(band.load, { y, height: fileHeight });
    y += fileHeight + zeroHeight;
    last = band;
  }
  if (last !== undefined) labels.push({ y: y + 4, text: hex(last.end), className: 'address', mark: undefined });
  const spread = spreadLabels(labels);
  const more = map.memory.length - MOST_BANDS;
  if (more > 0) svg += text(left, y + 20, `and ${more} more`, { className: 'muted', room: MEMORY.width });
  svg += spread
    .map(({ y: at, text: content, className, mark }) => {
      const shift = mark === undefined ? 6 : 18;
      const sign = mark === undefined ? '' : pointer(right + 5, at - 4);
      return sign + text(right + shift, at, content, { className, room: x + PANEL - EDGE - right - shift });
    })
    .join('');
  return { svg, end: Math.max(y + (more > 0 ? 20 : 0), spread.at(-1)?.y ?? 0) + 20, loads, notes };
}

const ADDRESS_OF_FILE = { className: 'address', anchor: 'end', room: FILE.x - 2 * EDGE } as const;

/** A name with its size: of a name that is too long the middle goes, never the size. */
function sizedName(x: number, y: number, name: string, size: string, style: TextStyle & { room: number }): string {
  const end = `, ${size}`;
  const font = { size: 12, kind: 'plain' } as const;
  return text(x, y, `${fitted(name, font, style.room - textWidth(end, font))}${end}`, style);
}

interface Label {
  readonly y: number;
  readonly text: string;
  readonly className: string;
  /** Where the pointer of the label belongs; undefined: it has none. */
  readonly mark: number | undefined;
}

/** Labels in order of height, each at least a line below the one before. */
function spreadLabels(labels: readonly Label[]): Label[] {
  let free = 0;
  return [...labels]
    .sort((a, b) => a.y - b.y)
    .map((label) => {
      const y = Math.max(label.y, free);
      free = y + LINE - 1;
      return { ...label, y };
    });
}

/** Notes that a segment shows are those that loaders read; of others, only a section tells. */
function isSeen(name: string): boolean {
  return name.startsWith('PT_NOTE');
}

function classOf({ loads }: ImageMap, { kind, name, load }: Band): string {
  switch (kind) {
    case 'header':
    case 'table':
      return 'head';
    case 'notes':
      return isSeen(name) ? 'notes' : 'unseen';
    case 'load':
      return colorOf(loads.get(load ?? -1)?.flags ?? 4);
    case 'section':
    case 'data':
      return 'plain';
    case 'free':
      return 'free';
  }
}

function colorOf(flags: number): 'code' | 'write' | 'data' {
  if ((flags & 2) !== 0) return 'write';
  return (flags & 1) !== 0 ? 'code' : 'data';
}

function bandKey({ kind, name, start, end }: Band): string {
  return `${kind} ${name} ${start} ${end}`;
}

function memoryKey({ load, start, end, filesz, p_paddr }: MemoryBand): string {
  return `memory ${load} ${start} ${end} ${filesz} ${p_paddr}`;
}

/** Is any part of it on this side only? What is free may come and go. */
function isChanged({ parts }: DrawnBand, others: ReadonlySet<string> | undefined): boolean {
  return others !== undefined && parts.some((band) => band.kind !== 'free' && !others.has(bandKey(band)));
}

function keysOf({ file, memory }: ImageMap): ReadonlySet<string> {
  return new Set([...file.map(bandKey), ...memory.map(memoryKey)]);
}

function legend(y: number, compared: boolean): string {
  const entries = [
    ['code', 'code'],
    ['data', 'read only'],
    ['write', 'writable'],
    ['zero', 'zeros'],
    ['notes', 'notes'],
    ['head', 'headers'],
    ['plain', 'not loaded'],
    ['free', 'free'],
    ...(compared ? [['outline changed', 'only on this side']] : []),
  ];
  let x = 20;
  return entries
    .map(([className = '', label = '']) => {
      const entry =
        rect({ x, y: y - 11, width: 14, height: 14 }, `band ${className}`) +
        text(x + 20, y + 1, label, { className: 'small' });
      x += 38 + label.length * 6.4;
      return entry;
    })
    .join('');
}
