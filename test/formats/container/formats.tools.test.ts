import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { packGzip, unpackGzip } from '../../../src/formats/container/gzip.js';
import { unpackLz4 } from '../../../src/formats/container/lz4-legacy.js';
import { openContainer } from '../../../src/formats/container/open.js';
import { unpack } from '../../../src/formats/container/unpack.js';
import { onlySkippable, zstdFrame } from '../../../src/formats/container/zstd.js';
import { bzImage, packForTest, relocationTail, type TestFormat, unpackForTest } from '../../support/bzimage.js';
import { fixture } from '../../support/fixtures.js';

const FORMATS = ['gzip', 'xz', 'zstd', 'lz4', 'lzma', 'bzip2', 'lzo'] as const satisfies readonly TestFormat[];
const kernel = readFileSync(fixture('pvh64-notes'));

describe.each(FORMATS)('unpack(), %s', (format) => {
  it('gives what the program packed', async () => {
    const data = Buffer.concat([kernel, kernel, relocationTail()]);
    const result = await unpack(format, packForTest(format, data), data.length);
    expect(result).toMatchObject({ kind: 'unpacked', spare: 0 });
    if (result.kind === 'unpacked') expect(Buffer.compare(result.bytes, data)).toBe(0);
  });

  it('never gives more than was said', async () => {
    const packed = packForTest(format, kernel);
    expect(await unpack(format, packed, kernel.length - 1)).not.toMatchObject({ kind: 'unpacked' });
    expect(await unpack(format, packed, kernel.length + 1)).not.toMatchObject({ kind: 'unpacked' });
  });

  it('refuses a stream cut short', async () => {
    const packed = packForTest(format, kernel);
    const result = await unpack(format, packed.subarray(0, packed.length - 40), kernel.length);
    expect(result.kind).not.toBe('unpacked');
  });

  it('opens a bzImage with such a payload, ELF and tail apart', async () => {
    const data = Buffer.concat([kernel, relocationTail()]);
    const opened = await openContainer(new BufferSource(bzImage({ format, data })));
    expect(opened).toMatchObject({
      kind: 'bzimage',
      facts: { format, attached: false, spare: 0n, demands: expect.any(Array) },
    });
    if (opened.kind === 'elf') throw new Error('not a container');
    expect(opened.elf.size).toBe(BigInt(kernel.length));
    expect(Buffer.compare(opened.tail, relocationTail())).toBe(0);
  });
});

describe('unpackLz4()', () => {
  // Written out from lz4 doc/lz4_Block_format.md: 4 literals "abcd", a match of 8 at distance 4, 5 literals "vwxyz".
  const block = [0x44, 0x61, 0x62, 0x63, 0x64, 0x04, 0x00, 0x50, 0x76, 0x77, 0x78, 0x79, 0x7a];
  const stream = (...bytes: number[]) => Uint8Array.of(0x02, 0x21, 0x4c, 0x18, bytes.length, 0, 0, 0, ...bytes);

  it('follows literals and an overlapping match', () => {
    const result = unpackLz4(stream(...block), 17);
    expect('bytes' in result && Buffer.from(result.bytes).toString()).toBe('abcdabcdabcdvwxyz');
  });

  it.each([
    ['a match before the chunk', [0x44, 0x61, 0x62, 0x63, 0x64, 0x05, 0x00, 0x10, 0x76]],
    ['distance 0', [0x44, 0x61, 0x62, 0x63, 0x64, 0x00, 0x00, 0x10, 0x76]],
    ['literals behind the end', [0xf0, 0xff, 0x10]],
    ['a match cut short', [0x44, 0x61, 0x62, 0x63, 0x64, 0x04]],
    ['a match at the end', [0x44, 0x61, 0x62, 0x63, 0x64, 0x04, 0x00]],
  ])('refuses %s', (_what, bytes) => {
    expect(unpackLz4(stream(...bytes), 64)).toHaveProperty('problem');
  });

  it('tells padding behind the last chunk apart, which not all readers take, and steps over further magics', () => {
    const padded = Uint8Array.of(...stream(...block), 0, 0, 0, 0);
    expect(unpackLz4(padded, 17)).toMatchObject({ spare: 4 });
    const magics = Uint8Array.of(...stream(...block), 0x02, 0x21, 0x4c, 0x18);
    expect(unpackLz4(magics, 17)).toMatchObject({ spare: 4 });
    const junk = Uint8Array.of(...stream(...block), 7, 0, 0, 0);
    expect(unpackLz4(junk, 17)).toHaveProperty('problem');
    const hole = Uint8Array.of(...stream(...block), 0, 0, 0, 0, 1, 0, 0, 0, 0x10);
    expect(unpackLz4(hole, 17)).toHaveProperty('problem');
    const twice = Uint8Array.of(0x02, 0x21, 0x4c, 0x18, ...stream(...block));
    expect(unpackLz4(twice, 17)).toMatchObject({ extraMagics: 1, spare: 0 });
  });

  it('agrees with the program on any data', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 6 }), { maxLength: 4000 }), (numbers) => {
        const data = Uint8Array.from(numbers.length === 0 ? [1] : numbers);
        const result = unpackLz4(packForTest('lz4', data), data.length);
        expect('bytes' in result && Buffer.compare(result.bytes, data)).toBe(0);
      }),
      { numRuns: 25 },
    );
  });
});

describe('zstdFrame()', () => {
  it('ends where the program stopped writing', () => {
    for (const size of [1, 300, 70_000, 300_000]) {
      const data = Uint8Array.from({ length: size }, (_, i) => (i * i) >> 3);
      const packed = packForTest('zstd', data);
      expect(zstdFrame(packed)).toMatchObject({ end: packed.length });
      expect(zstdFrame(packed.subarray(0, packed.length - 5))).toEqual(expect.any(String));
    }
  });

  it('tells skippable frames from junk', () => {
    expect(onlySkippable(Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9))).toBe(true);
    expect(onlySkippable(new Uint8Array(8))).toBe(false);
  });
});

describe('gzip', () => {
  it('packs to one member without name and time, the same each time, and gzip unpacks it', async () => {
    const packed = await packGzip(new BufferSource(kernel));
    expect([...packed.subarray(0, 8)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]);
    expect(Buffer.compare(packed, await packGzip(new BufferSource(kernel)))).toBe(0);
    expect(Buffer.compare(unpackForTest('gzip', packed), kernel)).toBe(0);
  });

  it('finds the end of the first member, behind any header field', async () => {
    const packed = await packGzip(new BufferSource(kernel));
    const named = Uint8Array.of(0x1f, 0x8b, 8, 8 | 4, 0, 0, 0, 0, 0, 3, 2, 0, 7, 7, 0x6b, 0, ...packed.subarray(10));
    for (const bytes of [packed, named]) {
      const member = unpackGzip(Buffer.concat([bytes, packed]), 1 << 20);
      expect(member).toMatchObject({ end: bytes.length });
    }
  });

  it.each([
    ['a CRC-32', 8],
    ['a length', 4],
  ])('refuses %s that does not match', async (_what, fromEnd) => {
    const packed = await packGzip(new BufferSource(kernel));
    packed[packed.length - fromEnd] = (packed[packed.length - fromEnd] ?? 0) ^ 1;
    expect(unpackGzip(packed, 1 << 20)).toMatchObject({ problem: 'corrupt' });
  });

  it('stops at the limit', async () => {
    expect(unpackGzip(await packGzip(new BufferSource(new Uint8Array(1 << 20))), 1000)).toEqual({
      problem: 'too-large',
    });
  });
});
