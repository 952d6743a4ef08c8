/** What `fix` made of the reported images, put before the loaders themselves: libxenguest, grub-file, QEMU. */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/base/bytes/source.js';
import { preview } from '../../src/edit/elf/render.js';
import { findFix } from '../../src/edit/fix/fix.js';
import { REPORTED } from '../edit/fix/reported.js';
import { bootInQemu } from '../support/boot.js';
import { requireTools } from '../support/tools.js';
import { ImageFolder, XenOracle } from './programs.js';

const folder = new ImageFolder();
let oracle: XenOracle;
beforeAll(() => {
  requireTools('grub-file', 'qemu-system-x86_64');
  oracle = new XenOracle();
});
afterAll(() => {
  folder.remove();
  oracle.remove();
});

const mended = REPORTED.filter(({ reason }) => reason !== undefined).map(({ name, loaders, image }) => {
  const { plan } = findFix(new BufferSource(image), loaders);
  if (plan === undefined) throw new Error(`no plan for ${name}`);
  const result = preview(plan.image, plan.rendered);
  return { name, loaders, bytes: Uint8Array.from(result.read(0n, result.size, 'image')) };
});

/** What libxenguest calls its loaders, and grub-file its questions. */
const DOMAIN = { 'xen-pv': 'dompv', 'xen-pvh': 'domhvm' } as const;
const QUESTION = { multiboot: 'is-x86-multiboot' } as const;

const forLoader = (loader: string) => mended.filter(({ loaders }) => loaders.includes(loader));

describe.each(Object.entries(DOMAIN))('%s', (loader, question) => {
  it('libxenguest takes every mended image', () => {
    const images = forLoader(loader);
    expect(images.length).toBeGreaterThan(3);
    const answers = oracle.ask(images.map(({ bytes }) => bytes));
    const refused = images.flatMap(({ name }, i) => (answers[i]?.get(question) === 'accepted' ? [] : [name]));
    expect(refused).toEqual([]);
  });
});

describe('multiboot', () => {
  it('grub-file finds the header of every mended image', () => {
    for (const { name, bytes } of forLoader('multiboot')) {
      const path = folder.write(name.replaceAll(/\W+/g, '-'), bytes);
      expect({ name, status: spawnSync('grub-file', [`--${QUESTION.multiboot}`, path]).status }).toEqual({
        name,
        status: 0,
      });
    }
  });
});

describe('grub-xen', () => {
  it('grub-file takes every mended image for a Xen kernel', () => {
    for (const { name, bytes } of forLoader('grub-xen')) {
      const question = bytes[4] === 2 ? 'is-x86_64-xen-domu' : 'is-i386-xen-pae-domu';
      const path = folder.write(name.replaceAll(/\W+/g, '-'), bytes);
      expect({ name, status: spawnSync('grub-file', [`--${question}`, path]).status }).toEqual({ name, status: 0 });
    }
  });
});

describe('qemu-pvh', () => {
  it.each(forLoader('qemu-pvh').map(({ name, bytes }) => [name, bytes] as const))('boots: %s', async (name, bytes) => {
    const boot = await bootInQemu(folder.write(`q-${name.replaceAll(/\W+/g, '-')}`, bytes), {
      limit: 20_000,
      marks: [],
    });
    expect({ name, status: boot.status, stderr: boot.stderr }).toEqual({ name, status: 67, stderr: '' });
  });
});
