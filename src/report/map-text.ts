/** A map as text that fits a terminal: the file from front to back, then memory from low to high. */

import { hex } from '../base/errors/hex.js';
import { printable } from '../base/printable.js';
import { roundSize } from '../base/round-size.js';
import { segmentFlags } from '../formats/elf/names.js';
import type { Band } from '../inspect/map/bands.js';
import type { ImageMap } from '../inspect/map/image-map.js';
import type { MemoryBand } from '../inspect/map/memory.js';
import type { Style } from './text.js';

/** One line of a map; the columns are those of the file or of memory. */
interface Line {
  /** What it stands for, to tell it again in another map. */
  readonly at: bigint;
  readonly cells: readonly string[];
  readonly paint: ((text: string) => string) | undefined;
}

/** Lines of one side; a map with more is not read. */
const LINES_SHOWN = 120;

/** The map of one image, no line wider than `width` (at least 40). */
export function mapText(map: ImageMap, style: Style, width: number): string {
  const columns = widthsOf([fileLines(map, style), memoryLines(map, style)].flat());
  const side = (title: string, lines: readonly Line[]) =>
    sideText(
      title,
      lines.map((line) => ({ ...line, sign: ' ' })),
      columns,
      width,
      style,
    );
  return `${titleText(map, style)}${side('FILE', fileLines(map, style))}${side('MEMORY', memoryLines(map, style))}`;
}

/** Two maps as one: lines of the first only, of the second only, and those they share. */
export function mapComparison(before: ImageMap, after: ImageMap, style: Style, width: number): string {
  const sides = (map: ImageMap) => [fileLines(map, style), memoryLines(map, style)] as const;
  const [oldFile, oldMemory] = sides(before);
  const [newFile, newMemory] = sides(after);
  const columns = widthsOf([oldFile, oldMemory, newFile, newMemory].flat());
  return [
    `- ${titleText(before, style)}+ ${titleText(after, style)}`,
    sideText('FILE', merged(oldFile, newFile), columns, width, style),
    sideText('MEMORY', merged(oldMemory, newMemory), columns, width, style),
  ].join('');
}

function titleText({ name, format, size }: ImageMap, style: Style): string {
  return `${style.bold(printable(name))}: ${format}, ${hex(size)} bytes\n`;
}

type Signed = Line & { readonly sign: string };

function sideText(
  title: string,
  lines: readonly Signed[],
  columns: readonly number[],
  width: number,
  style: Style,
): string {
  const shown = lines.slice(0, LINES_SHOWN).map(({ cells, paint, sign }) => {
    const text = cells.map((cell, i) => (i === cells.length - 1 ? cell : cell.padEnd(columns[i] ?? 0))).join('  ');
    const cut = cutTo(`${sign} ${text}`.trimEnd(), width);
    if (sign === '+') return style.good(cut);
    if (sign === '-') return style.bad(cut);
    return paint === undefined ? cut : paint(cut);
  });
  const more = lines.length > LINES_SHOWN ? [`  and ${lines.length - LINES_SHOWN} more lines`] : [];
  return `\n${style.dim(title)}\n${[...shown, ...more].join('\n')}\n`;
}

function cutTo(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(width, 40) - 1)}…`;
}

function widthsOf(lines: readonly Line[]): number[] {
  const widths: number[] = [];
  for (const { cells } of lines)
    for (const [i, cell] of cells.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return widths;
}

function fileLines(map: ImageMap, style: Style): Line[] {
  return map.file.flatMap((band): Line[] => {
    const size = band.end - band.start;
    const cells = [hex(band.start), roundSize(size), fileName(map, band)];
    const paint = band.kind === 'notes' ? style.warn : band.kind === 'free' ? style.dim : undefined;
    const names = band.kind === 'notes' ? (map.notes.get(band.start) ?? []) : [];
    return [
      { at: band.start, cells, paint },
      ...names.map((name) => ({ at: band.start, cells: ['', '', `    ${printable(name)}`], paint })),
    ];
  });
}

function fileName({ loads }: ImageMap, { kind, name, load }: Band): string {
  if (kind === 'load') {
    const facts = loads.get(load ?? -1);
    if (facts !== undefined) return `${printable(name)} ${segmentFlags(facts.flags)} to ${hex(facts.vaddr)}`;
  }
  const home = load === undefined ? undefined : loads.get(load);
  const where = home === undefined ? '' : `, inside ${printable(home.name)}`;
  return `${printable(name)}${kind === 'notes' ? `${where} (notes)` : where}`;
}

function memoryLines({ entry, entryName, memory }: ImageMap, style: Style): Line[] {
  const lines: Line[] = [];
  for (const band of memory) {
    lines.push({
      at: band.start,
      cells: [hex(band.start), roundSize(band.end - band.start), loadText(band)],
      paint: undefined,
    });
    lines.push({ at: band.start, cells: ['', '', originText(band)], paint: style.dim });
    for (const note of band.notes) {
      const cells = [hex(note.start), roundSize(note.end - note.start), `  PT_NOTE ${note.index}`];
      lines.push({ at: note.start, cells, paint: style.warn });
    }
    if (band.entry !== undefined) {
      lines.push({
        at: band.entry,
        cells: [hex(band.entry), '', `  ${entryName} ${hex(entry)}`],
        paint: style.bold,
      });
    }
  }
  return lines;
}

function loadText({ name, flags, p_paddr, start, p_vaddr }: MemoryBand): string {
  const other =
    p_paddr === p_vaddr ? '' : start === p_vaddr ? `, physical ${hex(p_paddr)}` : `, virtual ${hex(p_vaddr)}`;
  return `${printable(name)} ${segmentFlags(flags)}${other}`;
}

function originText({ start, end, filesz, offset }: MemoryBand): string {
  const zero = end - start - filesz;
  if (filesz === 0n) return '  zeros';
  return `  from file ${hex(offset)}${zero > 0n ? `, then ${roundSize(zero)} of zeros` : ''}`;
}

/** Two lists in order of address: equal lines once, others with the sign of the list they are from. */
function merged(before: readonly Line[], after: readonly Line[]): Signed[] {
  const key = ({ at, cells }: Line) => `${at} ${cells.join(' ')}`;
  const [inOld, inNew] = [new Set(before.map(key)), new Set(after.map(key))];
  const result: Signed[] = [];
  let i = 0;
  const gone = (upTo: bigint | undefined) => {
    for (let line = before[i]; line !== undefined && (upTo === undefined || line.at <= upTo); line = before[i]) {
      if (!inNew.has(key(line))) result.push({ ...line, sign: '-' });
      i += 1;
    }
  };
  for (const line of after) {
    gone(line.at);
    result.push({ ...line, sign: inOld.has(key(line)) ? ' ' : '+' });
  }
  gone(undefined);
  return result;
}
