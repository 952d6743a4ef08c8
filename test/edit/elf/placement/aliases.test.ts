/** Several headers over the same bytes, empty ones, several notes of one kind, and bytes that are somebody else's. */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../../src/base/bytes/source.js';
import { planPatch } from '../../../../src/edit/elf/pipeline.js';
import { DEFAULT_PLACEMENT, type Edit, PLACEMENTS } from '../../../../src/edit/elf/plan/placement-options.js';
import { planStamp } from '../../../../src/edit/stamp/stamp.js';
import { deadRanges } from '../../../../src/formats/elf/dead-tables.js';
import type { ElfImage } from '../../../../src/formats/elf/image.js';
import { readElf } from '../../../../src/formats/elf/read.js';
import { ENCODINGS, type Encoding } from '../../../../src/formats/elf/struct.js';
import { noteAreas } from '../../../../src/formats/note/areas.js';
import { nameOf, ownerOf } from '../../../../src/formats/note/record.js';
import { parseSetting } from '../../../../src/formats/note/value.js';
import { verifyImage } from '../../../../src/verify/elf/verify.js';
import {
  concat,
  cstr,
  type ElfBuilder,
  elf,
  latin1,
  noteBytes,
  num,
  type TestNote,
} from '../../../support/elf-builder.js';
import { proved } from '../../../support/proved.js';

const PT_NULL = 0;
const PT_NOTE = 4;
const PT_PHDR = 6;
const BUILD_ID: TestNote = { name: 'GNU', type: 3, desc: Uint8Array.from({ length: 20 }, (_, i) => i + 1) };
const FDO = 0xcafe1a7e;
const stamp = { metadata: undefined, members: {}, buildId: undefined, notes: [], remove: [], placement: {} };
const entry = (value: string): Edit => ({ kind: 'set', setting: parseSetting(`PHYS32_ENTRY=${value}`) });

const read = (bytes: Uint8Array) => readElf(new BufferSource(bytes, 'image'));

/** Every record that segments show, each PT_NOTE by itself: `owner type`. */
function shown(image: ElfImage): string[] {
  const segments = noteAreas(image).filter(({ kind }) => kind === 'segment');
  return segments.flatMap(({ walk }) => walk.records.map(({ name, type }) => `${ownerOf(name)} ${type}`));
}

/** Code, then these notes, in one PT_LOAD; `parts` are PT_NOTEs over [from, to) of the records. */
function aliased(
  encoding: Encoding,
  notes: readonly TestNote[],
  parts: readonly (readonly [number, number])[],
): ElfBuilder {
  const ends = notes.map((_, i) => noteBytes(notes.slice(0, i + 1), encoding).length);
  const at = (i: number) => 0x100 + (i === 0 ? 0 : (ends[i - 1] ?? 0));
  const load = new Uint8Array(0x300).fill(0x90, 0, 0x100);
  load.set(noteBytes(notes, encoding), 0x100);
  const image = elf(encoding).load(0x100000n, load, { align: 0x1000n });
  for (const [from, to] of parts)
    image.noteSegment(load.slice(at(from), at(to)), { inside: { load: 0, at: at(from) } });
  return image.section('.text', { inside: { load: 0, at: 0, size: 0x100 }, flags: 6n }).with({ slack: 0x200 });
}

describe.each(ENCODINGS)('PT_NOTEs over shared bytes, ELF$bits $endian', (encoding) => {
  const phys: TestNote = { name: 'Xen', type: 18, desc: num(0x100000n, 4, encoding) };
  const linux: TestNote = { name: 'Linux', type: 257, desc: Uint8Array.of(1, 0, 0, 0) };

  it.each<[what: string, notes: readonly TestNote[], parts: readonly (readonly [number, number])[], after: string[]]>([
    [
      'the same',
      [phys],
      [
        [0, 1],
        [0, 1],
      ],
      ['Xen 18'],
    ],
    [
      'one inside the other',
      [BUILD_ID, phys, linux],
      [
        [0, 3],
        [1, 2],
      ],
      ['GNU 3', 'Xen 18', 'Linux 257'],
    ],
    [
      'overlapping',
      [BUILD_ID, phys, linux],
      [
        [0, 2],
        [1, 3],
      ],
      ['GNU 3', 'Xen 18', 'Linux 257'],
    ],
  ])('%s: every record once, the same edit changes nothing, and --clear takes Xen’s', (_, notes, parts, after) => {
    const image = read(aliased(encoding, notes, parts).build());
    const once = proved(planPatch(image, [entry('0x100001')]));
    expect(shown(once).sort()).toEqual([...after].sort());
    expect(planPatch(once, [entry('0x100001')]).layout).toBeUndefined();
    for (const from of [image, once]) {
      const cleared = proved(planPatch(from, [{ kind: 'clear' }]));
      expect(shown(cleared)).toEqual(expect.not.arrayContaining(['Xen 18']));
    }
  });
});

describe('several empty PT_NULLs', () => {
  it.each([1, 2, 3])('%s: the last becomes the PT_NOTE, and the others stay', (count) => {
    const image = elf().load(0x100000n, new Uint8Array(64).fill(0x90));
    for (let i = 0; i < count; i++) image.segment(PT_NULL);
    const after = proved(planPatch(read(image.with({ slack: 4 }).build()), [entry('0x100000')]));
    expect(after.segments.slice(1).map(({ p_type }) => p_type)).toEqual([...Array(count - 1).fill(PT_NULL), PT_NOTE]);
  });
});

describe('a build-id that only a section shows', () => {
  it('is overwritten by one of the same length, and no header changes', () => {
    const load = new Uint8Array(0x200).fill(0x90, 0, 0x100);
    load.set(noteBytes([BUILD_ID], { bits: 64, endian: 'little' }), 0x100);
    const image = read(
      elf()
        .load(0x100000n, load, { align: 0x1000n })
        .section('.text', { inside: { load: 0, at: 0, size: 0x100 }, flags: 6n })
        .section('.note.gnu.build-id', { type: 7, flags: 2n, align: 4n, inside: { load: 0, at: 0x100, size: 36 } })
        .build(),
    );
    const after = proved(planStamp(image, { ...stamp, buildId: { kind: 'compute', algorithm: 'sha1' } }));
    expect(after.segments).toEqual(image.segments);
    const [area] = noteAreas(after);
    expect(area?.walk.records[0]?.desc).toHaveLength(20);
    expect(area?.walk.records[0]?.desc).not.toEqual(BUILD_ID.desc);
  });
});

describe('two notes of one owner and type', () => {
  const note = (text: string): TestNote => ({ name: 'FDO', type: FDO, desc: cstr(text) });
  const image = (...texts: string[]) =>
    read(elf().load(0x100000n, new Uint8Array(64)).noteSegment(texts.map(note)).with({ slack: 0x200 }).build());
  const found = (after: ElfImage) =>
    noteAreas(after)
      .filter(({ kind }) => kind === 'segment')
      .flatMap(({ walk }) => walk.records.map(({ desc }) => Buffer.from(desc).toString('latin1').replace(/\0+$/, '')));
  const wanted = { ...stamp, metadata: { name: 'new' } };

  it('that differ are not replaced by one: it asks which', () => {
    expect(() => planStamp(image('{"name":"a"}', '{"name":"b"}'), wanted)).toThrow(
      /found 2 notes FDO:0xcafe1a7e that say different things/,
    );
  });

  it('are both replaced where they are removed in the same run', () => {
    const remove = [{ owner: 'FDO', type: FDO }];
    expect(found(proved(planStamp(image('{"name":"a"}', '{"name":"b"}'), { ...wanted, remove })))).toEqual([
      '{"name":"new"}',
    ]);
  });

  it('that say the same are one note', () => {
    expect(found(proved(planStamp(image('{"name":"a"}', '{"name":"a"}'), wanted)))).toEqual(['{"name":"new"}']);
  });

  it('get a third beside them by --add-note, once', () => {
    const add = [{ name: nameOf('FDO'), type: FDO, desc: cstr('c') }];
    const after = proved(planStamp(image('a', 'b'), { ...stamp, add }));
    expect(found(after)).toEqual(['a', 'b', 'c']);
    expect(planStamp(after, { ...stamp, add }).layout).toBeUndefined();
  });
});

describe('a PT_PHDR that is longer than the table, as lld leaves it', () => {
  const long = (size: bigint) =>
    read(
      elf()
        .load(0x200000n, new Uint8Array(0x200).fill(0x90), {
          offset: 0n,
          filesz: 0x200n,
          memsz: 0x200n,
          align: 0x1000n,
        })
        .segment(PT_PHDR, undefined, {
          flags: 4,
          offset: 64n,
          vaddr: 0x200040n,
          paddr: 0x200040n,
          filesz: size,
          memsz: size,
        })
        .with({ order: [1, 0], slack: 0x100 })
        .section('.text', { offset: 0x1c0n, size: 0x40n, addr: 0x2001c0n, flags: 6n })
        .build(),
    );

  it('is a warning', () => {
    expect(verifyImage({ image: long(168n) }).map(({ check, level }) => `${check} ${level}`)).toEqual([
      'phdr-segment warning',
    ]);
    expect(verifyImage({ image: long(100n) })[0]).toMatchObject({ check: 'phdr-segment', level: 'error' });
  });

  it.each([168n, 280n])(
    'is patched, %s bytes of it, stays longer by as much, and an undo gives back what it was',
    (size) => {
      const phdrOf = ({ segments }: ElfImage) => segments.find(({ p_type }) => p_type === PT_PHDR)?.p_filesz;
      const after = proved(planPatch(long(size), [entry('0x2001c0')]));
      expect(phdrOf(after)).toBe(size + 56n);
      expect(phdrOf(proved(planPatch(after, [{ kind: 'clear' }])))).toBe(size);
    },
  );
});

describe('bytes behind an image', () => {
  it('are not remains of its own edits where another image stands there', () => {
    const kernel = proved(
      planPatch(
        read(elf().load(0x100000n, new Uint8Array(64).fill(0x90)).symbol('a', 1n).with({ slack: 0x100 }).build()),
        [entry('0x100000')],
      ),
    );
    const bytes = kernel.source.read(0n, kernel.source.size, 'test');
    const twice = read(concat([bytes, latin1('padding.'), bytes]));
    expect(deadRanges(twice).filter(({ end }) => end > BigInt(bytes.length))).toEqual([]);
    const plan = planPatch(twice, [{ kind: 'set', setting: parseSetting('GUEST_OS=os') }]);
    const after = proved(plan);
    expect(after.source.read(BigInt(bytes.length), BigInt(bytes.length + 8), 'test')).toEqual(
      concat([latin1('padding.'), bytes]),
    );
  });
});

describe('an alignment that no file needs', () => {
  const HUGE = 1n << 34n;

  it.each(PLACEMENTS)('%s does not make the file larger by it', (placement) => {
    const shapes = [
      elf()
        .section('.strange', { bytes: new Uint8Array(8), align: 1n })
        .with({ fileAlign: 1 }),
      elf().load(0x100000n, new Uint8Array(64).fill(0x90)).with({ slack: 0 }),
    ].map((builder) => builder.build());
    const images = shapes.map((bytes) => {
      const image = read(bytes);
      const sections = image.sections.map((s, i) => (i === 0 ? s : { ...s, sh_addralign: HUGE }));
      const segments = image.segments.map((s) => ({ ...s, p_align: HUGE, p_vaddr: s.p_offset, p_paddr: s.p_offset }));
      return { ...image, sections, segments };
    });
    for (const image of images) {
      try {
        const plan = planPatch(image, [entry('0x100000')], { ...DEFAULT_PLACEMENT, placement });
        expect(plan.rendered.fileSize).toBeLessThan(0x100000n);
      } catch (error) {
        expect(error).toMatchObject({ exit: 2 });
      }
    }
  });
});
