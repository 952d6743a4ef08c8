/** Where the bytes go, as bars. */

import { roundSize } from '../../base/round-size.js';
import type { LayoutDocument } from '../../documents.js';
import { h, section, table } from './dom.js';
import { counted } from './units.js';

type Sizes = NonNullable<LayoutDocument['sizes']>;
type Row = Sizes['sections'][number];

/** Rows of a table; of more, the smallest are counted. */
const SHOWN = 40;

/** Sections, loaded parts and note owners with what they take. */
export function sizesView({ sizes, size }: LayoutDocument): HTMLElement {
  if (sizes === undefined) return section('sizes', 'Sizes');
  const total = BigInt(size);
  const owners = sizes.owners.map(({ owner, notes, size: each }) => [
    owner,
    counted(notes, 'note'),
    roundSize(BigInt(each)),
  ]);
  return section(
    'sizes',
    'Where the bytes go',
    partsTable('Sections', sizes.sections, total),
    partsTable('Loaded parts', sizes.segments, total),
    owners.length === 0 ? undefined : table('Notes by owner', ['owner', 'notes', 'size'], owners),
  );
}

function partsTable(label: string, rows: readonly Row[], total: bigint): HTMLElement {
  const cells = rows.slice(0, SHOWN).map(({ name, file, memory }) => {
    const bar = h('meter', {
      min: 0,
      max: 100,
      value: percent(BigInt(file), total),
      'aria-label': `${name}, share of the file`,
    });
    return [name, roundSize(BigInt(file)), bar, roundSize(BigInt(memory))];
  });
  const more = rows.length > SHOWN ? [[`and ${counted(rows.length - SHOWN, 'smaller part')}`, '', '', '']] : [];
  return table(label, ['part', 'file', 'share', 'memory'], [...cells, ...more]);
}

function percent(part: bigint, total: bigint): number {
  return total === 0n ? 0 : Number((part * 10000n) / total) / 100;
}
