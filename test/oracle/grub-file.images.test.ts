/** grub-file runs GRUB's own readers (Debian grub-common 2.06): Xen PV kernels, and where multiboot headers are found. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/base/bytes/source.js';
import { findMb1 } from '../../src/formats/multiboot/mb1.js';
import { findMb2 } from '../../src/formats/multiboot/mb2.js';
import { grubXen } from '../../src/loaders/grub-xen.js';
import { NEWEST_XEN } from '../../src/loaders/xen-version.js';
import { elf, num } from '../support/elf-builder.js';
import { fixture, realImages, requireTools } from '../support/images.js';
import { generateImages } from './generate.js';
import { ImageFolder, inParallel } from './programs.js';
import { wildImages } from './wild.js';

const COUNT = 500;
const SEED = 206;

const folder = new ImageFolder();
beforeAll(() => requireTools('grub-file'));
afterAll(() => folder.remove());

function grubFile(question: string, path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const child = spawn('grub-file', [`--${question}`, path], { stdio: 'ignore', timeout: 20_000 });
    child.on('error', reject);
    child.on('close', (status) => resolve(status === 0));
  });
}

/** Our answers; undefined where GRUB reads memory behind its buffer and luck decides. */
function ours(bytes: Uint8Array): Record<string, boolean> | undefined {
  const source = new BufferSource(bytes);
  const verdict = grubXen.judge(source, { xenVersion: NEWEST_XEN });
  const ended = verdict.rule;
  // grub-file asks for the notes and the architecture; what the loader checks later it does not.
  const read = ended === undefined || ended === 'virt-base-page-aligned' || ended === 'architecture';
  const luck = ['reads-within-segment', 'program-headers'];
  if (verdict.warnings.some(({ rule }) => luck.includes(rule))) return undefined;
  const arch = ended === undefined ? verdict.values['arch'] : undefined;
  const aligned = ended !== 'virt-base-page-aligned';
  const wide = bytes[4] === 2;
  return {
    'is-x86-xen-dom0': read,
    ...(aligned ? { 'is-x86_64-xen-domu': arch === 'x86_64' } : {}),
    ...(aligned ? { 'is-i386-xen-pae-domu': typeof arch === 'string' && arch.startsWith('i386-pae') && !wide } : {}),
  };
}

describe('grub-file 2.06', () => {
  it(`agrees on ${COUNT} generated images, ${COUNT} wild ones and all real ones: is it a Xen kernel?`, async () => {
    const made = [...generateImages(COUNT, SEED), ...wildImages(COUNT, SEED)];
    const generated = made.map((bytes, index) => folder.write(`${index}`, bytes));
    const real = [...readdirSync('fixtures/bin').map(fixture), ...realImages().map(({ path }) => path)];
    const counts = new Map<string, number>();
    const different: object[] = [];
    await inParallel([...generated, ...real], async (path) => {
      const said = ours(readFileSync(path));
      if (said === undefined) {
        counts.set('left to luck', (counts.get('left to luck') ?? 0) + 1);
        return;
      }
      for (const [question, yes] of Object.entries(said)) {
        const heard = await grubFile(question, path);
        counts.set(`${question} ${heard}`, (counts.get(`${question} ${heard}`) ?? 0) + 1);
        if (heard !== yes) different.push({ path, question, ours: yes, grub: heard });
      }
    });
    console.log('grub-file:', Object.fromEntries([...counts].sort()));
    expect(different.slice(0, 10), `${different.length} differ`).toEqual([]);
    expect(counts.get('is-x86_64-xen-domu true') ?? 0).toBeGreaterThan(COUNT / 20);
    expect(counts.get('is-i386-xen-pae-domu true') ?? 0).toBeGreaterThan(COUNT / 100);
  });

  it('finds multiboot headers where we do, to the last place in the window', async () => {
    const encoding = { bits: 32, endian: 'little' } as const;
    const word = (value: number) => num(BigInt(value >>> 0), 4, encoding);
    const headers: [string, number[]][] = [
      ['1', [0x1badb002, 0, -0x1badb002]],
      ['1-bad-sum', [0x1badb002, 0, 1 - 0x1badb002]],
      ['2', [0xe85250d6, 0, 24, -(0xe85250d6 + 24), 0, 8]],
    ];
    const places = [0x1000, 0x1002, 0x1004, 8140, 8144, 8180, 8184, 8192, 16384, 32744, 32752, 32760];
    for (const [name, words] of headers) {
      for (const at of places) {
        const bytes = elf(encoding).load(0x100000n, new Uint8Array(0xa000)).build();
        for (const [index, value] of words.entries()) bytes.set(word(value), at + 4 * index);
        const path = folder.write(`mb-${name}-${at}`, bytes);
        const source = new BufferSource(bytes);
        expect([name, at, findMb1(source) !== undefined]).toEqual([name, at, await grubFile('is-x86-multiboot', path)]);
        expect([name, at, findMb2(source) !== undefined]).toEqual([
          name,
          at,
          await grubFile('is-x86-multiboot2', path),
        ]);
      }
    }
  });
});
