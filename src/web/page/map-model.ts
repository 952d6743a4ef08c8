/** Where each part of the map stands on the page, in pixels, and back from a pixel to an offset or an address. Nothing is drawn here. */
import type { LayoutDocument } from '../../documents.js';

type FileBand = LayoutDocument['bands'][number];
type MemoryBand = LayoutDocument['memory'][number];

/** A part of one column. */
export interface Box {
  readonly column: 'file' | 'memory';
  readonly start: bigint;
  readonly end: bigint;
  readonly y: number;
  readonly height: number;
  readonly name: string;
  /** The class that colours it. */
  readonly kind: string;
  /** The load that it belongs to. */
  readonly load: number | undefined;
  readonly notes: readonly string[];
  /** Of memory: bytes of it that come from the file, and from where. */
  readonly fromFile: { readonly offset: bigint; readonly size: bigint } | undefined;
  /** The physical address of memory, where it is another one. */
  readonly physical: bigint | undefined;
}

/** Something inside a box: a section, a run of notes, the entry. */
export interface Mark {
  readonly column: 'file' | 'memory';
  readonly kind: 'section' | 'note' | 'entry';
  readonly name: string;
  readonly start: bigint;
  readonly end: bigint;
}

/** Two columns. */
export interface MapModel {
  readonly boxes: readonly Box[];
  readonly marks: readonly Mark[];
  readonly height: number;
}

const GAP = 22;
const LEAST = 26;

/** Heights grow with the logarithm of a size, and with the zoom. */
function heightOf(size: bigint, lines: number, zoom: number): number {
  const wide = Math.min(18 + 5 * Math.log2(1 + Number(size) / 256), 110) * zoom;
  return Math.round(Math.max(LEAST, lines * 16 + 10, wide));
}

/** The map of a layout document. */
export function mapModel(layout: LayoutDocument, zoom: number): MapModel {
  const file = fileBoxes(layout, zoom);
  const memory = memoryBoxes(layout, zoom);
  const bottom = (boxes: readonly Box[]) => Math.max(0, ...boxes.map(({ y, height }) => y + height));
  return { boxes: [...file, ...memory], marks: marksOf(layout), height: Math.max(bottom(file), bottom(memory)) };
}

function fileBoxes(layout: LayoutDocument, zoom: number): Box[] {
  const flags = new Map(layout.memory.map((band) => [band.load, band.flags]));
  let y = 0;
  return layout.bands.map((band): Box => {
    const [start, end] = [BigInt(band.start), BigInt(band.end)];
    const notes = band.notes ?? [];
    const height = heightOf(end - start, 1 + Math.min(notes.length, 24), zoom);
    const box: Box = {
      column: 'file',
      start,
      end,
      y,
      height,
      name: band.name,
      kind: kindOf(band, flags),
      load: band.load ?? undefined,
      notes,
      fromFile: undefined,
      physical: undefined,
    };
    y += height;
    return box;
  });
}

function memoryBoxes(layout: LayoutDocument, zoom: number): Box[] {
  let y = 0;
  let last: bigint | undefined;
  return layout.memory.flatMap((band): Box[] => {
    const [start, end, size] = [BigInt(band.start), BigInt(band.end), BigInt(band.filesz)];
    if (last !== undefined && start > last) y += GAP;
    last = end;
    const name = band.name ?? `PT_LOAD ${band.load}`;
    const base = { column: 'memory', load: band.load, notes: [], physical: physicalOf(band) } as const;
    const boxes: Box[] = [];
    const add = (part: Pick<Box, 'start' | 'end' | 'name' | 'kind' | 'fromFile'>) => {
      const height = heightOf(part.end - part.start, 1, zoom);
      boxes.push({ ...base, ...part, y, height });
      y += height;
    };
    const fromFile = { offset: BigInt(band.offset), size };
    const split = start + size;
    if (size > 0n) add({ start, end: split, name: `${name} ${band.flags}`, kind: colorOf(band.flags), fromFile });
    if (end > split) {
      const what = size > 0n ? 'zeros' : `${name} ${band.flags}, zeros`;
      add({ start: split, end, name: what, kind: 'zero', fromFile: undefined });
    }
    return boxes;
  });
}

function physicalOf({ vaddr, paddr }: MemoryBand): bigint | undefined {
  return vaddr === paddr ? undefined : BigInt(paddr) - BigInt(vaddr);
}

function kindOf({ kind, name, load }: FileBand, flags: ReadonlyMap<number, string>): string {
  switch (kind) {
    case 'header':
    case 'table':
      return 'head';
    case 'notes':
      return name.startsWith('PT_NOTE') ? 'notes' : 'unseen';
    case 'load':
      return colorOf((load === null ? undefined : flags.get(load)) ?? 'R--');
    case 'free':
      return 'free';
    default:
      return 'plain';
  }
}

function colorOf(flags: string): string {
  if (flags.includes('W')) return 'write';
  return flags.includes('X') || flags.includes('E') ? 'code' : 'data';
}

function marksOf({ sizes, memory }: LayoutDocument): Mark[] {
  const marks: Mark[] = [];
  for (const { name, file, memory: size, offset, address } of sizes?.sections ?? []) {
    if (name.startsWith('[')) continue;
    const place = (at: string, length: string) => ({ start: BigInt(at), end: BigInt(at) + BigInt(length) });
    if (offset !== null && file !== '0x0')
      marks.push({ column: 'file', kind: 'section', name, ...place(offset, file) });
    if (address !== null) marks.push({ column: 'memory', kind: 'section', name, ...place(address, size) });
  }
  for (const { notes, entry } of memory) {
    for (const { segment, start, end } of notes) {
      marks.push({
        column: 'memory',
        kind: 'note',
        name: `PT_NOTE ${segment}`,
        start: BigInt(start),
        end: BigInt(end),
      });
    }
    if (entry !== null)
      marks.push({ column: 'memory', kind: 'entry', name: 'entry', start: BigInt(entry), end: BigInt(entry) + 1n });
  }
  return marks;
}

/** Where an offset or an address stands in its column, in pixels; undefined: nowhere. */
export function heightAt({ boxes }: MapModel, column: Box['column'], at: bigint): number | undefined {
  const box = boxes.find((each) => each.column === column && at >= each.start && at < each.end);
  if (box === undefined) return undefined;
  const part = Number(((at - box.start) * 10000n) / (box.end - box.start)) / 10000;
  return box.y + part * box.height;
}

/** The offset or address at a height inside a box. */
export function placeAt({ start, end, y, height }: Box, pixel: number): bigint {
  const part = BigInt(Math.round(Math.min(Math.max((pixel - y) / height, 0), 0.9999) * 10000));
  return start + ((end - start) * part) / 10000n;
}
