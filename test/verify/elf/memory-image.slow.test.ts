import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Phdr } from '../../../src/formats/elf/headers.js';
import { type Filled, meetings, memoryImage } from '../../../src/verify/elf/memory-image.js';

function load(p_vaddr: bigint, p_offset: bigint, p_filesz: bigint, p_memsz = p_filesz): Phdr {
  return { p_type: 1, p_flags: 5, p_align: 1n, p_paddr: p_vaddr, p_vaddr, p_offset, p_filesz, p_memsz };
}

/** What a loader does: bytes and zeros put down entry by entry, later ones over earlier ones. */
function loaded(loads: readonly Phdr[]): Map<bigint, bigint | 'zero'> {
  const memory = new Map<bigint, bigint | 'zero'>();
  for (const { p_vaddr, p_offset, p_filesz, p_memsz } of loads) {
    for (let i = 0n; i < p_memsz; i += 1n) memory.set(p_vaddr + i, i < p_filesz ? p_offset + i : 'zero');
  }
  return memory;
}

function flat(image: readonly Filled[]): Map<bigint, bigint | 'zero'> {
  const memory = new Map<bigint, bigint | 'zero'>();
  for (const { start, end, offset } of image) {
    for (let at = start; at < end; at += 1n) memory.set(at, offset === undefined ? 'zero' : offset + (at - start));
  }
  return memory;
}

const sorted = (memory: Map<bigint, bigint | 'zero'>) => [...memory].sort(([a], [b]) => (a < b ? -1 : 1));
const some = fc.array(
  fc
    .tuple(fc.nat(40), fc.nat(100), fc.nat(12), fc.nat(12))
    .map(([vaddr, offset, filesz, more]) =>
      load(BigInt(vaddr), BigInt(offset), BigInt(filesz), BigInt(filesz + Math.max(0, more - 6))),
    ),
  { maxLength: 8 },
);

describe('memoryImage()', () => {
  it('is what loading entry by entry leaves behind', () => {
    fc.assert(
      fc.property(some, (loads) => {
        const image = memoryImage(loads, 'p_vaddr');
        expect(sorted(flat(image))).toEqual(sorted(loaded(loads)));
        for (const [i, { start }] of image.entries()) expect(start).toBeGreaterThanOrEqual(image[i - 1]?.end ?? 0n);
      }),
      { numRuns: 300 },
    );
  });

  it('keeps addresses at the top of the address space', () => {
    const top = (1n << 64n) - 0x10n;
    expect(memoryImage([load(top, 0x40n, 8n, 0x10n)], 'p_paddr')).toEqual([
      { start: top, end: top + 8n, offset: 0x40n },
      { start: top + 8n, end: 1n << 64n, offset: undefined },
    ]);
  });

  it('copes with 70,000 entries over the same addresses', () => {
    const loads = Array.from({ length: 70_000 }, (_, i) => load(BigInt(i), BigInt(i * 3), 1000n, 2000n));
    const image = memoryImage(loads, 'p_vaddr');
    // The last entry wins where it is, the one before it in the one address in front, and so on.
    expect(image.at(-2)).toEqual({ start: 69_999n, end: 70_999n, offset: 209_997n });
    expect(image.length).toBe(70_001);
  });
});

describe('meetings()', () => {
  it('cuts two images into addresses with one source each', () => {
    fc.assert(
      fc.property(some, some, (a, b) => {
        const old = memoryImage(a, 'p_vaddr');
        const now = memoryImage(b, 'p_vaddr');
        const seen: { old: [bigint, bigint | 'zero'][]; now: [bigint, bigint | 'zero'][] } = { old: [], now: [] };
        let last = 0n;
        for (const { start, end, before, after } of meetings(old, now)) {
          expect(start).toBeGreaterThanOrEqual(last);
          expect(end).toBeGreaterThan(start);
          last = end;
          for (let at = start; at < end; at += 1n) {
            const value = (f: Filled) => (f.offset === undefined ? 'zero' : f.offset + (at - f.start));
            if (before !== undefined) seen.old.push([at, value(before)]);
            if (after !== undefined) seen.now.push([at, value(after)]);
          }
        }
        expect(seen.old).toEqual(sorted(flat(old)));
        expect(seen.now).toEqual(sorted(flat(now)));
      }),
      { numRuns: 300 },
    );
  });
});
