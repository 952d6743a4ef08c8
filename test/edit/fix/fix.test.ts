import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { expectationOf } from '../../../src/edit/elf/pipeline.js';
import { preview } from '../../../src/edit/elf/render.js';
import { findFix } from '../../../src/edit/fix/fix.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { judgeLoaders } from '../../../src/loaders/loaders.js';
import { accepts } from '../../../src/loaders/rule.js';
import { verifyImage } from '../../../src/verify/elf/verify.js';
import { REPORTED } from './reported.js';

describe.each(REPORTED.filter(({ reason }) => reason !== undefined))('fix: $name', ({ loaders, reason, image }) => {
  const source = new BufferSource(image);
  const fix = findFix(source, loaders);

  it('tells the reason', () => {
    expect(fix.steps.map((step) => step.reason).join('; ')).toMatch(reason ?? /^$/);
  });

  it('mends it for every loader that was named, and what it writes is proved', () => {
    const { plan } = fix;
    expect({ cured: fix.cured, failed: fix.cured ? [] : fix.failed }).toEqual({ cured: true, failed: [] });
    if (plan === undefined) throw new Error('no plan');
    const result = preview(plan.image, plan.rendered);
    const verdicts = judgeLoaders(result, { names: loaders });
    expect(
      verdicts.filter((verdict) => !accepts(verdict)).map(({ loader, message }) => `${loader}: ${message}`),
    ).toEqual([]);
    const findings = verifyImage({ image: readElf(result), baseline: plan.image, expectation: expectationOf(plan) });
    expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('has nothing to fix in what it mended', () => {
    if (fix.plan === undefined) throw new Error('no plan');
    const again = findFix(preview(fix.plan.image, fix.plan.rendered), loaders);
    expect(again.steps).toEqual([]);
  });
});

describe.each(REPORTED.filter(({ reason }) => reason === undefined))('fix: $name', ({ loaders, image, told }) => {
  it('invents nothing, and says what is in the way', () => {
    const { cured, diagnoses } = findFix(new BufferSource(image), loaders);
    expect(cured).toBe(false);
    expect(diagnoses.some(({ after }) => after.message !== undefined)).toBe(true);
    expect(diagnoses.map(({ advice }) => advice).join('\n')).toMatch(told ?? /^$/);
  });
});
