/** Core files hold the first page of a program: its build-id stays there if the PT_NOTE of GNU's properties can be pointed elsewhere. */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../../src/base/bytes/source.js';
import { planStamp, type StampWish } from '../../../../src/edit/stamp/stamp.js';
import type { ElfImage } from '../../../../src/formats/elf/image.js';
import { readElf } from '../../../../src/formats/elf/read.js';
import { ENCODINGS, type Encoding } from '../../../../src/formats/elf/struct.js';
import { noteAreas } from '../../../../src/formats/note/areas.js';
import { elf, noteBytes, type TestNote } from '../../../support/elf-builder.js';
import { proved } from '../../../support/proved.js';

const PT_GNU_PROPERTY = 0x6474e553;
const BASE = 0x400000n;
const PROPERTY: TestNote = { name: 'GNU', type: 5, desc: new Uint8Array(16).fill(2) };
const BUILD_ID: TestNote = { name: 'GNU', type: 3, desc: Uint8Array.from({ length: 20 }, (_, i) => i + 1) };
const ABI_TAG: TestNote = { name: 'GNU', type: 1, desc: new Uint8Array(16) };
const FDO = 0xcafe1a7e;

interface Shape {
  /** Records of the first PT_NOTE, in which the property comes first. */
  readonly first?: readonly TestNote[];
  /** What PT_GNU_PROPERTY says of where it is, from the start of the notes on; undefined: there is none. */
  readonly property?: { readonly at: bigint; readonly size: bigint } | undefined;
}

/** Headers and notes in a PT_LOAD of more than a page with a hole behind it, code in another; no room for a program header. */
function program(encoding: Encoding, shape: Shape): ElfImage {
  const { first = [PROPERTY], property } = { property: { at: 0n, size: 32n }, ...shape };
  const entries = property === undefined ? 6 : 7;
  const end = encoding.bits === 64 ? 64 + entries * 56 : 52 + entries * 32;
  const start = (end + 15) & ~15;
  const bytes = new Uint8Array(0x1100).fill(0x90, 0x100);
  bytes.set(noteBytes(first, encoding));
  bytes.set(noteBytes([BUILD_ID, ABI_TAG], encoding), 0x60);
  const size = BigInt(start + bytes.length);
  const at = (offset: bigint) => ({ vaddr: BASE + BigInt(start) + offset, paddr: BASE + BigInt(start) + offset });
  const image = elf(encoding)
    .load(BASE, bytes, { offset: 0n, filesz: size, memsz: size, flags: 4, align: 1n })
    .load(BASE + 0x2000n, new Uint8Array(64).fill(0x91), { flags: 5, align: 0x1000n })
    .noteSegment(noteBytes(first, encoding), { inside: { load: 0, at: 0 }, align: 8n, ...at(0n) })
    .noteSegment([BUILD_ID, ABI_TAG], { inside: { load: 0, at: 0x60 }, ...at(0x60n) })
    .segment(7, undefined, { flags: 4, align: 8n })
    .segment(0x6474e551, undefined, { flags: 6, align: 16n });
  if (property !== undefined) {
    const offset = BigInt(start) + property.at;
    const { size: filesz } = property;
    image.segment(PT_GNU_PROPERTY, undefined, { offset, filesz, memsz: filesz, align: 8n, ...at(property.at) });
  }
  const inside = { load: 0, at: 0, size: 0x1100 };
  return read(
    image
      .section('.text', { inside, flags: 2n, addr: BASE + BigInt(start) })
      .with({ slack: start - end })
      .build(),
  );
}

const read = (bytes: Uint8Array) => readElf(new BufferSource(bytes, 'program'));
const STAMP: StampWish = {
  metadata: { name: 'x' },
  members: {},
  buildId: undefined,
  notes: [],
  remove: [],
  placement: {},
};

/** Types of the notes of each PT_NOTE, and whether it is in the first page of the file. */
function shown(image: ElfImage) {
  return noteAreas(image)
    .filter(({ kind }) => kind === 'segment')
    .map(({ walk }) => walk.records.map(({ type }) => type));
}

describe.each(ENCODINGS)('a stamp of a program, ELF$bits $endian', (encoding) => {
  it('points the PT_NOTE of the properties at a copy, and leaves the one of the build-id', () => {
    const image = program(encoding, {});
    expect(shown(image)).toEqual([[5], [3, 1]]);
    const plan = planStamp(image, { ...STAMP, placement: { placement: 'extend' } });
    const made = proved(plan);
    expect(shown(made)).toEqual([
      [5, FDO],
      [3, 1],
    ]);
    for (const kept of [image.segments[3], image.segments.find(({ p_type }) => p_type === PT_GNU_PROPERTY)]) {
      expect(made.segments).toContainEqual(kept);
    }
    expect(plan.layout?.warnings.join()).not.toContain('core files');

    const longer = proved(planStamp(made, { ...STAMP, metadata: { name: 'a longer name' } }));
    expect(shown(longer)).toEqual(shown(made));
    const undone = proved(planStamp(longer, { ...STAMP, metadata: undefined, remove: [{ owner: 'FDO', type: FDO }] }));
    expect(shown(undone)).toEqual(shown(image));
  });

  it('is made where patchelf left the PT_GNU_PROPERTY under the program headers, and that entry stays', () => {
    const image = program(encoding, { property: { at: -40n, size: 32n } });
    const stale = image.segments.find(({ p_type }) => p_type === PT_GNU_PROPERTY);
    const made = proved(planStamp(image, STAMP));
    expect(shown(made).flat()).toContain(FDO);
    expect(made.segments).toContainEqual(stale);
  });

  it.each<[why: string, shape: Shape]>([
    ['there is no PT_GNU_PROPERTY', { property: undefined }],
    ['PT_GNU_PROPERTY shows other bytes', { property: { at: 32n, size: 32n } }],
    ['PT_GNU_PROPERTY shows less', { property: { at: 0n, size: 28n } }],
    ['it has a build-id as well', { first: [PROPERTY, BUILD_ID] }],
  ])('takes the one of the build-id and says what is lost where %s', (_, shape) => {
    const plan = planStamp(program(encoding, shape), { ...STAMP, placement: { placement: 'extend' } });
    expect(shown(proved(plan)).at(-1)).toEqual([3, 1, FDO]);
    expect(plan.layout?.warnings.join()).toContain('out of the first page, which core files hold');
  });
});
