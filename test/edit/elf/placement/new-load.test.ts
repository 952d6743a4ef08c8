/** `new-load`: a PT_LOAD of its own behind the highest one, at an offset congruent to its address. */
import { describe, expect, it } from 'vitest';
import { newLoad } from '../../../../src/edit/elf/placement/new-load.js';
import type { Encoding } from '../../../../src/formats/elf/struct.js';
import { elf, type SegmentOptions } from '../../../support/elf-builder.js';
import { inputFor, kernel, osEdit, osNote, perClass, placed, refused } from '../../../support/placing.js';

/** Room for exactly two entries behind a table of one, and of one entry behind a table of two. */
const CLASSES = perClass({
  32: { two: 64, one: 32, limit: 1n << 32n },
  64: { two: 112, one: 56, limit: 1n << 64n },
});

function loadAt(encoding: Encoding, slack: number, vaddr: bigint, options: SegmentOptions = {}) {
  return elf(encoding)
    .load(vaddr, new Uint8Array(64).fill(0x90), { align: 1n, ...options })
    .with({ slack });
}

describe.each(CLASSES)('new-load, ELF$encoding.bits $encoding.endian', ({ encoding, two, one, limit }) => {
  it('takes the next page of addresses and of the file', () => {
    const layout = placed(newLoad(inputFor(loadAt(encoding, two, 0x100000n, { paddr: 0x500000n }))));
    expect(layout).toMatchObject({ noteRange: { start: 0x1000n, end: 0x1014n }, fileSize: 0x1014n, loaded: true });
    const place = { p_offset: 0x1000n, p_vaddr: 0x101000n, p_paddr: 0x501000n, p_filesz: 20n, p_memsz: 20n };
    expect(layout.segments.slice(1)).toEqual([
      { p_type: 1, p_flags: 4, ...place, p_align: 0x1000n },
      { p_type: 4, p_flags: 4, ...place, p_align: 4n },
    ]);
    expect(layout).toMatchObject({ addedLoads: 1, warnings: [expect.stringContaining('needs more memory')] });
  });

  it('needs two entries, or one where there is a PT_NOTE, and not a byte less', () => {
    expect(refused(newLoad(inputFor(loadAt(encoding, two - 1, 0x100000n))))).toBe(
      `${two} bytes needed behind the program headers, ${two - 1} free`,
    );
    const noted = (slack: number) => inputFor(kernel(encoding, slack).noteSegment([osNote(20)]), osEdit(24));
    expect(placed(newLoad(noted(one))).segments).toHaveLength(3);
    expect(refused(newLoad(noted(one - 1)))).toBe(`${one} bytes needed behind the program headers, ${one - 1} free`);
  });

  it('puts the PT_LOAD behind the last PT_LOAD and before other entries', () => {
    const image = kernel(encoding, one).noteSegment([osNote(20)]);
    expect(placed(newLoad(inputFor(image, osEdit(24)))).segments.map(({ p_type }) => p_type)).toEqual([1, 1, 4]);
  });

  it('follows the highest virtual address, with its distance to the physical one', () => {
    const image = loadAt(encoding, two, 0x300000n, { paddr: 0x100000n });
    const both = image.load(0x200000n, new Uint8Array(64), { paddr: 0x800000n, align: 1n }).with({ slack: two });
    const { segments } = placed(newLoad(inputFor(both)));
    expect(segments[2]).toMatchObject({ p_type: 1, p_vaddr: 0x301000n, p_paddr: 0x101000n });
  });

  it.each([
    [62, 0x10000n, 0x1000n],
    [183, 0x10000n, 0x10000n],
    [183, 0x10n, 0x1000n],
  ])('machine %i with p_align %s: aligned to %s', (e_machine, align, p_align) => {
    const image = loadAt(encoding, two, 0x100000n, { align }).header({ e_machine });
    const { segments } = placed(newLoad(inputFor(image)));
    expect(segments[1]).toMatchObject({ p_type: 1, p_align, p_vaddr: 0x100000n + p_align });
  });

  it('ends with the address space', () => {
    const paddr = 0x100000n;
    const fits = loadAt(encoding, two, limit - 0x1040n, { paddr });
    expect(placed(newLoad(inputFor(fits))).segments[1]).toMatchObject({ p_vaddr: limit - 0x1000n });
    const end = (limit - 0xfffn).toString(16);
    expect(refused(newLoad(inputFor(loadAt(encoding, two, limit - 0x103fn, { paddr }))))).toBe(
      `no addresses are left behind 0x${end}`,
    );
  });

  it('ends with the physical address space', () => {
    const at = (paddr: bigint) => inputFor(loadAt(encoding, two, 0x100000n, { paddr }));
    expect(placed(newLoad(at(limit - 0x1014n))).segments[1]).toMatchObject({ p_paddr: limit - 20n });
    expect(refused(newLoad(at(limit - 0x1013n)))).toBe('no addresses are left behind 0x100040');
  });

  it('stops at physical addresses of another PT_LOAD, and at a section with its addresses', () => {
    const other = (paddr: bigint) => {
      const image = loadAt(encoding, two, 0x300000n, { paddr: 0x100000n });
      return inputFor(image.load(0x1000n, new Uint8Array(64), { paddr, align: 1n }));
    };
    expect(placed(newLoad(other(0x101014n))).addedLoads).toBe(1);
    expect(refused(newLoad(other(0x101013n)))).toBe('PT_LOAD 1 has the physical addresses from 0x101000');
    expect(refused(newLoad(other(0x100fc1n)))).toBe('PT_LOAD 1 has the physical addresses from 0x101000');
    expect(placed(newLoad(other(0x100fc0n))).addedLoads).toBe(1);
    const section = (addr: bigint) =>
      inputFor(loadAt(encoding, two, 0x100000n).section('.x', { type: 8, flags: 2n, addr, size: 4n }));
    expect(placed(newLoad(section(0x101014n))).addedLoads).toBe(1);
    expect(refused(newLoad(section(0x101013n)))).toBe('section 1 has the addresses from 0x101000');
  });

  it('refuses a table that is in memory, an image without PT_LOAD and notes outside memory', () => {
    const holding = loadAt(encoding, two, 0x100000n, { offset: 0n, filesz: 256n, memsz: 256n });
    expect(refused(newLoad(inputFor(holding)))).toBe(
      'the program headers are part of PT_LOAD 0 and cannot grow unseen',
    );
    expect(refused(newLoad(inputFor(elf(encoding).segment(0))))).toBe(
      'the image has no PT_LOAD whose addresses could be followed',
    );
    expect(refused(newLoad(inputFor(kernel(encoding, two), osEdit(), { loaded: false })))).toBe(
      'the notes would be inside a PT_LOAD',
    );
  });
});
