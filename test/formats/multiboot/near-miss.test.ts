/** Headers that no loader sees, and what is said of each: small files, made here, a header and zeros. */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { multibootNearMiss } from '../../../src/formats/multiboot/near-miss.js';
import { QEMU_MB1 } from '../../../src/formats/multiboot/windows.js';
import { judgeLoaders } from '../../../src/loaders/loaders.js';
import { elf } from '../../support/elf-builder.js';

const MB1 = [0x1badb002, 0x3] as const;
const MB2 = [0xe85250d6, 0, 24] as const;

/** A file with these words and their checksum, which is `off` by some. */
function file(at: number, words: readonly number[], off = 0): BufferSource {
  const bytes = new Uint8Array(0x9000);
  const view = new DataView(bytes.buffer);
  for (const [index, word] of words.entries()) view.setUint32(at + index * 4, word, true);
  const sum = words.reduce((total, word) => total + word, 0);
  view.setUint32(at + words.length * 4, Number(BigInt.asUintN(32, BigInt(off - sum))), true);
  if (words.length === MB2.length) view.setUint32(at + 20, 8, true);
  return new BufferSource(bytes, 'kernel');
}

const MISSES = [
  ['Multiboot 1, too late', 1, file(0x2000, MB1), 'no further than 0x1ff4'],
  ['Multiboot 1, misaligned', 1, file(0x202, MB1), 'not at a multiple of 4'],
  ['Multiboot 1, wrong checksum', 1, file(0x200, MB1, 1), 'wanted 0xe4524ffb'],
  ['Multiboot2, too late', 2, file(0x8000, MB2), 'no further than 0x7ff0'],
  ['Multiboot2, misaligned', 2, file(0x204, MB2), 'not at a multiple of 8'],
  ['Multiboot2, wrong checksum', 2, file(0x200, MB2, -1), 'has checksum'],
  ['Multiboot2 where 1 is asked for', 1, file(0x200, MB2), 'say multiboot2 and module2'],
  ['Multiboot2 of another architecture', 2, file(0x200, [0xe85250d6, 4, 24]), 'for architecture 4, wanted 0'],
  ['Multiboot 1 where 2 is asked for', 2, file(0x200, MB1), 'say multiboot and module'],
] as const;

it('a segment above 4 GiB is told by number and address, with what lowers it', () => {
  const kernel = elf({ bits: 64, endian: 'little' })
    .header({ e_type: 2, e_machine: 62, e_entry: 0x100000n })
    .load(0x100000n, new Uint8Array(new Uint32Array([0x1badb002, 0, 0xe4524ffe]).buffer))
    .load(0xffffffff80200000n, new Uint8Array(16))
    .build();
  const [verdict] = judgeLoaders(new BufferSource(kernel, 'k'), { names: ['multiboot@2.06'] });
  expect(verdict).toMatchObject({ message: 'segment crosses 4 GiB border' });
  expect(verdict?.reason).toMatch(/PT_LOAD 1 is 0xffffffff80200000: AT\(ADDR/);
});

describe('multibootNearMiss()', () => {
  it.each(MISSES)('%s: told with the offset, by verify too', (_, version, source, words) => {
    const said = multibootNearMiss(source, version);
    expect(said).toContain(words);
    expect(said).toMatch(/at 0x\w+/);
    const [verdict] = judgeLoaders(source, { names: [version === 1 ? 'multiboot' : 'multiboot2'] });
    expect(verdict).toMatchObject({ message: 'no multiboot header found', reason: said });
  });

  it.each([
    ['nothing like a header', file(0x200, [1, 2])],
    ['a magic that is a constant of some code', file(0x203, MB1, 5)],
    ['an empty file', new BufferSource(new Uint8Array(0), 'empty')],
    ['a magic at the very end', new BufferSource(new Uint8Array([0x02, 0xb0, 0xad, 0x1b]), 'end')],
  ])('nothing for %s', (_, source) => {
    expect(multibootNearMiss(source, 1)).toBeUndefined();
  });

  it('goes by the window of the loader that looks', () => {
    const source = file(0x1ff0, MB1);
    expect(multibootNearMiss(source, 1)).toBeUndefined();
    expect(multibootNearMiss(source, 1, QEMU_MB1)).toContain('QEMU looks no further than 0x1fcc');
  });
});
