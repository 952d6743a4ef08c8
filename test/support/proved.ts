/** The result of a plan, held against what the plan promised by the verifier: no error, or the test that asked is red. */
import { expect } from 'vitest';
import { BufferSource } from '../../src/base/bytes/source.js';
import { expectationOf, type PatchPlan } from '../../src/edit/elf/pipeline.js';
import { preview } from '../../src/edit/elf/render.js';
import type { ElfImage } from '../../src/formats/elf/image.js';
import { readElf } from '../../src/formats/elf/read.js';
import { verifyImage } from '../../src/verify/elf/verify.js';

/** The image that a plan makes, read again from its bytes. */
export function proved(plan: PatchPlan): ElfImage {
  const source = preview(plan.image, plan.rendered);
  const image = readElf(new BufferSource(source.read(0n, source.size, 'test'), 'result'));
  const findings = verifyImage({ image, baseline: plan.image, expectation: expectationOf(plan) });
  expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
  return image;
}
