/** Patched kernels through the other loaders: QEMU's PVH and multiboot paths, and GRUB. */
import { afterAll, describe, expect, it } from 'vitest';
import { FileSource } from '../../src/base/bytes/file-source.js';
import { judgeLoaders } from '../../src/loaders/loaders.js';
import { bootInQemu } from '../support/boot.js';
import { runCli, workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';
import { bootByGrub } from '../support/grub-boot.js';

const folder = workFolder();
afterAll(() => folder.remove());

function patched(name: string, ...args: string[]): string {
  const output = `${folder.path}/${name}`;
  expect(runCli(['patch', fixture(name), '-o', output, ...args])).toMatchObject({ status: 0 });
  return output;
}

function verdictOf(path: string, loader: string) {
  const source = FileSource.open(path);
  const [verdict] = judgeLoaders(source, { names: [loader] });
  source.close();
  return verdict;
}

describe('QEMU -kernel', () => {
  it.each(['pvh64-bare', 'pvh32-bare', 'pvh64-high-bare', 'pvh64-ld-bare', 'pvh64-lld-bare'])(
    '%s is refused as predicted, and boots after patch --preset pvh',
    async (name) => {
      const before = verdictOf(fixture(name), 'qemu-pvh');
      expect(before?.outcome).toBe('refused');
      const refused = await bootInQemu(fixture(name));
      expect(refused).toMatchObject({ verdict: 'refused' });
      expect(refused.stderr).toContain(before?.message);
      const image = patched(name, '--preset', 'pvh');
      expect(verdictOf(image, 'qemu-pvh')?.outcome).toBe('accepted');
      expect(await bootInQemu(image)).toMatchObject({ verdict: 'booted', status: 33 });
    },
  );
});

describe.each(['mb1', 'mb1-late', 'mb1-fields'])('%s with a PVH note added', (name) => {
  it('still boots by its multiboot header, in QEMU and in GRUB', async () => {
    const image = patched(name, '--set', 'PHYS32_ENTRY=entry');
    expect(verdictOf(image, 'multiboot')?.outcome).toBe('accepted');
    const boot = await bootInQemu(image);
    expect(boot).toMatchObject({ verdict: 'booted', status: 33 });
    expect(boot.serial).toContain('MARK mb1 entered');
    const grub = await bootByGrub(image, { folder: folder.path, name });
    expect(grub).toMatchObject({ verdict: 'booted', status: 33 });
    expect(grub.serial).toContain('MARK mb1 entered');
  });
});
