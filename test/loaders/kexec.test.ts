/** What kexec-tools makes of addresses at their ends, and of shared objects; kexec-tools 2.0.32 said these of like images. */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/base/bytes/source.js';
import { judgeLoaders } from '../../src/loaders/loaders.js';
import { type ElfBuilder, elf } from '../support/elf-builder.js';

const LE64 = { bits: 64, endian: 'little' } as const;
const BASE = 0x100000n;
const LAST = (1n << 64n) - 1n;
const GIB = 0x4000_0000n;
const PT_NOTE = 4;

const kernel = (e_type = 2): ElfBuilder =>
  elf(LE64).header({ e_type, e_machine: 62, e_entry: BASE }).load(BASE, new Uint8Array(0x1000));

function judge(image: ElfBuilder, memory = 4n * GIB) {
  return judgeLoaders(new BufferSource(image.build(), 'kernel'), { names: ['kexec'], memory })[0];
}

describe('an address at the end of all addresses', () => {
  it.each<readonly [what: string, image: ElfBuilder, wanted: object]>([
    [
      'stands for none, in what is not loaded',
      kernel().segment(6, new Uint8Array(20), { paddr: LAST }),
      { outcome: 'accepted' },
    ],
    [
      'is no page, in what is loaded',
      kernel().load(BASE + 0x2000n, new Uint8Array(20), { paddr: LAST }),
      { message: 'Base address: 0xffffffffffffffff is not page aligned' },
    ],
    [
      'one below it wraps',
      kernel().segment(6, new Uint8Array(20), { paddr: LAST - 1n }),
      { rule: 'segments-in-file', message: 'Cannot determine the file type' },
    ],
    [
      'a note is read all the same',
      kernel().segment(PT_NOTE, new Uint8Array(20).fill(1), { paddr: LAST }),
      { rule: 'notes-exact' },
    ],
  ])('%s', (_, image, wanted) => {
    expect(judge(image)).toMatchObject(wanted);
  });
});

describe('what takes more than all memory', () => {
  const with5 = (e_type: number) => kernel(e_type).load(GIB, new Uint8Array(16), { memsz: 5n * GIB });

  it('has no place as a shared object, which would be moved', () => {
    const size = 6n * GIB - BASE + 1n;
    const message = `Could not find a free area of memory of 0x${size.toString(16)} bytes...`;
    expect(judge(with5(3))).toMatchObject({ outcome: 'refused', rule: 'hole-for-the-image', message });
    expect(judge(with5(3), 16n * GIB)).toMatchObject({ outcome: 'accepted' });
  });

  it('has a word on it as an executable, which stays where it is', () => {
    expect(judge(with5(2))).toMatchObject({ outcome: 'with-warnings', warnings: [{ rule: 'pages-of-memory' }] });
  });
});
