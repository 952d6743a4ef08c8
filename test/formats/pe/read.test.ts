import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { certificates, certificateTable } from '../../../src/formats/pe/certificates.js';
import { peBuildId } from '../../../src/formats/pe/debug.js';
import {
  Certificate,
  CoffSymbol,
  DataDirectory,
  DebugEntry,
  FileHeader,
  OptionalHeader,
  PE,
  RelocationBlock,
  SectionHeader,
} from '../../../src/formats/pe/headers.js';
import { fileOffsetOf, sectionTable } from '../../../src/formats/pe/image.js';
import { readPe } from '../../../src/formats/pe/read.js';
import { relocations } from '../../../src/formats/pe/relocations.js';
import { eachAddress, symbolRecords, symbolsNamed } from '../../../src/formats/pe/symbols.js';
import { PeBytes } from '../../support/pe-edit.js';

describe('the declared structures', () => {
  it.each([
    [FileHeader, 20],
    [OptionalHeader, 112],
    [DataDirectory, 8],
    [SectionHeader, 32],
    [CoffSymbol, 18],
    [DebugEntry, 28],
    [RelocationBlock, 8],
    [Certificate, 8],
  ])('has the size of the format: $name', (declared, size) => {
    expect(declared.size(PE)).toBe(size);
  });

  it.each([
    ['SizeOfCode', 4],
    ['AddressOfEntryPoint', 16],
    ['ImageBase', 24],
    ['SectionAlignment', 32],
    ['FileAlignment', 36],
    ['SizeOfImage', 56],
    ['SizeOfHeaders', 60],
    ['CheckSum', 64],
    ['Subsystem', 68],
    ['SizeOfStackReserve', 72],
    ['LoaderFlags', 104],
    ['NumberOfRvaAndSizes', 108],
  ] as const)('has %s at %i of the optional header', (field, at) => {
    expect(OptionalHeader.offsetOf(field, PE)).toBe(at);
  });
});

describe('readPe()', () => {
  it('reads the fixture as objdump shows it', () => {
    const image = PeBytes.fixture().image();
    expect(image.optionalHeader.ImageBase).toBe(0xffff82d040000000n);
    expect(image.sections.map((s) => [s.name, s.VirtualAddress, s.VirtualSize, s.PointerToRawData])).toEqual([
      ['.text', 0x200000n, 0x3f3n, 0x2a0n],
      ['.rodata', 0x201000n, 0x84n, 0x6a0n],
      ['.buildid', 0x201084n, 5n, 0x740n],
      ['.data.read_mostly', 0x202000n, 0x331n, 0x760n],
      ['.bss', 0x203000n, 0x3000n, 0n],
      ['.reloc', 0x206000n, 0x1cn, 0xaa0n],
      ['.debug_dummy', 0x20601cn, 0x4000n, 0xac0n],
    ]);
    expect(sectionTable(image).end).toBeLessThanOrEqual(image.optionalHeader.SizeOfHeaders);
    expect(certificateTable(image)).toBeUndefined();
    expect(peBuildId(image)).toBeUndefined();
  });

  it('finds symbols, short names and long ones, with their addresses', () => {
    const image = PeBytes.fixture().image();
    const found = ['start', 'enter_mb2_efi', 'buildid_word'].flatMap((name) => [...symbolsNamed(image, name)]);
    expect(new Map(found.map(({ name, rva }) => [name, rva]))).toEqual(
      new Map([
        ['start', 0x200000n],
        ['enter_mb2_efi', 0x200304n],
        ['buildid_word', 0x201084n],
      ]),
    );
    const seen: [number, bigint][] = [];
    eachAddress(image, (section, value) => {
      seen.push([section, BigInt(value)]);
    });
    expect(seen).toHaveLength(image.fileHeader.NumberOfSymbols);
    expect(seen).toEqual(Array.from(symbolRecords(image), ({ symbol }) => [symbol.SectionNumber, symbol.Value]));
  });

  it.each([
    // A name held in the record ends at its first NUL, whatever follows, or fills it.
    ['start\0\0\0', 'start', true],
    ['start\0xy', 'start', true],
    ['start1\0\0', 'start', false],
    ['star\0\0\0\0', 'start', false],
    ['start_32', 'start_32', true],
    ['start_32', 'start_3', false],
    ['start_32', 'start_321', false],
    ['s\0art\0\0\0', 's', true],
  ])('a symbol whose name is held as %j is %s: %s', (held, name, isIt) => {
    const file = PeBytes.fixture();
    const at = file.file('PointerToSymbolTable');
    const where = file.bytes.indexOf('start\0\0\0', at, 'latin1');
    expect((where - at) % 18).toBe(0);
    file.bytes.write(held, where, 'latin1');
    expect([...symbolsNamed(file.image(), name)].map(({ rva }) => rva)).toEqual(isIt ? [0x200000n] : []);
  });

  it('lists base relocations with their widths', () => {
    const all = [...relocations(PeBytes.fixture().image())];
    expect(all).toContainEqual({ rva: 0x202008n, width: 8n, type: 10 });
    expect(all.length).toBe(4);
  });

  it('gives a byte behind the data no place in the file', () => {
    const image = PeBytes.fixture().image();
    expect(fileOffsetOf(image, 0x201088n)).toBe(0x744n);
    expect(fileOffsetOf(image, 0x201089n)).toBeUndefined();
    expect(fileOffsetOf(image, 0x203000n)).toBeUndefined();
  });

  it('follows a name of the form //AAAAAB into the string table', () => {
    const file = PeBytes.fixture();
    const strings = file.file('PointerToSymbolTable') + 18 * file.file('NumberOfSymbols');
    expect(file.bytes.readUInt32LE(strings)).toBeGreaterThan(12);
    const wanted = file.bytes.toString('latin1', strings + 4, file.bytes.indexOf(0, strings + 4));
    const renamed = file.rename('.text', '//AAAAAE').image();
    expect(renamed.sections[0]?.name).toBe(wanted);
  });

  it('lists certificates, each at a multiple of 8', () => {
    const file = PeBytes.fixture();
    const table = Buffer.alloc(40);
    table.writeUInt32LE(17, 0);
    table.writeUInt16LE(0x200, 4);
    table.writeUInt16LE(2, 6);
    table.writeUInt32LE(16, 24);
    const at = file.bytes.length;
    const signed = new PeBytes(Buffer.concat([file.bytes, table])).directory(4, at, 40);
    const image = signed.image();
    expect(certificateTable(image)).toEqual({ start: BigInt(at), end: BigInt(at + 40) });
    expect(certificates(image).map(({ offset, certificate }) => [offset, certificate.dwLength])).toEqual([
      [BigInt(at), 17n],
      [BigInt(at + 24), 16n],
    ]);
  });

  it.each<[string, (file: PeBytes) => unknown]>([
    ['pe.not-pe', (f) => f.bytes.write('EL', 0)],
    ['pe.not-pe', (f) => f.bytes.write('NE', f.bytes.readUInt32LE(60))],
    ['pe.not-pe32plus', (f) => f.optional('Magic', 0x10b)],
    ['pe.bad-header', (f) => f.optional('NumberOfRvaAndSizes', 17)],
    ['pe.bad-header', (f) => f.optional('NumberOfRvaAndSizes', 15)],
    ['pe.bad-header', (f) => f.optional('SizeOfHeaders', 0x100)],
    ['pe.bad-header', (f) => f.bytes.writeUInt32LE(8, 60)],
    ['read.truncated', (f) => f.bytes.writeUInt32LE(0xfffffff0, 60)],
    ['read.truncated', (f) => f.file('NumberOfSections', 0xffff)],
  ])('refuses with %s', (id, edit) => {
    const file = PeBytes.fixture();
    edit(file);
    expect(() => readPe(new BufferSource(file.bytes))).toThrow(`[${id}]`);
  });
});
