import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { PatchError } from '../../../src/base/errors/patch-error.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { ENCODINGS, type Encoding } from '../../../src/formats/elf/struct.js';
import { noteAreas } from '../../../src/formats/note/areas.js';
import { physEntryAsLinuxLoader, physEntryAsQemu, walkAsXen } from '../../../src/loaders/read/loader-walks.js';
import { concat, cstr, type ElfBuilder, elf, hexToBytes, latin1, noteBytes, num } from '../../support/elf-builder.js';

const LE64 = { bits: 64, endian: 'little' } as const;
const LE32 = { bits: 32, endian: 'little' } as const;
const BE64 = { bits: 64, endian: 'big' } as const;

const read = (builder: ElfBuilder) => readElf(new BufferSource(builder.build()));
const xen = (builder: ElfBuilder) => walkAsXen(read(builder));
const phys = (value: bigint, width = 4, encoding: Encoding = LE64) => ({ type: 18, desc: num(value, width, encoding) });
const loader = { type: 8, desc: cstr('generic') };
const buildId = { name: 'GNU', type: 3, desc: new Uint8Array(20).fill(0xab) };
const types = (view: ReturnType<typeof walkAsXen>) => view.notes.map((note) => note.record.type);

describe.each(ENCODINGS)('walkAsXen(), ELF$bits $endian', (encoding) => {
  it('takes the Xen notes of all PT_NOTEs together, in table order', () => {
    const view = xen(
      elf(encoding)
        .noteSegment([buildId, { type: 5, desc: cstr('xen-3.0') }])
        .noteSegment([phys(0x100000n, 4, encoding), loader])
        .noteSection('.note.never', [{ type: 1, desc: num(7n, 4, encoding) }]),
    );
    expect(view).toMatchObject({ from: 'segments', broken: undefined, refused: undefined, walkedAny: true });
    expect(view.notes.map((n) => [n.record.type, n.kind, n.index])).toEqual([
      [5, 'segment', 0],
      [18, 'segment', 1],
      [8, 'segment', 1],
    ]);
    expect(view.notes.map((n) => n.reads)).toEqual([
      { kind: 'string', text: 'xen-3.0' },
      { kind: 'number', value: 0x100000n },
      { kind: 'string', text: 'generic' },
    ]);
  });

  it('falls back to sections only when no segment holds a Xen note', () => {
    const view = xen(elf(encoding).noteSegment([buildId]).noteSection('.whatever', [loader]));
    expect(view).toMatchObject({ from: 'sections' });
    expect(view.notes.map((n) => [n.record.type, n.kind, n.index])).toEqual([[8, 'section', 1]]);
  });

  it('a Xen note of an unknown type in a segment blocks the sections', () => {
    const view = xen(
      elf(encoding)
        .noteSegment([{ type: 99, desc: new Uint8Array(0) }])
        .noteSection('.n', [loader]),
    );
    expect(view).toMatchObject({ from: 'segments' });
    expect(types(view)).toEqual([99]);
    expect(view.notes[0]?.reads).toEqual({ kind: 'ignored' });
  });

  it('then looks for a section named __xen_guest', () => {
    const view = xen(
      elf(encoding)
        .noteSegment([buildId])
        .section('__xen_guest', { bytes: cstr('LOADER=generic') }),
    );
    expect(view).toMatchObject({ from: 'legacy', legacySection: 1, notes: [] });
    const none = xen(
      elf(encoding)
        .noteSegment([buildId])
        .section('__xen_guests', { bytes: cstr('') }),
    );
    expect(none).toMatchObject({ from: 'none', legacySection: undefined, walkedAny: true });
    expect(xen(elf(encoding)).walkedAny).toBe(false);
  });

  it('skips a PT_NOTE at offset 0', () => {
    const view = xen(elf(encoding).noteSegment([loader], { offset: 0n, filesz: 0x200n }).noteSection('.n', [loader]));
    expect(view.from).toBe('sections');
  });

  it('whatever p_align, p_vaddr, p_memsz say, steps are 4', () => {
    for (const align of [0n, 1n, 4n, 8n, 0x1000n]) {
      const view = xen(
        elf(encoding).noteSegment([loader, phys(1n, 4, encoding), loader], { align, vaddr: 0xdead0000n, memsz: 0n }),
      );
      expect(types(view)).toEqual([8, 18, 8]);
    }
  });

  it('reads numbers of 1, 2, 4 and 8 bytes, anything else as 0, PHYS32_ENTRY as 32 bits', () => {
    const entry = (width: number) => ({ type: 1, desc: num(0x1122334455667788n, width, encoding) });
    const view = xen(elf(encoding).noteSegment([1, 2, 4, 8, 3, 0, 16].map(entry)));
    expect(view.notes.map((n) => n.reads)).toEqual(
      [0x88n, 0x7788n, 0x55667788n, 0x1122334455667788n, 0n, 0n, 0n].map((value) => ({ kind: 'number', value })),
    );
    const wide = xen(elf(encoding).noteSegment([phys(0x1122334455667788n, 8, encoding)]));
    expect(wide.notes[0]?.reads).toEqual({ kind: 'number', value: 0x55667788n });
  });

  it('reads SUPPORTED_FEATURES as words, PHYS32_RELOC as up to three', () => {
    const words = (...values: number[]) => concat(values.map((value) => num(value, 4, encoding)));
    const view = xen(
      elf(encoding).noteSegment([
        { type: 17, desc: words(0x8801) },
        { type: 17, desc: words(0x8801, 5) },
        { type: 17, desc: num(0x8801, 2, encoding) },
        { type: 19, desc: words(0x200000, 1, 2, 3) },
        { type: 19, desc: words(0x200000) },
        { type: 19, desc: new Uint8Array(6).fill(1) },
        { type: 13, desc: words(1, 1) },
        { type: 0, desc: cstr('A=B') },
      ]),
    );
    expect(view.notes.map((n) => n.reads)).toEqual([
      { kind: 'number', value: 0x8801n },
      { kind: 'number', value: 0x8801n },
      { kind: 'number', value: 0n },
      { kind: 'words', words: [0x200000n, 1n, 2n] },
      { kind: 'words', words: [0x200000n] },
      { kind: 'words', words: [0n] },
      { kind: 'ignored' },
      { kind: 'ignored' },
    ]);
  });

  it('gives up on a required feature that Xen does not know', () => {
    const view = xen(elf(encoding).noteSegment([loader, { type: 10, desc: cstr('!dom1') }, phys(1n, 4, encoding)]));
    expect(types(view)).toEqual([8, 10]);
    expect(view.refused).toBe('FEATURES requires "dom1", which Xen does not know');
    expect(xen(elf(encoding).noteSegment([{ type: 10, desc: cstr('dom1|!dom0') }])).refused).toBeUndefined();
  });

  it('sees the same records as the strict walk when they are well-formed', () => {
    const note = fc.record({
      name: fc.constantFrom('Xen', 'GNU', 'Linux', 'XenServer', 'xen', ''),
      type: fc.nat({ max: 25 }).filter((type) => type !== 10),
      desc: fc.uint8Array({ maxLength: 30 }),
    });
    fc.assert(
      fc.property(fc.array(note, { minLength: 1, maxLength: 8 }), fc.nat({ max: 3 }), (notes, lead) => {
        const image = read(
          elf(encoding)
            .load(0x1000n, new Uint8Array(16 * lead))
            .noteSegment(notes),
        );
        const strict = noteAreas(image).flatMap((area) => area.walk.records);
        const wanted = strict.filter((_, i) => notes[i]?.name === 'Xen');
        expect(walkAsXen(image).notes.map((n) => n.record)).toEqual(wanted);
      }),
    );
  });

  it('random bytes as notes throw nothing but PatchError, in any walk', () => {
    // Sizes that wrap are likely in here.
    const byte = fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(0, 0, 4, 18, 0xff, 0xfd, 0x58, 0x65, 0x6e));
    const garbage = fc.array(byte, { maxLength: 200 }).map((bytes) => Uint8Array.from(bytes));
    const edge = fc.oneof(fc.constantFrom(0n, 1n, 4n, 8n, (1n << BigInt(encoding.bits)) - 12n), fc.nat().map(BigInt));
    fc.assert(
      fc.property(fc.array(garbage, { maxLength: 4 }), edge, fc.option(edge), (parts, align, filesz) => {
        const builder = elf(encoding).section('.text', { bytes: new Uint8Array(3) });
        for (const part of parts) builder.noteSegment(part, { align, ...(filesz === null ? {} : { filesz }) });
        const image = read(builder);
        for (const walk of [walkAsXen, physEntryAsQemu, physEntryAsLinuxLoader, noteAreas]) {
          try {
            walk(image);
          } catch (error) {
            expect(error).toBeInstanceOf(PatchError);
          }
        }
      }),
    );
  });
});

describe('walkAsXen() on malformed records', () => {
  const one = (text: string) =>
    elf(LE64)
      .with({ stripped: true, trailing: new Uint8Array(64) })
      .noteSegment(hexToBytes(text));

  it.each([
    ['namesz 3 with a zero pad', '03000000 04000000 12000000 58656e00 01000000', [18]],
    ['namesz 5, "Xen\\0x"', '05000000 04000000 12000000 58656e00 78000000 01000000', [18]],
    ['namesz 8, zero padded', '08000000 04000000 12000000 58656e00 00000000 01000000', [18]],
    ['namesz 3, pad byte not zero', '03000000 04000000 12000000 58656e41 01000000', []],
    ['lower case', '04000000 04000000 12000000 78656e00 01000000', []],
    ['XenServer', '0a000000 00000000 12000000 58656e53 65727665 72000000', []],
  ])('%s', (_, text, expected) => {
    expect(types(xen(one(text)))).toEqual(expected);
  });

  it('namesz is not consulted for the owner, only for the place of the descriptor', () => {
    const view = xen(one('00000000 04000000 12000000 58656e00 01000000'));
    expect(view.notes[0]?.reads).toEqual({ kind: 'number', value: 0x006e_6558n });
  });

  it('a last record longer than the segment is read as far as the file goes', () => {
    const bytes = hexToBytes('04000000 0c000000 09000000 58656e00 79657300');
    const view = xen(elf(LE64).with({ stripped: true }).noteSegment(bytes));
    expect(view).toMatchObject({ broken: undefined });
    expect(view.notes[0]?.reads).toEqual({ kind: 'string', text: 'yes' });
    expect(view.notes[0]?.record.desc).toEqual(latin1('yes\0'));
  });

  it('descsz 0xffffffff rounds to 0: the next record follows the name', () => {
    const view = xen(one('04000000 ffffffff 12000000 58656e00 04000000 00000000 02000000 58656e00'));
    expect(types(view)).toEqual([18, 2]);
    expect(view.notes[0]?.reads).toEqual({ kind: 'number', value: 0n });
  });

  it('a huge descsz reads as 0 and ends the walk', () => {
    const view = xen(one('04000000 00000080 12000000 58656e00 04000000 00000000 02000000 58656e00'));
    expect(types(view)).toEqual([18]);
    expect(view.broken).toBeUndefined();
  });

  it('a huge namesz puts the descriptor outside and flags the image', () => {
    const view = xen(one('00000070 04000000 12000000 58656e00'));
    expect(types(view)).toEqual([18]);
    expect(view.notes[0]?.reads).toEqual({ kind: 'number', value: 0n });
    expect(view.broken).toBe('out of range access');
  });

  it('four zero bytes before a note lose it, twelve do not', () => {
    const note = noteBytes([loader], LE64);
    const gap = (size: number) =>
      elf(LE64)
        .with({ stripped: true })
        .noteSegment(concat([note, new Uint8Array(size), note]));
    expect(types(xen(gap(4)))).toEqual([8]);
    expect(types(xen(gap(8)))).toEqual([8]);
    expect(types(xen(gap(12)))).toEqual([8, 8]);
    expect(types(xen(gap(24)))).toEqual([8, 8]);
  });

  it('a string without NUL runs on into the next record', () => {
    const features = { type: 10, desc: latin1('pae_pgdir_above_4gb|dom0') };
    const view = xen(elf(LE64).noteSegment([features, loader]));
    expect(view.notes[0]?.reads).toEqual({ kind: 'string', text: 'pae_pgdir_above_4gb|dom0\x04' });
  });

  it('an owner without an end flags the image, at the end of the file and at 4096 characters', () => {
    const open = hexToBytes('04000000 00000000 12000000 58656e58');
    expect(xen(elf(LE64).noteSegment(open)).broken).toBe('out of range access');
    const long = (size: number) =>
      xen(
        elf(LE64).noteSegment(
          concat([hexToBytes('04000000 00000000 12000000'), new Uint8Array(size).fill(0x58), new Uint8Array(1)]),
        ),
      );
    expect(long(4096).broken).toBeUndefined();
    expect(long(4097).broken).toBe('excessively long string');
  });

  it('a string descriptor that never ends is dropped', () => {
    const view = xen(elf(LE64).noteSegment([{ type: 6, desc: latin1('x'.repeat(5000)) }]));
    expect(view.notes[0]?.reads).toEqual({ kind: 'unreadable' });
    expect(view.broken).toBe('excessively long string');
  });

  it('a segment behind the end of the file flags the image', () => {
    expect(xen(elf(LE64).noteSegment([loader], { offset: 0x10_0000n }))).toMatchObject({
      notes: [],
      walkedAny: true,
      broken: 'out of range access',
    });
  });

  it('stops after 65,536 records of the whole image', () => {
    const zeros = new Uint8Array(12 * 65_535);
    const at = (count: number) =>
      elf(LE64)
        .noteSegment(concat([zeros, new Uint8Array(12 * count)]))
        .noteSegment([loader]);
    expect(xen(at(0))).toMatchObject({ broken: undefined, notes: [{ record: { type: 8 } }] });
    expect(xen(at(1))).toMatchObject({ broken: 'too many ELF notes', notes: [] });
  });
});

describe('walkAsXen() within bounds', () => {
  it('refuses overlapping records that would take more than 32 MiB together', () => {
    // Each of 1,000 segments starts at a record of its own; all descriptors are the same 64 KiB behind them.
    const builder = elf(LE64);
    const count = 1000;
    for (let i = 0; i < count; i++) builder.noteSegment([], { offset: BigInt(0x20000 + 16 * i), filesz: 1n });
    const head = builder.build();
    const records = Array.from({ length: count }, (_, i) =>
      concat([num(16 * (count - i) - 12, 4, LE64), num(0x10000, 4, LE64), num(6, 4, LE64), cstr('Xen')]),
    );
    const bytes = concat([head, new Uint8Array(0x20000 - head.length), ...records, new Uint8Array(0x10000)]);
    expect(() => walkAsXen(readElf(new BufferSource(bytes)))).toThrow(
      /notes together, wanted at most .*\[note\.too-large\]/,
    );
  });
});

describe('physEntryAsQemu()', () => {
  const qemu = (builder: ElfBuilder) => physEntryAsQemu(read(builder));

  it.each([LE64, LE32])('ELF$bits: finds the note, with p_align 1, 2 and 4', (encoding) => {
    for (const align of [1n, 2n, 4n]) {
      const image = elf(encoding).noteSegment([{ ...loader, name: 'Xen' }, phys(0x1000850n, 4, encoding)], { align });
      expect(qemu(image)).toEqual({ found: true, value: 0x1000850n });
    }
  });

  it('p_align 0 kills it', () => {
    expect(qemu(elf(LE64).noteSegment([phys(1n)], { align: 0n }))).toEqual({
      fault: { index: 0, kind: 'crash' },
      found: false,
      value: 0n,
      problem: 'QEMU dies (division by zero): PT_NOTE 0 has p_align 0',
    });
    expect(qemu(elf(LE64).noteSegment([], { align: 0n }))).toEqual({ found: false, value: 0n });
  });

  it('p_align 8 takes the descriptor 4 bytes too late', () => {
    const image = elf(LE64).noteSegment([phys(0x1234_5678_9abc_def0n, 8)], { align: 8n });
    expect(qemu(image).value).toBe(0x1234_5678n);
    expect(qemu(elf(LE64).noteSegment([phys(0x100000n, 8)], { align: 8n }))).toEqual({ found: false, value: 0n });
  });

  it('never looks at the owner: a foreign type 18 hides the note', () => {
    const foreign = { name: 'GNU', type: 18, desc: num(0xbadn, 8, LE64) };
    expect(qemu(elf(LE64).noteSegment([foreign, phys(0x100000n, 8)])).value).toBe(0xbadn);
  });

  it('the last segment with a hit wins, one without does not count', () => {
    const two = elf(LE64)
      .noteSegment([phys(1n, 8)])
      .noteSegment([phys(2n, 8)]);
    expect(qemu(two).value).toBe(2n);
    // The walk of the last one ends at once: 36 bytes of record, p_filesz 20.
    const then = elf(LE64)
      .noteSegment([phys(1n, 8)])
      .noteSegment([buildId], { filesz: 20n });
    expect(qemu(then).value).toBe(1n);
    const zero = elf(LE64)
      .noteSegment([phys(1n, 8)])
      .noteSegment([phys(0n, 8)]);
    expect(qemu(zero)).toEqual({ found: false, value: 0n });
  });

  it('finds a note behind its segment, for it never sums up', () => {
    const both = noteBytes([{ name: 'GNU', type: 3, desc: num(0n, 4, LE64) }, phys(0x100000n, 8)], LE64);
    expect(qemu(elf(LE64).noteSegment(both, { filesz: 20n })).value).toBe(0x100000n);
  });

  it('reads 8 bytes of a 4-byte descriptor in ELF64 and drops the upper half', () => {
    const image = elf(LE64).noteSegment([phys(0x100000n), { ...loader, name: new Uint8Array(4).fill(0xff) }]);
    expect(qemu(image)).toEqual({ found: true, value: 0x100000n });
    const zero = elf(LE64).noteSegment([phys(0n), loader]);
    expect(qemu(zero)).toEqual({ found: true, value: 0n });
    const last = elf(LE64)
      .with({ stripped: true })
      .noteSegment([phys(0x100000n)]);
    expect(qemu(last)).toEqual({ found: true, value: 0x100000n });
  });

  it('refuses a segment that leaves the file, and big-endian images', () => {
    expect(qemu(elf(LE64).noteSegment([phys(1n)], { filesz: 0x10000n })).problem).toBe(
      'PT_NOTE 0 reaches behind the end of the file',
    );
    expect(qemu(elf(BE64).noteSegment([phys(1n)])).problem).toBe('QEMU loads little-endian images only');
  });

  it('zeros to the end of the file lead it out', () => {
    const image = elf(LE64)
      .with({ stripped: true, trailing: new Uint8Array(0x2000) })
      .noteSegment([buildId]);
    expect(qemu(image).problem).toMatch(/QEMU reads behind the end of the file in search of more records of PT_NOTE 0/);
    const long = elf(LE64)
      .with({ stripped: true, trailing: new Uint8Array(0x400000) })
      .noteSegment([buildId]);
    expect(qemu(long).problem).toMatch(/walks on through more than 262144 records/);
  });

  it('sees that a p_align near 2^64 keeps it in place for ever', () => {
    const image = elf(LE64).noteSegment([{ name: 'GNU', type: 3, desc: new Uint8Array(0) }], {
      align: (1n << 64n) - 12n,
    });
    expect(qemu(image).problem).toMatch(/^QEMU never leaves the record at 0x/);
  });
});

describe('physEntryAsLinuxLoader()', () => {
  const vmm = (builder: ElfBuilder) => physEntryAsLinuxLoader(read(builder));

  it('finds the first Xen note of type 18, low 4 bytes, whatever p_align', () => {
    for (const align of [0n, 4n, 8n]) {
      expect(vmm(elf(LE64).noteSegment([buildId, phys(0xff_0010_0000n, 8), phys(2n)], { align }))).toEqual({
        found: true,
        value: 0x10_0000n,
      });
    }
    expect(vmm(elf(LE64).noteSegment([phys(0n)]))).toEqual({ found: true, value: 0n });
  });

  it('the last PT_NOTE decides, an empty one too', () => {
    expect(
      vmm(
        elf(LE64)
          .noteSegment([phys(1n)])
          .noteSegment([buildId]),
      ).found,
    ).toBe(false);
    expect(
      vmm(
        elf(LE64)
          .noteSegment([phys(1n)])
          .noteSegment([]),
      ).found,
    ).toBe(false);
    expect(
      vmm(
        elf(LE64)
          .noteSegment([buildId])
          .noteSegment([phys(1n)]),
      ).found,
    ).toBe(true);
    expect(vmm(elf(LE64))).toEqual({ found: false, value: 0n });
  });

  it('wants namesz 4 and the owner with its NUL', () => {
    expect(vmm(elf(LE64).noteSegment([{ name: latin1('Xen'), type: 18, desc: num(1n, 4, LE64) }])).found).toBe(false);
    expect(vmm(elf(LE64).noteSegment([{ name: 'GNU', type: 18, desc: num(1n, 4, LE64) }])).found).toBe(false);
  });

  it('fails the load for a descriptor under 4 bytes and for a header cut by the end of the file', () => {
    expect(vmm(elf(LE64).noteSegment([phys(1n, 2)])).problem).toBe(
      'the PHYS32_ENTRY of PT_NOTE 0 has 2 bytes, linux-loader wants 4',
    );
    const cut = elf(LE64)
      .with({ stripped: true })
      .noteSegment(concat([noteBytes([buildId], LE64), new Uint8Array(4)]));
    expect(vmm(cut).problem).toMatch(/^linux-loader cannot read the note header at 0x/);
  });

  it('refuses ELF32 and big-endian images', () => {
    expect(vmm(elf(LE32).noteSegment([phys(1n)])).problem).toBe('linux-loader loads ELF64 images only');
    expect(vmm(elf(BE64).noteSegment([phys(1n)])).problem).toBe('linux-loader loads little-endian images only');
  });
});
