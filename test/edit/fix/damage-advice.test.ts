/** What is said of a kernel in a wrapper whose own headers no edit can rest on: nothing that is true of the wrapper alone. */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { proveCure } from '../../../src/edit/fix/cure.js';
import { waysFor } from '../../../src/edit/fix/ways.js';
import { openContainer, wholeOf } from '../../../src/formats/container/open.js';
import { judgeLoaders } from '../../../src/loaders/loaders.js';
import { elf, num } from '../../support/elf-builder.js';

const LE64 = { bits: 64, endian: 'little' } as const;
const kernel = elf(LE64)
  .header({ e_type: 2, e_machine: 62, e_entry: 0x100000n })
  .load(0x100000n, new Uint8Array(0x200), { memsz: 0x100n, align: 0x1000n })
  .noteSegment([{ type: 18, desc: num(0x100000n, 4, LE64) }])
  .build();

describe('a gzip file of a kernel with p_filesz above p_memsz', () => {
  it.each(['qemu-pvh', 'firecracker', 'libkrun'])('%s', async (loader) => {
    const outer = new BufferSource(gzipSync(kernel), 'kernel.gz');
    const opened = await openContainer(outer);
    if (opened.kind === 'elf') throw new Error('nothing was packed');
    const wrapped = { facts: opened.facts, outer };
    const source = wholeOf(opened);
    const [verdict] = judgeLoaders(source, { names: [loader], wrapped });
    if (verdict === undefined) throw new Error('no verdict');
    const { cure, advice } = proveCure(source, verdict, { wrapped, ways: waysFor(opened, outer) });
    expect({ cure, advice }).toEqual({
      cure: undefined,
      advice: expect.stringContaining('p_filesz 0x200 above p_memsz 0x100'),
    });
    expect(advice).not.toMatch(/is no ELF|no linker for x86 writes such an ELF header/);
  });
});
