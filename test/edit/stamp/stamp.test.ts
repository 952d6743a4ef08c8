import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { PatchError } from '../../../src/base/errors/patch-error.js';
import { changes, expectationOf, type PatchPlan } from '../../../src/edit/elf/pipeline.js';
import { PLACEMENTS } from '../../../src/edit/elf/plan/placement-options.js';
import { preview } from '../../../src/edit/elf/render.js';
import { computeBuildId } from '../../../src/edit/stamp/build-id.js';
import { planStamp, type StampWish, stampsOf } from '../../../src/edit/stamp/stamp.js';
import { type ElfImage, loads } from '../../../src/formats/elf/image.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { sectionName } from '../../../src/formats/elf/section-names.js';
import { ENCODINGS, type Encoding } from '../../../src/formats/elf/struct.js';
import { noteAreas } from '../../../src/formats/note/areas.js';
import { nameOf, ownerOf } from '../../../src/formats/note/record.js';
import { judgeLoaders } from '../../../src/loaders/loaders.js';
import { walkAsXen } from '../../../src/loaders/read/loader-walks.js';
import { verifyImage } from '../../../src/verify/elf/verify.js';
import { concat, cstr, elf, noteBytes, num } from '../../support/elf-builder.js';

const NOTHING: StampWish = {
  metadata: undefined,
  members: {},
  buildId: undefined,
  notes: [],
  remove: [],
  placement: {},
};
const le = { bits: 64, endian: 'little' } as const;
const buildId = { name: 'GNU', type: 3, desc: Uint8Array.from({ length: 20 }, (_, i) => i + 1) };
const entry = (encoding: Encoding) => ({ type: 18, desc: num(0x100000n, 4, encoding) });
const code = Uint8Array.from({ length: 256 }, (_, i) => (i * 7 + 1) % 256);

function read(bytes: Uint8Array): ElfImage {
  return readElf(new BufferSource(bytes, 'kernel'));
}

/** The result of a plan, judged by every law on the way. */
function result(plan: PatchPlan): ElfImage {
  const image = readElf(preview(plan.image, plan.rendered));
  const findings = verifyImage({ image, baseline: plan.image, expectation: expectationOf(plan) });
  expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
  return image;
}

function owners(image: ElfImage): string[] {
  const segments = noteAreas(image).filter(({ kind }) => kind === 'segment');
  return segments.flatMap(({ walk }) => walk.records.map(({ name, type }) => `${ownerOf(name)} ${type}`));
}

describe.each(ENCODINGS)('planStamp(), ELF$bits $endian', (encoding) => {
  const image = read(
    elf(encoding)
      .load(0x100000n, code)
      .noteSegment([buildId, entry(encoding)], { section: '.notes' })
      .with({ slack: 512 })
      .build(),
  );

  it('puts new notes behind those that are there, in the same PT_NOTE', () => {
    const plan = planStamp(image, { ...NOTHING, members: { name: 'k', version: '1' } });
    const stamped = result(plan);
    expect(owners(stamped)).toEqual(['GNU 3', 'Xen 18', `FDO ${0xcafe1a7e}`]);
    expect(stamped.segments.filter(({ p_type }) => p_type === 4)).toHaveLength(1);
    expect(walkAsXen(stamped).notes.map(({ record }) => record.type)).toEqual([18]);
    expect(stampsOf(stamped).map(({ text }) => text)).toEqual(['{"name":"k","version":"1"}', undefined]);
  });

  it('the same stamps again change no byte; a member changed changes only itself', () => {
    const once = result(planStamp(image, { ...NOTHING, members: { name: 'k', version: '1' } }));
    expect(changes(planStamp(once, { ...NOTHING, members: { name: 'k' } }))).toBe(false);
    const twice = result(planStamp(once, { ...NOTHING, members: { version: '2' } }));
    expect(stampsOf(twice)[0]?.text).toBe('{"name":"k","version":"2"}');
  });

  it('overwrites a build-id of the same length where it stands, and nothing else', () => {
    const id = Uint8Array.from({ length: 20 }, () => 0xab);
    const plan = planStamp(image, { ...NOTHING, buildId: { kind: 'set', id } });
    expect(plan.rendered.writes.map(({ bytes }) => bytes)).toEqual([id]);
    expect(plan.rendered.fileSize).toBe(image.source.size);
    expect(stampsOf(result(plan)).map(({ desc }) => desc)).toEqual([id]);
  });

  it('removes what it is told to', () => {
    const plan = planStamp(image, { ...NOTHING, remove: [{ owner: 'GNU', type: 3 }] });
    expect(owners(result(plan))).toEqual(['Xen 18']);
  });
});

describe('planStamp() and other PT_NOTEs', () => {
  it('leaves Xen’s PT_NOTE the last one', () => {
    const image = read(
      elf(le)
        .load(0x100000n, code)
        .noteSegment([buildId])
        .noteSegment([entry(le)])
        .with({ slack: 512 })
        .build(),
    );
    const stamped = result(planStamp(image, { ...NOTHING, buildId: { kind: 'set', id: new Uint8Array(32).fill(1) } }));
    expect(owners(stamped)).toEqual(['GNU 3', 'Xen 18']);
    const accepted = judgeLoaders(stamped.source, { names: ['linux-loader', 'qemu-pvh', 'xen-pvh'] });
    expect(accepted.map(({ loader, outcome }) => `${loader} ${outcome}`)).toEqual([
      'xen-pvh accepted',
      'qemu-pvh accepted',
      'firecracker accepted',
      'cloud-hypervisor accepted',
      'libkrun accepted',
    ]);
  });

  it('gives an image without notes a PT_NOTE of its own', () => {
    const image = read(
      elf(le)
        .load(0x100000n, code)
        .section('.text', { inside: { load: 0, at: 0, size: 16 } })
        .with({ slack: 512 })
        .build(),
    );
    const stamped = result(planStamp(image, { ...NOTHING, members: { name: 'k' } }));
    expect(owners(stamped)).toEqual([`FDO ${0xcafe1a7e}`]);
  });

  it('keeps notes of other owners that a promoted section shows', () => {
    const image = read(
      elf(le)
        .load(0x100000n, code)
        .noteSection('.notes', [buildId, entry(le)])
        .with({ slack: 512 })
        .build(),
    );
    const stamped = result(planStamp(image, { ...NOTHING, members: { name: 'k' } }));
    expect(owners(stamped)).toEqual(['GNU 3', 'Xen 18', `FDO ${0xcafe1a7e}`]);
  });

  it('refuses notes that would change their size in two places at once', () => {
    const other = { name: 'V', type: 1, desc: cstr('x') };
    const image = read(
      elf(le)
        .load(0x100000n, code)
        .noteSegment([buildId])
        .noteSegment([other])
        .noteSegment([entry(le)])
        .with({ slack: 512 })
        .build(),
    );
    const remove = [
      { owner: 'GNU', type: 3 },
      { owner: 'V', type: 1 },
    ];
    expect(() => planStamp(image, { ...NOTHING, remove })).toThrow(/plan.notes-apart/);
  });

  it('--build-id keep demands that there is one', () => {
    const image = read(elf(le).load(0x100000n, code).build());
    expect(() => planStamp(image, { ...NOTHING, buildId: { kind: 'keep' } })).toThrow(/stamp.no-build-id/);
  });
});

describe.each(ENCODINGS)('planStamp() and notes at the end of a PT_LOAD, ELF$bits $endian', (encoding) => {
  const notes = noteBytes([entry(encoding)], encoding);
  const build = (behind: Uint8Array) =>
    read(
      elf(encoding)
        .load(0x100000n, concat([code, notes, behind]), { align: 0x1000n, filesz: BigInt(code.length + notes.length) })
        .load(0x200000n, code, { align: 0x1000n })
        .noteSegment([entry(encoding)], { inside: { load: 0, at: code.length }, section: '.note.Xen' })
        .with({ slack: 2048 })
        .build(),
    );

  it('makes it grow over the hole, and they stay where they are', () => {
    const image = build(new Uint8Array(0));
    const stamped = result(planStamp(image, { ...NOTHING, members: { name: 'k' } }));
    expect(owners(stamped)).toEqual(['Xen 18', `FDO ${0xcafe1a7e}`]);
    const note = (of: ElfImage) => of.segments.find(({ p_type }) => p_type === 4);
    expect(note(stamped)).toMatchObject({ p_offset: note(image)?.p_offset, p_vaddr: note(image)?.p_vaddr });
    // A header of 12, FDO and its NUL, {"name":"k"} and its NUL filled up to 16.
    expect(stamped.segments[0]?.p_filesz).toBe((image.segments[0]?.p_filesz ?? 0n) + 32n);
    // .note.Xen is what it was, and .note.package has come.
    expect(stamped.sections).toHaveLength(image.sections.length + 1);
    const xens = image.sections.findIndex((_, i) => i > 0 && sectionName(image, i) === '.note.Xen');
    expect(stamped.sections[xens]).toEqual(image.sections[xens]);
    expect(sectionName(stamped, image.sections.length)).toBe('.note.package');
  });

  it('does not, where bytes stand behind them', () => {
    const image = build(Uint8Array.of(1));
    const stamped = result(planStamp(image, { ...NOTHING, members: { name: 'k' } }));
    expect(stamped.segments[0]?.p_filesz).toBe(image.segments[0]?.p_filesz);
    expect(owners(stamped)).toEqual(['Xen 18', `FDO ${0xcafe1a7e}`]);
  });
});

describe('computeBuildId()', () => {
  const build = (bytes: Uint8Array, desc = new Uint8Array(20)) =>
    elf(le)
      .load(0x100000n, bytes)
      .noteSegment([{ ...buildId, desc }, entry(le)])
      .with({ slack: 512 })
      .build();

  it('is the hash of what the comment says, worked out by hand', () => {
    const image = read(
      elf(le)
        .load(0x100000n, Uint8Array.of(1, 2, 0, 0))
        .build(),
    );
    const words = (...values: bigint[]) => Buffer.concat(values.map((value) => num(value, 8, le)));
    const hash = createHash('sha1')
      .update(words(64n, 62n, 0x100000n))
      .update(words(0x100000n, 0x100000n, 5n, 0n))
      .update(Uint8Array.of(1, 2))
      .update(words(2n));
    expect(computeBuildId(image, 'sha1')).toEqual(Uint8Array.from(hash.digest()));
  });

  it('does not depend on notes, and does on every loaded byte', () => {
    const id = computeBuildId(read(build(code)), 'sha256');
    expect(id).toHaveLength(32);
    expect(computeBuildId(read(build(code, new Uint8Array(20).fill(9))), 'sha256')).toEqual(id);
    for (const at of [0, 100, 255]) {
      const other = Uint8Array.from(code, (byte, i) => (i === at ? byte ^ 1 : byte));
      expect(computeBuildId(read(build(other)), 'sha256')).not.toEqual(id);
    }
  });

  it('stays the same however often the image is stamped', () => {
    const compute: StampWish = { ...NOTHING, buildId: { kind: 'compute', algorithm: 'sha256' } };
    const bare = read(
      elf(le)
        .load(0x100000n, code)
        .noteSegment([entry(le)], { inside: { load: 0, at: 64 }, section: '.notes' })
        .with({ slack: 512 })
        .build(),
    );
    const once = result(planStamp(bare, compute));
    const more = result(planStamp(once, { ...NOTHING, members: { name: 'a longer name' } }));
    const again = planStamp(more, compute);
    expect(changes(again)).toBe(false);
    expect(stampsOf(more).find(({ owner }) => owner === 'GNU')?.desc).toEqual(computeBuildId(more, 'sha256'));
  });
});

/** Notes in the middle of a PT_LOAD, as in vmlinux, with zeros and then code behind them. */
function inTheMiddle(encoding: Encoding, stripped: boolean): Uint8Array {
  const builder = elf(encoding)
    .load(0x100000n, code)
    .load(0x200000n, code)
    .noteSegment([entry(encoding), buildId, { name: 'Linux', type: 0x101, desc: num(0, 4, encoding) }], {
      inside: { load: 0, at: 64 },
      ...(stripped ? {} : { section: '.notes' }),
    })
    .with({ slack: 2048, trailing: new Uint8Array(16) });
  return builder.build();
}

describe.each(ENCODINGS)('stamping again and again, ELF$bits $endian', (encoding) => {
  const compute: StampWish = { ...NOTHING, buildId: { kind: 'compute', algorithm: 'sha256' } };
  const longer = (n: number): StampWish => ({ ...NOTHING, members: { name: 'k', version: '1'.repeat(n) } });
  /** Owner and type of every note that readers of segments, and readers of sections, come upon. */
  const shown = (image: ElfImage, kind: 'segment' | 'section') =>
    noteAreas(image)
      .filter((area) => area.kind === kind)
      .flatMap(({ walk }) => walk.records.map(({ name, type }) => `${ownerOf(name)} ${type}`));

  it.each([false, true])('no reader sees a second copy; stripped: %s', (stripped) => {
    const wanted = ['Xen 18', 'GNU 3', 'Linux 257', `FDO ${0xcafe1a7e}`];
    let image = read(inTheMiddle(encoding, stripped));
    const first = image;
    for (const options of [longer(20), longer(200), compute, longer(300), longer(3)]) {
      image = result(planStamp(image, options));
      expect(shown(image, 'segment')).toEqual(options === compute ? shown(image, 'segment') : wanted);
      expect(shown(image, 'section')).toEqual(stripped ? [] : wanted);
      expect(stampsOf(image).filter(({ type }) => type === 3)).toHaveLength(1);
    }
    // One move out of the middle at most: the copies do not pile up in memory.
    const loaded = loads(image).map(({ segment: s }) => Buffer.from(image.source.read(s.p_offset, s.p_filesz, 'load')));
    expect(Buffer.concat(loaded).toString('latin1').split('"version"').length - 1).toBeLessThanOrEqual(1);
    expect(computeBuildId(image, 'sha256')).toEqual(computeBuildId(first, 'sha256'));
  });

  it('a computed id is that of the program: nothing that is stamped changes it, nor how', () => {
    for (const stripped of [false, true]) {
      const image = read(inTheMiddle(encoding, stripped));
      const id = computeBuildId(image, 'sha1');
      for (const placement of PLACEMENTS) {
        let stamped: ElfImage;
        try {
          stamped = result(planStamp(image, { ...longer(100), placement: { placement } }));
        } catch (error) {
          if (error instanceof PatchError && error.id === 'plan.impossible') continue;
          throw error;
        }
        expect({ placement, id: computeBuildId(stamped, 'sha1') }).toEqual({ placement, id });
      }
    }
  });

  it('--baseline tells a stamp as news, and a note that is gone as an error', () => {
    const image = read(inTheMiddle(encoding, false));
    const levels = (after: ElfImage) =>
      new Set(verifyImage({ image: after, baseline: image }).map(({ level }) => level));
    expect(levels(result(planStamp(image, longer(30))))).toEqual(new Set(['warning']));
    expect(levels(result(planStamp(image, compute)))).toEqual(new Set(['warning']));
    expect(levels(result(planStamp(image, { ...NOTHING, remove: [{ owner: 'GNU', type: 3 }] })))).toContain('error');
  });
});

describe('a note that gets another value of the same length', () => {
  const image = elf()
    .load(0x100000n, new Uint8Array(256))
    .noteSegment([{ name: 'V', type: 1, desc: cstr('old') }], { inside: { load: 0, at: 64 } })
    .with({ slack: 512 })
    .build();

  it.each([
    [{}, 'in-place'],
    [{ loaded: true }, 'in-place'],
    [{ placement: 'in-place', loaded: true }, 'in-place'],
    [{ loaded: false }, 'append'],
    [{ mustSurvive: ['llvm-strip'] }, 'in-place'],
  ] as const)('is written once, with %j by %s', (placement, wanted) => {
    const note = { name: nameOf('V'), type: 1, desc: cstr('new') };
    const options = { metadata: undefined, members: {}, buildId: undefined, remove: [], notes: [note], placement };
    const plan = planStamp(readElf(new BufferSource(image)), options);
    expect(plan.layout?.placement).toBe(wanted);
    const result = readElf(preview(plan.image, plan.rendered));
    expect(noteAreas(result).flatMap(({ walk }) => walk.records.map(({ desc }) => desc))).toEqual([cstr('new')]);
  });
});
