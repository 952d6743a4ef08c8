import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { roundSize } from '../../../src/base/round-size.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { ENCODINGS } from '../../../src/formats/elf/struct.js';
import { fileBands } from '../../../src/inspect/map/bands.js';
import { imageMap } from '../../../src/inspect/map/image-map.js';
import { mapSvg } from '../../../src/inspect/map/svg.js';
import { mapComparison, mapText } from '../../../src/report/map-text.js';
import { styleOf } from '../../../src/report/text.js';
import { elf, num } from '../../support/elf-builder.js';

const le = { bits: 64, endian: 'little' } as const;
const read = (bytes: Uint8Array, name = 'kernel') => readElf(new BufferSource(bytes, name));
const plain = styleOf(false);
const kernel = (value = 0x100000n) =>
  elf(le)
    .load(0x100000n, new Uint8Array(256).fill(1), { memsz: 0x2000n })
    .noteSegment([{ type: 18, desc: num(value, 4, le) }], { inside: { load: 0, at: 64 }, section: '.note.Xen' })
    .with({ slack: 64 })
    .build();

describe('fileBands()', () => {
  it('cover the file without hole or overlap, whatever the headers say', () => {
    const number = fc.bigInt(0n, 0x1200n);
    fc.assert(
      fc.property(
        fc.constantFrom(...ENCODINGS),
        fc.array(fc.record({ offset: number, filesz: number, type: fc.constantFrom(1, 4, 6, 7) }), { maxLength: 6 }),
        (encoding, segments) => {
          const builder = elf(encoding).with({ trailing: new Uint8Array(0x1000) });
          for (const { type, ...rest } of segments) builder.segment(type, new Uint8Array(0), rest);
          const bytes = builder.build();
          const bands = fileBands(read(bytes));
          expect(bands[0]?.start).toBe(0n);
          for (const [i, band] of bands.entries()) {
            expect(band.start).toBeLessThan(band.end);
            expect(bands[i + 1]?.start ?? BigInt(bytes.length)).toBe(band.end);
          }
        },
      ),
    );
  });

  it('tell free bytes from bytes that nobody knows', () => {
    const bytes = elf(le)
      .load(0x100000n, new Uint8Array(16).fill(1))
      .with({ slack: 64, trailing: new Uint8Array(8).fill(5) })
      .build();
    expect(fileBands(read(bytes)).map(({ kind }) => kind)).toEqual(['header', 'table', 'free', 'load', 'data']);
  });
});

describe('the map as text', () => {
  it('shows file and memory, notes by name, and the entry', () => {
    const text = mapText(imageMap(read(kernel())), plain, 80);
    expect(text).toMatch(/^FILE$/m);
    expect(text).toMatch(/PT_NOTE 1, inside PT_LOAD 0 \(notes\)\n {2,}Xen PHYS32_ENTRY/);
    expect(text).toMatch(/^ {2}0x100000 +8 KiB +PT_LOAD 0 R-X\n.*from file 0x\w+, then 7\.8 KiB of zeros/m);
    expect(text).toMatch(/0x100040 +20 bytes +PT_NOTE 1/);
    expect(text).toMatch(/e_entry 0x100000/);
  });

  it('no line is wider than the terminal', () => {
    for (const width of [40, 60, 80]) {
      const text = mapText(imageMap(read(kernel(), 'a'.repeat(10))), plain, width);
      for (const line of text.split('\n').slice(1)) expect(line.length).toBeLessThanOrEqual(width);
    }
  });

  it('a comparison marks the lines of one side only', () => {
    const bare = elf(le).load(0x100000n, new Uint8Array(256).fill(1), { memsz: 0x2000n }).with({ slack: 64 }).build();
    const text = mapComparison(imageMap(read(bare)), imageMap(read(kernel())), plain, 100);
    expect(text).toMatch(/^\+ .*PT_NOTE 1, inside/m);
    expect(text).toMatch(/^- .*program headers \(1\)/m);
    expect(text).toMatch(/^ {2}0x0 .*ELF header/m);
    const same = mapComparison(imageMap(read(bare)), imageMap(read(bare)), plain, 100);
    expect(same.split('\n').filter((line) => /^[+-] 0x/.test(line))).toEqual([]);
  });

  it('sizes are short', () => {
    expect([0n, 1023n, 1024n, 1536n, 0x6400000n, 1n << 64n].map(roundSize)).toEqual([
      '0 bytes',
      '1023 bytes',
      '1 KiB',
      '1.5 KiB',
      '100 MiB',
      '16 EiB',
    ]);
  });
});

describe('the picture', () => {
  it('escapes foreign names', () => {
    const svg = mapSvg(imageMap(read(kernel(), '<b>&"\u0007')));
    expect(svg).toContain('&lt;b&gt;&amp;&quot;');
    expect(svg).not.toContain('<b>');
  });

  it('leads from notes in the file to where they are in memory, and from nothing to notes outside memory', () => {
    const outside = elf(le)
      .load(0x100000n, new Uint8Array(256).fill(1))
      .noteSegment([{ type: 18, desc: num(0x100000n, 4, le) }])
      .build();
    const ribbons = (bytes: Uint8Array) => mapSvg(imageMap(read(bytes))).split('class="note-link"').length - 1;
    expect([ribbons(kernel()), ribbons(outside)]).toEqual([1, 0]);
  });
});
