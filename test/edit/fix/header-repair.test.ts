/** Headers that nothing at run time goes by and a loader stumbles over: repaired, told, and no change to a baseline. */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { preview } from '../../../src/edit/elf/render.js';
import { proveCure } from '../../../src/edit/fix/cure.js';
import { findFix } from '../../../src/edit/fix/fix.js';
import { readRepaired } from '../../../src/edit/fix/header-repair.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { judgeLoaders } from '../../../src/loaders/loaders.js';
import { accepts } from '../../../src/loaders/rule.js';
import { verifyImage } from '../../../src/verify/elf/verify.js';
import { concat, type ElfBuilder, elf, num } from '../../support/elf-builder.js';

const PADDR = 0x100000n;

function kernel(bits: 32 | 64): ElfBuilder {
  const encoding = { bits, endian: 'little' } as const;
  const code = new Uint8Array(0x200).fill(0x90);
  code.set(concat([0x1badb002, 0, 0x1_0000_0000 - 0x1badb002].map((word) => num(BigInt(word), 4, encoding))));
  return elf(encoding)
    .header({ e_type: 2, e_machine: bits === 64 ? 62 : 3, e_entry: PADDR })
    .load(PADDR, code, { align: 0x1000n });
}

const text = (builder: ElfBuilder) => builder.section('.text', { inside: { load: 0, at: 0, size: 0x200 }, flags: 6n });
const empty = { filesz: 0n, memsz: 0n };

type Row = readonly [
  what: string,
  build: (builder: ElfBuilder) => ElfBuilder,
  repairs: readonly string[],
  told: RegExp,
];
const ROWS: readonly Row[] = [
  ['no section headers', (b) => b, ['add-section-headers'], /a section header table appended at 0x/],
  [
    'e_shoff of headers that are gone',
    (b) => b.header({ e_shoff: 0x7000000n, e_shnum: 5, e_shentsize: 64 }),
    ['drop-section-headers', 'add-section-headers'],
    /set to 0.*appended at 0x/,
  ],
  [
    'e_shoff, and e_shnum 0',
    (b) => text(b).header({ e_shnum: 0, e_shstrndx: 0 }),
    ['add-section-headers'],
    /appended at 0x/,
  ],
  [
    'an empty PT_LOAD in another',
    (b) => text(b).load(PADDR + 0x80n, new Uint8Array(0), empty),
    ['null-empty-loads'],
    /program header 1: p_type set to PT_NULL/,
  ],
  [
    'both',
    (b) => b.load(PADDR + 0x80n, new Uint8Array(0), empty),
    ['add-section-headers', 'null-empty-loads'],
    /appended at 0x.*PT_NULL/,
  ],
];

describe.each([32, 64] as const)('ELF%i for GRUB: headers repaired', (bits) => {
  it.each(ROWS)('%s', (_, build, repairs, told) => {
    const source = new BufferSource(build(kernel(bits)).build(), 'kernel');
    const [before] = judgeLoaders(source, { names: ['multiboot'] });
    if (before === undefined) throw new Error('no verdict');
    expect(accepts(before)).toBe(false);

    const { cured, fix, plan, steps } = findFix(source, ['multiboot']);
    expect({ cured, repairs: fix.repairs.map(({ kind }) => kind), edits: fix.edits }).toEqual({
      cured: true,
      repairs,
      edits: [],
    });
    expect(steps.map((step) => step.told).join(' ')).toMatch(told);
    expect(proveCure(source, before).cure).toEqual(fix);

    if (plan === undefined) throw new Error('no plan');
    const result = preview(plan.image, plan.rendered);
    const [after] = judgeLoaders(result, { names: ['multiboot'] });
    expect(after !== undefined && accepts(after)).toBe(true);
    const findings = verifyImage({ image: readElf(result), baseline: readRepaired(source).image });
    expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
    expect(findFix(result, ['multiboot']).steps).toEqual([]);
  });
});

it('a PT_LOAD that loads something and became a PT_NULL is no repair', () => {
  const before = text(kernel(64)).load(PADDR + 0x10000n, new Uint8Array(16), { align: 0x1000n });
  const bytes = before.build();
  // p_type of the second program header.
  const after = bytes.slice();
  after.set([0, 0, 0, 0], 64 + 56);
  const findings = verifyImage({
    image: readElf(new BufferSource(after, 'after')),
    baseline: readElf(new BufferSource(bytes, 'before')),
  });
  expect(findings.map(({ check }) => check)).toContain('segments-kept');
});
