import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { normalize, subtract } from '../../../src/base/bytes/range.js';
import { BufferSource, OverlaySource } from '../../../src/base/bytes/source.js';
import { Phdr } from '../../../src/formats/elf/headers.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { ENCODINGS, type Encoding } from '../../../src/formats/elf/struct.js';
import type { Finding } from '../../../src/verify/check.js';
import { verifyImage } from '../../../src/verify/elf/verify.js';
import type { Expectation } from '../../../src/verify/finding.js';
import { concat, elf, noteBytes, num, type TestNote } from '../../support/elf-builder.js';
import {
  DATA,
  flip,
  goodEdit,
  goodImage,
  imageOf,
  NOTE,
  STACK,
  sectionOf,
  setHeader,
  setSection,
  setSegment,
  TEXT,
} from '../../support/good-edit.js';

function checks(findings: readonly Finding[], level?: Finding['level']): string[] {
  return [...new Set(findings.filter((f) => level === undefined || f.level === level).map((f) => f.check))].sort();
}

/** Images of many shapes: LOADs in any number and order, notes here and there, sections or none. */
const shape = fc.record({
  encoding: fc.constantFrom(...ENCODINGS),
  loads: fc.array(fc.record({ size: fc.nat(300), more: fc.constantFrom(0, 1, 500) }), { maxLength: 5 }),
  notes: fc.array(fc.nat(20), { maxLength: 4 }),
  stripped: fc.boolean(),
  slack: fc.nat(100),
  trailing: fc.nat(40),
  seed: fc.nat(1000),
});

function shaped({
  encoding,
  loads,
  notes,
  stripped,
  slack,
  trailing,
  seed,
}: typeof shape extends fc.Arbitrary<infer T> ? T : never) {
  const fill = (size: number, by: number) => Uint8Array.from({ length: size }, (_, i) => (i * by + seed) % 256);
  const builder = elf(encoding);
  for (const [i, { size, more }] of loads.entries()) {
    builder.load(BigInt(0x100000 * (loads.length - i)), fill(size, 7 + i), { memsz: BigInt(size + more) });
  }
  const list: TestNote[] = notes.map((size, i) => ({
    name: i % 2 === 0 ? 'Xen' : 'GNU',
    type: i + 1,
    desc: fill(size, 3),
  }));
  if (list.length > 0) builder.noteSegment(list, { section: '.notes' });
  builder.section('.comment', { bytes: fill(20, 1) });
  const entries = loads.length + (list.length > 0 ? 1 : 0);
  const order = Array.from({ length: entries }, (_, i) => (i + seed) % Math.max(entries, 1));
  return builder.with({ slack, stripped, trailing: fill(trailing, 5), order }).build();
}

describe('verifyImage()', () => {
  it('finds no error in images of any shape, nor in one against itself', () => {
    fc.assert(
      fc.property(shape, (made) => {
        const image = imageOf(shaped(made));
        expect(checks(verifyImage({ image }), 'error')).toEqual([]);
        expect(checks(verifyImage({ image, baseline: image }), 'error')).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });

  it('finds a byte that changed, anywhere outside headers and notes, without being told what was meant', () => {
    fc.assert(
      fc.property(shape, fc.nat(), fc.integer({ min: 1, max: 255 }), (made, where, change) => {
        const before = shaped(made);
        const image = imageOf(before);
        const owned = [
          { start: 0n, end: image.header.e_phoff === 0n ? 64n : image.header.e_phoff },
          ...[...image.segments.keys()].map((i) => {
            const start = image.header.e_phoff + BigInt(i * Phdr.size(made.encoding));
            return { start, end: start + BigInt(Phdr.size(made.encoding)) };
          }),
          ...image.segments
            .filter((s) => s.p_type === 4)
            .map((s) => ({ start: s.p_offset, end: s.p_offset + s.p_filesz })),
          ...(image.header.e_shoff === 0n
            ? []
            : [
                {
                  start: image.header.e_shoff,
                  end: image.header.e_shoff + BigInt(image.sections.length * image.header.e_shentsize),
                },
              ]),
          ...image.sections.slice(-1).map((s) => ({ start: s.sh_offset, end: s.sh_offset + s.sh_size })),
        ];
        const free = subtract({ start: 0n, end: BigInt(before.length) }, normalize(owned));
        const offsets = free.flatMap(({ start, end }) =>
          Array.from({ length: Number(end - start) }, (_, i) => Number(start) + i),
        );
        fc.pre(offsets.length > 0);
        const at = offsets[where % offsets.length] ?? 0;
        const after = before.slice();
        after[at] = (after[at] ?? 0) ^ change;
        const found = verifyImage({ image: imageOf(after), baseline: image });
        expect(found.some((f) => f.level === 'error' && f.place.offset === BigInt(at))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('finds a byte that changed, anywhere outside planned ranges', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ENCODINGS),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (encoding, where, change) => {
          const edit = goodEdit(encoding);
          const free = subtract({ start: 0n, end: BigInt(edit.after.length) }, edit.expectation.planned);
          const offsets = free.flatMap(({ start, end }) =>
            Array.from({ length: Number(end - start) }, (_, i) => Number(start) + i),
          );
          const at = offsets[where % offsets.length] ?? 0;
          edit.after[at] = (edit.after[at] ?? 0) ^ change;
          const input = { image: imageOf(edit.after), baseline: imageOf(edit.before), expectation: edit.expectation };
          const found = verifyImage(input);
          expect(found.some((f) => f.level === 'error' && f.place.offset === BigInt(at))).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('sorts errors first, then by offset', () => {
    const bytes = goodImage({ bits: 64, endian: 'little' });
    setSegment(bytes, STACK, { p_align: 3n });
    setSection(bytes, '.comment', { sh_link: 77 });
    setSection(bytes, '.text', { sh_link: 77 });
    const found = verifyImage({ image: imageOf(bytes) });
    expect(found.map((f) => [f.level, f.check, f.place.part])).toEqual([
      ['error', 'section-links', 'section 2 (.text)'],
      ['error', 'section-links', 'section 4 (.comment)'],
      ['warning', 'segment-alignment', 'program header 3'],
    ]);
    expect(found[0]?.place.file).toBe('image');
  });

  it('forgives what the baseline had, and nothing beyond it', () => {
    const edit = goodEdit({ bits: 64, endian: 'little' });
    for (const bytes of [edit.before, edit.after]) setSegment(bytes, DATA, { p_align: 0x10000n });
    const compared = () => verifyImage({ image: imageOf(edit.after), baseline: imageOf(edit.before) });
    expect(compared().map((f) => [f.check, f.level])).toEqual([['load-congruence', 'warning']]);
    setSegment(edit.after, TEXT, { p_align: 0x10000n });
    expect(checks(compared(), 'error')).toEqual(['load-congruence', 'segment-fields-kept']);
  });
});

/** Program headers grow where they are; everything behind stands 0x1000 later. */
function shifted(encoding: Encoding) {
  const before = goodImage(encoding);
  const image = imageOf(before);
  const by = 0x1000n;
  const at = image.header.e_phoff + BigInt(image.segments.length * Phdr.size(encoding));
  const after = concat([before.subarray(0, Number(at)), new Uint8Array(Number(by)), before.subarray(Number(at))]);
  setHeader(after, { e_shoff: image.header.e_shoff + by });
  for (const [i, s] of image.segments.entries())
    if (s.p_offset >= at) setSegment(after, i, { p_offset: s.p_offset + by });
  // Names are read through the table that moves, so they are looked up in the old image.
  const names = ['.notes', '.text', '.data', '.comment', '.rela.notes', '.symtab', '.strtab', '.shstrtab'];
  const moved = names.map((name) => ({ name, sh_offset: sectionOf(before, name).sh_offset + by }));
  setSection(after, '', {});
  for (const [i, { sh_offset }] of moved.entries()) patchSection(after, i + 1, sh_offset);

  const xen: TestNote = { type: 18, desc: num(0x100040n, encoding.bits / 8, encoding) };
  const notes = noteBytes([xen], encoding);
  const notesAt = at + 0x100n;
  after.set(notes, Number(notesAt));
  setHeader(after, { e_phnum: image.segments.length + 1 });
  const size = BigInt(notes.length);
  const entry = {
    p_type: 4,
    p_flags: 4,
    p_offset: notesAt,
    p_vaddr: 0n,
    p_paddr: 0n,
    p_filesz: size,
    p_memsz: size,
    p_align: 4n,
  };
  setSegment(after, image.segments.length, entry);
  const entry1: TestNote = { type: 1, desc: num(0x100000n, 8, encoding) };
  const expectation: Expectation = {
    xenNotes: [entry1, xen].map(({ type, desc }) => ({ name: Uint8Array.of(0x58, 0x65, 0x6e, 0), type, desc })),
    planned: [
      { start: 0n, end: at + by },
      {
        start: image.header.e_shoff + by,
        end: image.header.e_shoff + by + BigInt(image.sections.length * image.header.e_shentsize),
      },
    ],
    shift: { at, by },
    fileSize: BigInt(after.length),
    extendedLoad: undefined,
    addedLoads: 0,
    replacedSegments: [],
    touchedSections: [],
  };
  return { before, after, at, by, expectation };
}

function patchSection(bytes: Uint8Array, index: number, sh_offset: bigint): void {
  const image = imageOf(bytes);
  const wide = image.encoding.bits === 64;
  const at = Number(image.header.e_shoff) + index * image.header.e_shentsize + (wide ? 24 : 16);
  bytes.set(num(sh_offset, wide ? 8 : 4, image.encoding), at);
}

describe.each(ENCODINGS)('a shifted file, ELF$bits $endian', (encoding) => {
  it('is as good as it was, told or not told of the shift', () => {
    const { before, after, expectation } = shifted(encoding);
    expect(verifyImage({ image: imageOf(after), baseline: imageOf(before) })).toEqual([]);
    expect(verifyImage({ image: imageOf(after), baseline: imageOf(before), expectation })).toEqual([]);
  });

  it('loses a byte of .text and that is found', () => {
    const { before, after, expectation } = shifted(encoding);
    flip(after, sectionOf(after, '.text').sh_offset + 3n);
    const input = { image: imageOf(after), baseline: imageOf(before) };
    expect(checks(verifyImage(input))).toEqual(['load-bytes']);
    expect(checks(verifyImage({ ...input, expectation }))).toEqual(['load-bytes']);
  });

  it('with one segment left behind is found out', () => {
    const { before, after, by, expectation } = shifted(encoding);
    const { p_offset } = imageOf(after).segments[DATA] ?? { p_offset: 0n };
    setSegment(after, DATA, { p_offset: p_offset - by });
    const found = verifyImage({ image: imageOf(after), baseline: imageOf(before), expectation });
    expect(checks(found, 'error')).toContain('segment-fields-kept');
    expect(checks(found, 'error')).toContain('memory-image');
  });
});

describe('verifyImage() without an expectation', () => {
  const encoding = { bits: 64, endian: 'little' } as const;

  it('does not take a PT_NOTE over code for leave to change the code', () => {
    const { before, after } = goodEdit(encoding);
    const { sh_offset, sh_size } = sectionOf(after, '.text');
    setSegment(after, NOTE, { p_offset: sh_offset, p_filesz: sh_size, p_memsz: sh_size });
    flip(after, sh_offset + 9n);
    const found = verifyImage({ image: imageOf(after), baseline: imageOf(before) });
    expect(checks(found, 'error')).toContain('taken-bytes-free');
  });

  it('does not take a section header table over code for leave either', () => {
    const { before, after } = goodEdit(encoding);
    const image = imageOf(after);
    const table = after.slice(Number(image.header.e_shoff));
    const start = sectionOf(after, '.text').sh_offset;
    const bytes = concat([after, new Uint8Array(0)]);
    bytes.set(table.subarray(0, 0x80), Number(start));
    setHeader(bytes, { e_shoff: start });
    const found = verifyImage({ image: readElf(new BufferSource(bytes)), baseline: imageOf(before) });
    expect(checks(found, 'error')).toContain('taken-bytes-free');
  });

  it('accepts a LOAD that grew over zeros with notes in them, and no other', () => {
    const image = goodImage(encoding);
    const { p_offset = 0n } = imageOf(image).segments[TEXT] ?? {};
    // Room behind the first LOAD: the second one goes further back.
    const room = Number(p_offset) + 0x200;
    const before = concat([image.subarray(0, room), new Uint8Array(0x100), image.subarray(room)]);
    const header = imageOf(image).header;
    setHeader(before, { e_shoff: header.e_shoff + 0x100n });
    for (let i = 1; i < imageOf(image).sections.length; i += 1) {
      const offset = imageOf(image).sections[i]?.sh_offset ?? 0n;
      patchSection(before, i, offset >= BigInt(room) ? offset + 0x100n : offset);
    }
    for (const i of [DATA, NOTE]) {
      setSegment(before, i, { p_offset: (imageOf(image).segments[i]?.p_offset ?? 0n) + 0x100n });
    }
    expect(verifyImage({ image: imageOf(before) })).toEqual([]);

    const notes = noteBytes([{ type: 1, desc: num(0x100000n, 8, encoding) }], encoding);
    const old = imageOf(before).segments[NOTE];
    const others = before.slice(
      Number(old?.p_offset ?? 0n),
      Number((old?.p_offset ?? 0n) + (old?.p_filesz ?? 0n) - 24n),
    );
    const merged = concat([others, notes]);
    const after = before.slice();
    after.set(merged, room);
    const size = BigInt(merged.length);
    setSegment(after, TEXT, { p_filesz: 0x200n + size, p_memsz: 0x200n + size });
    const placed = { p_offset: BigInt(room), p_vaddr: 0x100200n, p_paddr: 0x100200n, p_filesz: size, p_memsz: size };
    setSegment(after, NOTE, placed);
    expect(verifyImage({ image: imageOf(after), baseline: imageOf(before) })).toEqual([]);

    // Memory behind p_filesz was zero: notes would land in it.
    for (const bytes of [before, after]) {
      const { p_memsz = 0n } = imageOf(bytes).segments[TEXT] ?? {};
      setSegment(bytes, TEXT, { p_memsz: p_memsz + 0x100n });
    }
    const found = verifyImage({ image: imageOf(after), baseline: imageOf(before) });
    expect(checks(found, 'error')).toContain('segment-fields-kept');
  });

  it('follows a section that was moved out of the way, and sees when it arrives changed', () => {
    const { before, after } = goodEdit(encoding);
    const comment = sectionOf(after, '.comment');
    const bytes = after.subarray(Number(comment.sh_offset), Number(comment.sh_offset + comment.sh_size));
    const moved = concat([after, bytes]);
    setSection(moved, '.comment', { sh_offset: BigInt(after.length) });
    expect(verifyImage({ image: imageOf(moved), baseline: imageOf(before) })).toEqual([]);
    flip(moved, moved.length - 1);
    expect(checks(verifyImage({ image: imageOf(moved), baseline: imageOf(before) }))).toEqual(['section-bytes']);
  });

  it('sees a file that lost its end', () => {
    const before = goodImage(encoding);
    const found = verifyImage({ image: imageOf(before.subarray(0, before.length - 5)), baseline: imageOf(before) });
    expect(found).toMatchObject([
      { check: 'trailing-bytes', text: expect.stringContaining('no counterpart any more') },
    ]);
  });

  it('judges writes laid over the input like the file they make', () => {
    const { before, after } = goodEdit(encoding);
    const source = new BufferSource(before);
    const image = imageOf(before);
    const end = Number(image.header.e_phoff) + image.segments.length * Phdr.size(encoding);
    const writes = [
      { offset: 0n, bytes: after.subarray(0, end) },
      { offset: BigInt(before.length), bytes: after.subarray(before.length) },
    ];
    const baseline = readElf(source);
    expect(verifyImage({ image: readElf(new OverlaySource(source, writes)), baseline })).toEqual([]);
    const stray = [...writes, { offset: sectionOf(before, '.text').sh_offset, bytes: Uint8Array.of(0x99) }];
    const found = verifyImage({ image: readElf(new OverlaySource(source, stray)), baseline });
    expect(checks(found)).toEqual(['load-bytes']);
  });
});

describe('verifyImage() on images made to cost time', () => {
  const encoding = { bits: 64, endian: 'little' } as const;

  /** An image with this many program headers, made by `fields`; the count stands in section 0. */
  function crowded(count: number, fields: (index: number) => Partial<Phdr>): Uint8Array {
    const empty = {
      p_type: 1,
      p_flags: 0,
      p_offset: 0n,
      p_vaddr: 0n,
      p_paddr: 0n,
      p_filesz: 0n,
      p_memsz: 0n,
      p_align: 0n,
    };
    const base = elf(encoding)
      .section('.comment', { bytes: new Uint8Array(4096) })
      .build();
    const table = new Uint8Array(count * Phdr.size(encoding));
    for (let i = 0; i < count; i += 1)
      Phdr.encodeInto(table, i * Phdr.size(encoding), { ...empty, ...fields(i) }, encoding);
    const at = Math.ceil(base.length / 8) * 8;
    const bytes = concat([base, new Uint8Array(at - base.length), table]);
    const many = count >= 0xffff;
    setHeader(bytes, { e_phoff: BigInt(at), e_phentsize: Phdr.size(encoding) });
    setSection(bytes, '', { sh_info: many ? count : 0 });
    setHeader(bytes, { e_phnum: many ? 0xffff : count });
    return bytes;
  }

  it('tells 70,000 overlapping LOADs in a few lines', () => {
    const bytes = crowded(70_000, (i) => ({ p_offset: 64n, p_vaddr: BigInt(i), p_filesz: 64n, p_memsz: 1_000_000n }));
    const found = verifyImage({ image: imageOf(bytes), baseline: imageOf(bytes) });
    expect(found.length).toBeLessThan(300);
    expect(found.at(-1)).toBeDefined();
    expect(found.some((f) => f.check === 'load-overlap' && f.place.part === 'and more')).toBe(true);
    expect(checks(found, 'error')).toEqual([]);
  });

  it('gets through 65,534 note segments over the same bytes', () => {
    const bytes = crowded(65_534, () => ({ p_type: 4, p_offset: 64n, p_filesz: 4096n, p_memsz: 0n }));
    const found = verifyImage({ image: imageOf(bytes), baseline: imageOf(bytes) });
    expect(found.length).toBeLessThan(300);
  });

  it('gets through LOADs that each read the file from elsewhere', () => {
    const make = (by: bigint) =>
      crowded(20_000, (i) => ({
        p_offset: BigInt(i % 900) + by,
        p_vaddr: BigInt(i) << 20n,
        p_filesz: 0x100n,
        p_memsz: 0x100n,
      }));
    const found = verifyImage({ image: imageOf(make(65n)), baseline: imageOf(make(64n)) });
    expect(checks(found, 'error')).toContain('segment-fields-kept');
    expect(found.length).toBeLessThan(300);
  });

  it('answers for notes too large to hold instead of throwing', () => {
    const good = goodImage(encoding);
    const start = imageOf(good).segments[NOTE]?.p_offset ?? 0n;
    const size = 0x1800000;
    const bytes = concat([good, new Uint8Array(size)]);
    // Records of 4 KiB each: all of them would have to be held.
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = Number(start); at + 0x1000 <= bytes.length; at += 0x1000) {
      view.setUint32(at, 0, encoding.endian === 'little');
      view.setUint32(at + 4, 0x1000 - 12, encoding.endian === 'little');
    }
    setSegment(bytes, NOTE, { p_filesz: BigInt(size) });
    const found = verifyImage({ image: imageOf(bytes), baseline: imageOf(goodImage(encoding)) });
    expect(found.some((f) => f.check === 'note-segment-walk' && f.text.startsWith('cannot be judged: '))).toBe(true);
  });

  it('answers for any damage to the headers that can still be read', () => {
    const good = goodEdit(encoding);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.after.length - 1), fc.nat(255)), { minLength: 1, maxLength: 30 }),
        fc.boolean(),
        (damages, headersOnly) => {
          const bytes = good.after.slice();
          const image = imageOf(good.after);
          for (const [at, value] of damages) {
            const table = at % 2 === 0 ? image.header.e_phoff : image.header.e_shoff;
            bytes[headersOnly ? Number(table) + (at % 500) : at] = value;
          }
          let read: ReturnType<typeof imageOf>;
          try {
            read = imageOf(bytes);
          } catch {
            return;
          }
          expect(Array.isArray(verifyImage({ image: read }))).toBe(true);
          expect(Array.isArray(verifyImage({ image: read, baseline: imageOf(good.before) }))).toBe(true);
          expect(Array.isArray(verifyImage({ image: imageOf(good.before), baseline: read }))).toBe(true);
          const expectation = good.expectation;
          expect(Array.isArray(verifyImage({ image: read, baseline: imageOf(good.before), expectation }))).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe.each(ENCODINGS)('a note section that became data, ELF$bits $endian', (encoding) => {
  const build = (at: number) =>
    elf(encoding)
      .load(0x100000n, new Uint8Array(256).fill(1))
      .noteSection('.notes', [{ type: 6, desc: num(1, 4, encoding) }], {
        inside: { load: 0, at: 64, size: 20 },
        flags: 2n,
      })
      .noteSegment([{ type: 6, desc: num(1, 4, encoding) }], { inside: { load: 0, at } })
      .build();
  const retyped = (bytes: Uint8Array) => {
    const after = Uint8Array.from(bytes);
    setSection(after, '.notes', { sh_type: 1 });
    return checks(verifyImage({ image: imageOf(after), baseline: imageOf(bytes) }), 'error');
  };

  it('is fine when a PT_NOTE leads elsewhere, and a mistake when one leads there', () => {
    expect(retyped(build(128))).toEqual([]);
    expect(retyped(build(64))).toEqual(['sections-kept']);
  });
});
