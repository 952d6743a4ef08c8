/** What is said of a kernel that only a release is in the way of: which one to take, and nothing against the kernel. */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { proveCure } from '../../../src/edit/fix/cure.js';
import { judgeLoaders } from '../../../src/loaders/loaders.js';
import { accepts } from '../../../src/loaders/rule.js';
import { cstr, elf, num } from '../../support/elf-builder.js';

const LE64 = { bits: 64, endian: 'little' } as const;

/** A kernel for PVH, and one that says it is Linux. */
const KERNELS = [false, true].map((linux) => {
  const notes = [{ type: 18, desc: num(0x100000n, 4, LE64) }];
  const image = elf(LE64)
    .header({ e_type: 2, e_machine: 62, e_entry: 0x100000n })
    .load(0x100000n, new Uint8Array(0x1000))
    .noteSegment(linux ? [...notes, { type: 6, desc: cstr('linux') }] : notes);
  return [linux ? 'Linux' : 'a kernel', new BufferSource(image.build(), 'kernel')] as const;
});

describe.each(KERNELS)('%s with a PVH entry', (_, source) => {
  it.each([
    ['firecracker@1.11', 'firecracker@1.12', 'take Firecracker 1.12 or later'],
    ['libkrun@1.19', 'libkrun@main', 'take libkrun built from its branch main'],
  ])('%s does not look for it, %s does', (older, later, advice) => {
    const [before, after] = judgeLoaders(source, { names: [older, later] });
    if (before === undefined || after === undefined) throw new Error('no verdict');
    expect([before.rule, before.outcome, accepts(after)]).toEqual(['pvh-known', 'other-path', true]);
    expect(proveCure(source, before)).toMatchObject({
      cure: undefined,
      advice: `no edit of notes reaches this release: ${advice}`,
    });
  });
});
