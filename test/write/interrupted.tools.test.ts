/**
 * Every command that writes, killed at or failed by some of the system calls that change a file (crash.tools.test.ts goes through
 * all of them for patch): what is left is the old file or the new one, and the next run goes through. Which calls are tried
 * hangs on a seed: CRASH_SEED repeats a run.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { workFolder } from '../support/cli.js';
import { runTampered, type Step, stepsOf } from '../support/inject.js';
import { xenNotes } from '../support/patching.js';
import { IN_PLACE, prepare, programOf, runWriter, WRITERS } from '../support/writers.js';

const folder = workFolder();
afterAll(() => folder.remove());

const seed = Number(process.env['CRASH_SEED'] ?? Date.now() % 1_000_000);
/** Besides the rename, which is always tried. */
const SAMPLE = 2;
const OLD = Buffer.from('an older result');
/** Steps whose failure costs nothing, as in crash.tools.test.ts. */
const MAY_FAIL = /^(chown|fsync|ioctl|unlink|link)$/;
/** At EIO libuv copies by reading and writing what the kernel would not copy. */
const MAY_FAIL_EIO = /^(chown|fsync|ioctl|unlink|link|copy_file_range)$/;

/** Numbers below one that hang on the seed (Lehmer's generator). */
function numbers(): () => number {
  let state = (seed % 2_147_483_646) + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

function sampleOf(steps: readonly Step[]): Step[] {
  const random = numbers();
  const rest = steps.filter(({ call }) => call !== 'rename');
  const some = Array.from({ length: SAMPLE }, () => rest[Math.floor(random() * rest.length)]);
  return [...steps.filter(({ call }) => call === 'rename'), ...some].filter((step) => step !== undefined);
}

const WAYS = [
  ...WRITERS.map((way) => ({ ...way, target: 'o', direct: false, command: way.args('o') })),
  ...IN_PLACE.map(({ name, image, args, how }) => {
    const inPlace = { target: 'k', direct: how === 'direct', command: args('k'), besides: undefined, kind: undefined };
    return { ...inPlace, name: `${name} --in-place`, image };
  }),
];

describe.each(WAYS)(`$name, calls chosen by CRASH_SEED=${seed}`, (way) => {
  const home = join(folder.path, way.name.replaceAll(/\W+/g, '-'));
  const input = way.image();
  const at = (name: string) => join(home, name);
  const old = way.target === 'k' ? Buffer.from(input) : OLD;
  const program = programOf(way);
  let wanted: Buffer;
  let wantedNotes: unknown;
  let oldNotes: unknown;
  let steps: readonly Step[];

  function start(): void {
    prepare(home, input);
    writeFileSync(at('o'), OLD);
  }

  beforeAll(() => {
    start();
    if (way.direct) oldNotes = xenNotes(at('k'));
    steps = stepsOf(way.command, home, program);
    wanted = readFileSync(at(way.target));
    if (way.direct) wantedNotes = xenNotes(at('k'));
    expect(wanted.equals(old)).toBe(false);
    expect(steps.length).toBeGreaterThan(3);
  });

  /** A run in which the step fails. */
  function failedAt(step: Step, error: 'ENOSPC' | 'EIO') {
    for (let attempt = 1; ; attempt++) {
      start();
      const run = runTampered(way.command, step, error, home, program);
      if (!run.missed || attempt === 5) return run;
    }
  }

  it('killed: the old file or the new one, and the next run goes through', () => {
    for (const step of sampleOf(steps)) {
      start();
      const killed = runTampered(way.command, step, 'kill', home, program);
      const where = `${step.call} ${step.when}: ${killed.stderr}`;
      expect(killed.signal, where).toBe('SIGKILL');
      const now = readFileSync(at(way.target));
      // What is patched where it is has new bytes that nobody sees before the last write.
      if (way.direct && !now.equals(wanted)) expect(xenNotes(at('k')), where).toEqual(oldNotes);
      else expect(now.equals(wanted) || now.equals(old), where).toBe(true);
      expect(runWriter(way, way.command, home), where).toMatchObject({ status: 0 });
      if (way.direct) expect(xenNotes(at('k')), where).toEqual(wantedNotes);
      else expect(readFileSync(at(way.target)).equals(wanted), where).toBe(true);
    }
  });

  it('a call that fails: an error, the old file byte for byte, and nothing beside it', () => {
    for (const [index, step] of sampleOf(steps).entries()) {
      const error = index % 2 === 0 ? 'ENOSPC' : 'EIO';
      const run = failedAt(step, error);
      const where = `${step.call} ${step.when} ${error}: ${run.stderr}`;
      const now = readFileSync(at(way.target));
      const names = readdirSync(home).filter((name) => way.besides?.includes(name) !== true);
      expect(run.stderr, where).not.toContain('internal.bug');
      if (run.status === 0) {
        expect(step.call, where).toMatch(error === 'EIO' ? MAY_FAIL_EIO : MAY_FAIL);
        expect(now.equals(wanted), where).toBe(true);
      } else {
        expect(now.equals(old), where).toBe(true);
        expect(names.sort(), where).toEqual(['k', 'o']);
      }
    }
  });
});
