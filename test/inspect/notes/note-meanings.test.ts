import { describe, expect, it } from 'vitest';
import { meaningOf } from '../../../src/inspect/notes/note-meanings.js';
import { valueText } from '../../../src/report/notes-report.js';
import { cstr, hexToBytes, latin1 } from '../../support/elf-builder.js';

const le64 = { bits: 64, endian: 'little' } as const;
const be32 = { bits: 32, endian: 'big' } as const;

describe('meaningOf(): names of notes that stand in real files', () => {
  it.each([
    ['.sbat', 0x53424154, 'SBAT'],
    ['Appended-Signature', 0x41536967, 'appended signature'],
    ['PowerPC', 0x1275, 'CHRP configuration'],
    ['IBM,RPA-Client-Config', 0x12759999, 'client configuration'],
    ['FDO', 0x407c0c0a, 'dlopen metadata'],
    ['Solo5', 0x3154464d, 'manifest'],
    ['Solo5', 0x31494241, 'ABI'],
    ['GA$\u0001' + '3p1292', 0x100, 'NT_GNU_BUILD_ATTRIBUTE_OPEN'],
    ['GA*cf_protection', 0x101, 'NT_GNU_BUILD_ATTRIBUTE_FUNC'],
    ['FreeBSD', 4, 'NT_FREEBSD_FEATURE_CTL'],
    ['PaX', 3, 'NT_NETBSD_PAX'],
    ['GAP', 7, undefined],
    ['nobody', 0x100, undefined],
  ])('%j %i: %s', (owner, type, wanted) => {
    const desc = latin1('sbat,1');
    expect(meaningOf(owner, type, desc, le64).name).toBe(wanted);
  });

  it('the SBAT of GRUB is text', () => {
    expect(valueText(meaningOf('.sbat', 0x53424154, latin1('sbat,1,SBAT\n'), le64).meaning)).toContain('sbat,1');
  });
});

describe('meaningOf(): vectors written out by hand', () => {
  it('GNU build-id', () => {
    const { name, meaning } = meaningOf('GNU', 3, hexToBytes('0102 fe'), le64);
    expect([name, valueText(meaning)]).toEqual(['NT_GNU_BUILD_ID', '0102fe']);
  });

  it.each([
    [le64, '00000000 03000000 02000000 00000000'],
    [be32, '00000000 00000003 00000002 00000000'],
  ])('GNU ABI tag, $endian', (encoding, bytes) => {
    expect(meaningOf('GNU', 1, hexToBytes(bytes), encoding).meaning).toEqual({
      kind: 'abi-tag',
      os: 'Linux',
      version: '3.2.0',
    });
  });

  it('GNU properties, padded to 8 in ELF64 and to 4 in ELF32', () => {
    const x86 = { type: 0xc0000002, name: 'GNU_PROPERTY_X86_FEATURE_1_AND', data: Uint8Array.of(3, 0, 0, 0) };
    const isa = { type: 0xc0008002, name: 'GNU_PROPERTY_X86_ISA_1_NEEDED', data: Uint8Array.of(1, 0, 0, 0) };
    const wide = '020000c0 04000000 03000000 00000000 028000c0 04000000 01000000 00000000';
    const narrow = '020000c0 04000000 03000000 028000c0 04000000 01000000';
    const items = [x86, isa];
    expect(meaningOf('GNU', 5, hexToBytes(wide), le64).meaning).toEqual({ kind: 'properties', items });
    const ia32 = { bits: 32, endian: 'little' } as const;
    expect(meaningOf('GNU', 5, hexToBytes(narrow), ia32).meaning).toEqual({ kind: 'properties', items });
  });

  it('properties that claim more than there is stay raw', () => {
    const bytes = hexToBytes('020000c0 ff000000 03000000');
    expect(meaningOf('GNU', 5, bytes, le64).meaning).toEqual({ kind: 'raw', bytes });
  });

  it('FDO package metadata', () => {
    const { name, meaning } = meaningOf('FDO', 0xcafe1a7e, cstr('{"type":"deb","name":"linux"}'), le64);
    expect(name).toBe('package metadata');
    expect(meaning).toMatchObject({ kind: 'metadata', metadata: { type: 'deb', name: 'linux' } });
  });

  it('metadata that is no JSON is text', () => {
    expect(meaningOf('FDO', 0xcafe1a7e, cstr('{'), le64).meaning).toEqual({
      kind: 'string',
      text: '{',
      terminated: true,
    });
  });

  it('Xen notes by the catalogue, the same type of another owner not', () => {
    const entry = meaningOf('Xen', 18, hexToBytes('00001000'), le64);
    expect([entry.name, valueText(entry.meaning)]).toEqual(['PHYS32_ENTRY', '0x100000 (4 bytes)']);
    expect(meaningOf('XeN', 18, hexToBytes('00001000'), le64)).toMatchObject({
      name: undefined,
      meaning: { kind: 'raw' },
    });
  });

  it.each(['constructor', '__proto__', 'toString'])('an owner called %s is nobody special', (owner) => {
    expect(meaningOf(owner, 1, new Uint8Array(0), le64)).toEqual({
      name: undefined,
      meaning: { kind: 'raw', bytes: new Uint8Array(0) },
    });
  });
});

describe('valueText()', () => {
  it.each([
    ['no bytes', { kind: 'raw', bytes: new Uint8Array(0) }, 'empty'],
    ['many bytes', { kind: 'raw', bytes: new Uint8Array(20) }, `${'00 '.repeat(16)}…`],
    ['a string', { kind: 'string', text: 'li\nnux', terminated: false }, '"li\\x0anux" (no NUL)'],
    ['a list', { kind: 'list', items: [1n, 2n], width: 8 }, '0x1, 0x2 (2 × 8 bytes)'],
    ['a number', { kind: 'number', value: 0n, width: 1 }, '0x0 (1 byte)'],
    ['metadata', { kind: 'metadata', text: '{"a":"\x1b"}', metadata: {} }, '{"a":"\\x1b"}'],
    ['a build-id', { kind: 'build-id', id: latin1('ab') }, '6162'],
  ] as const)('%s', (_, meaning, text) => {
    expect(valueText(meaning)).toBe(text);
  });
});
