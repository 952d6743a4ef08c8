/**
 * Package metadata stand in .note.package and Xen's notes do not, in whatever order they come and wherever they go: tools take a
 * section out by its name. One PT_NOTE shows both, Xen's first.
 */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../../src/base/bytes/source.js';
import { changes, expectationOf, type PatchPlan, planPatch } from '../../../../src/edit/elf/pipeline.js';
import { DEFAULT_PLACEMENT, type Edit, PLACEMENTS } from '../../../../src/edit/elf/plan/placement-options.js';
import { preview } from '../../../../src/edit/elf/render.js';
import { metadataNote } from '../../../../src/edit/stamp/package-metadata.js';
import { planStamp } from '../../../../src/edit/stamp/stamp.js';
import type { ElfImage } from '../../../../src/formats/elf/image.js';
import { readElf } from '../../../../src/formats/elf/read.js';
import { ENCODINGS, type Encoding } from '../../../../src/formats/elf/struct.js';
import { noteAreas } from '../../../../src/formats/note/areas.js';
import { FDO_PACKAGING_METADATA } from '../../../../src/formats/note/note-types.js';
import { ownerOf } from '../../../../src/formats/note/record.js';
import { parseSetting } from '../../../../src/formats/note/value.js';
import { verifyImage } from '../../../../src/verify/elf/verify.js';
import { concat, cstr, type ElfBuilder, elf, noteBytes, type TestNote } from '../../../support/elf-builder.js';

const read = (bytes: Uint8Array) => readElf(new BufferSource(bytes, 'image'));
const code = new Uint8Array(64).fill(0x90);
const xen: TestNote = { name: 'Xen', type: 6, desc: cstr('was') };
const buildId: TestNote = { name: 'GNU', type: 3, desc: new Uint8Array(20).fill(7) };
const packaged: TestNote = { name: 'FDO', type: FDO_PACKAGING_METADATA, desc: cstr('{"name":"old"}  ') };

const kernel = (encoding: Encoding) => elf(encoding).with({ slack: 1024 });
/** Where a kernel's notes stand before. The second PT_LOAD keeps the first from ending the kernel. */
const SHAPES: Readonly<Record<string, (encoding: Encoding) => ElfBuilder>> = {
  'no notes': (encoding) => kernel(encoding).load(0x100000n, code).section('.text'),
  'a build-id': (encoding) =>
    kernel(encoding).load(0x100000n, code).noteSegment([buildId], { section: '.note.gnu.build-id' }),
  'Xen notes outside memory': (encoding) =>
    kernel(encoding).load(0x100000n, code).noteSegment([xen], { section: '.note.Xen' }),
  'Xen notes in memory': (encoding) =>
    kernel(encoding)
      .load(0x100000n, concat([code, noteBytes([xen], encoding), new Uint8Array(16).fill(1)]), { align: 0x1000n })
      .noteSegment([xen], { inside: { load: 0, at: 64 }, section: '.note.Xen' }),
  'Xen notes that end a PT_LOAD': (encoding) =>
    kernel(encoding)
      .load(0x100000n, concat([code, noteBytes([xen], encoding)]), { align: 0x1000n })
      .load(0x200000n, code, { align: 0x1000n })
      .noteSegment([xen], { inside: { load: 0, at: 64 }, section: '.note.Xen' }),
  'Xen notes and a build-id in one section': (encoding) =>
    kernel(encoding).load(0x100000n, code).noteSegment([buildId, xen], { section: '.notes' }),
  'Xen notes with zeros behind them': (encoding) =>
    kernel(encoding)
      .load(0x100000n, concat([code, noteBytes([xen], encoding), new Uint8Array(512)]), { align: 0x1000n })
      .noteSegment([xen], { inside: { load: 0, at: 64 }, section: '.note.Xen' }),
  'a PT_NOTE without a section': (encoding) =>
    kernel(encoding).load(0x100000n, code).noteSegment([xen]).section('.text'),
};

const SET: Edit = { kind: 'set', setting: parseSetting('GUEST_VERSION=a longer one') };
const STAMP: Edit = { kind: 'put-note', note: metadataNote({ name: 'x' }) };
const ORDERS: Readonly<Record<string, readonly (readonly Edit[])[]>> = {
  'in one edit': [[SET, STAMP]],
  'Xen first': [[SET], [STAMP]],
  'package metadata first': [[STAMP], [SET]],
  'and both again, longer': [
    [STAMP],
    [SET],
    [{ kind: 'set', setting: parseSetting(`GUEST_VERSION=${'v'.repeat(40)}`) }],
    [{ kind: 'put-note', note: metadataNote({ name: 'y'.repeat(40) }) }],
  ],
};

function apply(plan: PatchPlan): ElfImage {
  const after = preview(plan.image, plan.rendered);
  const image = read(after.read(0n, after.size, 'test'));
  const findings = verifyImage({ image, baseline: plan.image, expectation: expectationOf(plan) });
  expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
  return image;
}

/** Owners by section, of sections with notes; and by PT_NOTE. */
function owners(image: ElfImage, kind: 'section' | 'segment') {
  return noteAreas(image)
    .filter((area) => area.kind === kind && area.walk.records.length > 0)
    .map(({ name, walk }) => {
      expect(walk.problem).toBeUndefined();
      return { name, owners: walk.records.map((r) => ownerOf(r.name)) };
    });
}

function expectApart(image: ElfImage): void {
  const sections = owners(image, 'section');
  const holders = sections.filter((area) => area.owners.includes('FDO'));
  expect(holders).toEqual([{ name: '.note.package', owners: ['FDO'] }]);
  expect(sections.filter(({ name }) => name === '.note.package')).toHaveLength(1);
  const [shown] = owners(image, 'segment').filter((area) => area.owners.includes('Xen'));
  expect(shown?.owners.at(-1)).toBe('FDO');
  expect(shown?.owners.filter((owner) => owner === 'FDO')).toHaveLength(1);
}

const cases = ENCODINGS.flatMap((encoding) =>
  Object.entries(SHAPES).map(([shape, build]) => ({ encoding, shape, build })),
);

describe.each(cases)('$shape, ELF$encoding.bits $encoding.endian', ({ encoding, build }) => {
  it.each(Object.entries(ORDERS))('%s', (_, steps) => {
    let image = read(build(encoding).build());
    for (const edits of steps) image = apply(planPatch(image, edits));
    expectApart(image);
    expect(changes(planPatch(image, steps.at(-1) ?? []))).toBe(false);
  });

  it('stays so by every placement that takes it', () => {
    const image = read(build(encoding).build());
    const taken = PLACEMENTS.filter((placement) => {
      try {
        expectApart(apply(planPatch(image, [SET, STAMP], { ...DEFAULT_PLACEMENT, placement })));
        return true;
      } catch (error) {
        if (error instanceof Error && /plan\.impossible/.test(error.message)) return false;
        throw error;
      }
    });
    expect(taken).toContain('append');
  });

  it('gives back headers and memory when the stamp goes, and what Xen reads stays', () => {
    const image = read(build(encoding).build());
    const patched = apply(planPatch(image, [SET]));
    const stamped = apply(planPatch(patched, [STAMP]));
    const gone = apply(planPatch(stamped, [{ kind: 'drop-note', owner: 'FDO', type: FDO_PACKAGING_METADATA }]));
    expect(owners(gone, 'section').some((area) => area.owners.includes('FDO'))).toBe(false);
    expect(owners(gone, 'segment')).toEqual(owners(patched, 'segment'));
    const loadsOf = ({ segments }: ElfImage) => segments.filter(({ p_type }) => p_type === 1);
    expect(loadsOf(gone)).toEqual(loadsOf(patched));
  });
});

describe.each(ENCODINGS)('package metadata, ELF$bits $endian', (encoding) => {
  it('share the section of the others where the names are in memory and cannot grow', () => {
    const names = concat([code, cstr('\0.note.Xen\0.names')]);
    const image = read(
      kernel(encoding)
        .load(0x100000n, names)
        .noteSegment([xen], { section: '.note.Xen' })
        .section('.names', { type: 3, inside: { load: 0, at: 0, size: names.length } })
        .with({ header: { e_shstrndx: 2 } })
        .build(),
    );
    const after = apply(planPatch(image, [STAMP]));
    expect(owners(after, 'segment').at(-1)?.owners).toEqual(['Xen', 'FDO']);
  });

  it('of a linker stay where they are: a longer note of Xen goes elsewhere with all', () => {
    const load = concat([code, noteBytes([xen, packaged], encoding), new Uint8Array(128)]);
    const size = noteBytes([xen], encoding).length;
    const image = read(
      kernel(encoding)
        .load(0x100000n, load, { align: 0x1000n })
        .noteSegment([xen, packaged], { inside: { load: 0, at: 64 } })
        .section('.note.Xen', { type: 7, flags: 2n, align: 4n, inside: { load: 0, at: 64, size } })
        .section('.note.package', {
          type: 7,
          flags: 2n,
          align: 4n,
          inside: { load: 0, at: 64 + size, size: noteBytes([packaged], encoding).length },
        })
        .build(),
    );
    const plan = planPatch(image, [SET]);
    expect(plan.refused[0]).toEqual({
      placement: 'in-place',
      reason: '.note.package, which no edit added, would move',
    });
    expectApart(apply(plan));
  });

  it('that are all there is are in .note.package, and in the section that was asked for', () => {
    const image = read(kernel(encoding).load(0x100000n, code).section('.text').build());
    const wish = { metadata: { name: 'x' }, members: {}, buildId: undefined, notes: [], remove: [] };
    const sections = (section?: string) =>
      owners(apply(planStamp(image, { ...wish, placement: section === undefined ? {} : { section } })), 'section');
    expect(sections()).toEqual([{ name: '.note.package', owners: ['FDO'] }]);
    expect(sections('.note.mine')).toEqual([{ name: '.note.mine', owners: ['FDO'] }]);
  });
});
