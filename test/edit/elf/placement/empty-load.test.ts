/** A PT_LOAD that loads nothing gives its entry to the notes where no reader misses it, and an undo leaves a PT_NULL. */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../../src/base/bytes/source.js';
import { planPatch } from '../../../../src/edit/elf/pipeline.js';
import { type ElfImage, loads } from '../../../../src/formats/elf/image.js';
import { readElf } from '../../../../src/formats/elf/read.js';
import { ENCODINGS, type Encoding } from '../../../../src/formats/elf/struct.js';
import { parseSetting } from '../../../../src/formats/note/value.js';
import { walkAsXen } from '../../../../src/loaders/read/loader-walks.js';
import { elf } from '../../../support/elf-builder.js';
import { proved } from '../../../support/proved.js';

const SET = [{ kind: 'set', setting: parseSetting('GUEST_OS=os') }] as const;
const code = new Uint8Array(64).fill(0x90);

/** Two PT_LOADs and, at `index` of the table, one of nothing at `vaddr`; no room behind the table. */
function image(encoding: Encoding, vaddr: bigint, order: readonly number[]): ElfImage {
  const bytes = elf(encoding)
    .load(0x100000n, code, { align: 1n })
    .load(0x200000n, code, { align: 1n })
    .load(vaddr, new Uint8Array(0), { align: 1n })
    .with({ order: [...order], slack: 0 })
    .build();
  return readElf(new BufferSource(bytes, 'image'));
}

const full = (elf: ElfImage) =>
  loads(elf)
    .map(({ segment }) => segment)
    .filter(({ p_memsz }) => p_memsz > 0n);

describe.each(ENCODINGS)('ELF$bits $endian', (encoding) => {
  it.each([
    ['between the others', 0x180000n, [0, 1, 2]],
    ['in the middle of the table', 0x180000n, [0, 2, 1]],
    ['at the address of its neighbour', 0x200000n, [0, 2, 1]],
    ['at the end of the last', 0x200040n, [0, 1, 2]],
  ] as const)('%s it becomes the PT_NOTE', (_, vaddr, order) => {
    const before = image(encoding, vaddr, order);
    const plan = planPatch(before, SET);
    expect(plan.layout?.summary).toContain('which loads nothing, turned into their PT_NOTE');
    expect(plan.layout?.stays?.join()).toMatch(/a PT_NULL that stays when the notes are removed again/);
    const after = proved(plan);
    expect(full(after)).toEqual(full(before));
    expect(after.segments).toHaveLength(before.segments.length);
    expect(walkAsXen(after).notes).toHaveLength(1);
    const undone = proved(planPatch(after, [{ kind: 'clear' }]));
    expect(full(undone)).toEqual(full(before));
    expect(undone.segments.map(({ p_type }) => p_type).sort()).toEqual([0, 1, 1]);
  });

  it.each([
    ['the first of the table, from which execve takes the base address', 0x180000n, [2, 0, 1]],
    ['below the others, where the image begins for a loader', 0xff000n, [0, 1, 2]],
    ['above the others, where it ends', 0x300000n, [0, 1, 2]],
  ] as const)('%s it stays', (_, vaddr, order) => {
    const before = image(encoding, vaddr, order);
    const plan = planPatch(before, SET);
    expect(loads(proved(plan)).map(({ segment }) => segment)).toEqual(
      expect.arrayContaining(loads(before).map(({ segment }) => segment)),
    );
  });
});
