/** A batch collects what its images leave behind: without it a heap grows with their number (src/cli/batch/collect.ts). */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { collector } from '../../src/cli/batch/collect.js';

/** Something that nothing holds any more, too little for V8 to collect it by itself. */
const leftBehind = () => new WeakRef({ bytes: new Uint8Array(64) });

async function isLeftAfter(images: number): Promise<boolean> {
  const afterOne = collector();
  const ref = leftBehind();
  // A WeakRef holds what it was made of until the turn is over.
  await nextTurn();
  for (let i = 0; i < images; i++) afterOne();
  return ref.deref() !== undefined;
}

test('some images in, what those before left behind is gone', async () => {
  expect(await isLeftAfter(100)).toBe(false);
});

test('a few images cost no collection', async () => {
  expect(await isLeftAfter(4)).toBe(true);
});
