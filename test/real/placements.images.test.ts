/**
 * Real images from Debian packages, patched by every placement that applies. Judges: readelf (no warning that the input did
 * not have), eu-elflint (no complaint but that it has no names for Xen's note types), our own verifier, and the tools that
 * may run later, which must do to the result what the plan predicts.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FileSource } from '../../src/base/bytes/file-source.js';
import { PatchError } from '../../src/base/errors/patch-error.js';
import { changes, type PatchPlan, planPatch, writePatch } from '../../src/edit/elf/pipeline.js';
import {
  DEFAULT_PLACEMENT,
  type Edit,
  PLACEMENTS,
  type PlacementName,
  partsOf,
} from '../../src/edit/elf/plan/placement-options.js';
import type { ElfImage } from '../../src/formats/elf/image.js';
import { readElf } from '../../src/formats/elf/read.js';
import { parseSetting } from '../../src/formats/note/value.js';
import { walkAsXen } from '../../src/loaders/read/loader-walks.js';
import { verifyImage } from '../../src/verify/elf/verify.js';
import { fixture, realImages, requireTools } from '../support/images.js';
import { afterTool, LATER_PROGRAMS } from '../support/later-tools.js';

const set = (text: string): Edit => ({ kind: 'set', setting: parseSetting(text) });

/** Edits that need more room than any image has in its notes, and one that GRUB's damaged record needs. */
const GROWING = [set('GUEST_VERSION=a version that is longer than what was there before'), set('PAE_MODE=yes')];
/** Edits of the same size: another operating system of five letters, another entry point. */
function sameSize(path: string): Edit[] {
  const types = new Set(open(path, (image) => walkAsXen(image).notes.map(({ record }) => record.type)));
  const edits = [
    ...(types.has(6) ? [set('GUEST_OS=other')] : []),
    ...(types.has(9) ? [set('PAE_MODE=YES')] : []),
    ...(types.has(18) ? [set('PHYS32_ENTRY=0x100040')] : []),
  ];
  return edits.length > 0 ? edits : [set('PHYS32_ENTRY=0x100040')];
}

const FIXTURES = [
  'pvh64-bare',
  'pvh64-notes',
  'pv64-bare',
  'pv64-notes',
  'pvh32-notes',
  'pvh64-ld-bare',
  'pvh64-lld-bare',
  'mb1',
];

let folder = '';
beforeAll(() => {
  requireTools('readelf', 'eu-elflint', ...LATER_PROGRAMS);
  folder = mkdtempSync(join(tmpdir(), 'xen-elfpatch-real-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const images = [
  ...realImages().map(({ name, path }) => ({ name, path })),
  ...FIXTURES.map((name) => ({ name, path: fixture(name) })),
];

/** Which images each placement must work on; so that a placement that refuses everything is noticed. */
const taken = new Map<PlacementName, string[]>();

function open<T>(path: string, use: (image: ElfImage) => T): T {
  const source = FileSource.open(path);
  try {
    return use(readElf(source));
  } finally {
    source.close();
  }
}

function complaints(command: string, args: readonly string[], stream: 'stdout' | 'stderr'): string[] {
  const { stdout, stderr } = spawnSync(command, args, { maxBuffer: 1 << 28, encoding: 'latin1' });
  return (stream === 'stdout' ? stdout : stderr).split('\n').filter((line) => line !== '' && line !== 'No errors');
}

const readelfWarnings = (path: string) => complaints('readelf', ['-hlSnW', path], 'stderr').map(unnamed(path));
const lint = (path: string) =>
  complaints('eu-elflint', ['--gnu-ld', path], 'stdout')
    .map(unnamed(path))
    // elfutils knows no note types of Xen; saying so is not a complaint about the edit.
    .filter((line) => !/unknown (object file )?note type|unknown core file note type/.test(line));

/** Messages name files, and the indices and offsets of what moved. */
function unnamed(path: string): (line: string) => string {
  return (line) =>
    line
      .replaceAll(path, 'FILE')
      .replace(/(section|phdr) ?\[ *\d+\]/g, '$1[]')
      .replace(/0x[0-9a-f]+|\d+/g, 'N');
}

function newOnes(before: readonly string[], after: readonly string[]): string[] {
  const known = new Set(before);
  return after.filter((line) => !known.has(line));
}

async function patched(
  path: string,
  edits: readonly Edit[],
  placement: PlacementName,
  out: string,
): Promise<PatchPlan | undefined> {
  const source = FileSource.open(path);
  try {
    const plan = planPatch(readElf(source), edits, { ...DEFAULT_PLACEMENT, placement });
    await writePatch(plan, { inputPath: path, output: out });
    return plan;
  } catch (error) {
    if (error instanceof PatchError && error.id === 'plan.impossible') return undefined;
    throw error;
  } finally {
    source.close();
  }
}

describe.each(images)('$name', ({ name, path }) => {
  it.each(PLACEMENTS)('by %s: well-formed, verified, and later tools do what was predicted', async (placement) => {
    const out = join(folder, `${name}.${placement}`);
    const edits = placement === 'in-place' ? sameSize(path) : GROWING;
    const plan = await patched(path, edits, placement, out);
    if (plan === undefined) return;
    if (!changes(plan)) {
      rmSync(out);
      return;
    }
    taken.set(placement, [...(taken.get(placement) ?? []), name]);
    expect(newOnes(readelfWarnings(path), readelfWarnings(out))).toEqual([]);
    expect(newOnes(lint(path), lint(out))).toEqual([]);
    const errors = open(path, (baseline) => open(out, (image) => verifyImage({ image, baseline })));
    expect(errors.filter(({ level }) => level === 'error')).toEqual([]);

    const again = open(out, (image) => planPatch(image, edits, { ...DEFAULT_PLACEMENT, placement }));
    expect(changes(again)).toBe(false);

    for (const { tool: wish, verdict, why } of plan.survives) {
      const { tool } = partsOf(wish);
      if (tool === 'flat' || verdict === 'unknown') continue;
      const found = afterTool(tool, readFileSync(out), folder);
      const predicted = verdict === 'kept' || verdict === 'kept with a warning' ? 'kept' : 'not kept';
      expect(found === 'kept' ? 'kept' : 'not kept', `${tool}: ${verdict} (${why}), and it was ${found}`).toBe(
        predicted,
      );
    }
    rmSync(out);
  });
});

// Zeros stand behind GNU's build-id in xen-syms alone, and Xen's notes do not belong into a section of another owner's. Images
// made here take `grow`: test/edit/elf/placement/in-place.test.ts and the properties.
const BY_NO_REAL_IMAGE: readonly PlacementName[] = ['grow'];

it('every placement was taken by some image', () => {
  for (const placement of PLACEMENTS) {
    const images = taken.get(placement)?.length ?? 0;
    if (BY_NO_REAL_IMAGE.includes(placement)) expect(images, placement).toBe(0);
    else expect(images, placement).toBeGreaterThan(0);
  }
});
