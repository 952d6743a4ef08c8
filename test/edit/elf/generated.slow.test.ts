/**
 * Many generated images, edits and placements: no plan is stopped by the verifier, nothing but clear errors is thrown, and what is
 * done twice changes nothing. The seed is printed; GENERATED_SEED and GENERATED_RUNS run others, or more of them by hand.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { PatchError } from '../../../src/base/errors/patch-error.js';
import { changes, expectationOf, type PatchPlan, planPatch } from '../../../src/edit/elf/pipeline.js';
import type { PlacementOptions } from '../../../src/edit/elf/plan/placement-options.js';
import { preview } from '../../../src/edit/elf/render.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { verifyImage } from '../../../src/verify/elf/verify.js';
import { editLists, imageOf, shapes, wishes } from '../../support/generated.js';

const RUNS = Number(process.env['GENERATED_RUNS'] ?? 20_000);
const SEED = Number(process.env['GENERATED_SEED'] ?? Date.now() % 0x7fffffff);
/** Of those granted, every so many is proved once more as a written file is, and done again. */
const EVERY = 4;

/** Pages of 2 MiB make images of 6 MiB and show nothing that those of 4 KiB do not. */
const small = shapes.map((shape) => ({ ...shape, pageAlign: shape.pageAlign > 0x1000n ? 0x1000n : shape.pageAlign }));
const aligned = fc
  .tuple(wishes, fc.constantFrom<4 | 8>(4, 4, 4, 8))
  .map(([options, notesAlign]): PlacementOptions => ({ ...options, notesAlign }));

const open = (bytes: Uint8Array) => readElf(new BufferSource(bytes, 'generated'));

function resultOf(plan: PatchPlan): Uint8Array {
  const source = preview(plan.image, plan.rendered);
  return source.read(0n, source.size, 'result');
}

it(`${RUNS} images and edits: no plan is stopped, no raw error`, () => {
  console.log(`seed ${SEED}`);
  const seen = new Map<string, number>();
  let granted = 0;
  fc.assert(
    fc.property(small, editLists, aligned, (shape, edits, options) => {
      let plan: PatchPlan;
      try {
        plan = planPatch(open(imageOf(shape)), edits, options);
      } catch (error) {
        // Refused, with a reason of its own: a placement that the verifier would stop is a gap in its conditions.
        if (!(error instanceof PatchError)) throw error;
        expect(error.exit).toBe(2);
        expect(error.detail).not.toMatch(/would break|could not be read/);
        return;
      }
      expect(plan.refused.filter(({ reason }) => /would break|could not be read/.test(reason))).toEqual([]);
      const key = plan.layout?.placement ?? 'unchanged';
      seen.set(key, (seen.get(key) ?? 0) + 1);
      granted += 1;
      if (granted % EVERY !== 0 || !changes(plan)) return;
      const result = resultOf(plan);
      const image = open(result);
      const findings = verifyImage({ image, baseline: plan.image, expectation: expectationOf(plan) });
      expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
      expect(changes(planPatch(image, edits, options))).toBe(false);
    }),
    { numRuns: RUNS, seed: SEED },
  );
  console.log(`${granted} granted: ${JSON.stringify([...seen])}`);
  for (const placement of ['in-place', 'grow', 'append', 'extend', 'move-table', 'shift', 'new-load', 'new-table']) {
    expect(seen.get(placement) ?? 0, placement).toBeGreaterThan(0);
  }
}, 3_600_000);
