import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { printable, quoted } from '../../src/base/printable.js';
import { counted, styleOf, table } from '../../src/report/text.js';

describe('printable()', () => {
  it.each([
    ['vmlinux', 'vmlinux'],
    ['a\nb\tc', 'a\\x0ab\\x09c'],
    ['\x1b[31mred', '\\x1b[31mred'],
    ['back\\slash', 'back\\\\slash'],
    ['Grüße', 'Grüße'],
    ['\u202eevil', '\\u{202e}evil'],
    ['\u2028', '\\u{2028}'],
  ])('%j becomes %j', (text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  it('never lets a control or format character through, whatever the string', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(printable(text)).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
      }),
    );
  });
});

describe('quoted()', () => {
  it('puts quotes around, escapes those inside, and cuts what is long', () => {
    expect(quoted('a"b')).toBe('"a\\"b"');
    expect(quoted('x'.repeat(300), 4)).toBe('"xxxx…"');
  });
});

describe('table()', () => {
  it('makes columns as wide as their widest cell and leaves no blanks at the end of a line', () => {
    expect(
      table(
        [
          ['a', 'long cell', 'x'],
          ['longer', 'b', ''],
        ],
        '> ',
      ),
    ).toBe('> a       long cell  x\n> longer  b\n');
  });

  it('paints after measuring', () => {
    const { good } = styleOf(true);
    expect(table([[{ text: 'ok', paint: good }, 'x']])).toBe('\x1b[32mok\x1b[39m  x\n');
  });

  it('a cell wider than the limit pushes only its own line', () => {
    expect(
      table(
        [
          ['123456', 'x'],
          ['1', 'y'],
        ],
        '',
        3,
      ),
    ).toBe('123456  x\n1    y\n');
  });
});

describe('counted()', () => {
  it('knows one from many', () => {
    expect([0, 1, 2].map((count) => counted(count, 'note'))).toEqual(['0 notes', '1 note', '2 notes']);
  });
});

describe('styleOf()', () => {
  it('without colours changes nothing', () => {
    const style = styleOf(false);
    expect([style.bold('a'), style.dim('a'), style.good('a'), style.bad('a'), style.warn('a')].join('')).toBe('aaaaa');
  });
});
