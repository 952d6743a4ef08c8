/** Entry points that lead nowhere are warned of when they are written, and only then. */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../../src/base/bytes/source.js';
import { planPatch } from '../../../../src/edit/elf/pipeline.js';
import type { Edit } from '../../../../src/edit/elf/plan/placement-options.js';
import { readElf } from '../../../../src/formats/elf/read.js';
import { elf } from '../../../support/elf-builder.js';

const PF_RX = 5;
const PF_RW = 6;
const KERNEL = 0xffffffff80000000n;

/** Code at 1 MiB (0x1000 bytes, then 0x1000 of .bss), data at 3 MiB, code at 0x8000; virtual addresses far above. */
function image() {
  const bytes = elf({ bits: 64, endian: 'little' })
    .load(KERNEL + 0x100000n, new Uint8Array(0x1000), { paddr: 0x100000n, memsz: 0x2000n, flags: PF_RX })
    .load(KERNEL + 0x300000n, new Uint8Array(0x1000), { paddr: 0x300000n, flags: PF_RW })
    .load(KERNEL + 0x8000n, new Uint8Array(0x1000), { paddr: 0x8000n, flags: PF_RX })
    .with({ slack: 512 })
    .build();
  return readElf(new BufferSource(bytes, 'image'));
}

/** Notes by type and value, 8 bytes each, as one edit. */
function edit(...notes: readonly (readonly [type: number, value: bigint])[]): Edit {
  const name = Buffer.from('Xen\0');
  return {
    kind: 'copy-from',
    file: 'x',
    notes: notes.map(([type, value]) => {
      const desc = Buffer.alloc(8);
      desc.writeBigUInt64LE(value);
      return { name, type, desc };
    }),
  };
}

function warnings(...notes: readonly (readonly [type: number, value: bigint])[]): string[] {
  return planPatch(image(), [edit(...notes)]).warnings.filter((text) => /ENTRY/.test(text));
}

const ENTRY = 1;
const VIRT_BASE = 3;
const PADDR_OFFSET = 4;
const PHYS32_ENTRY = 18;

describe('PHYS32_ENTRY', () => {
  it.each([
    ['the first byte of code', 0x100000n],
    ['the last byte of code', 0x100fffn],
  ])('is fine at %s', (_, value) => {
    expect(warnings([PHYS32_ENTRY, value])).toEqual([]);
  });

  it.each([
    ['in a hole', 0x200000n, 'PHYS32_ENTRY 0x200000 is the physical address of no PT_LOAD: nothing'],
    ['behind everything', 0x301000n, 'PHYS32_ENTRY 0x301000 is the physical address of no PT_LOAD'],
    ['in .bss', 0x101000n, 'PHYS32_ENTRY 0x101000 lies behind the file bytes of its PT_LOAD'],
    ['in data', 0x300000n, 'PHYS32_ENTRY 0x300000 lies in a PT_LOAD that is not executable'],
    ['below 1 MiB', 0x8000n, 'PHYS32_ENTRY 0x8000 is below 1 MiB'],
    ['a virtual address', KERNEL + 0x100000n, 'is not below 4 GiB: loaders take its lower 32 bits, 0x80100000'],
    ['4 GiB', 0x100000000n, 'is not below 4 GiB: loaders take its lower 32 bits, 0x0'],
  ])('is warned of %s', (_, value, text) => {
    expect(warnings([PHYS32_ENTRY, value])).toEqual([expect.stringContaining(text)]);
  });

  it('that was there is not spoken of again', () => {
    const first = planPatch(image(), [edit([PHYS32_ENTRY, 0x200000n])]);
    expect(first.warnings.length).toBeGreaterThan(0);
    const bytes = elf({ bits: 64, endian: 'little' })
      .load(0x100000n, new Uint8Array(64), { flags: PF_RX })
      .noteSegment([{ name: 'Xen', type: PHYS32_ENTRY, desc: Buffer.from([0, 0, 0x20, 0]) }])
      .build();
    const again = planPatch(readElf(new BufferSource(bytes, 'image')), [edit([9, 1n])]);
    expect(again.warnings.filter((text) => /ENTRY/.test(text))).toEqual([]);
  });
});

describe('ENTRY', () => {
  it.each([
    ['the virtual address of code', [[ENTRY, KERNEL + 0x100000n]]],
    [
      'what VIRT_BASE and PADDR_OFFSET map to code',
      [
        [ENTRY, 0x5000_0000n + 0x100000n],
        [VIRT_BASE, 0x5000_0000n],
      ],
    ],
    [
      'the same with a PADDR_OFFSET',
      [
        [ENTRY, 0x5000_0000n],
        [VIRT_BASE, 0x5000_0000n],
        [PADDR_OFFSET, 0x100000n],
      ],
    ],
    ['all ones: not given', [[ENTRY, 0xffff_ffff_ffff_ffffn]]],
  ] as [string, [number, bigint][]][])('is fine as %s', (_, notes) => {
    expect(warnings(...notes)).toEqual([]);
  });

  it.each([
    ['in a hole', KERNEL + 0x200000n, 'is the virtual address of no PT_LOAD'],
    ['a physical address', 0x100000n, 'is the virtual address of no PT_LOAD'],
    ['in .bss', KERNEL + 0x101fffn, 'lies behind the file bytes of its PT_LOAD'],
    ['in data', KERNEL + 0x300010n, 'lies in a PT_LOAD that is not executable'],
  ])('is warned of %s', (_, value, text) => {
    expect(warnings([ENTRY, value])).toEqual([expect.stringContaining(text)]);
  });
});
