import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PatchError } from '../../../src/base/errors/patch-error.js';
import { checkedNumber, parseSetting } from '../../../src/formats/note/value.js';

const expr = (text: string) => parseSetting(text).expr;
const problem = (id: string, text?: string) =>
  expect.objectContaining({ id, exit: 2, ...(text === undefined ? {} : { message: expect.stringContaining(text) }) });

describe('parseSetting()', () => {
  it('reads name, width and value', () => {
    expect(parseSetting('xen_elfnote_entry/4=0x100000')).toMatchObject({
      type: 1,
      info: { name: 'ENTRY' },
      width: 4,
      expr: { kind: 'number', value: 0x100000n },
    });
    expect(parseSetting('18=1')).toMatchObject({ type: 18, width: undefined });
  });

  it('splits at the first =', () => {
    expect(parseSetting('INFO=A=B')).toMatchObject({ type: 0, expr: { kind: 'text', text: 'A=B' } });
  });

  it.each(['ENTRY', '', 'ENTRY 5'])('refuses "%s": no =', (text) => {
    expect(() => parseSetting(text)).toThrow(problem('note.bad-setting'));
  });

  it('an empty value is an empty string, and nothing for a number', () => {
    expect(expr('GUEST_OS=')).toEqual({ kind: 'text', text: '' });
    expect(() => parseSetting('ENTRY=')).toThrow(problem('note.bad-value', '--unset ENTRY removes the note'));
    expect(() => parseSetting('PHYS32_RELOC=')).toThrow(problem('note.bad-value'));
  });
});

describe('parseValue()', () => {
  it.each([
    ['0', 0n],
    ['10', 10n],
    ['0x1F', 0x1fn],
    ['0Xff', 0xffn],
    ['18446744073709551615', 0xffffffffffffffffn],
    ['0xffffffff81000000', 0xffffffff81000000n],
  ])('the number %s', (text, value) => {
    expect(expr(`ENTRY=${text}`)).toEqual({ kind: 'number', value });
  });

  it.each([
    ['sym:start', 'start', false, 0n],
    ['phys:_start', '_start', true, 0n],
    ['sym:a.b$c+0x10', 'a.b$c', false, 0x10n],
    ['sym:a-b', 'a-b', false, 0n],
    ['sym:a-b-1', 'a-b', false, -1n],
    ['sym:a-1+0', 'a-1', false, 0n],
    ['sym:a+1-2', 'a+1', false, -2n],
    ['sym:entry', 'entry', false, 0n],
    ['SYM:x', 'x', false, 0n],
    ['sym:a:b', 'a:b', false, 0n],
    ['sym:a+010', 'a+010', false, 0n],
  ])('the symbol %s', (text, name, physical, addend) => {
    expect(expr(`PHYS32_ENTRY=${text}`)).toEqual({ kind: 'symbol', name, physical, addend });
  });

  it.each([
    ['entry', false, 0n],
    ['entry+4', false, 4n],
    ['phys:entry', true, 0n],
    ['phys:entry-0x10', true, -0x10n],
  ])('the entry point %s', (text, physical, addend) => {
    expect(expr(`ENTRY=${text}`)).toEqual({ kind: 'entry', physical, addend });
  });

  it.each(['010', '-1', '1.5', '1e3', ' 1', '0x', 'start', 'sym:', 'phys:', '1+1', '0x10+4', 'true', 'sym'])(
    'refuses the number "%s"',
    (text) => {
      expect(() => expr(`ENTRY=${text}`)).toThrow(
        problem('note.bad-value', `found "${text}" as the value of ENTRY, wanted a dec`),
      );
    },
  );

  it.each([
    ['PHYS32_ENTRY=0x100000000', 4],
    ['SUPPORTED_FEATURES=0x100000000', 4],
    ['ENTRY=0x10000000000000000', 8],
    ['ENTRY/4=0xffffffff81000000', 4],
    ['ENTRY/1=256', 1],
    ['ENTRY/2=0x10000', 2],
    ['PHYS32_RELOC=0x100000000', 4],
    ['L1_MFN_VALID/4=1:0x100000000', 4],
    ['99/4=0x100000000', 4],
  ])('%s does not fit', (text, width) => {
    expect(() => expr(text)).toThrow(problem('note.value-too-wide', `wanted an unsigned number of ${width} bytes`));
  });

  it('a given width widens, too', () => {
    expect(parseSetting('PHYS32_ENTRY/8=0x100000000')).toMatchObject({ width: 8, expr: { value: 0x100000000n } });
    expect(expr('ENTRY/1=255')).toEqual({ kind: 'number', value: 255n });
  });

  it('text stands as it is', () => {
    for (const text of ['linux', ' a b ', '0x10', 'sym:x', 'entry', '"quoted"', 'hex', 'HEX:00']) {
      expect(expr(`GUEST_OS=${text}`)).toEqual({ kind: 'text', text });
    }
    expect(() => expr('GUEST_OS=a\0b')).toThrow(problem('note.bad-value', 'without a NUL'));
    expect(() => expr('GUEST_OS/4=a')).toThrow(problem('note.bad-value', 'without a width'));
  });

  it('required features must be known', () => {
    expect(expr('FEATURES=!writable_page_tables|foo')).toEqual({ kind: 'text', text: '!writable_page_tables|foo' });
    expect(() => expr('FEATURES=dom0|!writeable_page_tables')).toThrow(
      expect.objectContaining({ id: 'note.unknown-feature', hint: 'Did you mean !writable_page_tables?' }),
    );
    expect(() => expr('FEATURES=!linux_rsdp_unrestricted')).toThrow(problem('note.unknown-feature'));
  });

  it('lists', () => {
    expect(expr('PHYS32_RELOC=0x200000,0,0x3fffffff')).toEqual({ kind: 'list', items: [0x200000n, 0n, 0x3fffffffn] });
    expect(expr('PHYS32_RELOC=0x200000')).toEqual({ kind: 'list', items: [0x200000n] });
    expect(expr('PHYS32_RELOC/4=1, 2')).toEqual({ kind: 'list', items: [1n, 2n] });
    expect(expr('L1_MFN_VALID=1:1')).toEqual({ kind: 'list', items: [1n, 1n] });
    expect(expr('L1_MFN_VALID=1:1,0x3:2')).toEqual({ kind: 'list', items: [1n, 1n, 3n, 2n] });
    expect(expr('L1_MFN_VALID/8=1,1')).toEqual({ kind: 'list', items: [1n, 1n] });
  });

  it.each([
    'PHYS32_RELOC=1,2,3,4',
    'PHYS32_RELOC=1:2',
    'PHYS32_RELOC=1,',
    'PHYS32_RELOC=sym:x',
    'PHYS32_RELOC/8=1',
    'L1_MFN_VALID=1',
    'L1_MFN_VALID=1:1,1',
    'L1_MFN_VALID=1:',
    'L1_MFN_VALID/2=1:1',
  ])('refuses the list %s', (text) => {
    expect(() => expr(text)).toThrow(problem('note.bad-value'));
  });

  it('hex: and file: for any note', () => {
    for (const name of ['ENTRY', 'GUEST_OS', 'PHYS32_RELOC', '99']) {
      expect(expr(`${name}=hex:DEAD be ef`)).toEqual({ kind: 'bytes', bytes: Uint8Array.of(0xde, 0xad, 0xbe, 0xef) });
      expect(expr(`${name}=hex:`)).toEqual({ kind: 'bytes', bytes: new Uint8Array(0) });
      expect(expr(`${name}=file:a=b`)).toEqual({ kind: 'file', path: 'a=b' });
    }
    expect(() => expr('ENTRY=hex:abc')).toThrow(problem('note.bad-value', 'two hexadecimal digits'));
    expect(() => expr('ENTRY=hex:zz')).toThrow(problem('note.bad-value'));
    expect(() => expr('ENTRY=file:')).toThrow(problem('note.bad-value', 'a path'));
    expect(() => expr('ENTRY/4=hex:00')).toThrow(problem('note.bad-value', 'without a width'));
  });

  it('a type without a name needs bytes or a width', () => {
    expect(expr('0x1b/4=7')).toEqual({ kind: 'number', value: 7n });
    expect(expr('27/8=sym:x')).toMatchObject({ kind: 'symbol' });
    expect(() => expr('27=7')).toThrow(problem('note.bad-value', '0x1b/4=1'));
    expect(() => expr('27=text')).toThrow(problem('note.bad-value'));
  });

  it('any text gives a value or a PatchError', () => {
    const piece = fc.constantFrom(
      'sym:',
      'phys:',
      'entry',
      '+',
      '-',
      '0x',
      '1',
      ',',
      ':',
      'hex:',
      'file:',
      '!',
      '|',
      'a',
      '\0',
      '=',
    );
    const name = fc.constantFrom(
      'ENTRY',
      'GUEST_OS',
      'FEATURES',
      'L1_MFN_VALID',
      'PHYS32_RELOC',
      '99',
      '99/4',
      'ENTRY/2',
    );
    fc.assert(
      fc.property(name, fc.array(piece, { maxLength: 8 }), (note, pieces) => {
        try {
          expect(expr(`${note}=${pieces.join('')}`)).toHaveProperty('kind');
        } catch (error) {
          expect(error).toBeInstanceOf(PatchError);
        }
      }),
    );
  });

  it('long garbage takes linear time', () => {
    expect(() => expr(`ENTRY=sym${'+1'.repeat(50_000)}x`)).toThrow(PatchError);
    expect(expr(`ENTRY=sym:${'+1'.repeat(50_000)}x`)).toMatchObject({ addend: 0n });
  });
});

describe('checkedNumber()', () => {
  it('takes what fits, unsigned', () => {
    expect(checkedNumber('ENTRY', 0xffn, 1)).toBe(0xffn);
    expect(() => checkedNumber('ENTRY', -1n, 8)).toThrow(
      problem('note.value-too-wide', 'found -0x1 as the value of ENTRY'),
    );
  });
});
