/** readPeHeaders(): the reader that refuses nothing. Files are put down by the numbers of the PE format. */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { readEfiStub } from '../../../src/formats/container/efi-stub.js';
import { OptionalHeader, OptionalHeader32, PE } from '../../../src/formats/pe/headers.js';
import { isPlainPe } from '../../../src/formats/pe/kind.js';
import { hasPeSection, readPe, readPeHeaders } from '../../../src/formats/pe/read.js';
import { PeBytes } from '../../support/pe-edit.js';

const PE_AT = 0x80;

interface Options {
  readonly plus?: boolean;
  readonly directories?: number;
  /** SizeOfOptionalHeader, where it is not what the count of directories makes it. */
  readonly optionalSize?: number;
  readonly machine?: number;
  readonly names?: readonly string[];
  readonly peAt?: number;
}

/** A program of PE32 or PE32+: CheckSum 0x11223344, SizeOfImage 0x5000, a signature of 0x60 bytes at 0x900. */
function program({
  plus = true,
  directories = 16,
  optionalSize,
  machine = 0x8664,
  names = ['.text'],
  peAt = PE_AT,
}: Options) {
  const bytes = new Uint8Array(0x800);
  const view = new DataView(bytes.buffer);
  const base = plus ? 112 : 96;
  const size = optionalSize ?? base + 8 * directories;
  bytes.set([0x4d, 0x5a]);
  bytes.set([0x50, 0x45, 0, 0], peAt);
  view.setUint16(peAt + 4, machine, true);
  view.setUint16(peAt + 6, names.length, true);
  view.setUint16(peAt + 20, size, true);
  const optional = peAt + 24;
  view.setUint16(optional, plus ? 0x20b : 0x10b, true);
  view.setUint32(optional + 4, 0x3000, true);
  view.setUint32(optional + 56, 0x5000, true);
  view.setUint32(optional + 60, 0x400, true);
  view.setUint32(optional + 64, 0x11223344, true);
  view.setUint32(optional + base - 4, directories, true);
  if (directories > 4) {
    view.setUint32(optional + base + 32, 0x900, true);
    view.setUint32(optional + base + 36, 0x60, true);
  }
  for (const [index, name] of names.entries()) {
    const at = optional + size + 40 * index;
    for (let i = 0; i < name.length && i < 8; i += 1) bytes[at + i] = name.charCodeAt(i);
    view.setUint32(at + 8, 0x2000, true);
    view.setUint32(at + 16, 0x1000, true);
  }
  // Last: a PE header may lie over the DOS header.
  view.setUint32(60, peAt, true);
  return new BufferSource(bytes.subarray(0, 0x400));
}

describe('the optional headers', () => {
  it('have the sizes of the format, and their common fields at the same places', () => {
    expect([OptionalHeader.size(PE), OptionalHeader32.size(PE)]).toEqual([112, 96]);
    for (const field of [
      'SizeOfCode',
      'BaseOfCode',
      'SectionAlignment',
      'SizeOfImage',
      'CheckSum',
      'DllCharacteristics',
    ] as const) {
      expect([field, OptionalHeader32.offsetOf(field, PE)]).toEqual([field, OptionalHeader.offsetOf(field, PE)]);
    }
    expect([
      OptionalHeader32.offsetOf('BaseOfData', PE),
      OptionalHeader32.offsetOf('ImageBase', PE),
      OptionalHeader32.offsetOf('NumberOfRvaAndSizes', PE),
    ]).toEqual([24, 28, 92]);
  });
});

describe('readPeHeaders()', () => {
  it.each([
    ['PE32+', true, 112],
    ['PE32', false, 96],
  ])('reads %s', (_, plus, base) => {
    const headers = readPeHeaders(program({ plus }));
    expect(headers?.optionalHeader).toMatchObject({
      SizeOfImage: 0x5000n,
      CheckSum: 0x11223344,
      NumberOfRvaAndSizes: 16,
    });
    expect(headers?.directories).toHaveLength(16);
    expect(headers?.directories[4]).toEqual({ VirtualAddress: 0x900n, Size: 0x60n });
    expect(headers?.directoriesOffset).toBe(BigInt(PE_AT + 24 + base));
    expect(headers?.sections.map(({ name, VirtualSize }) => [name, VirtualSize])).toEqual([['.text', 0x2000n]]);
  });

  it('reads of a sound image what readPe() reads', () => {
    const file = PeBytes.fixture();
    const image = file.image();
    const headers = readPeHeaders(image.source);
    expect(headers).toMatchObject({
      peOffset: image.peOffset,
      fileHeader: image.fileHeader,
      optionalHeader: image.optionalHeader,
      directories: image.directories,
    });
    expect(headers?.sections.map(({ rawName }) => rawName)).toEqual(image.sections.map(({ rawName }) => rawName));
  });

  it.each<[string, Options, number]>([
    ['more directories counted than there is room for', { directories: 16, optionalSize: 112 + 24 }, 3],
    ['more room than is counted', { directories: 2, optionalSize: 112 + 128 }, 2],
    ['none', { directories: 0 }, 0],
    ['an optional header that ends before the count', { optionalSize: 80 }, 0],
    ['a count of 2^32 - 1', { directories: 0xffffffff, optionalSize: 112 + 128 }, 16],
  ])('takes %s, which readPe() refuses or not', (_, options, count) => {
    expect(readPeHeaders(program(options))?.directories).toHaveLength(count);
  });

  it.each<[string, Options, string]>([
    ['PE32', { plus: false }, 'pe.not-pe32plus'],
    ['a PE header inside the DOS header', { peAt: 0x20, names: [] }, 'pe.bad-header'],
    ['a size that does not fit the count', { optionalSize: 112 + 24 }, 'pe.bad-header'],
    ['a section table that is not in the file', { names: Array.from({ length: 20 }, () => '.text') }, 'read.truncated'],
  ])('takes %s, which readPe() refuses', (_, options, id) => {
    expect(() => readPe(program(options))).toThrow(`[${id}]`);
    expect(readPeHeaders(program(options))?.optionalHeader).toBeDefined();
  });

  it.each([
    ['no MZ', 0, 0x4e],
    ['no PE', PE_AT + 1, 0x46],
    ['a PE header behind the file', 62, 0xff],
  ])('finds none where there is %s', (_, at, value) => {
    const bytes = program({}).read(0n, 0x400n, 'program');
    bytes[at] = value;
    expect(readPeHeaders(new BufferSource(bytes))).toBeUndefined();
  });

  it('answers for a file cut at any length', () => {
    const bytes = program({ names: ['.text', '.reloc'] }).read(0n, 0x400n, 'program');
    const optionalEnd = PE_AT + 24 + 240;
    for (let size = 0; size <= bytes.length; size += 1) {
      const source = new BufferSource(bytes.subarray(0, size));
      const headers = readPeHeaders(source);
      expect([size, headers !== undefined]).toEqual([size, size >= PE_AT + 24]);
      expect([size, headers?.optionalHeader !== undefined]).toEqual([size, size >= PE_AT + 24 + 68]);
      expect([size, headers?.sections.length ?? 0]).toEqual([size, size >= optionalEnd + 80 ? 2 : 0]);
      readEfiStub(source);
    }
  });
});

describe('readEfiStub()', () => {
  it.each([
    ['PE32+', true, 112],
    ['PE32', false, 96],
  ])('says where what covers the file stands: %s', (_, plus, base) => {
    const optional = PE_AT + 24;
    const entry = BigInt(optional + base + 32);
    expect(readEfiStub(program({ plus, names: ['.setup', '.reloc', '.text'] }))).toEqual({
      checksum: { what: 'CheckSum', offset: BigInt(optional + 64), value: 0x11223344 },
      certificateEntry: { start: entry, end: entry + 8n },
      certificate: { start: 0x900n, end: 0x960n },
      sections: ['.setup', '.reloc', '.text'].map((name, index) => ({
        index,
        name,
        range: { start: 0n, end: 0x1000n },
        pointer: BigInt(optional + base + 128 + index * 40 + 20),
      })),
      fileAlignment: 0n,
      initSizes: [
        { what: 'SizeOfCode', offset: BigInt(optional + 4), value: 0x3000 },
        { what: 'SizeOfImage', offset: BigInt(optional + 56), value: 0x5000 },
        { what: 'VirtualSize of .text', offset: BigInt(optional + base + 128 + 80 + 8), value: 0x2000 },
      ],
    });
  });

  it.each([[['.text']], [['.text', '.reloc', '.data']]])('finds no sizes that grow with sections %j', (names) => {
    expect(readEfiStub(program({ names }))?.initSizes).toEqual([]);
  });

  it('finds no certificate entry among four directories', () => {
    expect(readEfiStub(program({ directories: 4 }))).toMatchObject({
      certificateEntry: undefined,
      certificate: undefined,
    });
  });
});

describe('hasPeSection(), isPlainPe()', () => {
  it('take unified kernel images for PE images, which are started as a whole, even those whose headers readPe() refuses', () => {
    for (const directories of [16, 15]) {
      const unified = program({ names: ['.osrel', '.linux'], directories, optionalSize: 240 });
      expect([hasPeSection(unified, '.linux'), isPlainPe(unified)]).toEqual([true, true]);
    }
    const plain = program({ names: ['.text'] });
    expect([hasPeSection(plain, '.linux'), isPlainPe(plain)]).toEqual([false, true]);
  });

  it('leave other machines alone', () => {
    expect(isPlainPe(program({ machine: 0xaa64 }))).toBe(false);
  });
});
