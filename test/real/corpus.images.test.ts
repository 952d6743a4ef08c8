/**
 * Files that nobody here made: the ELF inputs of the tests of LLVM and lld, elfutils, Go and patchelf, broken ones
 * included. Each is read without a crash; each edit by each placement is refused with a reason, or what it would write
 * passes every check of the verifier. Nothing is written.
 */
import { basename, dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileSource } from '../../src/base/bytes/file-source.js';
import { PatchError } from '../../src/base/errors/patch-error.js';
import { changes, expectationOf, planPatch } from '../../src/edit/elf/pipeline.js';
import {
  DEFAULT_PLACEMENT,
  type Edit,
  PLACEMENTS,
  type PlacementOptions,
} from '../../src/edit/elf/plan/placement-options.js';
import { preview } from '../../src/edit/elf/render.js';
import type { ElfImage } from '../../src/formats/elf/image.js';
import { readElf } from '../../src/formats/elf/read.js';
import { parseSetting } from '../../src/formats/note/value.js';
import { walkAsXen } from '../../src/loaders/read/loader-walks.js';
import { verifyImage } from '../../src/verify/elf/verify.js';
import { corpusFiles } from '../support/images.js';

const set = (text: string): Edit => ({ kind: 'set', setting: parseSetting(text) });

/** What is there, changed and added to, with odd lengths; and a new start, with the note that each loader looks for. */
const EDITS: Readonly<Record<string, readonly Edit[]>> = {
  several: [set('GUEST_VERSION=odd'), set('0x42=hex:01'), set('PHYS32_RELOC=0x200000,0,0x3fffffff')],
  fresh: [{ kind: 'clear' }, set('PHYS32_ENTRY=0x100040')],
};
const WISHES: readonly PlacementOptions['placement'][] = ['auto', ...PLACEMENTS];

/** Refusals of the image itself: no other edit would fare better. */
const HOPELESS = new Set(['plan.relocatable', 'plan.unsound', 'plan.signed', 'note.too-large']);
/** Errors that say that the program, not the image, is at fault. */
const OUR_FAULTS = new Set(['internal.bug', 'verify.failed', 'verify.second-reader']);

interface Tally {
  unreadable: number;
  refused: number;
  spared: number;
  granted: number;
  unchanged: number;
  readonly faults: string[];
}

/** The value, or the id of the reason for which it was refused; anything else that is thrown is a fault. */
function orRefused<T>(tally: Tally, what: string, run: () => T): T | string {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof PatchError) || error.detail === '' || OUR_FAULTS.has(error.id)) {
      tally.faults.push(`${what}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    }
    return error instanceof PatchError ? error.id : 'a fault';
  }
}

function judge(tally: Tally, image: ElfImage, file: string): void {
  for (const [name, edits] of Object.entries(EDITS)) {
    for (const placement of WISHES) {
      const what = `${file}, ${name} by ${placement}`;
      let options: PlacementOptions = { ...DEFAULT_PLACEMENT, placement };
      let plan = orRefused(tally, what, () => planPatch(image, edits, options));
      // Most of these are programs: what is spared them is tried as it would be done to a kernel.
      if (plan === 'plan.program') {
        tally.spared++;
        options = { ...options, kind: 'kernel' };
        plan = orRefused(tally, what, () => planPatch(image, edits, options));
      }
      if (typeof plan === 'string') {
        tally.refused++;
        if (HOPELESS.has(plan)) return;
        continue;
      }
      if (!changes(plan)) {
        tally.unchanged++;
        continue;
      }
      tally.granted++;
      orRefused(tally, what, () => {
        const result = readElf(preview(image, plan.rendered));
        const findings = verifyImage({ image: result, baseline: image, expectation: expectationOf(plan) });
        const errors = findings.filter(({ level }) => level === 'error');
        if (errors.length > 0) {
          tally.faults.push(
            `${what} (${plan.layout?.placement}): ${errors.map((e) => `${e.check}: ${e.text}`).join('; ')}`,
          );
        }
        const again = planPatch(result, edits, options);
        if (changes(again)) tally.faults.push(`${what} (${plan.layout?.placement}): done twice changes more`);
      });
    }
  }
}

function run(files: readonly string[]): Tally {
  const tally: Tally = { unreadable: 0, refused: 0, spared: 0, granted: 0, unchanged: 0, faults: [] };
  for (const path of files) {
    const source = FileSource.open(path);
    try {
      const name = `${basename(dirname(path))}/${basename(path)}`;
      const image = orRefused(tally, name, () => readElf(source));
      if (typeof image === 'string') tally.unreadable++;
      else {
        orRefused(tally, name, () => walkAsXen(image));
        judge(tally, image, name);
      }
    } finally {
      source.close();
    }
  }
  return tally;
}

/** How many edits are granted at least: a planner that refuses everything would pass as well. */
describe.each([
  ['llvm', 2000],
  ['elfutils', 300],
  ['golang', 50],
  ['patchelf', 50],
] as const)('the %s corpus', (corpus, least) => {
  it('is read, and edited well or refused with a reason', () => {
    const tally = run(corpusFiles(corpus));
    expect(tally.faults).toEqual([]);
    expect(tally.granted).toBeGreaterThan(least);
    expect(tally.refused).toBeGreaterThan(0);
    expect(tally.spared).toBeGreaterThan(0);
  }, 300_000);
});
