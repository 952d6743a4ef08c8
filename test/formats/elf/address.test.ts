import { describe, expect, it } from 'vitest';
import { fileOffset, fileRange, paddr, vaddr, vaddrRange } from '../../../src/formats/elf/address.js';
import {
  type ElfImage,
  loadAtOffset,
  loadAtPaddr,
  loadAtVaddr,
  segmentFileRange,
  toPhysical,
} from '../../../src/formats/elf/image.js';

const PHDR = { p_type: 0, p_flags: 0, p_vaddr: 0n, p_paddr: 0n, p_memsz: 0n, p_align: 0n };

describe('vaddr(), paddr() and fileOffset()', () => {
  it.each([0n, 1n, 0xffffffff81000000n, 1n << 64n])('leave %s as it is', (value) => {
    for (const brand of [vaddr, paddr, fileOffset]) expect(brand(value)).toBe(value);
  });
});

describe('vaddrRange() and fileRange()', () => {
  it('reach from the start over the size', () => {
    for (const range of [vaddrRange, fileRange]) {
      expect(range(0x1000n, 0x10n)).toEqual({ start: 0x1000n, end: 0x1010n });
      expect(range(0x1000n, 0n)).toEqual({ start: 0x1000n, end: 0x1000n });
    }
  });
});

describe('loadAtVaddr(), loadAtPaddr() and loadAtOffset()', () => {
  // Each load's virtual, physical and file range is another load's range of another kind: a mixed-up field shows.
  const loads = [
    { ...PHDR, p_type: 1, p_offset: 0x1000n, p_vaddr: 0x2000n, p_paddr: 0x3000n, p_filesz: 0x10n, p_memsz: 0x20n },
    { ...PHDR, p_type: 1, p_offset: 0x2000n, p_vaddr: 0x3000n, p_paddr: 0x1000n, p_filesz: 0x10n, p_memsz: 0x20n },
    { ...PHDR, p_type: 1, p_offset: 0x3000n, p_vaddr: 0x1000n, p_paddr: 0x2000n, p_filesz: 0x10n, p_memsz: 0x20n },
  ];
  const image = { segments: loads } as unknown as ElfImage;

  it('find the PT_LOAD by its own kind of address', () => {
    for (const load of loads) {
      expect(loadAtVaddr(image, vaddr(load.p_vaddr + 0x1fn))).toBe(load);
      expect(loadAtVaddr(image, vaddr(load.p_vaddr + 0x20n))).toBeUndefined();
      expect(loadAtPaddr(image, paddr(load.p_paddr + 0x1fn))).toBe(load);
      expect(loadAtPaddr(image, paddr(load.p_paddr + 0x20n))).toBeUndefined();
      expect(loadAtOffset(image, segmentFileRange(load))).toBe(load);
      expect(loadAtOffset(image, fileRange(load.p_offset, 0x11n))).toBeUndefined();
      expect(toPhysical(image, vaddr(load.p_vaddr + 5n))).toBe(load.p_paddr + 5n);
    }
  });
});
