/**
 * What strip, objcopy and the like do to a result, foretold and done. The tables in test/golden/forecasts have every image with
 * every placement and every tool; each forecast is held against them, and the tools themselves are run: on all of our own images
 * and Debian's, on a share of the foreign corpora, and on everything with FORECASTS=all, which writes the tables.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { PatchError } from '../../../src/base/errors/patch-error.js';
import { changes, type PatchPlan, planPatch } from '../../../src/edit/elf/pipeline.js';
import {
  DEFAULT_PLACEMENT,
  type Edit,
  PLACEMENTS,
  type PlacementOptions,
  partsOf,
} from '../../../src/edit/elf/plan/placement-options.js';
import { preview } from '../../../src/edit/elf/render.js';
import type { ElfImage } from '../../../src/formats/elf/image.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { ENCODINGS } from '../../../src/formats/elf/struct.js';
import { parseSetting } from '../../../src/formats/note/value.js';
import { letterOf, NOT_TAKEN, readTable, tableText } from '../../support/forecast-table.js';
import { imageOf, type Shape } from '../../support/generated.js';
import { corpusFiles, hypervisorPairs, realImages, requireTools } from '../../support/images.js';
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
  ['for-eu-strip', { mustSurvive: ['eu-strip'] }],
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

function corpus(name: 'llvm' | 'elfutils' | 'golang' | 'patchelf'): () => readonly Named[] {
  return () => corpusFiles(name).map((path): Named => [basename(path), () => readFileSync(path)]);
}

function hypervisors(): Named[] {
  return hypervisorPairs().pairs.flatMap(({ version, xen, syms }) =>
    [
      ['xen', xen],
      ['xen-syms', syms],
    ].map(([name, path = '']): Named => [`${name}-${version}`, () => readFileSync(path)]),
  );
}

const SETS: Readonly<Record<string, () => readonly Named[]>> = {
  fixtures: () => [...filesIn('fixtures/bin'), ...filesIn('fixtures/cases'), ...filesIn('fixtures/forecasts')],
  generated: shapes,
  debian: () => [...realImages().map(({ name, path }): Named => [name, () => readFileSync(path)]), ...programs],
  hypervisors,
  llvm: corpus('llvm'),
  elfutils: corpus('elfutils'),
  golang: corpus('golang'),
  patchelf: corpus('patchelf'),
};

/** Large images, of which each look at a tool takes a second, are tried by a few placements. */
const FEW: ReadonlySet<string> = new Set(['append', 'extend', 'move-table']);
const LARGE = 0x200000;
/** Nothing that is laid out is larger; a corpus has images whose alignment would make it so. */
const HUGE = 0x8000000n;

/** The foreign corpora have thousands of images: of one in so many the tools are run each time, always the same ones. */
const SHARE = 16;
const SHARED: ReadonlySet<string> = new Set(['llvm', 'elfutils', 'golang', 'patchelf']);
/** FORECASTS=all runs every tool on every result and writes the tables: read the diff. */
const isAll = process.env['FORECASTS'] === 'all';

function planned(image: ElfImage, options: Partial<PlacementOptions>): PatchPlan | undefined {
  try {
    const plan = planPatch(image, EDITS, { ...DEFAULT_PLACEMENT, kind: 'kernel', ...options });
    return changes(plan) && plan.rendered.fileSize < HUGE ? plan : undefined;
  } catch (error) {
    if (error instanceof PatchError) return undefined;
    throw error;
  }
}

function open(name: string, bytes: Uint8Array): ElfImage | undefined {
  try {
    return readElf(new BufferSource(bytes, name));
  } catch (error) {
    if (error instanceof PatchError) return undefined;
    throw error;
  }
}

/** What the tools did to the result of a plan: letters where it was as foretold; what was not goes to `wrong`. */
function done(name: string, plan: PatchPlan, before: Uint8Array, wrong: string[]): string {
  const source = preview(plan.image, plan.rendered);
  const bytes = new Uint8Array(Number(source.size));
  source.readInto(0n, bytes, 'result');
  const letters = plan.survives.map((survival) => {
    const { tool: wish, verdict, why } = survival;
    const { tool } = partsOf(wish);
    if (verdict === 'unknown') return letterOf(survival);
    const real = tool === 'flat' ? flatAfter(before, bytes, folder) : afterTool(tool, bytes, folder);
    const survives = verdict === 'kept' || verdict === 'kept with a warning';
    if (real !== undefined && survives !== (real === 'kept')) {
      wrong.push(`${name}: ${tool} ${verdict} (${why}), and it was: ${real}`);
    }
    return real === undefined ? NOT_TAKEN : letterOf(survival);
  });
  return letters.join('');
}

/** The letters of a plan without a tool run; where the table says that a tool takes no such image, that. */
function foretold(plan: PatchPlan, known: string): string {
  return plan.survives.map((survival, i) => (known[i] === NOT_TAKEN ? NOT_TAKEN : letterOf(survival))).join('');
}

describe.each(Object.keys(SETS))('%s', (set) => {
  it('is done to as was foretold, by every tool', async () => {
    const wrong: string[] = [];
    const { path, table: known } = readTable(set);
    const found = new Map<string, Map<string, string>>();
    for (const [count, [name, read]] of (SETS[set]?.() ?? []).entries()) {
      const before = read();
      const image = open(name, before);
      if (image === undefined) continue;
      const old = known.get(name);
      // An image that the table has not is tried, not trusted.
      const runs = isAll || old === undefined || !SHARED.has(set) || count % SHARE === 0;
      const placements = new Map<string, string>();
      for (const [wish, options] of WISHES) {
        if (before.length > LARGE && !FEW.has(wish)) continue;
        const plan = planned(image, options);
        if (plan === undefined) continue;
        const letters = runs ? done(`${name} by ${wish}`, plan, before, wrong) : foretold(plan, old.get(wish) ?? '');
        placements.set(wish, letters);
      }
      if (placements.size > 0) found.set(name, placements);
    }
    expect(wrong).toEqual([]);
    // A mirror may have one pair of hypervisors only.
    const least = set === 'hypervisors' ? 1 : 5;
    expect(found.size).toBeGreaterThan(least);
    if (isAll) writeFileSync(path, tableText(found));
    // Images that a mirror has in another version than the table are judged by the tools alone.
    const common = [...found.keys()].filter((name) => known.has(name));
    const lineOf = (table: ReadonlyMap<string, ReadonlyMap<string, string>>, name: string) =>
      tableText(new Map([[name, table.get(name) ?? new Map()]]))
        .split('\n')
        .at(2);
    const pairs = (isAll ? [] : common).map((name) => ({ was: lineOf(known, name), is: lineOf(found, name) }));
    expect(pairs.filter(({ was, is }) => was !== is)).toEqual([]);
    if (set !== 'hypervisors') expect(isAll ? found.size : common.length).toBeGreaterThan(least);
    // Thousands of programs are run: a limit against hanging, on a busy machine too.
  }, 7_200_000);
});
