/**
 * Power lost at any step of any command that writes, by a model of a disk over the calls that a run made (test/support/power.ts):
 * the name leads to the old file or to the new one. POWER_SEED repeats a run; the seed hangs on nothing, so that it is the same
 * each time.
 */
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomOf } from '../fuzz/random.js';
import { workFolder } from '../support/cli.js';
import { buildFaults, runWatched } from '../support/faults.js';
import { intact } from '../support/intact.js';
import { afterLoss, type Before, stepsOfRun } from '../support/power.js';
import { TORTURE_WAYS } from '../support/torture-ways.js';
import { programOf } from '../support/writers.js';

const folder = workFolder();
afterAll(() => folder.remove());
let library: string;
beforeAll(() => {
  library = buildFaults(folder.path);
});

const SEED = Number(process.env['POWER_SEED'] ?? 20261129);
/** Disks that are tried for each step, besides the one with nothing and the one with all of what was not synced. */
const DISKS = 40;

function states(before: Before, events: readonly string[], targets: readonly string[], wanted: readonly Buffer[]) {
  const random = randomOf(SEED);
  const steps = stepsOfRun(before, events);
  const old = targets.map((target) => before.files.find(({ name }) => name === target)?.bytes);
  const seen = { old: 0, new: 0 };
  const faults: string[] = [];
  for (let upTo = 0; upTo <= steps.length; upTo++) {
    for (let disk = 0; disk < DISKS + 2; disk++) {
      const after = afterLoss(before, steps, upTo, random, disk === 0 ? 'none' : disk === 1 ? 'all' : 'some');
      for (const [i, target] of targets.entries()) {
        const now = after.get(target);
        const was = old[i];
        if (now !== undefined && wanted[i]?.equals(now)) seen.new += 1;
        else if (now !== undefined && was !== undefined && (was.equals(now) || (target !== 'o' && intact(was, now)))) {
          seen.old += 1;
        } else faults.push(`behind step ${upTo} of ${steps.length}, disk ${disk}: ${target} is ${now?.length} bytes`);
      }
    }
  }
  return { seen, faults: faults.slice(0, 5), steps };
}

describe.each(TORTURE_WAYS)('$name', ({ name, kind, image, words, targets }) => {
  const home = join(folder.path, name.replaceAll(/\W+/g, '-'));
  const at = (file: string) => join(home, file);

  function start(): Before {
    rmSync(home, { recursive: true, force: true });
    mkdirSync(home);
    const files = targets.includes('k2') ? ['k', 'k2'] : ['k'];
    for (const file of files) writeFileSync(at(file), image());
    writeFileSync(at('o'), 'older');
    return {
      folder: statSync(home).ino,
      files: [...files, 'o'].map((file) => ({
        name: file,
        inode: statSync(at(file)).ino,
        bytes: readFileSync(at(file)),
      })),
    };
  }

  it('the old file or the new one', () => {
    const before = start();
    const run = runWatched(library, [programOf({ kind }), ...words], home);
    expect(run.status, run.stderr).toBe(0);
    const wanted = targets.map((target) => readFileSync(at(target)));
    const { seen, faults, steps } = states(before, run.events, targets, wanted);
    expect(faults).toEqual([]);
    // Both were seen, and there was something to lose.
    expect(Math.min(seen.old, seen.new)).toBeGreaterThan(0);
    expect(steps.some((step) => step.kind === 'sync')).toBe(true);
    // The model can tell: without the syncs, files are lost. Not where one write within one sector is all there is.
    const unsynced = run.events.filter((line) => !line.startsWith('synced'));
    const lost = states(before, unsynced, targets, wanted).faults.length > 0;
    expect(lost).toBe(name !== 'fix --in-place');
  });
});
