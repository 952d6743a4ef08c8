import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hexAsC, isPlainHex, loadBase } from '../../../src/edit/mkelf32/numbers.js';

describe('hexAsC()', () => {
  it.each([
    ['200000', 0x200000n],
    ['0x200000', 0x200000n],
    ['0X20', 0x20n],
    [' \t\n\v\f\r12', 0x12n],
    ['+12', 0x12n],
    ['-1', 0xffff_ffff_ffff_ffffn],
    ['-0x10', 0xffff_ffff_ffff_fff0n],
    ['12g4', 0x12n],
    ['0x', 0n],
    ['0xg', 0n],
    ['x12', 0n],
    ['', 0n],
    ['  ', 0n],
    ['- 1', 0n],
    ['+-1', 0n],
    ['0x0x1', 0n],
    ['ffff82d0405a7000', 0xffff82d0405a7000n],
    ['ffffffffffffffff', 0xffff_ffff_ffff_ffffn],
    ['10000000000000000', 0xffff_ffff_ffff_ffffn],
    ['-10000000000000000', 0xffff_ffff_ffff_ffffn],
  ])('reads %j as C does', (text, value) => {
    expect(hexAsC(text)).toBe(value);
  });

  it('reads back every 64-bit number, prefix or not', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), (value) => {
        expect(hexAsC(value.toString(16))).toBe(value);
        expect(hexAsC(`0x${value.toString(16).toUpperCase()}zz`)).toBe(value);
      }),
    );
  });
});

it.each([
  ['0x123456789', 0x23456789n],
  ['-1', 0xffffffffn],
  ['0x100000000', 0n],
  ['nonsense', 0n],
])('loadBase() cuts %j to 32 bits', (text, value) => {
  expect(loadBase(text)).toBe(value);
});

it('isPlainHex() is true only where C and a person read the same', () => {
  expect(['0x200000', '200000', 'fF'].every(isPlainHex)).toBe(true);
  expect(['', '0x', ' 1', '+1', '-1', '12g', '0x 1'].some(isPlainHex)).toBe(false);
});
