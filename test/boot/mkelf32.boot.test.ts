/** What mkelf32 writes, booted: real hypervisors with a dom0, our own kernels to their end. */
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { bootInQemu, GOOD_MARKS } from '../support/boot.js';
import { runCli, workFolder } from '../support/cli.js';
import { fixture, hypervisorPairs } from '../support/images.js';

const folder = workFolder();
afterAll(() => folder.remove());

function wrap(name: string, ...words: string[]): string {
  const out = join(folder.path, name);
  const [input = '', base = '', ...options] = words;
  const { status, stderr } = runCli(['mkelf32', ...options, input, out, base]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  return out;
}

/** Xen up to its banner and beyond: it takes our PV kernel as its dom0, which ends QEMU once it found its data in place. */
async function expectXen(kernel: string, version: string) {
  const boot = await bootInQemu(kernel, {
    append: 'console=com1 com1=115200,8n1 loglvl=all',
    memory: 256,
    marks: [`Xen version ${version.slice(0, 4)}`, 'build-id: ', ...GOOD_MARKS],
    limit: 120_000,
    qemu: ['-icount', 'shift=8,sleep=off', '-initrd', fixture('pv64-notes')],
  });
  expect(boot).toMatchObject({ verdict: 'booted', status: 33 });
}

describe('a hypervisor wrapped by mkelf32 boots, with a dom0', () => {
  const { pairs } = hypervisorPairs();
  it.each(pairs)('$version, as the newest release writes it', async ({ version, syms }) => {
    await expectXen(wrap('xen', syms, '0x200000', '--notes'), version);
  });

  it.each(pairs.slice(0, 1))('$version, tidy, with symbols and notes of its own', async ({ version, syms }) => {
    const options = ['--notes', '--keep', 'symbols', '--note', 'PHYS32_ENTRY=phys:start', '--note', 'GUEST_OS=xen'];
    await expectXen(wrap('xen', syms, '0x200000', ...options), version);
  });
});

describe('our own kernels, flattened by --tidy', () => {
  it.each(['pvh64-notes', 'pvh32-notes'])('%s starts by the PVH note that was carried over', async (name) => {
    const boot = await bootInQemu(wrap(name, fixture(name), '0x100000', '--tidy', '--notes'));
    expect(boot).toMatchObject({ verdict: 'booted', stderr: '' });
    expect(boot.serial).toContain('MARK pvh entered');
  });

  it('pvh64-bare starts by a PVH note that was set', async () => {
    const kernel = wrap('set', fixture('pvh64-bare'), '0x100000', '--note', 'PHYS32_ENTRY=phys:entry');
    expect(await bootInQemu(kernel)).toMatchObject({ verdict: 'booted', stderr: '' });
  });

  it('mb1 starts by its Multiboot header', async () => {
    const boot = await bootInQemu(wrap('mb1', fixture('mb1'), '0x100000', '--tidy'), { marks: GOOD_MARKS });
    expect(boot).toMatchObject({ verdict: 'booted' });
    expect(boot.serial).toContain('MARK mb1 entered');
  });
});
