import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { ENCODINGS } from '../../../src/formats/elf/struct.js';
import { decodeValue } from '../../../src/formats/note/desc.js';
import { noteName } from '../../../src/formats/note/xen-notes.js';
import {
  convertLegacy,
  type LegacyString,
  legacyToNotes,
  parseLegacy,
  parseNumber,
  readLegacy,
} from '../../../src/loaders/read/legacy.js';
import { concat, cstr, elf, latin1 } from '../../support/elf-builder.js';

const LE64 = { bits: 64, endian: 'little' } as const;
const LE32 = { bits: 32, endian: 'little' } as const;
const legacy = (text: string): LegacyString => ({ section: 1, offset: 0n, text, items: parseLegacy(text) });

/** NAME → value of the notes that a string becomes. */
function converted(text: string, encoding: (typeof ENCODINGS)[number] = LE64) {
  return Object.fromEntries(
    legacyToNotes(legacy(text), encoding).map(({ type, desc }) => {
      const value = decodeValue(type, desc, encoding);
      return [noteName(type), value.kind === 'number' ? value.value : value.kind === 'string' ? value.text : value];
    }),
  );
}

describe('readLegacy()', () => {
  const image = (bytes: Uint8Array, trailing = new Uint8Array(0)) =>
    readElf(new BufferSource(elf(LE64).section('__xen_guest', { bytes }).with({ trailing }).build()));

  it('reads up to the first NUL, past the end of the section if need be', () => {
    expect(readLegacy(image(cstr('LOADER=generic')))).toMatchObject({
      section: 1,
      text: 'LOADER=generic',
      items: [{ key: 'LOADER', value: 'generic' }],
    });
    expect(readLegacy(image(latin1('A=1\0B=2\0')))?.text).toBe('A=1');
    // The section-name table follows and begins with a NUL.
    expect(readLegacy(image(latin1('A=1')))?.text).toBe('A=1');
  });

  it('there may be none', () => {
    expect(readLegacy(readElf(new BufferSource(elf(LE64).build())))).toBeUndefined();
    expect(
      readLegacy(
        readElf(
          new BufferSource(
            elf(LE64)
              .section('.text', { bytes: cstr('A') })
              .build(),
          ),
        ),
      ),
    ).toBeUndefined();
  });

  it('refuses a string without an end', () => {
    const endless = new Uint8Array(0x10001).fill(0x41);
    expect(() => readLegacy(image(concat([endless, new Uint8Array(1)])))).toThrow(
      /the __xen_guest string.*\[note\.too-large\]/,
    );
    expect(readLegacy(image(concat([endless.subarray(1), new Uint8Array(1)])))?.text).toHaveLength(0x10000);
  });

  it('a section behind the end of the file reads as empty', () => {
    const bytes = elf(LE64).section('__xen_guest', { offset: 0x10_0000n, size: 4n }).build();
    expect(readLegacy(readElf(new BufferSource(bytes)))).toMatchObject({ text: '', items: [] });
  });
});

describe('parseLegacy()', () => {
  it.each([
    [
      'GUEST_OS=linux,LOADER=generic',
      [
        ['GUEST_OS', 'linux'],
        ['LOADER', 'generic'],
      ],
    ],
    ['BSD_SYMTAB', [['BSD_SYMTAB', '']]],
    [
      'A=1,,B=2,',
      [
        ['A', '1'],
        ['', ''],
        ['B', '2'],
      ],
    ],
    ['A=b=c', [['A', 'b=c']]],
    ['=x', [['', 'x']]],
    ['A=', [['A', '']]],
    ['', []],
  ])('%s', (text, items) => {
    expect(parseLegacy(text).map(({ key, value }) => [key, value])).toEqual(items);
  });

  it('cuts a key at 31 characters and a value at 127, and parses the rest anew', () => {
    const k = 'K'.repeat(31);
    const v = 'v'.repeat(127);
    const pairs = (text: string) => parseLegacy(text).map(({ key, value }) => [key, value]);
    expect(pairs(`${'K'.repeat(30)}=1`)).toEqual([['K'.repeat(30), '1']]);
    expect(pairs(`${k}=1`)).toEqual([
      [k, ''],
      ['', '1'],
    ]);
    expect(pairs(`${k}X=1`)).toEqual([
      [k, ''],
      ['X', '1'],
    ]);
    expect(pairs(`A=${v},B=2`)).toEqual([
      ['A', v],
      ['', ''],
      ['B', '2'],
    ]);
    expect(pairs(`A=${v}w,B=2`)).toEqual([
      ['A', v],
      ['w', ''],
      ['B', '2'],
    ]);
    expect(pairs(`A=${'v'.repeat(126)},B=2`)).toEqual([
      ['A', 'v'.repeat(126)],
      ['B', '2'],
    ]);
  });

  it('ends on any text', () => {
    const part = fc.constantFrom('A', '=', ',', 'x'.repeat(31), 'y'.repeat(127), 'FEATURES', '!');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
        for (const { key, value } of parseLegacy(parts.join(''))) {
          expect(key.length).toBeLessThanOrEqual(31);
          expect(value.length).toBeLessThanOrEqual(127);
        }
      }),
    );
  });
});

describe('parseNumber()', () => {
  it.each([
    ['0xC0000000', 0xc0000000n],
    ['0xffffffff80000000', 0xffffffff80000000n],
    ['010', 8n],
    ['10', 10n],
    ['08', 0n],
    ['0x', 0n],
    ['0xg', 0n],
    ['12abc', 12n],
    ['', 0n],
    ['abc', 0n],
    ['  7', 7n],
    ['+7', 7n],
    ['-1', 0xffffffffffffffffn],
    ['0x1ffffffffffffffff', 0xffffffffffffffffn],
  ])('"%s"', (text, value) => {
    expect(parseNumber(text)).toBe(value);
  });
});

describe('legacyToNotes()', () => {
  it('converts what the LightVM-era mini-os said', () => {
    const text =
      'GUEST_OS=Mini-OS,XEN_VER=xen-3.0,VIRT_BASE=0x0,ELF_PADDR_OFFSET=0x0,HYPERCALL_PAGE=0x2,LOADER=generic';
    expect(converted(text)).toEqual({
      GUEST_OS: 'Mini-OS',
      XEN_VERSION: 'xen-3.0',
      VIRT_BASE: 0n,
      PADDR_OFFSET: 0n,
      HYPERCALL_PAGE: 0x2000n,
      LOADER: 'generic',
    });
  });

  it('writes PADDR_OFFSET as VIRT_BASE when the key is absent', () => {
    expect(converted('VIRT_BASE=0xC0000000,HYPERCALL_PAGE=0x105', LE32)).toEqual({
      VIRT_BASE: 0xc0000000n,
      PADDR_OFFSET: 0xc0000000n,
      HYPERCALL_PAGE: 0xc0105000n,
    });
    expect(converted('LOADER=generic')).toEqual({ LOADER: 'generic' });
    expect(converted('ELF_PADDR_OFFSET=0')).toEqual({ PADDR_OFFSET: 0n });
  });

  it('adds VIRT_BASE to HYPERCALL_PAGE whatever their order', () => {
    expect(converted('HYPERCALL_PAGE=1,VIRT_BASE=0x80000000')['HYPERCALL_PAGE']).toBe(0x80001000n);
    expect(converted('HYPERCALL_PAGE=1')).toEqual({ HYPERCALL_PAGE: 0x1000n });
  });

  it('takes the last of a key, and joins FEATURES', () => {
    expect(converted('LOADER=a,LOADER=generic')).toEqual({ LOADER: 'generic' });
    expect(converted('FEATURES=dom0,FEATURES=!writable_page_tables')).toEqual({
      FEATURES: 'dom0|!writable_page_tables',
    });
  });

  it('all-ones is "not given"', () => {
    expect(converted('VIRT_BASE=0xffffffffffffffff,VIRT_ENTRY=-1')).toEqual({});
  });

  it('VIRT_ENTRY becomes ENTRY, BSD_SYMTAB counts by its presence, GUEST_VER is kept whole', () => {
    expect(converted('VIRT_ENTRY=0x100000,BSD_SYMTAB=no,GUEST_VER=2.6.18-a-long-one')).toEqual({
      ENTRY: 0x100000n,
      BSD_SYMTAB: 'yes',
      GUEST_VERSION: '2.6.18-a-long-one',
    });
  });

  it.each([
    ['PAE=yes[extended-cr3]', { PAE_MODE: 'yes' }, 0],
    ['PAE=yes', { PAE_MODE: 'yes' }, 1],
    ['PAE=yesx', { PAE_MODE: 'yes' }, 1],
    ['PAE=no', {}, 0],
    ['PAE=bimodal', {}, 0],
  ])('%s', (text, notes, warnings) => {
    expect(converted(text, LE32)).toEqual(notes);
    expect(convertLegacy(legacy(text), LE32).warnings).toHaveLength(warnings);
  });

  it('leaves out an unknown required feature and all that Xen never came to see', () => {
    const text = 'HYPERCALL_PAGE=1,FEATURES=dom0|!writeable_page_tables|pae_pgdir_above_4gb,VIRT_BASE=0x1000,LOADER=x';
    expect(converted(text)).toEqual({ HYPERCALL_PAGE: 0x1000n, FEATURES: 'dom0' });
    expect(convertLegacy(legacy(text), LE64).warnings).toEqual([
      'the required feature "writeable_page_tables" is unknown to Xen (nearest: writable_page_tables) and left out with the features behind it',
      'Xen stops there, so these were never seen: VIRT_BASE, LOADER',
    ]);
  });

  it('keeps unknown optional features, for they mean nothing in both', () => {
    expect(converted('FEATURES=foo|!dom0')).toEqual({ FEATURES: 'foo|!dom0' });
  });

  it('warns of keys that Xen does not know', () => {
    expect(convertLegacy(legacy('GUEST_VERSION=1,,ZZZZ=1'), LE64).warnings).toEqual([
      'the key "GUEST_VERSION" is unknown to Xen (nearest: GUEST_VER)',
      'the key "ZZZZ" is unknown to Xen',
    ]);
  });

  it('an address that does not fit the class takes 8 bytes', () => {
    const { notes, warnings } = convertLegacy(legacy('VIRT_ENTRY=0x100000000'), LE32);
    expect(notes.map((note) => note.desc.length)).toEqual([8]);
    expect(warnings).toHaveLength(1);
  });

  it.each(ENCODINGS)('numbers have the width and order of the class, ELF$bits $endian', (encoding) => {
    const notes = legacyToNotes(legacy('VIRT_BASE=0x12345678,VIRT_ENTRY=0x12345679'), encoding);
    expect(notes.map((note) => [note.type, note.desc.length])).toEqual(
      [1, 3, 4].map((type) => [type, encoding.bits / 8]),
    );
    expect(converted('VIRT_BASE=0x12345678', encoding)['VIRT_BASE']).toBe(0x12345678n);
  });
});
