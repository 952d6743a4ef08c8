/** Tools that are asked for by version: those tried, by name; of any other that nothing is known. */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../../src/base/bytes/source.js';
import { PatchError } from '../../../../src/base/errors/patch-error.js';
import { planPatch } from '../../../../src/edit/elf/pipeline.js';
import { survivalOf } from '../../../../src/edit/elf/placement/survival.js';
import {
  DEFAULT_PLACEMENT,
  partsOf,
  SURVIVORS,
  type SurvivorWish,
  TRIED,
  wishOf,
} from '../../../../src/edit/elf/plan/placement-options.js';
import { survival } from '../../../../src/explain/topics/survival.js';
import { readElf } from '../../../../src/formats/elf/read.js';
import { parseSetting } from '../../../../src/formats/note/value.js';
import { elf } from '../../../support/elf-builder.js';

const bytes = elf({ bits: 64, endian: 'little' })
  .load(0x100000n, new Uint8Array(0x40).fill(0x90), { align: 0x1000n })
  .section('.text', { inside: { load: 0, at: 0, size: 0x40 } })
  .with({ slack: 300 })
  .build();
const image = readElf(new BufferSource(bytes, 'image'));
const edits = [{ kind: 'set', setting: parseSetting('GUEST_OS=linux') }] as const;
const planned = (mustSurvive: readonly SurvivorWish[]) =>
  planPatch(image, edits, { ...DEFAULT_PLACEMENT, mustSurvive });

describe.each(SURVIVORS)('%s', (tool) => {
  const { program, versions } = TRIED[tool];

  it('is foretold for each version that was tried as it is without one', () => {
    const [bare] = survivalOf(image, image, [tool]);
    for (const version of versions) {
      const wish: SurvivorWish = `${tool}@${version}`;
      expect(survivalOf(image, image, [wish])).toEqual([{ ...bare, tool: wish }]);
      // Point releases are not told apart by who names none.
      expect(survivalOf(image, image, [`${tool}@${version.split('.').slice(0, -1).join('.')}`])[0]).toMatchObject({
        verdict: bare?.verdict,
      });
    }
  });

  it('is unknown in any other version, and says which were tried', () => {
    const [answer] = survivalOf(image, image, [`${tool}@99.1`]);
    expect(answer?.verdict).toBe('unknown');
    expect(answer?.why).toContain(`${program} 99.1 was not tried`);
    expect(answer?.why).toContain(versions.join(', '));
  });

  it('is refused in a version of which nothing is known', () => {
    let thrown: unknown;
    try {
      planned([`${tool}@99.1`]);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(PatchError);
    expect(thrown).toMatchObject({ id: 'plan.impossible', exit: 2 });
    expect(String(thrown)).toContain(`not known to survive ${tool}@99.1 (${program} 99.1 was not tried`);
  });
});

it('explain survival lists every tool, and every version that was tried', () => {
  const text = survival.blocks.flatMap((block) => (block.kind === 'text' ? [block.text] : [])).join('\n');
  for (const tool of SURVIVORS) {
    expect(text).toContain(tool);
    for (const version of TRIED[tool].versions) expect(text).toContain(`${TRIED[tool].program} ${version}`);
  }
});

it('tells of versions that were asked for beside every tool', () => {
  const tools = planned(['strip@2.40', 'llvm-strip']).survives.map(({ tool }) => tool);
  expect(tools).toEqual([...SURVIVORS, 'strip@2.40']);
});

it.each<[string, SurvivorWish | undefined]>([
  ['strip', 'strip'],
  ['eu-strip-o@0.188', 'eu-strip-o@0.188'],
  ['llvm-strip@14', 'llvm-strip@14'],
  ['strip@', undefined],
  ['strip@new', undefined],
  ['strip@2.40-2', undefined],
  ['gzip@1', undefined],
  ['strip-o', undefined],
])('%s as a wish', (word, wish) => {
  expect(wishOf(word)).toBe(wish);
  if (wish !== undefined) expect(partsOf(wish).tool).toBe(word.split('@')[0]);
});
