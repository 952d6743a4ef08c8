/**
 * A Multiboot header that is there and that a loader does not see: told under every loader that looks for one, those included
 * that then go on by the ELF (kexec, crosvm, Limine), with the place, and with the sum that it should have.
 */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { linkAdvice } from '../../../src/edit/fix/link-advice.js';
import { judgeLoaders } from '../../../src/loaders/loaders.js';
import { accepts } from '../../../src/loaders/rule.js';
import { elf, num } from '../../support/elf-builder.js';

const LE32 = { bits: 32, endian: 'little' } as const;
/** Neither a page nor 2 MiB: kexec, crosvm and Limine refuse the ELF that they are left with. */
const PADDR = 0x100b40n;
/** The bytes of the PT_LOAD stand at this offset of the file. */
const FIRST = 0x54;

const MB1 = [0x1badb002, 0, -0x1badb002];
const MB2 = [0xe85250d6, 0, 24, -(0xe85250d6 + 24), 0, 8];
const withSum = (words: readonly number[], at: number, sum: number) => words.map((word, k) => (k === at ? sum : word));

function kernel(offset: number, words: readonly number[]): BufferSource {
  const bytes = new Uint8Array(0xa000).fill(0x90);
  for (const [k, word] of words.entries())
    bytes.set(num(BigInt.asUintN(32, BigInt(word)), 4, LE32), offset - FIRST + 4 * k);
  const image = elf(LE32).header({ e_type: 2, e_machine: 3, e_entry: PADDR }).load(PADDR, bytes, { align: 4n }).build();
  return new BufferSource(image, 'kernel');
}

interface Row {
  readonly what: string;
  readonly offset: number;
  readonly words: readonly number[];
  readonly loaders: readonly string[];
  readonly told: RegExp;
}

const BOTH = ['kexec', 'limine'];
const ROWS: readonly Row[] = [
  {
    what: 'a Multiboot 1 header behind what is read',
    offset: 0x2100,
    words: MB1,
    loaders: ['grub-multiboot', 'qemu-multiboot', 'crosvm', ...BOTH],
    told: /the Multiboot 1 header at 0x2100 is too far behind: (GRUB|QEMU|kexec|crosvm|Limine) looks no further than/,
  },
  {
    what: 'a Multiboot 1 header between two words',
    offset: 0x102,
    words: MB1,
    loaders: ['grub-multiboot', 'qemu-multiboot', 'crosvm', ...BOTH],
    told: /the Multiboot 1 header at 0x102 is not at a multiple of 4: align its section/,
  },
  {
    what: 'a Multiboot 1 header with the sum of another',
    offset: 0x100,
    words: withSum(MB1, 2, 0),
    loaders: ['grub-multiboot', 'qemu-multiboot', 'crosvm', ...BOTH],
    told: /the Multiboot 1 header at 0x100 has checksum 0x0, wanted 0xe4524ffe/,
  },
  {
    what: 'a Multiboot2 header behind what is read',
    offset: 0x9000,
    words: MB2,
    loaders: ['grub-multiboot2', ...BOTH],
    told: /the Multiboot2 header at 0x9000 is too far behind: (GRUB|kexec|Limine) looks no further than/,
  },
  {
    what: 'a Multiboot2 header at a multiple of 4',
    offset: 0x104,
    words: MB2,
    loaders: ['grub-multiboot2', ...BOTH],
    told: /the Multiboot2 header at 0x104 is not at a multiple of 8: align its section/,
  },
  {
    what: 'a Multiboot2 header with the sum of another',
    offset: 0x100,
    words: withSum(MB2, 3, 1),
    loaders: ['grub-multiboot2', ...BOTH],
    told: /the Multiboot2 header at 0x100 has checksum 0x1, wanted 0x17adaf12/,
  },
  {
    what: 'a Multiboot2 header alone, for a loader that asks for the other version',
    offset: 0x100,
    words: MB2,
    loaders: ['grub-multiboot'],
    told: /there is a Multiboot2 header at 0x100 and no Multiboot 1 header: in grub\.cfg say multiboot2 and module2/,
  },
  {
    what: 'the same for QEMU, which has no grub.cfg',
    offset: 0x100,
    words: MB2,
    loaders: ['qemu-multiboot'],
    told: /there is a Multiboot2 header at 0x100 and no Multiboot 1 header, and QEMU knows no other: boot it by GRUB/,
  },
  {
    what: 'a Multiboot 1 header alone, for a loader that asks for Multiboot2',
    offset: 0x100,
    words: MB1,
    loaders: ['grub-multiboot2'],
    told: /there is a Multiboot 1 header at 0x100 and no Multiboot2 header: in grub\.cfg say multiboot and module/,
  },
];

describe.each(ROWS)('$what', ({ offset, words, loaders, told }) => {
  it.each(loaders)('%s', (loader) => {
    const source = kernel(offset, words);
    const [verdict] = judgeLoaders(source, { names: [loader] });
    if (verdict === undefined) throw new Error(`no verdict of ${loader}`);
    expect(accepts(verdict)).toBe(false);
    expect([verdict.reason, verdict.message, linkAdvice(source, verdict)].join('\n')).toMatch(told);
  });
});

describe('without anything like a header', () => {
  it.each(['kexec', 'crosvm', 'limine'])('%s is told of none', (loader) => {
    const source = kernel(0x100, [0x1badb000, 0, 0]);
    const [verdict] = judgeLoaders(source, { names: [loader] });
    if (verdict === undefined) throw new Error(`no verdict of ${loader}`);
    expect(linkAdvice(source, verdict)).not.toContain('Multiboot');
  });
});
