/** A section that a linker made for one owner keeps its notes to itself: build systems cut it out by name. */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../../src/base/bytes/source.js';
import { planPatch } from '../../../../src/edit/elf/pipeline.js';
import { DEFAULT_PLACEMENT, type Edit } from '../../../../src/edit/elf/plan/placement-options.js';
import { preview } from '../../../../src/edit/elf/render.js';
import { planStamp } from '../../../../src/edit/stamp/stamp.js';
import type { ElfImage } from '../../../../src/formats/elf/image.js';
import { readElf } from '../../../../src/formats/elf/read.js';
import { sectionName } from '../../../../src/formats/elf/section-names.js';
import { ENCODINGS, type Encoding } from '../../../../src/formats/elf/struct.js';
import { noteAreas } from '../../../../src/formats/note/areas.js';
import { ownerOf } from '../../../../src/formats/note/record.js';
import { parseSetting } from '../../../../src/formats/note/value.js';
import { cstr, elf, noteBytes, type TestNote } from '../../../support/elf-builder.js';

const BUILD_ID: TestNote = { name: 'GNU', type: 3, desc: Uint8Array.from({ length: 20 }, (_, i) => i + 1) };
const XEN: TestNote = { name: 'Xen', type: 6, desc: cstr('was') };
const read = (bytes: Uint8Array) => readElf(new BufferSource(bytes, 'image'));

/** One PT_NOTE over a section for each owner, in a PT_LOAD with zeros behind them, as GNU ld lays out xen-syms. */
function separate(encoding: Encoding, sections: readonly (readonly [name: string, note: TestNote])[]): Uint8Array {
  const load = new Uint8Array(0x400).fill(0x90, 0, 0x100);
  let at = 0x100;
  const image = elf(encoding);
  const parts = sections.map(([name, note]) => {
    const bytes = noteBytes([note], encoding);
    load.set(bytes, at);
    at += bytes.length;
    return { name, at: at - bytes.length, size: bytes.length };
  });
  image.load(0x100000n, load, { align: 0x1000n });
  image.noteSegment(load.slice(0x100, at), { inside: { load: 0, at: 0x100 } });
  image.section('.text', { inside: { load: 0, at: 0, size: 0x100 }, flags: 6n });
  for (const { name, at: where, size } of parts) {
    image.section(name, { type: 7, flags: 2n, align: 4n, inside: { load: 0, at: where, size } });
  }
  return image.with({ slack: 0x200 }).build();
}

/** Bytes and owners of a section, as `objcopy --only-section` and readers of note sections get them. */
function section(image: ElfImage, name: string) {
  const index = image.sections.findIndex((_, i) => i > 0 && sectionName(image, i) === name);
  const header = image.sections[index];
  if (header === undefined) return undefined;
  const records = noteAreas(image).find((area) => area.kind === 'section' && area.index === index)?.walk.records ?? [];
  const bytes = [...image.source.read(header.sh_offset, header.sh_size, 'test')];
  return { bytes, address: header.sh_addr, flags: header.sh_flags, owners: records.map((r) => ownerOf(r.name)) };
}

const set: readonly Edit[] = [
  { kind: 'set', setting: parseSetting('GUEST_OS=a name that takes more room than the old') },
];
const add: readonly Edit[] = [{ kind: 'set', setting: parseSetting('LOADER=generic') }];
const stamp = { metadata: { name: 'x' }, members: {}, buildId: undefined, notes: [], remove: [], placement: {} };

describe.each(ENCODINGS)('a section of one other owner, ELF$bits $endian', (encoding) => {
  const both = () =>
    read(
      separate(encoding, [
        ['.note.Xen', XEN],
        ['.note.gnu.build-id', BUILD_ID],
      ]),
    );

  it.each([
    ['a longer note', set],
    ['a new note', add],
  ])('%s of Xen goes into .note.Xen, and .note.gnu.build-id gives what it gave', (_, edits) => {
    const before = both();
    const after = read(bytesOf(planPatch(before, edits)));
    const was = section(before, '.note.gnu.build-id');
    expect(section(after, '.note.gnu.build-id')).toMatchObject({ bytes: was?.bytes, address: was?.address, flags: 2n });
    const sections = noteAreas(after).filter(({ kind }) => kind === 'section');
    const holders = sections.filter(({ walk }) => walk.records.some((record) => ownerOf(record.name) === 'Xen'));
    expect(new Set(holders.map(({ name }) => name))).toEqual(new Set(['.note.Xen']));
  });

  it('takes the name that was asked for', () => {
    const after = read(bytesOf(planPatch(both(), add, { ...DEFAULT_PLACEMENT, section: '.note.mine' })));
    expect(section(after, '.note.mine')?.owners).toContain('Xen');
  });

  it('is not taken for package metadata, which go into .note.package', () => {
    const before = read(separate(encoding, [['.note.gnu.build-id', BUILD_ID]]));
    const after = read(bytesOf(planStamp(before, stamp)));
    expect(section(after, '.note.gnu.build-id')?.bytes).toEqual(section(before, '.note.gnu.build-id')?.bytes);
    expect(section(after, '.note.package')?.owners).toContain('FDO');
  });

  it('is not renamed or refilled where it stands outside memory and is all that the PT_NOTE shows', () => {
    const before = read(
      elf(encoding)
        .load(0x100000n, new Uint8Array(64).fill(0x90))
        .noteSegment([BUILD_ID], { section: '.note.gnu.build-id' })
        .with({ slack: 0x200 })
        .build(),
    );
    const after = read(bytesOf(planPatch(before, add)));
    expect(section(after, '.note.Xen')?.owners).toContain('Xen');
    expect(section(after, '.note.gnu.build-id')?.owners ?? []).not.toContain('Xen');
  });

  it('of mixed owners takes any note, as .notes of Linux does', () => {
    const notes = noteBytes([BUILD_ID, XEN], encoding);
    const load = new Uint8Array(0x400).fill(0x90, 0, 0x100);
    load.set(notes, 0x100);
    const image = elf(encoding)
      .load(0x100000n, load, { align: 0x1000n })
      .noteSegment(notes, { inside: { load: 0, at: 0x100 }, section: '.notes' })
      .section('.text', { inside: { load: 0, at: 0, size: 0x100 }, flags: 6n })
      .with({ slack: 0x200 });
    const plan = planPatch(read(image.build()), add);
    expect(plan.layout?.placement).toBe('grow');
    expect(section(read(bytesOf(plan)), '.notes')?.owners).toEqual(['GNU', 'Xen', 'Xen']);
  });
});

function bytesOf({ image, rendered }: ReturnType<typeof planPatch>): Uint8Array {
  const result = preview(image, rendered);
  return result.read(0n, result.size, 'test');
}
