import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ENCODINGS } from '../../../src/formats/elf/struct.js';
import { decodeValue, encodeList, encodeNumber, encodeString } from '../../../src/formats/note/desc.js';
import { XEN_NOTES } from '../../../src/formats/note/xen-notes.js';
import { cstr, hexToBytes, latin1, num } from '../../support/elf-builder.js';

const LE64 = { bits: 64, endian: 'little' } as const;
const LE32 = { bits: 32, endian: 'little' } as const;

describe('decodeValue()', () => {
  it.each([
    [1, '12', 0x12n],
    [2, '3412', 0x1234n],
    [4, '78563412', 0x12345678n],
    [8, '00000080ffffffff', 0xffffffff80000000n],
  ])('a number of %i bytes', (width, bytes, value) => {
    expect(decodeValue(1, hexToBytes(bytes), LE64)).toEqual({ kind: 'number', value, width });
    expect(decodeValue(1, hexToBytes(bytes).reverse(), { bits: 64, endian: 'big' })).toEqual({
      kind: 'number',
      value,
      width,
    });
  });

  it.each([0, 3, 5, 16])('a number of %i bytes is raw: Xen reads it as 0', (size) => {
    const bytes = new Uint8Array(size).fill(1);
    expect(decodeValue(18, bytes, LE64)).toEqual({ kind: 'raw', bytes });
  });

  it('strings end at the first NUL, and say whether there was one', () => {
    expect(decodeValue(6, cstr('linux'), LE64)).toEqual({ kind: 'string', text: 'linux', terminated: true });
    expect(decodeValue(10, latin1('!writable_page_tables'), LE64)).toEqual({
      kind: 'string',
      text: '!writable_page_tables',
      terminated: false,
    });
    expect(decodeValue(6, latin1('a\0b'), LE64)).toMatchObject({ text: 'a', terminated: true });
    expect(decodeValue(6, new Uint8Array(0), LE64)).toMatchObject({ text: '', terminated: false });
  });

  it('L1_MFN_VALID: Linux writes 2 × 8 bytes, the BSDs 2 × 4, in ELF64 both', () => {
    expect(decodeValue(13, hexToBytes('0100000000000000 0100000000000000'), LE64)).toEqual({
      kind: 'list',
      items: [1n, 1n],
      width: 8,
    });
    expect(decodeValue(13, hexToBytes('01000000 03000000'), LE64)).toEqual({ kind: 'list', items: [1n, 3n], width: 4 });
    expect(decodeValue(13, hexToBytes('0100000000000000 0200000000000000'), LE32)).toMatchObject({ items: [1n, 2n] });
  });

  it('PHYS32_RELOC is one to three words of 4', () => {
    expect(decodeValue(19, hexToBytes('00002000 00000000 ffffffff'), LE64)).toEqual({
      kind: 'list',
      items: [0x200000n, 0n, 0xffffffffn],
      width: 4,
    });
    expect(decodeValue(19, hexToBytes('00002000'), LE64)).toMatchObject({ items: [0x200000n] });
    expect(decodeValue(19, hexToBytes('0000200000'), LE64).kind).toBe('raw');
  });

  it('a type without a name is raw', () => {
    const bytes = Uint8Array.of(1, 2, 3, 4);
    expect(decodeValue(99, bytes, LE64)).toEqual({ kind: 'raw', bytes });
  });
});

describe.each(ENCODINGS)('values, ELF$bits $endian', (encoding) => {
  it('every number comes back, at a non-zero offset too', () => {
    const widths = fc.constantFrom(1, 2, 4, 8);
    fc.assert(
      fc.property(widths, fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.nat({ max: 7 }), (width, wide, lead) => {
        const value = BigInt.asUintN(8 * width, wide);
        const bytes = encodeNumber(value, width, encoding.endian);
        expect(bytes).toEqual(num(value, width, encoding));
        const framed = new Uint8Array(lead + width);
        framed.set(bytes, lead);
        expect(decodeValue(1, framed.subarray(lead), encoding)).toEqual({ kind: 'number', value, width });
      }),
    );
  });

  it('every string without NUL comes back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ min: 1, max: 255, maxLength: 40 }), (bytes) => {
        const text = Buffer.from(bytes).toString('latin1');
        expect(decodeValue(8, encodeString(text), encoding)).toEqual({ kind: 'string', text, terminated: true });
      }),
    );
  });

  it('every list of PHYS32_RELOC comes back', () => {
    fc.assert(
      fc.property(fc.array(fc.bigInt({ min: 0n, max: 0xffff_ffffn }), { maxLength: 3 }), (items) => {
        const bytes = encodeList(items, 4, encoding.endian);
        expect(decodeValue(19, bytes, encoding)).toEqual({ kind: 'list', items, width: 4 });
      }),
    );
  });

  it('any bytes under any type give a value', () => {
    fc.assert(
      fc.property(fc.nat({ max: XEN_NOTES.length }), fc.uint8Array({ maxLength: 40 }), (type, bytes) => {
        expect(['number', 'string', 'list', 'raw']).toContain(decodeValue(type, bytes, encoding).kind);
      }),
    );
  });
});

describe('encodeNumber(), encodeString(), encodeList()', () => {
  it('faults of the program are RangeErrors', () => {
    expect(() => encodeNumber(256n, 1, 'little')).toThrow(RangeError);
    expect(() => encodeNumber(-1n, 8, 'little')).toThrow(RangeError);
    expect(() => encodeNumber(1n << 64n, 8, 'little')).toThrow(RangeError);
    expect(() => encodeNumber(1n, 3, 'little')).toThrow(RangeError);
    expect(() => encodeList([0n, 1n << 32n], 4, 'big')).toThrow(RangeError);
  });

  it('encodeString() counts the NUL', () => {
    expect(encodeString('generic')).toEqual(hexToBytes('67656e6572696300'));
    expect(encodeString('')).toEqual(Uint8Array.of(0));
    expect(encodeString('é')).toEqual(Uint8Array.of(0xe9, 0));
    expect(encodeString('✓')).toEqual(Uint8Array.of(0xe2, 0x9c, 0x93, 0));
  });
});
