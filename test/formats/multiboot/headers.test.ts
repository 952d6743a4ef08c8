import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { multibootHeaders } from '../../../src/formats/multiboot/headers.js';
import { hexToBytes } from '../../support/elf-builder.js';

/** Magic 0x1badb002, flags 3, checksum. */
const ONE = hexToBytes('02 b0 ad 1b 03 00 00 00 fb 4f 52 e4');
/** Magic 0xe85250d6, i386, 24 bytes, checksum, the end tag. */
const TWO = hexToBytes('d6 50 52 e8 00 00 00 00 18 00 00 00 12 af ad 17 00 00 00 00 08 00 00 00');

function fileWith(header: Uint8Array, at: number, size: number): BufferSource {
  const bytes = new Uint8Array(size);
  bytes.set(header.subarray(0, Math.max(0, size - at)), at);
  return new BufferSource(bytes);
}

describe('multibootHeaders()', () => {
  it.each([
    [0, 8192],
    [4, 64],
    [8180, 9000],
  ])('finds a version 1 header at %d', (at, size) => {
    expect(multibootHeaders(fileWith(ONE, at, size))).toEqual([{ version: 1, offset: BigInt(at), size: 12n }]);
  });

  it.each([
    ['not at a multiple of 4', 2, 64],
    ['behind the first 8 KiB', 8192, 9000],
    ['across the edge of the first 8 KiB', 8184, 9000],
    ['cut by the end of the file', 4, 12],
  ])('finds no version 1 header %s', (_, at, size) => {
    expect(multibootHeaders(fileWith(ONE, at, size))).toEqual([]);
  });

  it.each([
    [0, 24],
    [8, 40000],
    [32744, 40000],
  ])('finds a version 2 header at %d', (at, size) => {
    expect(multibootHeaders(fileWith(TWO, at, size))).toEqual([{ version: 2, offset: BigInt(at), size: 24n }]);
  });

  it.each([
    ['not at a multiple of 8', 4, 64],
    ['behind the first 32 KiB', 32768, 40000],
    ['across the edge of the first 32 KiB', 32752, 40000],
    ['cut by the end of the file', 0, 20],
  ])('finds no version 2 header %s', (_, at, size) => {
    expect(multibootHeaders(fileWith(TWO, at, size))).toEqual([]);
  });

  it('passes over magics with a wrong checksum and goes on', () => {
    const wrong = ONE.slice();
    wrong[8] = 0;
    const bytes = new Uint8Array(256);
    bytes.set(wrong, 0);
    bytes.set(ONE, 64);
    bytes.set(TWO, 128);
    expect(multibootHeaders(new BufferSource(bytes))).toEqual([
      { version: 1, offset: 64n, size: 12n },
      { version: 2, offset: 128n, size: 24n },
    ]);
  });

  it('reads an empty file', () => {
    expect(multibootHeaders(new BufferSource(new Uint8Array(0)))).toEqual([]);
  });

  it('finds headers behind the windows of all loaders when more is searched', () => {
    const bytes = new Uint8Array(0xa000);
    bytes.set(ONE, 0x4000);
    bytes.set(TWO, 0x9000);
    const source = new BufferSource(bytes);
    expect(multibootHeaders(source)).toEqual([]);
    expect(multibootHeaders(source, 0x10000n)).toEqual([
      { version: 1, offset: 0x4000n, size: 12n },
      { version: 2, offset: 0x9000n, size: 24n },
    ]);
    expect(multibootHeaders(source, 0x400cn)).toEqual([{ version: 1, offset: 0x4000n, size: 12n }]);
    expect(multibootHeaders(source, 0x400bn)).toEqual([]);
  });

  it('keeps a version 2 header of another architecture: some loader may want it', () => {
    const mips = hexToBytes('d6 50 52 e8 04 00 00 00 18 00 00 00 0e af ad 17 00 00 00 00 08 00 00 00');
    expect(multibootHeaders(fileWith(mips, 64, 256))).toEqual([{ version: 2, offset: 64n, size: 24n }]);
  });
});
