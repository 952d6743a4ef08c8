import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { looksLikeElf, readElf } from '../../../src/formats/elf/read.js';
import { ENCODINGS } from '../../../src/formats/elf/struct.js';
import { readPe } from '../../../src/formats/pe/read.js';
import { elfSizes, peSizes, type SizeRow } from '../../../src/inspect/map/sizes.js';
import { shareOf, sizesText } from '../../../src/report/sizes-report.js';
import { styleOf } from '../../../src/report/text.js';
import { elf, num } from '../../support/elf-builder.js';

const le = { bits: 64, endian: 'little' } as const;
const sum = (rows: readonly SizeRow[]) => rows.reduce((total, { file }) => total + file, 0n);
const sizesOf = (bytes: Uint8Array, name: string) => {
  const source = new BufferSource(bytes, name);
  return looksLikeElf(source) ? elfSizes(readElf(source)) : peSizes(readPe(source));
};

describe('sizes', () => {
  it.each(readdirSync('fixtures/bin'))('%s: the rows add up to the file, the largest first', (name) => {
    const bytes = readFileSync(`fixtures/bin/${name}`);
    const { size, sections, segments } = sizesOf(bytes, name);
    expect(size).toBe(BigInt(bytes.length));
    for (const rows of [sections, segments]) {
      expect(sum(rows)).toBe(size);
      const weights = rows.map(({ file, memory }) => (file > memory ? file : memory));
      expect(weights).toEqual([...weights].sort((a, b) => (a < b ? 1 : a > b ? -1 : 0)));
    }
  });

  it('add up whatever the headers say', () => {
    const number = fc.bigInt(0n, 0x1200n);
    fc.assert(
      fc.property(
        fc.constantFrom(...ENCODINGS),
        fc.array(fc.record({ offset: number, filesz: number, type: fc.constantFrom(1, 4, 6) }), { maxLength: 6 }),
        (encoding, segments) => {
          const builder = elf(encoding).with({ trailing: new Uint8Array(0x1000) });
          for (const { type, ...rest } of segments) builder.segment(type, new Uint8Array(0), rest);
          const bytes = builder.build();
          const found = sizesOf(bytes, 'any');
          expect([sum(found.sections), sum(found.segments)]).toEqual([BigInt(bytes.length), BigInt(bytes.length)]);
        },
      ),
    );
  });

  it('count the notes of each owner once, however many headers show them', () => {
    const bytes = elf(le)
      .load(0x100000n, new Uint8Array(256).fill(1), { memsz: 0x2000n })
      .noteSegment([{ type: 18, desc: num(0x100000n, 4, le) }], { inside: { load: 0, at: 64 }, section: '.note.Xen' })
      .build();
    const { owners, segments } = sizesOf(bytes, 'kernel');
    expect(owners).toEqual([{ owner: 'Xen', notes: 1, size: 20n }]);
    expect(segments.find(({ name }) => name.startsWith('PT_LOAD 0'))).toMatchObject({ file: 256n, memory: 0x2000n });
  });

  it('as a table: shares of the file, what is not loaded, what is only in memory', () => {
    const bytes = elf(le).load(0x100000n, new Uint8Array(0), { memsz: 0x2000n }).build();
    const text = sizesText('a\u001b', sizesOf(bytes, 'kernel'), styleOf(false));
    expect(text).toMatch(/^a\\x1b: \d+ bytes \(0x[0-9a-f]+ bytes\)$/m);
    expect(text).toMatch(/^ {2}PT_LOAD 0 R-X +- +8 KiB$/m);
    expect(text).toMatch(/^ {2}\[ELF header\] +64 bytes +\d+\.\d% +-$/m);
    expect([shareOf(1n, 8n), shareOf(1n, 1n << 40n), shareOf(8n, 8n)]).toEqual(['12.5%', '<0.1%', '100.0%']);
  });
});
