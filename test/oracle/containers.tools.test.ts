/**
 * Verdicts on kernels in wrappers against the loaders themselves: the toolstack (libxenguest 4.17) and GRUB's reader
 * (grub-file 2.06), on every format and on the streams that some reader refuses. test/boot/containers.boot.test.ts asks Xen.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/base/bytes/source.js';
import { PatchError } from '../../src/base/errors/patch-error.js';
import { factsOf, openContainer, wholeOf } from '../../src/formats/container/open.js';
import { judgeLoaders } from '../../src/loaders/loaders.js';
import { accepts } from '../../src/loaders/rule.js';
import { wrappedKernels } from '../support/bzimage.js';
import { fixture } from '../support/fixtures.js';
import { requireTools } from '../support/tools.js';
import { ImageFolder, XenOracle } from './programs.js';

const folder = new ImageFolder();
let oracle: XenOracle;
beforeAll(() => {
  requireTools('grub-file', 'xz', 'zstd', 'lz4', 'lzop', 'bzip2');
  oracle = new XenOracle();
});
afterAll(() => {
  folder.remove();
  oracle.remove();
});

/** Does this loader take the file? A file that is not read at all is taken by none. */
async function ours(bytes: Uint8Array, loader: string): Promise<boolean> {
  const outer = new BufferSource(bytes, 'kernel');
  try {
    const opened = await openContainer(outer);
    const facts = factsOf(opened);
    const wrapped = facts === undefined ? undefined : { facts, outer };
    return judgeLoaders(wholeOf(opened), { names: [loader], xenVersion: '4.17', wrapped }).every(accepts);
  } catch (error) {
    if (error instanceof PatchError) return false;
    throw error;
  }
}

describe('kernels in wrappers', () => {
  const kernels = wrappedKernels(readFileSync(fixture('pv64-notes')));

  it('are taken by the toolstack where we say so', async () => {
    const answers = oracle.ask(kernels.map(({ bytes }) => bytes));
    const rows = await Promise.all(
      kernels.map(async ({ name, bytes }, i) => ({
        name,
        ours: await ours(bytes, 'xen-pv'),
        theirs: answers[i]?.get('dompv') === 'accepted',
      })),
    );
    expect(rows.filter((row) => row.ours !== row.theirs)).toEqual([]);
    expect(rows.filter((row) => row.theirs).length).toBeGreaterThan(12);
    expect(rows.filter((row) => !row.theirs).length).toBeGreaterThan(8);
  });

  it("are taken by GRUB's reader where we say so", async () => {
    for (const { name, bytes } of kernels) {
      const path = folder.write(name.replaceAll(' ', '-'), bytes);
      const { status } = spawnSync('grub-file', ['--is-x86_64-xen-domu', path]);
      expect({ name, taken: await ours(bytes, 'grub-xen') }).toEqual({ name, taken: status === 0 });
    }
  });
});
