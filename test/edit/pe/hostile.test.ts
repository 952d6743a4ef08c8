/** Headers that lie, and SBAT that is none: a refusal by name, before anything is written. */
import { describe, expect, it } from 'vitest';
import { PatchError } from '../../../src/base/errors/patch-error.js';
import { layOutStamped } from '../../../src/edit/pe/lay-out.js';
import { proveStamped } from '../../../src/edit/pe/pipeline.js';
import { mergeSbat, readSbat, rowOf, SBAT_HEADER, type SbatRow } from '../../../src/formats/pe/sbat.js';
import { PeBytes } from '../../support/pe-edit.js';

const HEAD = `${SBAT_HEADER}\n`;
const ROWS = readSbat(Buffer.from(`${HEAD}xen,1,Xen,xen,4.20,https://xenproject.org\n`)).rows;
const WISH = {
  sbat: ROWS.slice(1),
  allowSbatDowngrade: false,
  metadata: undefined,
  members: {},
  sbom: undefined,
  sections: [],
} as const;

/** A certificate table of the file, at an offset from its start or, negative, from its end. */
const certificate =
  (at: number, size: number, overlay = 0) =>
  (f: PeBytes) => {
    const file = new PeBytes(Buffer.concat([f.bytes, new Uint8Array(overlay)]));
    return file.directory(4, at < 0 ? file.bytes.length + at : at, size);
  };
const MOST = 0xffff_ffff;

/** What is done to the fixture, and the refusal; with a signature taken off where there is one. */
const HOSTILE: readonly (readonly [string, string, (file: PeBytes) => PeBytes | number | undefined])[] = [
  ['certificates in the headers', 'pe.overlap', certificate(0x10, 16)],
  ['certificates in a section', 'pe.overlap', certificate(0x2a8, 16)],
  ['certificates in the strings', 'pe.overlap', certificate(-13, 13)],
  ['certificates behind the end', 'read.truncated', certificate(0x6000, 16)],
  ['certificates half behind the end', 'read.truncated', certificate(-8, 16)],
  ['certificates up to 4 GiB', 'read.truncated', certificate(8, MOST)],
  ['sections that share memory', 'pe.overlap', (f) => f.section('.rodata', 'VirtualAddress', 0x200008)],
  ['sections that share bytes', 'pe.overlap', (f) => f.section('.rodata', 'PointerToRawData', 0x2a8)],
  ['sections that descend', 'pe.section-order', (f) => f.section('.rodata', 'VirtualAddress', 0x306000)],
  ['a section behind the file', 'read.truncated', (f) => f.section('.buildid', 'PointerToRawData', 0xffff_fff0)],
  ['a section longer than the file', 'read.truncated', (f) => f.section('.buildid', 'SizeOfRawData', MOST)],
  ['a section of 4 GiB in memory', 'pe.too-big', (f) => f.section('.buildid', 'VirtualSize', MOST)],
  ['a section in the headers', 'pe.overlap', (f) => f.section('.text', 'PointerToRawData', 0x10)],
  ['FileAlignment 3', 'pe.bad-header', (f) => f.optional('FileAlignment', 3)],
  ['FileAlignment 2 GiB', 'pe.no-header-room', (f) => f.optional('FileAlignment', 2 ** 31)],
  ['SectionAlignment 0', 'pe.bad-header', (f) => f.optional('SectionAlignment', 0)],
  ['SectionAlignment 3', 'pe.bad-header', (f) => f.optional('SectionAlignment', 3)],
  ['SectionAlignment 2 GiB', 'pe.too-big', (f) => f.optional('SectionAlignment', 2 ** 31)],
  ['SizeOfHeaders 0', 'pe.bad-header', (f) => f.optional('SizeOfHeaders', 0)],
  ['SizeOfHeaders 4 GiB', 'read.truncated', (f) => f.optional('SizeOfHeaders', MOST)],
  ['65,535 sections', 'read.truncated', (f) => f.file('NumberOfSections', 0xffff)],
  ['no section', 'pe.bad-header', (f) => f.file('NumberOfSections', 0)],
  ['symbols behind the file', 'read.truncated', (f) => f.file('PointerToSymbolTable', 0xffff_fff0)],
  ['more symbols than bytes', 'read.truncated', (f) => f.file('NumberOfSymbols', MOST)],
  ['symbols in a section', 'pe.overlap', (f) => f.file('PointerToSymbolTable', 0x2a0)],
  ['17 directories', 'pe.bad-header', (f) => f.optional('NumberOfRvaAndSizes', 17)],
  ['a cut section table', 'read.truncated', (f) => new PeBytes(f.bytes.subarray(0, 0x1a0))],
  ['no address for longer headers', 'pe.no-header-room', (f) => f.section('.text', 'VirtualAddress', 0x2a0)],
];

describe('an image to be stamped', () => {
  it.each(HOSTILE)('with %s is refused: %s', (_, id, edit) => {
    const file = PeBytes.fixture();
    const edited = edit(file);
    const stamp = () => {
      const image = (edited instanceof PeBytes ? edited : file).image();
      const layout = layOutStamped(image, { ...WISH, stripSignature: true });
      proveStamped(layout, layout.output);
    };
    expect(stamp).toThrow(PatchError);
    expect(stamp).toThrow(expect.objectContaining({ id }));
  });

  it('keeps what stands behind a signature that is taken off', () => {
    const file = certificate(-48, 16, 48)(PeBytes.fixture());
    file.bytes.write('behind', file.bytes.length - 32, 'latin1');
    const layout = layOutStamped(file.image(), { ...WISH, stripSignature: true });
    expect(proveStamped(layout, layout.output)).toEqual([]);
    const tail = layout.output.read(layout.output.size - 32n, 32n, 'tail');
    expect(Buffer.from(tail).toString('latin1', 0, 6)).toBe('behind');
  });
});

describe('readSbat()', () => {
  it.each<[string, string | Buffer, number, string]>([
    ['nothing', '', 1, 'found no line'],
    ['no header line', 'xen,1,a,b,c,d\n', 1, 'component xen, wanted sbat'],
    ['CRLF', `${HEAD.replace('\n', '\r\n')}`, 1, 'carriage return'],
    ['a NUL in a line', `${HEAD}xen,1,a\0,b,c,d\n`, 2, 'found a NUL'],
    ['a NUL between lines', `${HEAD}\0xen,1,a,b,c,d\n`, 2, 'found a NUL'],
    ['a mark of byte order', `\ufeff${HEAD}`, 1, 'control character'],
    ['an escape', `${HEAD}xen,1,\x1b[31m,b,c,d\n`, 2, 'control character'],
    ['no UTF-8', Buffer.concat([Buffer.from(HEAD), Buffer.of(0x78, 0xff)]), 1, 'no UTF-8'],
    ['a blank line', `${HEAD}\nxen,1,a,b,c,d\n`, 2, 'found 1 fields, wanted 6'],
    ['a field too many', `${HEAD}xen,1,a,b,c,d,e\n`, 2, 'found 7 fields'],
    ['quoted commas, which shim does not know', `${HEAD}xen,1,"a,b",b,c,d\n`, 2, 'found 7 fields'],
    ['an empty field', `${HEAD}xen,1,,b,c,d\n`, 2, 'field vendor is empty'],
    ['generation 0', `${HEAD}xen,0,a,b,c,d\n`, 2, 'wanted a number from 1'],
    ['generation 01', `${HEAD}xen,01,a,b,c,d\n`, 2, 'wanted a number from 1'],
    ['a generation beyond an int of C', `${HEAD}xen,2147483648,a,b,c,d\n`, 2, 'wanted a number from 1'],
    ['a negative generation', `${HEAD}xen,-1,a,b,c,d\n`, 2, 'wanted a number from 1'],
    ['a component twice', `${HEAD}xen,1,a,b,c,d\nxen,2,a,b,c,d\n`, 3, 'has a line already'],
    ['10 MB', Buffer.alloc(10_000_000, `${HEAD}`), 1, 'found 10000000 bytes'],
  ])('says what is wrong with %s', (_, text, line, why) => {
    const { problem } = readSbat(Buffer.from(text as string));
    expect(problem?.line).toBe(line);
    expect(problem?.why).toContain(why);
  });

  it.each([
    ['without a last line feed', `${HEAD}xen,1,a,b,c,d`],
    ['padded with NULs', `${HEAD}xen,1,a,b,c,d\n\0\0\0\0`],
    ['the largest generation', `${HEAD}xen,2147483647,a,b,c,d\n`],
    ['letters of any script', `${HEAD}xen,1,Ünïcode 試,b,c,d\n`],
  ])('takes lines %s', (_, text) => {
    const { rows, problem } = readSbat(Buffer.from(text));
    expect(problem).toBeUndefined();
    expect(rows.map(({ component }) => component)).toEqual(['sbat', 'xen']);
  });
});

describe('mergeSbat()', () => {
  const row = (text: string) => {
    const found = rowOf(text);
    if (typeof found === 'string') throw new Error(found);
    return found;
  };
  const OLD = [row(SBAT_HEADER), row('xen,3,a,b,c,d'), row('xen.debian,1,a,b,c,d')];
  const merged = (given: readonly SbatRow[], allowDowngrade = false) =>
    mergeSbat(OLD, given, { allowDowngrade, place: {} }).map(({ text }) => text);

  it('puts a line in the place of its component, a new one last, and leaves the others', () => {
    expect(merged([row('xen.own,1,e,f,g,h'), row('xen,4,e,f,g,h')])).toEqual([
      SBAT_HEADER,
      'xen,4,e,f,g,h',
      'xen.debian,1,a,b,c,d',
      'xen.own,1,e,f,g,h',
    ]);
  });

  it('lowers a generation only when that is allowed; other fields change at the same one', () => {
    expect(() => merged([row('xen,2,a,b,c,d')])).toThrow(expect.objectContaining({ id: 'pe.sbat-downgrade' }));
    expect(merged([row('xen,2,a,b,c,d')], true)).toContain('xen,2,a,b,c,d');
    expect(merged([row('xen,3,a,b,c2,d')])).toContain('xen,3,a,b,c2,d');
  });
});
