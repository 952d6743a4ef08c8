/** The matrix for kernels in the wrappers that a program of the host packs, and for some unpacks. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { workFolder } from '../support/cli.js';
import { type Cell, cellsOf, type Judged, NEWEST, Promises } from './matrix.js';
import { judgedIn, OTHER_WRAPPERS } from './wrappers.js';

vi.mock('../../src/cli/output.js', async (original) => {
  const { captured } = await import('../support/captured-output.js');
  return captured(await original<typeof import('../../src/cli/output.js')>());
});

const folder = workFolder();
afterAll(() => folder.remove());
/** An image for each rule that ends a load; the edits of a rule do not depend on who packed the kernel. */
const images = [
  ...new Map(cellsOf(NEWEST).map((cell) => [`${cell.loader} ${cell.rule} ${cell.bits}`, cell.image])).values(),
];

describe.each(Object.entries(OTHER_WRAPPERS))('%s', (name, wrap) => {
  let cells: Cell[] = [];
  beforeAll(async () => {
    const judged = await Promise.all([...new Set(images)].map((image) => judgedIn(wrap, image)));
    cells = cellsOf(
      NEWEST,
      judged.filter((each): each is Judged => each !== undefined),
    );
  });

  it('keeps every promise that verify and fix make', async () => {
    expect(cells.length).toBeGreaterThan(10);
    expect(await new Promises(folder.path).broken(cells, name)).toEqual([]);
  });
});
