import { describe, expect, it } from 'vitest';
import { verifyLinear } from '../../../src/verify/pe/verify.js';
import { linearBytes } from '../../support/linear.js';
import { PeBytes } from '../../support/pe-edit.js';
import { PE_BREAKS } from '../breaks/pe.js';

describe('verifyLinear()', () => {
  const input = PeBytes.fixture().image('dual.efi');

  it('has nothing against a good file', () => {
    const { findings } = verifyLinear(linearBytes(input, { mb1: true, merge: true, keepReloc: true }).image(), {
      baseline: input,
    });
    expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
    expect(findings.map(({ check }) => check)).toEqual(['advice.size-of-image', 'advice.unsigned']);
  });

  it.each([
    {},
    { mb1: true },
    { merge: true },
    { keepReloc: true },
    { discardableReloc: true },
    { headerSize: 0x300n },
    { mb2: 'gap' as const },
    { physBase: 0n, bssAlign: 0x1000n },
    { fileAlign: 'keep' as const },
    { image: ['.bss'] },
  ])('accepts every form the writer makes: %o', (options) => {
    const { findings } = verifyLinear(linearBytes(input, options).image(), { baseline: input });
    expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('accepts a layout without tags where none are wanted, and only there', () => {
    const bare = linearBytes(input, { mb2: 'none' }).image();
    const errors = (wantsTags: boolean) =>
      verifyLinear(bare, { baseline: input, wantsTags }).findings.filter(({ level }) => level === 'error');
    expect(errors(false)).toEqual([]);
    expect(new Set(errors(true).map(({ check }) => check))).toEqual(new Set(['linear.mb2-header']));
  });

  it('finds the layout wrong when the tags are there and the file is not linear', () => {
    // The input with the linear file's header: what adding tags alone would give.
    const tagged = PeBytes.fixture();
    const good = linearBytes(input);
    good.bytes.copy(tagged.bytes, tagged.mb2(), good.mb2(), good.mb2() + 136);
    const { findings } = verifyLinear(tagged.unsummed().image(), { baseline: input });
    expect(findings.map(({ check }) => check)).toContain('linear.same-memory');
  });

  it.each(PE_BREAKS)('$check: $what', ({ check, options, edit, keepsSum }) => {
    const file = linearBytes(input, options);
    if (keepsSum !== true) file.unsummed();
    edit(file);
    const { findings } = verifyLinear(file.image(), { baseline: input });
    expect(findings.map((finding) => finding.check)).toContain(check);
  });

  it('finds each break by a check that a good file passes', () => {
    for (const { check, options, edit } of PE_BREAKS) {
      if (check.startsWith('advice.')) continue;
      const good = linearBytes(input, options);
      const before = verifyLinear(good.image(), { baseline: input }).findings.map((finding) => finding.check);
      expect(before, check).not.toContain(check);
      expect(edit, check).toBeTypeOf('function');
    }
  });
});
