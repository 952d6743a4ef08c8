/** The matrix for kernels in the wrappers that need no program of the host. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { workFolder } from '../support/cli.js';
import { type Cell, cellsOf, type Judged, NEWEST, Promises } from './matrix.js';
import { judgedIn, USUAL_WRAPPERS } from './wrappers.js';

vi.mock('../../src/cli/output.js', async (original) => {
  const { captured } = await import('../support/captured-output.js');
  return captured(await original<typeof import('../../src/cli/output.js')>());
});

const folder = workFolder();
afterAll(() => folder.remove());
const images = [...new Map(cellsOf(NEWEST).map(({ image }) => [image.name, image])).values()];

describe.each(Object.entries(USUAL_WRAPPERS))('%s', (name, wrap) => {
  let cells: Cell[] = [];
  beforeAll(async () => {
    const judged = await Promise.all(images.map((image) => judgedIn(wrap, image)));
    cells = cellsOf(
      NEWEST,
      judged.filter((each): each is Judged => each !== undefined),
    );
  });

  it('keeps every promise that verify and fix make', async () => {
    expect(cells.length).toBeGreaterThan(50);
    const signed = name.endsWith('signed');
    expect(await new Promises(folder.path).broken(cells, name, { signed })).toEqual([]);
  });
});
