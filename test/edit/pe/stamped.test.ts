import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { layOutStamped } from '../../../src/edit/pe/lay-out.js';
import { changesPe, proveStamped } from '../../../src/edit/pe/pipeline.js';
import { peStampsOf } from '../../../src/edit/pe/stamps.js';
import type { PeStampWish } from '../../../src/edit/pe/wish.js';
import type { PeImage } from '../../../src/formats/pe/image.js';
import { readPe } from '../../../src/formats/pe/read.js';
import { readSbat, SBAT_HEADER } from '../../../src/formats/pe/sbat.js';
import { verifyStamped } from '../../../src/verify/pe/stamped.js';
import { verifyLinear } from '../../../src/verify/pe/verify.js';
import { linearBytes } from '../../support/linear.js';
import { buildPe, CODE, DATA, type PeSpec } from '../../support/pe-builder.js';
import { PeBytes } from '../../support/pe-edit.js';
import { STAMPED_BREAKS } from '../../verify/breaks/stamped.js';

const NOTHING: PeStampWish = {
  sbat: [],
  allowSbatDowngrade: false,
  metadata: undefined,
  members: {},
  sbom: undefined,
  sections: [],
  stripSignature: false,
};
const row = (generation: number, url = 'https://xenproject.org') =>
  readSbat(Buffer.from(`${SBAT_HEADER}\nxen,${generation},Xen,xen,4.20,${url}\n`)).rows.slice(1);

function stamped(image: PeImage, wish: Partial<PeStampWish>): PeBytes {
  const layout = layOutStamped(image, { ...NOTHING, ...wish });
  const bytes = new Uint8Array(Number(layout.output.size));
  layout.output.readInto(0n, bytes, 'result');
  expect(proveStamped(layout, layout.output)).toEqual([]);
  return new PeBytes(bytes);
}

const small = (spec: Partial<PeSpec> = {}) =>
  new PeBytes(
    buildPe({
      sections: [
        { name: '.text', rva: 0x1000, virtualSize: 0x123, data: new Uint8Array(0x123).fill(0x90), flags: CODE },
        { name: '.data', rva: 0x2000, virtualSize: 0x1000, data: new Uint8Array(0x40).fill(1), flags: DATA },
      ],
      symbols: [{ name: 'start', section: 1, value: 4 }],
      ...spec,
    }),
  );

describe('stamping a PE image', () => {
  it('puts new sections behind all others, in memory and in the file, and moves the symbols behind them', () => {
    const before = small();
    const after = stamped(before.image(), { sbat: row(1), members: { name: 'xen' } });
    expect(after.section('.sbat', 'VirtualAddress')).toBe(0x3000);
    expect(after.section('.pkgnote', 'VirtualAddress')).toBe(0x4000);
    expect(after.optional('SizeOfImage')).toBe(0x5000);
    expect(after.section('.sbat', 'Characteristics')).toBe(0x40000040);
    const at = after.section('.pkgnote', 'PointerToRawData');
    expect(after.bytes.toString('latin1', at, at + 15)).toBe('{"name":"xen"}\0');
    expect(after.file('PointerToSymbolTable')).toBe(at + 0x20);
    expect(after.file('NumberOfSymbols')).toBe(before.file('NumberOfSymbols'));
  });

  it('lets the headers grow where they are full, and everything behind them move by one distance', () => {
    const before = small();
    const after = stamped(before.image(), { sbat: row(1) });
    const moved = after.section('.text', 'PointerToRawData') - before.section('.text', 'PointerToRawData');
    expect(moved).toBeGreaterThan(0);
    expect(after.section('.data', 'PointerToRawData') - before.section('.data', 'PointerToRawData')).toBe(moved);
    expect(after.optional('SizeOfHeaders') - before.optional('SizeOfHeaders')).toBe(moved);
  });

  it('uses room that is there, and leaves every place as it was', () => {
    const before = small({ fileAlignment: 0x200 });
    const after = stamped(before.image(), { sbat: row(1) });
    expect(after.section('.text', 'PointerToRawData')).toBe(before.section('.text', 'PointerToRawData'));
    expect(after.optional('SizeOfHeaders')).toBe(before.optional('SizeOfHeaders'));
  });

  it('changes nothing the second time', () => {
    const wish = { sbat: row(1), members: { name: 'xen' }, sections: [{ name: '.extra', bytes: Buffer.from('abc') }] };
    const once = stamped(small().image(), wish).image();
    expect(changesPe(layOutStamped(once, { ...NOTHING, ...wish }))).toBe(false);
  });

  it('brings lines up to date where they are, longer and shorter', () => {
    const once = stamped(small().image(), { sbat: row(1), members: { name: 'xen' } });
    for (const url of ['https://x', `https://example.org/${'long/'.repeat(40)}`]) {
      const again = stamped(once.image(), { sbat: row(2, url) });
      const { sbat, metadata } = peStampsOf(again.image());
      expect(sbat?.[1]?.text).toBe(`xen,2,Xen,xen,4.20,${url}`);
      expect(metadata).toBe('{"name":"xen"}');
      expect(again.section('.sbat', 'VirtualAddress')).toBe(once.section('.sbat', 'VirtualAddress'));
    }
  });

  it('keeps a linear image linear, and gives the same as stamping before linearizing', () => {
    const wish = { sbat: row(1), members: { name: 'dual' } };
    const input = PeBytes.fixture().image();
    const linear = stamped(linearBytes(input, { mb1: true }).image(), wish).image();
    expect(verifyLinear(linear).findings.filter(({ level }) => level === 'error')).toEqual([]);
    const other = linearBytes(stamped(input, wish).image(), { mb1: true }).image();
    expect(peStampsOf(other)).toEqual(peStampsOf(linear));
    const tags = (image: PeImage) => linearBytes(image, { mb1: true }).bytes.subarray(0x1000, 0x1200);
    expect(tags(linear).equals(tags(other))).toBe(true);
  });

  it('keeps a checksum right, and none as none', () => {
    expect(stamped(PeBytes.fixture().unsummed().image(), { sbat: row(1) }).optional('CheckSum')).toBe(0);
    const summed = stamped(linearBytes(PeBytes.fixture().image()).image(), { sbat: row(1) });
    expect(summed.optional('CheckSum')).not.toBe(0);
  });

  it.each<[string, string, PeImage, Partial<PeStampWish>]>([
    [
      'a section that is there',
      'pe.section-exists',
      small().image(),
      { sections: [{ name: '.text', bytes: Buffer.from('x') }] },
    ],
    [
      'a name of nine',
      'pe.section-name',
      small().image(),
      { sections: [{ name: '.too-long', bytes: Buffer.from('x') }] },
    ],
    ['a name for another', 'pe.section-name', small().image(), { sections: [{ name: '/4', bytes: Buffer.from('x') }] }],
    [
      '.sbat by the back door',
      'pe.section-name',
      small().image(),
      { sections: [{ name: '.sbat', bytes: Buffer.from('x') }] },
    ],
    ['no bytes', 'pe.section-name', small().image(), { sections: [{ name: '.x', bytes: new Uint8Array(0) }] }],
    ['no container', 'pe.bad-sbom', small().image(), { sbom: Buffer.from('{}') }],
    ['a signed image', 'pe.signed', signed().image(), { sbat: row(1) }],
    ['headers up to the first address', 'pe.no-header-room', full(), { sbat: row(1) }],
    [
      'no room up to the next address',
      'pe.no-section-room',
      inTheMiddle(),
      { sbat: row(1, `https://${'x'.repeat(5000)}`) },
    ],
  ])('refuses %s', (_what, id, image, wish) => {
    expect(() => layOutStamped(image, { ...NOTHING, ...wish })).toThrow(expect.objectContaining({ id }));
  });

  it('takes a signature off when told, and says so', () => {
    const layout = layOutStamped(signed().image(), { ...NOTHING, stripSignature: true, sbat: row(1) });
    proveStamped(layout, layout.output);
    expect(layout.warnings.join()).toContain('sign the result');
    expect(readPe(layout.output).directories[4]).toEqual({ VirtualAddress: 0n, Size: 0n });
  });

  it.each(STAMPED_BREAKS)('$check sees: $what', ({ check, edit }) => {
    const input = small().image();
    const layout = layOutStamped(input, {
      ...NOTHING,
      sbat: row(1),
      sections: [{ name: '.x', bytes: Buffer.from('y') }],
    });
    const bytes = new Uint8Array(Number(layout.output.size));
    layout.output.readInto(0n, bytes, 'result');
    expect(verifyStamped(readPe(new BufferSource(bytes, 'good')), input, layout.wanted)).toEqual([]);
    const broken = new PeBytes(bytes);
    edit(broken);
    const findings = verifyStamped(broken.image(), input, layout.wanted);
    expect(findings.map((finding) => finding.check)).toContain(check);
  });
});

/** Sixteen bytes at the end, as a certificate table. */
function signed(): PeBytes {
  const file = small({ overlay: new Uint8Array(16) });
  return file.directory(4, file.bytes.length - 16, 16);
}

/** A first section that begins where the headers end, so that they cannot grow. */
function full(): PeImage {
  const bytes = small();
  const size = bytes.optional('SizeOfHeaders');
  bytes.section('.text', 'VirtualAddress', size);
  return bytes.image();
}

/** A section of SBAT with another a page behind it. */
function inTheMiddle(): PeImage {
  const sbat = Buffer.from(`${SBAT_HEADER}\n`);
  return small({
    sections: [
      { name: '.text', rva: 0x1000, virtualSize: 0x10, data: new Uint8Array(0x10), flags: CODE },
      { name: '.sbat', rva: 0x2000, virtualSize: sbat.length, data: sbat, flags: 0x40000040 },
      { name: '.linux', rva: 0x3000, virtualSize: 0x10, data: new Uint8Array(0x10), flags: 0x40000040 },
    ],
  }).image();
}
