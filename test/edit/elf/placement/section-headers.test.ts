/** Section headers after an edit: which follow the notes, which are added, where names and table go. */
import { describe, expect, it } from 'vitest';
import type { PlacementInput } from '../../../../src/edit/elf/placement/placement-input.js';
import { roomOf } from '../../../../src/edit/elf/placement/room.js';
import { fitSections, planSections, sectionsAsTheyAre } from '../../../../src/edit/elf/placement/section-headers.js';
import { elf } from '../../../support/elf-builder.js';
import { inputFor, kernel, osEdit, osNote, perClass } from '../../../support/placing.js';

const CLASSES = perClass({ 32: { shdr: 40, word: 4n }, 64: { shdr: 64, word: 8n } });
const NOTE = { range: { start: 0x1000n, end: 0x1014n }, sh_addr: 0n, allocated: false, align: 4n };

const planned = ({ analysis, target }: PlacementInput, section = '.note.Xen') =>
  planSections(analysis, target, { section }, NOTE, roomOf([], [], 0x1014n));

describe.each(CLASSES)('planSections(), ELF$encoding.bits $encoding.endian', ({ encoding, shdr, word }) => {
  it('adds a section behind all others; names, then the table, follow the notes', () => {
    const input = inputFor(kernel(encoding, 64).section('.text'));
    const plan = planned(input);
    expect(plan.sections.slice(0, 2)).toEqual(input.analysis.image.sections.slice(0, 2));
    // "\0.text\0.shstrtab\0" has 17 bytes, ".note.Xen\0" 10 more.
    expect(plan.sections[2]).toMatchObject({ sh_offset: 0x1014n, sh_size: 27n });
    expect(plan.sections[3]).toMatchObject({
      sh_name: 17,
      sh_type: 7,
      sh_flags: 0n,
      sh_offset: 0x1000n,
      sh_size: 0x14n,
      sh_addralign: 4n,
    });
    const shoff = ((0x102fn + word - 1n) / word) * word;
    expect(plan).toMatchObject({ shoff, end: shoff + BigInt(4 * shdr), covered: true, touched: [2], warnings: [] });
  });

  it('uses a name that is the tail of another, and moves no names then', () => {
    const plan = planned(inputFor(kernel(encoding, 64).section('.rel.note.Xen')));
    expect(plan.sections[3]).toMatchObject({ sh_name: 5, sh_type: 7 });
    expect(plan.blobs).toEqual([]);
    expect(plan.shoff).toBe(encoding.bits === 64 ? 0x1018n : 0x1014n);
  });

  it('lets a section of that name follow the notes', () => {
    const input = inputFor(kernel(encoding, 64).noteSection('.note.Xen', [osNote(20)]), osEdit(24));
    const plan = planned(input);
    expect(plan.sections).toHaveLength(input.analysis.image.sections.length);
    expect(plan.sections[1]).toMatchObject({ sh_offset: 0x1000n, sh_size: 0x14n });
    expect(plan).toMatchObject({ touched: [1], covered: true, blobs: [] });
  });

  it('empties a section outside memory whose notes stand elsewhere now', () => {
    const plan = planned(inputFor(kernel(encoding, 64).noteSection('.notes', [osNote(20)]), osEdit(24)), '.other');
    // It covered the old notes exactly, and follows them.
    expect(plan.sections[1]).toMatchObject({ sh_offset: 0x1000n, sh_size: 0x14n });
    const named = kernel(encoding, 64)
      .noteSection('.other', [osNote(20)])
      .noteSection('.notes', [osNote(20)]);
    expect(planned(inputFor(named, osEdit(24)), '.other').sections[2]).toMatchObject({ sh_size: 0n });
  });

  it('adds none where the names are in memory', () => {
    const image = kernel(encoding, 64).section('.shstr', { type: 3, inside: { load: 0, at: 0, size: 64 } });
    const plan = planned(inputFor(image.with({ header: { e_shstrndx: 1 } })));
    expect(plan).toMatchObject({ covered: false });
    expect(plan.warnings).toEqual(['no section .note.Xen was added: the section-name table is loaded and cannot grow']);
  });

  it('leaves an image without section headers alone', () => {
    const input = inputFor(kernel(encoding, 64));
    expect(planned(input)).toEqual({ ...sectionsAsTheyAre(input.analysis), end: 0x1014n });
  });
});

describe.each(CLASSES)('fitSections(), ELF$encoding.bits $encoding.endian', ({ encoding }) => {
  const start = encoding.bits === 64 ? 128n : 96n;
  /** A file of 128 bytes behind its table, and a section over `size` of them from `at` on. */
  function fitted(at: bigint, size: bigint, end: bigint, changedFrom: bigint | undefined, type = 1) {
    const image = elf(encoding)
      .segment(0x60000000, new Uint8Array(128).fill(1))
      .section('.s', { offset: start + at, size, type });
    const area = { start: start + 32n, end: start + 64n };
    return fitSections(
      inputFor(image).analysis,
      area,
      start + end,
      changedFrom === undefined ? undefined : start + changedFrom,
    );
  }
  const sizes = (outcome: ReturnType<typeof fitted>) =>
    'reason' in outcome ? outcome.reason : [...outcome.values()].map(({ sh_size }) => sh_size);

  it.each<[string, [bigint, bigint, bigint, bigint | undefined, number?], bigint[] | 'refused']>([
    ['nothing changes', [32n, 32n, 64n, undefined], []],
    ['the notes alone, shorter', [32n, 32n, 60n, 32n], [28n]],
    ['the notes alone, longer', [32n, 32n, 72n, undefined], [40n]],
    ['behind the notes', [64n, 8n, 60n, 32n], []],
    ['in front of them', [0n, 32n, 60n, 32n], []],
    ['up to the first change', [32n, 16n, 60n, 48n], []],
    ['one byte over the first change', [32n, 17n, 60n, 48n], 'refused'],
    ['the last record', [48n, 16n, 60n, 48n], [12n]],
    ['from one byte behind the first change on', [49n, 15n, 60n, 48n], 'refused'],
    ['around them, with room for the new end', [24n, 48n, 72n, undefined], []],
    ['around them, one byte short of the new end', [24n, 47n, 72n, undefined], 'refused'],
    ['notes around them', [24n, 48n, 72n, 32n, 7], 'refused'],
  ])('a section over %s', (_, [at, size, end, from, type], wanted) => {
    const outcome = sizes(fitted(at, size, end, from, type));
    if (wanted === 'refused')
      expect(outcome).toMatch(/^record boundaries from 0x[0-9a-f]+ on would move under section \.s at/);
    else expect(outcome).toEqual(wanted);
  });
});
