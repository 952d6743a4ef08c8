/** Which entry holds the PT_NOTE, each kind at its edge, and the order of the table that results. */
import { describe, expect, it } from 'vitest';
import type { PlacementInput } from '../../../../src/edit/elf/placement/placement-input.js';
import {
  buildTable,
  countable,
  findSlot,
  replacedBy,
  type Slot,
} from '../../../../src/edit/elf/placement/program-headers.js';
import { elf, num } from '../../../support/elf-builder.js';
import { inputFor, kernel, osEdit, osNote, patched, perClass } from '../../../support/placing.js';

const PT_LOAD = 1;
const PT_NOTE = 4;
const PT_PHDR = 6;
const PT_OTHER = 0x60000000;
const PT_GNU_STACK = 0x6474e551;

const CLASSES = perClass({
  32: { tableEnd: 84, entry: 32, hex: '0x54' },
  64: { tableEnd: 120, entry: 56, hex: '0x78' },
});

const slotOf = (input: PlacementInput): Slot => {
  const found = findSlot(input);
  if ('reason' in found) throw new Error(found.reason);
  return found.slot;
};
const reasonOf = (input: PlacementInput): string => {
  const found = findSlot(input);
  return 'reason' in found ? found.reason : `a slot: ${found.slot.kind}`;
};

describe.each(CLASSES)('findSlot(), ELF$encoding.bits $encoding.endian', ({ encoding, tableEnd, entry, hex }) => {
  it('takes the PT_NOTE that is there, then a PT_NULL, then the slack, then PT_GNU_STACK', () => {
    const slack = (bytes: number) => kernel(encoding, bytes);
    const all = slack(entry)
      .noteSegment([osNote(20)])
      .segment(0)
      .segment(PT_GNU_STACK);
    expect(slotOf(inputFor(all, osEdit(24)))).toEqual({ kind: 'merged', index: 1 });
    expect(slotOf(inputFor(slack(entry).segment(PT_GNU_STACK).segment(0)))).toEqual({ kind: 'null', index: 2 });
    const free = { kind: 'slack', evict: [], loadedBytes: false };
    expect(slotOf(inputFor(slack(entry).segment(PT_GNU_STACK)))).toEqual(free);
    expect(slotOf(inputFor(slack(entry - 1).segment(PT_GNU_STACK)))).toEqual({ kind: 'stack', index: 1 });
  });

  it('wants the bytes of the entry zero, and no other', () => {
    const bytes = kernel(encoding, entry + 8).build();
    for (const at of [0, entry - 1]) {
      expect(reasonOf(inputFor(patched(bytes, tableEnd + at, 1)))).toContain(
        `the bytes behind the table at ${hex} are not zero`,
      );
    }
    expect(slotOf(inputFor(patched(bytes, tableEnd + entry, 1))).kind).toBe('slack');
  });

  it('takes slack in memory where the PT_LOAD holds the whole entry, and not one byte less', () => {
    const holding = (size: number) => {
      const load = { offset: 0n, filesz: BigInt(size), memsz: BigInt(size), align: 1n };
      return inputFor(
        elf(encoding)
          .load(0x100000n, new Uint8Array(0), load)
          .with({ trailing: new Uint8Array(128) }),
      );
    };
    expect(slotOf(holding(tableEnd + entry))).toEqual({ kind: 'slack', evict: [], loadedBytes: true });
    expect(reasonOf(holding(tableEnd + entry - 1))).toContain(
      `PT_LOAD 0 holds the program headers and ends at 0x${(tableEnd + entry - 1).toString(16)}`,
    );
  });

  it('keeps the PT_GNU_STACK of what execve starts', () => {
    const shared = kernel(encoding, 0).segment(PT_GNU_STACK).header({ e_type: 3 });
    expect(reasonOf(inputFor(shared))).toContain('its PT_GNU_STACK is evaluated when the image is executed');
    expect(slotOf(inputFor(shared, osEdit(), { kind: 'kernel' }))).toEqual({ kind: 'stack', index: 1 });
  });

  it.each([
    [0x100000, true],
    [0x100001, false],
  ])('moves a section of %i bytes out of the way: %s', (size, moves) => {
    const image = elf(encoding)
      .segment(PT_OTHER)
      .section('.comment', { bytes: new Uint8Array(size).fill(1) });
    if (moves) expect(slotOf(inputFor(image))).toEqual({ kind: 'slack', evict: [1], loadedBytes: false });
    else expect(reasonOf(inputFor(image))).toContain(`${entry} bytes needed behind the table at ${hex}, 0 free`);
  });

  it.each([
    [15, true],
    [16, false],
  ])('moves %i sections and the names behind them: %s', (count, moves) => {
    const image = elf(encoding).segment(PT_OTHER);
    for (let i = 0; i < count; i++) image.section(`.s${i}`, { bytes: Uint8Array.of(1) });
    const indices = Array.from({ length: count + 1 }, (_, i) => i + 1);
    if (moves) expect(slotOf(inputFor(image))).toMatchObject({ kind: 'slack', evict: indices });
    else expect(reasonOf(inputFor(image))).toContain('0 free');
  });
});

describe('countable()', () => {
  it('wants a section header table for 65,535 entries and above', () => {
    const encoding = { bits: 64, endian: 'little' } as const;
    const { analysis } = inputFor(kernel(encoding, 64));
    const { analysis: withSections } = inputFor(kernel(encoding, 64).section('.text'));
    expect([countable(analysis, 0xfffd), countable(withSections, 0xfffe)]).toEqual([undefined, undefined]);
    expect(countable(analysis, 0xfffe)).toBe(
      '65535 program headers need a section header table to hold the count, and there is none',
    );
  });
});

describe.each(CLASSES)('buildTable(), ELF$encoding.bits $encoding.endian', ({ encoding, entry }) => {
  const note = { range: { start: 0x400n, end: 0x414n }, p_vaddr: 1n, p_paddr: 2n, p_align: 4n };
  const grown: Slot = { kind: 'grown' };
  const types = (input: PlacementInput, slot: Slot) =>
    buildTable(input.analysis, input.target, slot, note).map(({ p_type }) => p_type);
  const other = { name: 'Foo', type: 1, desc: num(1, 4, encoding) };

  it('writes one PT_NOTE over exactly the notes', () => {
    const { analysis, target } = inputFor(kernel(encoding, 0));
    const [load, added] = buildTable(analysis, target, grown, note);
    expect(load).toBe(analysis.image.segments[0]);
    expect(added).toEqual({
      p_type: PT_NOTE,
      p_flags: 4,
      p_offset: 0x400n,
      p_vaddr: 1n,
      p_paddr: 2n,
      p_filesz: 0x14n,
      p_memsz: 0x14n,
      p_align: 4n,
    });
  });

  it('puts it behind every PT_LOAD and PT_NOTE, wherever its entry was', () => {
    const image = elf(encoding)
      .segment(0)
      .load(0x100000n, new Uint8Array(16))
      .noteSegment([other])
      .noteSegment([other]);
    expect(types(inputFor(image), { kind: 'null', index: 0 })).toEqual([PT_LOAD, PT_NOTE, PT_NOTE, PT_NOTE]);
    const last = elf(encoding).load(0x100000n, new Uint8Array(16)).segment(0).segment(PT_OTHER);
    expect(types(inputFor(last), { kind: 'null', index: 1 })).toEqual([PT_LOAD, PT_NOTE, PT_OTHER]);
  });

  it('empties the entries of PT_NOTEs that it takes over', () => {
    const image = kernel(encoding, 0)
      .noteSegment([osNote(20)])
      .noteSegment([osNote(24)]);
    const { analysis, target } = inputFor(image, osEdit(28));
    expect(target.segments).toEqual([1, 2]);
    expect(buildTable(analysis, target, { kind: 'merged', index: 2 }, note).map(({ p_type }) => p_type)).toEqual([
      PT_LOAD,
      0,
      PT_NOTE,
    ]);
    expect(buildTable(analysis, target, { kind: 'merged', index: 2 }, undefined).map(({ p_type }) => p_type)).toEqual([
      PT_LOAD,
      0,
      0,
    ]);
    expect(replacedBy(target, { kind: 'merged', index: 2 })).toEqual([1, 2]);
    expect(replacedBy(target, grown)).toEqual([1, 2]);
  });

  it('lets PT_PHDR grow with the table, and only then', () => {
    const image = kernel(encoding, 0)
      .segment(PT_PHDR, undefined, { filesz: BigInt(3 * entry) })
      .segment(0);
    const { analysis, target } = inputFor(image);
    const size = (slot: Slot) => buildTable(analysis, target, slot, note).find(({ p_type }) => p_type === PT_PHDR);
    expect(size({ kind: 'null', index: 2 })).toMatchObject({ p_filesz: BigInt(3 * entry) });
    expect(size(grown)).toMatchObject({ p_filesz: BigInt(4 * entry), p_memsz: BigInt(4 * entry) });
  });
});
