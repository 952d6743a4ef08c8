/** Images crafted to lie, to wrap or to cost: a located refusal or a proved result, soon and in little memory. */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { PatchError } from '../../../src/base/errors/patch-error.js';
import { layOutLinear } from '../../../src/edit/linear/lay-out.js';
import type { LinearLayout } from '../../../src/edit/linear/layout.js';
import { DEFAULT_LINEAR_OPTIONS, type LinearOptions } from '../../../src/edit/linear/options.js';
import { proveLinear } from '../../../src/edit/linear/pipeline.js';
import { findMb2 } from '../../../src/formats/multiboot/mb2.js';
import { isPlainPe } from '../../../src/formats/pe/kind.js';
import { readPe } from '../../../src/formats/pe/read.js';
import { diffPe } from '../../../src/inspect/diff/pe-diff.js';
import { peMap } from '../../../src/inspect/map/pe-map.js';
import { judgeLoaders } from '../../../src/loaders/loaders.js';
import { verifyLinear } from '../../../src/verify/pe/verify.js';
import { linearBytes } from '../../support/linear.js';
import { BSS, buildPe, CODE, DATA, DISCARDABLE, mb2Header, type PeSpec } from '../../support/pe-builder.js';
import { PeBytes } from '../../support/pe-edit.js';

const open = (file: Uint8Array) => readPe(new BufferSource(file));
const wished = (options: Partial<LinearOptions> = {}): LinearOptions => ({ ...DEFAULT_LINEAR_OPTIONS, ...options });

/** Code with a Multiboot2 header and filler behind it. */
function text(size = 0x200): Buffer {
  const code = Buffer.alloc(size, 0x90);
  mb2Header({ align: 0x1000 }).copy(code, 8);
  return code;
}

function spec(more: Partial<PeSpec> = {}): PeSpec {
  const sections = [
    { name: '.text', rva: 0x200000, virtualSize: 0x200, data: text(), flags: CODE },
    { name: '.data', rva: 0x201000, virtualSize: 0x10, data: Buffer.alloc(16, 7), flags: DATA },
    { name: '.bss', rva: 0x202000, virtualSize: 0x100, flags: BSS },
  ];
  return { sections, symbols: [{ name: 'start', section: 1, value: 0 }], ...more };
}

const GOOD = PeBytes.fixture().image();

/** Everything that reads a PE image: each either works or refuses in words. */
function everyReader(file: Uint8Array): void {
  const source = new BufferSource(file, 'crafted');
  const works: (() => unknown)[] = [
    () => isPlainPe(source),
    () => judgeLoaders(source),
    () => peMap(readPe(source)),
    () => verifyLinear(readPe(source), { baseline: readPe(source) }),
    () => diffPe(readPe(source), GOOD),
    () => {
      const layout = layOutLinear(readPe(source), wished({ merge: true }));
      if (layout.output.size < 0x1000000n) proveLinear(layout, layout.output);
    },
  ];
  for (const work of works) {
    try {
      work();
    } catch (error) {
      if (!(error instanceof PatchError)) throw error;
      expect(error.id).not.toBe('internal.bug');
      expect(error.message).toContain('crafted');
    }
  }
}

describe('readers of PE images', () => {
  it('refuse a file cut anywhere in its headers, and one byte more or less around every end', () => {
    const { bytes } = PeBytes.fixture();
    const headers = PeBytes.fixture().optional('SizeOfHeaders');
    const ends = [bytes.length, 0x4ac0, 0x4dd8, 0x6a0, 0xaa0];
    const lengths = [...Array.from({ length: headers }, (_, i) => i), ...ends.flatMap((end) => [end - 1, end - 4])];
    for (const length of lengths) everyReader(bytes.subarray(0, length));
  });

  it('survive every header word at every extreme', () => {
    const good = PeBytes.fixture();
    const headers = good.optional('SizeOfHeaders');
    for (const value of [0, 0x80000001]) {
      for (let at = 60; at + 4 <= headers; at += 4) {
        const bytes = Buffer.from(good.bytes);
        bytes.writeUInt32LE(value, at);
        everyReader(bytes);
      }
    }
  });

  it('survive the same in a linear image', () => {
    const good = linearBytes(PeBytes.fixture().image(), { mb1: true });
    const ranges = [
      [60, 0x2a0],
      [good.mb2(), good.mb1() + 32],
    ] as const;
    for (const value of [0, 0xffffffff]) {
      for (const [from, to] of ranges) {
        for (let at = from; at + 4 <= to; at += 4) {
          const bytes = Buffer.from(good.bytes);
          bytes.writeUInt32LE(value, at);
          everyReader(bytes);
        }
      }
    }
  });
});

describe('layOutLinear() of crafted images', () => {
  it.each<[string, Partial<PeSpec>, Partial<LinearOptions>, string]>([
    [
      'SizeOfImage that would reach 4 GiB',
      {
        sectionAlignment: 0x40000000,
        sizeOfImage: 0x300000,
        sections: [
          ...spec().sections.slice(0, 2),
          { name: '.debug', rva: 0xc0000000, virtualSize: 0x100, data: Buffer.alloc(16, 1), flags: DISCARDABLE },
        ],
      },
      { bssAlign: 0x1000n },
      'pe.too-big',
    ],
    ['a load address that leaves 32 bits', {}, { physBase: 0xfff00000n }, 'pe.too-big'],
    ['bss_end_addr that leaves 32 bits', {}, { bssAlign: 0x400000n, physBase: 0xffc00000n }, 'pe.too-big'],
    ['relocations of block size 0', { directories: { 5: [0x201000, 16] } }, {}, 'pe.relocations'],
    ['relocations outside all sections', { directories: { 5: [0x900000, 16] } }, {}, 'pe.directory'],
    ['a debug directory of megabytes', { directories: { 6: [0x200000, 0x1d00] } }, {}, ''],
  ])('refuses %s', (_what, more, options, id) => {
    const work = () => layOutLinear(open(buildPe(spec(more))), wished(options));
    if (id === '') expect(work).not.toThrow();
    else expect(work).toThrow(`[${id}]`);
  });

  it('lets symbol values wrap as they do for every reader, when sections are joined', () => {
    const sections = [
      ...spec().sections.slice(0, 1),
      { name: '.rodata', rva: 0x200200, virtualSize: 0x10, data: Buffer.alloc(16, 5), flags: DATA },
    ];
    const symbols = [
      { name: 'start', section: 1, value: 0 },
      { name: 'before', section: 2, value: 0xfffffff0 },
    ];
    const layout = layOutLinear(open(buildPe({ sections, symbols })), wished({ merge: true }));
    expect(layout.placement.sections).toHaveLength(1);
    proveLinear(layout, layout.output);
  });

  it('warns of bytes between sections that belong to nobody, and drops them', () => {
    const file = buildPe(spec({ fileAlignment: 0x200 }));
    // The padding of .text becomes nobody's, and a byte of it is set.
    const image = new PeBytes(file);
    const raw = image.section('.data', 'PointerToRawData');
    image.section('.text', 'SizeOfRawData', 0x200 - 8);
    image.section('.text', 'VirtualSize', 0x200 - 8);
    expect(file[raw - 1]).toBe(0x90);
    const { warnings } = layOutLinear(open(image.bytes), wished());
    expect(warnings).toContainEqual(expect.stringContaining(`at file offset 0x${(raw - 1).toString(16)}`));
  });

  it('keeps what stands behind the section table, and a verifier that misses it says so', () => {
    // With this FileAlignment there is room in the headers.
    const file = buildPe(spec({ fileAlignment: 0x1000 }));
    const [at, end] = [0x80 + 24 + 240 + 3 * 40 + 4, new PeBytes(file).optional('SizeOfHeaders')];
    expect(at).toBeLessThan(end);
    file.write('bound imports', at, 'latin1');
    const layout = layOutLinear(open(file), wished());
    proveLinear(layout, layout.output);
    const made = linearBytes(open(file));
    expect(made.bytes.toString('latin1', at, at + 13)).toBe('bound imports');
    made.bytes[at] = 0;
    const { findings } = verifyLinear(made.unsummed().image(), { baseline: open(file) });
    expect(findings).toContainEqual(expect.objectContaining({ check: 'linear.kept-header' }));
  });

  it('takes a section without data behind .bss that is no bss for what it is', () => {
    const sections = [...spec().sections, { name: '.pad', rva: 0x204000, virtualSize: 0x100000, flags: BSS }];
    const layout = layOutLinear(open(buildPe(spec({ sections }))), wished());
    expect(layout.placement.sections.map(({ role }) => role)).toEqual(['image', 'image', 'bss', 'tail']);
    expect(layout.mb2?.address.bss_end_addr).toBe(0x203000n);
    proveLinear(layout, layout.output);
    const other = sections.map((section) => (section.name === '.pad' ? { ...section, flags: DISCARDABLE } : section));
    const renamed = other.map((section) => (section.name === '.pad' ? { ...section, name: '.scratch' } : section));
    const second = layOutLinear(open(buildPe(spec({ sections: renamed }))), wished());
    proveLinear(second, second.output);
  });

  it('moves a header to the front that begins inside 32 KiB and ends behind it', () => {
    const header = mb2Header({ align: 0x1000 });
    for (const [end, how] of [
      [0x8000, 'append'],
      [0x8008, 'gap'],
      [0x8000 + header.length, 'gap'],
    ] as const) {
      // Where the header with its 40 new bytes ends, with headers of a page in front.
      const at = end - 0x1000 - header.length - 40;
      const code = Buffer.alloc(0x8000, 0x90);
      header.copy(code, at);
      const sections = [{ name: '.text', rva: 0x200000, virtualSize: code.length, data: code, flags: CODE }];
      const file = buildPe(spec({ sections }));
      const layout = layOutLinear(open(file), wished());
      expect(layout.mb2?.how, `ends at ${end}`).toBe(how);
      proveLinear(layout, layout.output);
      if (how === 'gap')
        expect(() => layOutLinear(open(file), wished({ mb2: 'append' }))).toThrow(/\[mb2\.(no-room|too-far)\]/);
    }
  });

  it('puts the tags where optional ones about the console stood when code follows the header', () => {
    // Filled up by 0xc2, as Xen has it.
    const console = [4, 1, 12, 0, 2, 0, 0xc2c2, 0xc2c2];
    const framebuffer = [5, 1, 20, 0, 0, 0, 0, 0, 0, 0, 0xc2c2, 0xc2c2];
    const wanted = (words: readonly number[]) => words.map((word, index) => (index === 1 && word === 1 ? 0 : word));
    const build = (...tags: readonly (readonly number[])[]) => {
      const bare = mb2Header({ align: 0x1000, entryEfi64: 0x200100 });
      const halves = tags.flat();
      const own = Buffer.from(Uint16Array.from(halves).buffer);
      const header = Buffer.concat([bare.subarray(0, 16 + 24), own, bare.subarray(16 + 24)]);
      header.writeUInt32LE(header.length, 8);
      header.writeUInt32LE(2 ** 32 - 0xe85250d6 - header.length, 12);
      // 0x0f: what follows is code, no filler.
      const code = Buffer.alloc(0x1000, 0x0f);
      header.copy(code, 8);
      const sections = [{ name: '.text', rva: 0x200000, virtualSize: code.length, data: code, flags: CODE }];
      return open(buildPe(spec({ sections })));
    };
    const types = (layout: LinearLayout) => findMb2(layout.output)?.tags.map(({ type }) => type);
    for (const [tags, how, left] of [
      [[console, framebuffer], 'update', [10, 2, 3, 7, 9, 0]],
      [[framebuffer, console], 'update', [10, 2, 3, 7, 9, 0]],
      [[console], 'gap', [10, 4, 7, 9, 2, 3, 0]],
      [[framebuffer, framebuffer], 'gap', [10, 5, 5, 7, 9, 2, 3, 0]],
      [[wanted(console), framebuffer], 'gap', [10, 4, 5, 7, 9, 2, 3, 0]],
      [[console, wanted(framebuffer)], 'gap', [10, 4, 5, 7, 9, 2, 3, 0]],
    ] as const) {
      const image = build(...tags);
      const layout = layOutLinear(image, wished());
      expect([layout.mb2?.how, types(layout)]).toEqual([how, left]);
      expect(layout.warnings.join()).toContain(how === 'gap' ? 'below load_addr' : 'give their place');
      proveLinear(layout, layout.output);
      const { header_addr = 0n, load_addr = 0n } = layout.mb2?.address ?? {};
      expect(header_addr >= load_addr, 'as the specification wants it').toBe(how === 'update');
      expect(() => layOutLinear(image, wished({ mb2: 'append' }))).toThrow('[mb2.no-room]');
      expect(layOutLinear(image, wished({ mb2: 'gap' })).mb2?.how).toBe('gap');
    }
  });

  it('refuses a load below 1 MiB that nothing can move, and takes it with --phys-base', () => {
    const code = Buffer.alloc(0x200, 0x90);
    mb2Header({}).copy(code, 8);
    const sections = [{ name: '.text', rva: 0x1000, virtualSize: code.length, data: code, flags: CODE }];
    const image = () => open(buildPe(spec({ sections })));
    expect(() => layOutLinear(image(), wished())).toThrow('[mb2.bad-address]');
    const layout = layOutLinear(image(), wished({ physBase: 0x100000n }));
    expect(layout.mb2?.address.load_addr).toBe(0x101000n);
    proveLinear(layout, layout.output);
  });

  it('judges the tags that a file brought along when it adds none of its own', () => {
    const linear = linearBytes(PeBytes.fixture().image());
    const again = layOutLinear(linear.image(), wished({ mb2: 'none' }));
    proveLinear(again, again.output);
    // Now .bss is to be loaded, and the old tags do not know it.
    const stale = layOutLinear(linear.image(), wished({ mb2: 'none', image: ['.bss'], headerSize: 0x2000n }));
    linear.word(linear.tag(2) + 8, 0);
    const broken = layOutLinear(linear.unsummed().image(), wished({ mb2: 'none' }));
    expect(() => proveLinear(broken, broken.output)).toThrow('[verify.failed]');
    expect(stale.mb2).toBeUndefined();
  });
});

describe('work on crafted images', () => {
  /** Many sections, each of a few bytes, over the borders of pages. */
  const many = (count: number, name: (index: number) => string) => {
    const first = { name: '.text', rva: 0x10000000, virtualSize: 0x208, data: text(0x208), flags: CODE };
    const rest = Array.from({ length: count }, (_, index) => ({
      name: name(index),
      // Never at the start of a page, so that each begins in the last page of the one before.
      rva: 0x10000208 + index * 16,
      virtualSize: 16,
      data: Buffer.alloc(16, index),
      flags: DATA,
    }));
    return buildPe({
      sections: [first, ...rest],
      fileAlignment: 16,
      symbols: [{ name: 'start', section: 1, value: 0 }],
    });
  };

  it('grows with the number of sections, not with its square', () => {
    const file = many(20_000, () => '.same');
    const image = open(file);
    for (const merge of [false, true]) {
      const layout = layOutLinear(image, wished({ merge, mb2: 'none' }));
      expect(layout.placement.sections).toHaveLength(merge ? 1 : 20_001);
      proveLinear(layout, layout.output);
    }
    peMap(image);
    judgeLoaders(image.source);
    expect(diffPe(image, open(many(19_000, () => '.same'))).same).toBe(false);
  }, 120_000);

  it('does not read one name of megabytes for every section', () => {
    const long = 'n'.repeat(8 << 20);
    const file = many(60_000, (index) => (index === 0 ? long : '.same'));
    const table = file.readUInt32LE(60) + 24 + file.readUInt16LE(file.readUInt32LE(60) + 20);
    for (let index = 1; index <= 60_000; index++) file.write('/4\0\0\0\0\0\0', table + 40 * index, 'latin1');
    expect(open(file).sections[60_000]?.name.length).toBeLessThan(5000);
  });

  it('settles a symbol that occurs a million times, long name or short', () => {
    const file = buildPe(spec({ symbols: [{ name: 'a_name_of_megabytes', section: 1, value: 0 }] }));
    const at = file.readUInt32LE(file.readUInt32LE(60) + 12);
    const record = file.subarray(at, at + 18);
    const count = 1_000_000;
    const big = Buffer.concat([
      file.subarray(0, at),
      ...Array.from({ length: count }, () => record),
      file.subarray(at + 18),
    ]);
    big.writeUInt32LE(count, big.readUInt32LE(60) + 16);
    for (let i = 0; i < count; i += 2) big.writeUInt32LE(16, at + 18 * i + 8);
    const entry = { kind: 'symbol', name: 'a_name_of_megabytes' } as const;
    expect(() => layOutLinear(open(big), wished({ entry }))).toThrow('[mb2.entry-unknown]');
  }, 120_000);

  it('reads relocation blocks of eight bytes by the hundred thousand', () => {
    const size = 8 * 400_000;
    const blocks = Buffer.alloc(size);
    for (let at = 0; at < size; at += 8) {
      blocks.writeUInt32LE(0x200000, at);
      blocks.writeUInt32LE(8, at + 4);
    }
    const sections = [
      ...spec().sections,
      { name: '.reloc', rva: 0x300000, virtualSize: size, data: blocks, flags: DISCARDABLE },
    ];
    const layout = layOutLinear(open(buildPe(spec({ sections, directories: { 5: [0x300000, size] } }))), wished());
    expect(layout.mb2?.filler?.relocations).toBe(0);
    proveLinear(layout, layout.output);
  });
});
