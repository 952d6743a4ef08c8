/** Sizes by section, loaded part and note owner: as a table for people and as a member of a `xen-elfpatch/layout/1` document. */
import { hex } from '../base/errors/hex.js';
import { printable } from '../base/printable.js';
import { roundSize } from '../base/round-size.js';
import type { ImageSizes, SizeRow } from '../inspect/map/sizes.js';
import type { Json } from './json.js';
import { counted, type Style, table } from './text.js';

/** Rows of one table; the smallest are counted. */
const ROWS_SHOWN = 60;

/** The sizes of one image, the largest part first; each part with its share of the file. */
export function sizesText(name: string, { size, sections, segments, owners }: ImageSizes, style: Style): string {
  const blocks = [
    `${style.bold(printable(name))}: ${roundSize(size)} (${hex(size)} bytes)\n`,
    partsText('SECTIONS', sections, size, style),
    partsText('LOADED PARTS', segments, size, style),
  ];
  if (owners.length > 0) {
    const rows = owners
      .slice(0, ROWS_SHOWN)
      .map((each) => [printable(each.owner), counted(each.notes, 'note'), roundSize(each.size)]);
    blocks.push(`${style.dim('NOTES BY OWNER')}\n${table(rows, '  ')}`);
  }
  return blocks.join('\n');
}

function partsText(title: string, rows: readonly SizeRow[], size: bigint, style: Style): string {
  const shown = rows.slice(0, ROWS_SHOWN);
  const lines = shown.map(({ name, file, memory }) => [
    printable(name),
    file === 0n ? '-' : roundSize(file),
    file === 0n ? '' : shareOf(file, size),
    memory === 0n ? '-' : roundSize(memory),
  ]);
  const more = rows.length > ROWS_SHOWN ? `  and ${counted(rows.length - ROWS_SHOWN, 'smaller part')}\n` : '';
  return `${style.dim(title)}\n${table([['', 'file', '', 'memory'], ...lines], '  ')}${more}`;
}

/** `12.5%` of the file; a part too small for a digit is `<0.1%`. */
export function shareOf(part: bigint, size: bigint): string {
  if (size === 0n) return '';
  const tenths = Number((part * 1000n) / size);
  return tenths === 0 && part > 0n ? '<0.1%' : `${Math.floor(tenths / 10)}.${tenths % 10}%`;
}

/** The `sizes` member. */
export function sizesJson({ sections, segments, owners }: ImageSizes): Json {
  const rows = (parts: readonly SizeRow[]) =>
    parts.map(({ name, file, memory, offset, address }) => ({
      name: printable(name),
      file,
      memory,
      offset: offset ?? null,
      address: address ?? null,
    }));
  return {
    sections: rows(sections),
    segments: rows(segments),
    owners: owners.map(({ owner, notes, size }) => ({ owner: printable(owner), notes, size })),
  };
}
