/**
 * The committed table of forecasts: a line for each image, in it each placement with one letter a tool. A forecast that
 * changes is a line of a diff.
 */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Survival } from '../../src/edit/elf/placement/layout.js';
import { SURVIVORS } from '../../src/edit/elf/plan/placement-options.js';

/** The tool does not take images of that machine, so that nothing could be tried. */
export const NOT_TAKEN = '-';

const LETTERS: Readonly<Record<Survival['verdict'], string>> = {
  kept: 'k',
  'kept with a warning': 'w',
  dropped: 'd',
  broken: 'b',
  unknown: '?',
};
/** Broken whether or not the image was patched. */
const ANYWAY = 'B';

const HEAD = `# ${SURVIVORS.join(' ')}
# k kept, w kept with a warning, d dropped, b broken, B broken without the edit as well, ? not followed, - not taken by the tool
`;

/** The letter of a forecast. */
export function letterOf({ verdict, why }: Survival): string {
  return verdict === 'broken' && why.endsWith('without the edit as well') ? ANYWAY : LETTERS[verdict];
}

/** For each image, each placement with its letters. */
export type Table = ReadonlyMap<string, ReadonlyMap<string, string>>;

function pathOf(set: string): string {
  return resolve(`test/golden/forecasts/${set}.txt`);
}

/** The committed table of a set; empty where there is none. */
export function readTable(set: string): { readonly path: string; readonly table: Table } {
  const path = pathOf(set);
  const lines = existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [];
  const table = new Map(
    lines.flatMap((line): [string, Map<string, string>][] => {
      if (line.startsWith('#')) return [];
      const [name = '', ...cells] = line.split('  ');
      const placements = cells.flatMap((cell): [string, string][] => {
        const [names = '', letters = ''] = cell.split(':');
        return names.split(',').map((placement) => [placement, letters]);
      });
      return [[name, new Map(placements)]];
    }),
  );
  return { path, table };
}

/** The text of a table. Placements with the same letters share a cell. */
export function tableText(table: Table): string {
  const lines = [...table].map(([name, placements]) => {
    const byLetters = new Map<string, string[]>();
    for (const [placement, letters] of placements)
      byLetters.set(letters, [...(byLetters.get(letters) ?? []), placement]);
    return [name, ...[...byLetters].map(([letters, names]) => `${names.join(',')}:${letters}`)].join('  ');
  });
  return `${HEAD}${lines.join('\n')}\n`;
}
