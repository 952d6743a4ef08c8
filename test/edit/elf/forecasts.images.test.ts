/**
 * What strip, objcopy and the like do to a result, foretold and done: each line of test/golden/forecasts.txt is an image and a
 * placement, with what was foretold of every tool. Each is run here against the tool itself. `--update` records them anew.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { PatchError } from '../../../src/base/errors/patch-error.js';
import { changes, type PatchPlan, planPatch } from '../../../src/edit/elf/pipeline.js';
import {
  DEFAULT_PLACEMENT,
  type Edit,
  PLACEMENTS,
  type PlacementOptions,
} from '../../../src/edit/elf/plan/placement-options.js';
import { preview } from '../../../src/edit/elf/render.js';
import type { ElfImage } from '../../../src/formats/elf/image.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { ENCODINGS } from '../../../src/formats/elf/struct.js';
import { parseSetting } from '../../../src/formats/note/value.js';
import { imageOf, type Shape } from '../../support/generated.js';
import { realImages, requireTools } from '../../support/images.js';
import { afterTool, flatAfter, LATER_PROGRAMS } from '../../support/later-tools.js';

const EDITS: readonly Edit[] = ['PAE_MODE=yes', 'GUEST_VERSION=a version that is longer than what was there'].map(
  (text) => ({ kind: 'set', setting: parseSetting(text) }),
);
let folder = '';
beforeAll(() => {
  requireTools(...LATER_PROGRAMS);
  folder = mkdtempSync(join(tmpdir(), 'xen-elfpatch-forecasts-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Placements as users ask for them: each by name, and those that a note section for eu-strip is made for. */
const WISHES: readonly (readonly [name: string, options: Partial<PlacementOptions>])[] = [
  ...PLACEMENTS.map((placement) => [placement, { placement }] as const),
  ['auto, for eu-strip', { mustSurvive: ['eu-strip'] }],
];

type Named = readonly [name: string, bytes: () => Uint8Array];

function filesIn(path: string): Named[] {
  // README.md among them is no ELF.
  return readdirSync(resolve(path)).map((name) => [name, () => readFileSync(join(resolve(path), name))]);
}

/** Shapes that differ in what decides: where headers and notes stand, and what covers them. */
function shapes(): Named[] {
  const shape: Shape = {
    encoding: { bits: 64, endian: 'little' },
    slack: 300,
    stripped: false,
    trailing: 0,
    gap: 0x1000n,
    bss: false,
    headers: false,
    notes: 'none',
    align: 4n,
    spare: 'none',
    noteFirst: false,
    dataFirst: false,
    pageAlign: 0x1000n,
  };
  return (['none', 'xen', 'two', 'section', 'in-load'] as const).flatMap((notes) =>
    ENCODINGS.filter(({ endian }) => endian === 'little').flatMap((encoding) =>
      [false, true].map(
        (headers): Named => [
          `${notes}${headers ? ', headers loaded' : ''}, ELF${encoding.bits}`,
          () => imageOf({ ...shape, encoding, notes, headers }),
        ],
      ),
    ),
  );
}

const programs = ['/bin/true', '/bin/ls', '/sbin/ldconfig'].map((path): Named => [path, () => readFileSync(path)]);

const SETS: Readonly<Record<string, () => readonly Named[]>> = {
  fixtures: () => [...filesIn('fixtures/bin'), ...filesIn('fixtures/cases'), ...filesIn('fixtures/forecasts')],
  generated: shapes,
  debian: () => [...realImages().map(({ name, path }): Named => [name, () => readFileSync(path)]), ...programs],
};

/** Large images, of which each look at a tool takes a second, are tried by a few placements. */
const FEW: ReadonlySet<string> = new Set(['append', 'extend', 'move-table']);
const LARGE = 0x200000;

function planned(image: ElfImage, options: Partial<PlacementOptions>): PatchPlan | undefined {
  try {
    const plan = planPatch(image, EDITS, { ...DEFAULT_PLACEMENT, kind: 'kernel', ...options });
    return changes(plan) ? plan : undefined;
  } catch (error) {
    if (error instanceof PatchError) return undefined;
    throw error;
  }
}

/** The line of a plan; what does not come true goes to `wrong`. */
function judged(name: string, plan: PatchPlan, before: Uint8Array, wrong: string[]): string {
  const source = preview(plan.image, plan.rendered);
  const bytes = new Uint8Array(Number(source.size));
  source.readInto(0n, bytes, 'result');
  const words = plan.survives.map(({ tool, verdict, why }) => {
    const real =
      verdict === 'unknown'
        ? undefined
        : tool === 'flat'
          ? flatAfter(before, bytes, folder)
          : afterTool(tool, bytes, folder);
    const survives = verdict === 'kept' || verdict === 'kept with a warning';
    if (real !== undefined && survives !== (real === 'kept')) {
      wrong.push(`${name}: ${tool} ${verdict} (${why}), and it was: ${real}`);
    }
    return `${tool} ${real === undefined ? `${verdict}, not run` : verdict}`;
  });
  return `${name}: ${words.join('; ')}`;
}

describe.each(Object.keys(SETS))('%s', (set) => {
  it('is done to as was foretold, by every tool', async () => {
    const [lines, wrong]: [string[], string[]] = [[], []];
    for (const [name, read] of SETS[set]?.() ?? []) {
      const before = read();
      let image: ElfImage;
      try {
        image = readElf(new BufferSource(before, name));
      } catch (error) {
        if (error instanceof PatchError) continue;
        throw error;
      }
      for (const [wish, options] of WISHES) {
        if (before.length > LARGE && !FEW.has(wish)) continue;
        const plan = planned(image, options);
        if (plan !== undefined) lines.push(judged(`${name} by ${wish}`, plan, before, wrong));
      }
    }
    expect(wrong).toEqual([]);
    expect(lines.length).toBeGreaterThan(20);
    await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(resolve(`test/golden/forecasts/${set}.txt`));
    // Thousands of programs are run: a limit against hanging, on a busy machine too.
  }, 3_600_000);
});
