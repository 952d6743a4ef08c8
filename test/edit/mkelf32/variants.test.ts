import { describe, expect, it } from 'vitest';
import { NEWEST, VARIANTS, variantOf } from '../../../src/edit/mkelf32/variants.js';

/** Typed from the history of xen/arch/x86/boot/mkelf32.c in the release tags. */
const RELEASES: Readonly<Record<string, readonly string[]>> = {
  C: ['4.7.0'],
  D: ['4.7.1', '4.7.6', '4.7'],
  E: ['4.8.0', '4.8', '4.11.4', '4.14.6', '4.16.0', '4.16.7'],
  F: ['4.17.0', '4.17.7', '4.17', '4.18.0', '4.18.4', '4.19.0', '4.19.1', '4.20.0', '4.17.5+72-g01140da4e8-1'],
  G: ['4.18.5', '4.18.6', '4.18', '4.19.2', '4.19.3', '4.20.1'],
  H: ['4.19.4', '4.19.6', '4.19', '4.20.2', '4.20.3', '4.21.0', '4.21.1'],
  I: ['4.20.4', '4.20', '4.21.2', '4.21', '4.22.0', '4.22', 'newest', '4.20.3+127-gc42374a105-0+deb13u1'],
  J: ['4.20.4+39-gf1e1321c87-1', '4.20.4+63-g7abfd2bce2-0+deb13u1', '4.20.4+63'],
};

describe('variantOf()', () => {
  it.each(Object.entries(RELEASES))('%s is what these releases do', (letter, releases) => {
    expect(releases.map((release) => variantOf(release).letter)).toEqual(releases.map(() => letter));
  });

  it.each(VARIANTS.map((variant) => [variant.letter, variant] as const))(
    '%s is chosen by the release it lists',
    (_, variant) => {
      expect(variantOf(variant.release)).toBe(variant);
    },
  );

  it.each([
    ['4.6.6', 'before 4.7'],
    ['3.4', 'before 4.7'],
    ['4.23', 'newer than 4.22'],
    ['5.0', 'newer than 4.22'],
    ['', 'wanted a Xen version'],
    ['four', 'wanted a Xen version'],
    ['4.17.', 'wanted a Xen version'],
    ['4.17.7.1', 'wanted a Xen version'],
    ['I', 'wanted a Xen version'],
  ])('refuses %j: %s', (release, why) => {
    expect(() => variantOf(release)).toThrow(why);
  });

  it('takes the newest release where none is named', () => {
    expect(NEWEST.letter).toBe('I');
  });
});
