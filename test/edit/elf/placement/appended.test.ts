/**
 * What is appended to an image belongs to whoever put it there, and may be found from the end of the file or of the section
 * headers (AppImage): notes that have room elsewhere go there, and the section headers stay.
 */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../../src/base/bytes/source.js';
import { expectationOf, type PatchPlan } from '../../../../src/edit/elf/pipeline.js';
import { preview } from '../../../../src/edit/elf/render.js';
import { planStamp, type StampWish } from '../../../../src/edit/stamp/stamp.js';
import { readElf } from '../../../../src/formats/elf/read.js';
import { ENCODINGS, type Encoding } from '../../../../src/formats/elf/struct.js';
import { noteAreas } from '../../../../src/formats/note/areas.js';
import { FDO_PACKAGING_METADATA } from '../../../../src/formats/note/note-types.js';
import { ownerOf } from '../../../../src/formats/note/record.js';
import { verifyImage } from '../../../../src/verify/elf/verify.js';
import { concat, cstr, elf, noteBytes } from '../../../support/elf-builder.js';

const PAYLOAD = cstr('somebody else’s, found from the end of the file');
const ID = { name: 'GNU', type: 3, desc: new Uint8Array(20).fill(7) };
const XEN = { name: 'Xen', type: 6, desc: cstr('os') };
const read = (bytes: Uint8Array) => readElf(new BufferSource(bytes, 'image'));
const wish = (placement: StampWish['placement'] = {}): StampWish => ({
  metadata: { name: 'x' },
  members: {},
  buildId: undefined,
  notes: [],
  remove: [],
  placement,
});
const UNSTAMP: StampWish = {
  ...wish(),
  metadata: undefined,
  remove: [{ owner: 'FDO', type: FDO_PACKAGING_METADATA }],
};

function bytesOf(plan: PatchPlan): Uint8Array {
  const after = preview(plan.image, plan.rendered);
  const bytes = after.read(0n, after.size, 'test');
  const findings = verifyImage({ image: read(bytes), baseline: plan.image, expectation: expectationOf(plan) });
  expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
  return bytes;
}

/** Headers in a PT_LOAD with a hole of the file behind it, a build-id that cannot grow, and a payload at the end. */
function program(encoding: Encoding): Uint8Array {
  const end = encoding.bits === 64 ? 64 + 5 * 56 : 52 + 5 * 32;
  const start = (end + 15) & ~15;
  const bytes = concat([noteBytes([ID], encoding), new Uint8Array(64).fill(0x90)]);
  const size = BigInt(start + bytes.length);
  const addr = 0x400000n + BigInt(start);
  const id = noteBytes([ID], encoding).length;
  return elf(encoding)
    .load(0x400000n, bytes, { offset: 0n, filesz: size, memsz: size, flags: 4, align: 1n })
    .load(0x403000n, new Uint8Array(64).fill(0x91), { flags: 5, align: 0x1000n })
    .noteSegment([ID], { inside: { load: 0, at: 0 }, vaddr: addr, paddr: addr })
    .segment(7, undefined, { flags: 4, align: 8n })
    .segment(0x6474e551, undefined, { flags: 6, align: 16n })
    .section('.note.gnu.build-id', { type: 7, flags: 2n, align: 4n, addr, inside: { load: 0, at: 0, size: id } })
    .section('.rodata', { flags: 2n, addr: addr + BigInt(id), inside: { load: 0, at: id, size: 64 } })
    .with({ slack: start - end, trailing: PAYLOAD })
    .build();
}

const loadedOwners = (bytes: Uint8Array) =>
  noteAreas(read(bytes))
    .filter(({ kind, loaded }) => kind === 'segment' && loaded !== undefined)
    .flatMap(({ walk }) => walk.records.map(({ name }) => ownerOf(name)));

describe.each(ENCODINGS)('a program with something appended, ELF$bits $endian', (encoding) => {
  const before = program(encoding);

  it('is stamped where it has room: the file ends as it did, and so do the section headers', () => {
    const plan = planStamp(read(before), wish());
    expect(plan.kind).toBe('program');
    const after = bytesOf(plan);
    expect(after).toHaveLength(before.length);
    expect(after.slice(-PAYLOAD.length)).toEqual(PAYLOAD);
    expect(read(after).header.e_shoff).toBe(read(before).header.e_shoff);
    expect(read(after).sections).toEqual(read(before).sections);
    expect(loadedOwners(after)).toEqual(['GNU', 'FDO']);
    expect(plan.warnings.join('\n')).toContain('no section shows the new notes');
  });

  it('is what it was when the stamp goes', () => {
    const after = bytesOf(planStamp(read(before), wish()));
    expect(bytesOf(planStamp(read(after), UNSTAMP))).toEqual(before);
  });

  it('is given sections behind what is appended where the placement is named, and refused where there is no room', () => {
    const after = bytesOf(planStamp(read(before), wish({ placement: 'extend' })));
    expect(read(after).sections.length).toBe(read(before).sections.length + 1);
    expect(after.slice(0, before.length).slice(-PAYLOAD.length)).toEqual(PAYLOAD);
    const large = { ...wish(), metadata: { name: 'x'.repeat(0x4000) } };
    expect(() => planStamp(read(before), large)).toThrow(new RegExp(`${PAYLOAD.length} bytes are appended to it`));
  });
});

describe.each(ENCODINGS)('a kernel with something appended, ELF$bits $endian', (encoding) => {
  it('gets no section for a stamp that has room where the notes are: the file ends as it did', () => {
    const image = elf(encoding)
      .load(0x100000n, concat([new Uint8Array(64).fill(0x90), noteBytes([XEN], encoding)]), { align: 0x1000n })
      .load(0x200000n, new Uint8Array(64).fill(0x91), { align: 0x1000n })
      .noteSegment([XEN], { inside: { load: 0, at: 64 }, section: '.note.Xen' })
      .with({ slack: 1024, trailing: PAYLOAD })
      .build();
    const after = bytesOf(planStamp(read(image), wish()));
    expect(after).toHaveLength(image.length);
    expect(after.slice(-PAYLOAD.length)).toEqual(PAYLOAD);
    expect(loadedOwners(after)).toEqual(['Xen', 'FDO']);
  });
});
