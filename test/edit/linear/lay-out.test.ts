import { describe, expect, it } from 'vitest';
import type { LinearOptions } from '../../../src/edit/linear/options.js';
import { changesLinear } from '../../../src/edit/linear/pipeline.js';
import { verifyLinear } from '../../../src/verify/pe/verify.js';
import { linearBytes, linearLayout } from '../../support/linear.js';
import { PeBytes } from '../../support/pe-edit.js';

const input = () => PeBytes.fixture().image('dual.efi');

describe('layOutLinear() of the fixture', () => {
  it('puts each loaded section at its RVA less one distance, the tail behind, then the symbols', () => {
    const { placement, mb2 } = linearLayout(input());
    expect(placement.distance).toBe(0x1ff000n);
    expect(placement.sections.map((s) => [s.name, s.role, s.PointerToRawData, s.SizeOfRawData])).toEqual([
      ['.text', 'image', 0x1000n, 0x1000n],
      ['.rodata', 'image', 0x2000n, 0x84n],
      ['.buildid', 'image', 0x2084n, 0xf7cn],
      ['.data.read_mostly', 'image', 0x3000n, 0x400n],
      ['.bss', 'bss', 0n, 0n],
      ['.reloc', 'tail', 0x3400n, 0x200n],
      ['.debug_dummy', 'tail', 0x3600n, 0x4000n],
    ]);
    expect(placement.PointerToSymbolTable).toBe(0x7600n);
    expect(mb2).toMatchObject({
      how: 'append',
      offset: 0x1008n,
      address: { header_addr: 0x200008n, load_addr: 0x200000n, load_end_addr: 0x202331n, bss_end_addr: 0x400000n },
      entry: 0x200000n,
      entryFrom: 'symbol start',
    });
  });

  const wishes: readonly Partial<LinearOptions>[] = [
    {},
    { mb1: true },
    { merge: true },
    { keepReloc: true },
    { discardableReloc: true },
    { headerSize: 0x2c0n },
    { headerSize: 0x2000n },
    { mb2: 'gap' },
    { mb2: 'none' },
    { image: ['.bss'] },
    { bssAlign: 0x1000n },
    { entry: { kind: 'symbol', name: 'enter32' } },
  ];
  it.each(wishes)('changes nothing the second time: %o', (options) => {
    const once = linearBytes(input(), options);
    expect(changesLinear(linearLayout(once.image(), options))).toBe(false);
    expect(linearBytes(input(), options).bytes.equals(once.bytes)).toBe(true);
  });

  it('keeps the header in the gap and the entry when it is linearized again without options', () => {
    const gap = linearBytes(input(), { mb2: 'gap', entry: { kind: 'symbol', name: 'enter32' } }).image();
    expect(linearLayout(gap).mb2).toMatchObject({ how: 'update', entry: 0x200200n });
    expect(changesLinear(linearLayout(gap))).toBe(false);
  });

  it('falls back to the gap when the bytes behind the header are not filler, and says so', () => {
    const file = PeBytes.fixture();
    // A jump over NOPs, as GNU as pads code.
    file.bytes.writeUInt16LE(0x3eeb, file.mb2() + 88);
    const layout = linearLayout(file.image());
    expect(layout.mb2?.how).toBe('gap');
    expect(layout.warnings.join()).toContain('header_addr is below load_addr');
    expect(() => linearLayout(file.image(), { mb2: 'append' })).toThrow('[mb2.no-room]');
  });

  it('does not take bytes with a symbol for filler', () => {
    const file = PeBytes.fixture();
    // The first symbol, LINK_BASE, becomes one of .text at 0x70.
    const symbols = file.file('PointerToSymbolTable');
    file.word(symbols + 8, 0x70);
    file.bytes.writeUInt16LE(1, symbols + 12);
    expect(() => linearLayout(file.image(), { mb2: 'append' })).toThrow('a symbol stands at RVA 0x200070');
  });

  it('does not take bytes for filler that a relocation is aimed at', () => {
    const file = PeBytes.fixture();
    // The last entry of the first block: HIGHLOW at 0x78.
    const block = file.section('.reloc', 'PointerToRawData');
    file.word(block, 0x200000);
    file.bytes.writeUInt16LE(0x3078, block + 8);
    expect(() => linearLayout(file.image(), { mb2: 'append' })).toThrow('a base relocation is aimed at RVA 0x200078');
  });

  it('finds the entry by the relocatable tag in a stripped image, and asks where that is not enough', () => {
    const file = PeBytes.fixture();
    file.file('PointerToSymbolTable', 0);
    file.file('NumberOfSymbols', 0);
    expect(linearLayout(file.image()).mb2?.entryFrom).toBe('first byte, as in Xen');
    file.word(file.tag(10), 0x100000);
    expect(() => linearLayout(file.image())).toThrow('[mb2.entry-unknown]');
    const given = linearLayout(file.image(), { entry: { kind: 'rva', rva: 0x200200n } });
    expect(given.mb2?.entry).toBe(0x200200n);
  });

  it('gives a section without data zeros in the file when it is to be loaded', () => {
    const layout = linearLayout(input(), { image: ['.bss'] });
    const bss = layout.placement.sections.find(({ name }) => name === '.bss');
    expect(bss).toMatchObject({ role: 'image', SizeOfRawData: 0x3000n });
    expect((bss?.Characteristics ?? 0) & 0xc0).toBe(0x40);
    expect(layout.mb2?.address.load_end_addr).toBe(0x206000n);
  });

  it('drops a signature only when told to', () => {
    const file = PeBytes.fixture();
    const at = file.bytes.length;
    const table = Buffer.alloc(16);
    table.writeUInt32LE(16, 0);
    const signed = new PeBytes(Buffer.concat([file.bytes, table])).directory(4, at, 16).image();
    expect(() => linearLayout(signed)).toThrow('[pe.signed]');
    const dropped = linearBytes(signed, { dropSignature: true });
    expect(dropped.image().directories[4]).toEqual({ VirtualAddress: 0n, Size: 0n });
    const options = { dropSignature: false };
    expect(dropped.unsummed().bytes.equals(linearBytes(input(), options).unsummed().bytes)).toBe(true);
  });

  it.each<[string, Partial<LinearOptions>, (file: PeBytes) => unknown]>([
    ['pe.machine', {}, (f) => f.file('Machine', 0xaa64)],
    ['pe.bad-header', {}, (f) => f.optional('SectionAlignment', 0x3000)],
    ['pe.bad-header', {}, (f) => f.section('.rodata', 'VirtualSize', 0)],
    ['pe.section-order', {}, (f) => f.section('.rodata', 'VirtualAddress', 0x200000)],
    ['pe.overlap', {}, (f) => f.section('.text', 'VirtualSize', 0x1001)],
    ['pe.overlap', {}, (f) => f.section('.rodata', 'PointerToRawData', 0x680)],
    ['pe.overlap', {}, (f) => f.file('PointerToSymbolTable', 0x2a0)],
    ['pe.coff-tables', {}, (f) => f.section('.text', 'PointerToLinenumbers', 1)],
    ['pe.coff-tables', {}, (f) => f.section('.text', 'PointerToRelocations', 1)],
    [
      'pe.data-after-bss',
      {},
      (f) => f.section('.debug_dummy', 'Characteristics', 0x40000040) && f.rename('.debug_dummy', '.x'),
    ],
    ['pe.too-big', {}, (f) => f.section('.debug_dummy', 'VirtualSize', 0xffff0000)],
    ['pe.relocations', {}, (f) => f.word(f.section('.reloc', 'PointerToRawData') + 4, 4)],
    ['read.truncated', {}, (f) => f.section('.debug_dummy', 'SizeOfRawData', 0x7fffffff)],
    ['read.truncated', {}, (f) => f.file('NumberOfSymbols', 0x7fffffff)],
    ['mb2.none', {}, (f) => f.word(f.mb2(), 0)],
    ['mb2.bad-tags', {}, (f) => f.word(f.tag(10) - 4, 4)],
    ['mb2.bad-tags', {}, (f) => f.word(f.tag(0) - 4, 24)],
    ['mb2.bad-address', {}, (f) => f.word(f.tag(9), 0x201000)],
    ['mb2.bad-address', {}, (f) => f.word(f.tag(10) + 8, 0x400000)],
    ['mb2.bad-address', { physBase: 0x100000n }, () => undefined],
    ['mb2.bad-address', { entry: { kind: 'rva', rva: 0x201000n } }, () => undefined],
    ['mb2.entry-unknown', { entry: { kind: 'symbol', name: 'nowhere' } }, () => undefined],
    ['mb2.too-far', { headerSize: 0x9000n, mb2: 'append' }, () => undefined],
    ['mb1.no-room', { mb1: true, mb2: 'gap' }, () => undefined],
    ['linear.header-size', { headerSize: 0x100n }, () => undefined],
    ['linear.header-size', { headerSize: 0x200008n }, () => undefined],
    ['linear.file-align', { fileAlign: 0x200n }, () => undefined],
    ['linear.no-section', { tail: ['.nosuch'] }, () => undefined],
  ])('refuses with %s', (id, options, edit) => {
    const file = PeBytes.fixture();
    edit(file);
    expect(() => linearLayout(file.image(), options)).toThrow(`[${id}]`);
  });

  it('takes the video mode of an old Multiboot 1 header along, and room for it', () => {
    const file = PeBytes.fixture();
    // In .rodata: magic, flags 7, checksum, five words that do not count, then 1024x768x32.
    const at = file.section('.rodata', 'PointerToRawData');
    const words = [0x1badb002, 7, 2 ** 32 - 0x1badb002 - 7, 0, 0, 0, 0, 0, 0, 1024, 768, 32];
    for (const [index, word] of words.entries()) file.word(at + 4 * index, word);
    const mode = Buffer.from(file.bytes.subarray(at + 32, at + 48));
    const linear = linearBytes(file.image(), { mb1: true, headerSize: 0x2c0n });
    const now = linear.bytes.indexOf(Uint8Array.of(0x02, 0xb0, 0xad, 0x1b, 7, 0, 1, 0));
    expect(now).toBeGreaterThan(linear.mb2());
    expect(linear.bytes.subarray(now + 32, now + 48)).toEqual(mode);
    expect(verifyLinear(linear.image(), { baseline: file.image() }).findings).not.toContainEqual(
      expect.objectContaining({ level: 'error' }),
    );
  });

  it('moves a header that would leave the first 32 KiB to the front', () => {
    const layout = linearLayout(input(), { headerSize: 0x9000n });
    expect(layout.mb2?.how).toBe('gap');
    expect(
      verifyLinear(linearBytes(input(), { headerSize: 0x9000n }).image(), { baseline: input() }).findings,
    ).not.toContainEqual(expect.objectContaining({ level: 'error' }));
  });
});
