/**
 * Without section headers: an edit says of a PT_LOAD that it will stay longer, and does not where notes of before show its old end;
 * an undo cuts off nothing that was there.
 */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../../src/base/bytes/source.js';
import { planPatch } from '../../../../src/edit/elf/pipeline.js';
import { DEFAULT_PLACEMENT, type PlacementName } from '../../../../src/edit/elf/plan/placement-options.js';
import type { ElfImage } from '../../../../src/formats/elf/image.js';
import { readElf } from '../../../../src/formats/elf/read.js';
import { ENCODINGS, type Encoding } from '../../../../src/formats/elf/struct.js';
import { nameOf } from '../../../../src/formats/note/record.js';
import { elf, noteBytes } from '../../../support/elf-builder.js';
import { proved } from '../../../support/proved.js';

const PUT = [
  { kind: 'put-note', note: { name: nameOf('Vendor'), type: 9, desc: new Uint8Array(40).fill(7) } },
] as const;
const DROP = [{ kind: 'drop-note', owner: 'Vendor', type: 9 }] as const;
const BUILD_ID = { name: 'GNU', type: 3, desc: new Uint8Array(20).fill(5) };
const PAGE = 0x1000n;

/** Code, and at the next page an empty PT_LOAD; with a build-id inside the code, or without a PT_NOTE. */
function image(encoding: Encoding, hasNotes: boolean): ElfImage {
  const notes = noteBytes([BUILD_ID], encoding);
  const code = new Uint8Array(0x100).fill(0x90);
  code.set(notes, 0x40);
  const built = elf(encoding).load(0x100000n, code, { align: PAGE, offset: PAGE });
  built.load(0x200000n, new Uint8Array(0x10).fill(1), { align: PAGE, offset: 2n * PAGE, flags: 6 });
  built.load(0x300000n, new Uint8Array(0), { align: PAGE, offset: 3n * PAGE });
  if (hasNotes) built.noteSegment([BUILD_ID], { inside: { load: 0, at: 0x40 } });
  const bytes = new Uint8Array(Number(3n * PAGE));
  bytes.set(built.with({ stripped: true, slack: hasNotes ? 0 : 0x100 }).build());
  return readElf(new BufferSource(bytes, 'image'));
}

function edited(before: ElfImage, placement: PlacementName) {
  const plan = planPatch(before, PUT, { ...DEFAULT_PLACEMENT, placement });
  return { stays: (plan.layout?.stays ?? []).join(), undone: proved(planPatch(proved(plan), DROP)) };
}

const LONGER = /PT_LOAD 0 stays longer when the notes are removed again/;
const bytesOf = ({ source }: ElfImage) => Buffer.from(source.read(0n, source.size, 'test'));

describe.each(ENCODINGS)('ELF$bits $endian', (encoding) => {
  it('where notes stood before, they show where the PT_LOAD ended: the file is as it was, to its last byte', () => {
    const before = image(encoding, true);
    const { stays, undone } = edited(before, 'extend');
    expect(stays).not.toMatch(LONGER);
    expect(undone.segments).toEqual(before.segments);
    expect(bytesOf(undone).equals(bytesOf(before))).toBe(true);
  });

  it('where none stood, the PT_LOAD keeps its length, and the edit said so', () => {
    const before = image(encoding, false);
    const { stays, undone } = edited(before, 'extend');
    expect(stays).toMatch(LONGER);
    expect(undone.segments[0]?.p_filesz).toBe((before.segments[0]?.p_filesz ?? 0n) + 60n);
    expect(undone.source.size).toBe(before.source.size);
  });
});
