/**
 * Every command that writes, with its calls failing one by one: EIO, ENOSPC, EINTR, half as much written, a kill. What is left
 * is the old file or the new one, nothing lies beside it that the next run does not clear, and the next run goes through.
 *
 * Of two commands every call that opens or changes something is tried each time; of the rest, and of reads, a share from a
 * seed that is printed. `make torture` tries all of them. TORTURE_SEED repeats a run.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomOf } from '../fuzz/random.js';
import { workFolder } from '../support/cli.js';
import { buildFaults, type Call, FAULTS, type Fault, runWatched, type Watched } from '../support/faults.js';
import { intact } from '../support/intact.js';
import { TORTURE_WAYS } from '../support/torture-ways.js';
import { programOf } from '../support/writers.js';

const folder = workFolder();
afterAll(() => folder.remove());
let library: string;
beforeAll(() => {
  library = buildFaults(folder.path);
});

const ALL = process.env['TORTURE'] === 'all';
const SEED = Number(process.env['TORTURE_SEED'] ?? Date.now() % 1_000_000);
/** Runs of one command that is tried in part, and reads of any that is. */
const SHARE = 3;
/** Commands whose every opening or changing call is tried, always. */
const WHOLE: ReadonlySet<string> = new Set(['patch --in-place', 'layout --svg']);
/** An hour ago: no run of another machine can be at what is as old. */
const LONG_AGO = Date.now() / 1000 - 3600;

const random = randomOf(SEED);

interface Trial {
  readonly call: Call;
  readonly fault: Fault;
}

function trialsOf(calls: readonly Call[], isWhole: boolean): readonly Trial[] {
  const fitting = ({ name, isRead }: Call, fault: Fault) => {
    if (fault === 'short') return /read|write|copy_file_range|sendfile/.test(name);
    return !isRead || fault === 'EIO';
  };
  const all = calls.flatMap((call) => FAULTS.filter((fault) => fitting(call, fault)).map((fault) => ({ call, fault })));
  if (ALL) return all;
  const some = (from: readonly Trial[]) => Array.from({ length: SHARE }, () => random.pick(from));
  const reads = all.filter(({ call }) => call.isRead);
  const rest = all.filter(({ call }) => !call.isRead);
  if (!isWhole) return some(rest);
  // Each call killed, and failed in one of the other ways.
  const one = rest.filter(({ call, fault }) => fault === 'kill' || FAULTS[1 + ((call.number + SEED) % 3)] === fault);
  return [...one, ...some(reads)];
}

describe.each(TORTURE_WAYS)(`$name, TORTURE_SEED=${SEED}`, ({ name, kind, image, words, targets }) => {
  const home = join(folder.path, name.replaceAll(/\W+/g, '-'));
  const bytes = image();
  const at = (file: string) => join(home, file);
  const program = programOf({ kind });
  const now = () => targets.map((target) => readFileSync(at(target)));

  function prepare(): void {
    rmSync(home, { recursive: true, force: true });
    mkdirSync(home);
    for (const file of targets.includes('k2') ? ['k', 'k2'] : ['k']) writeFileSync(at(file), bytes);
    writeFileSync(at('o'), 'older');
  }
  const run = (trial?: Trial): Watched => runWatched(library, [program, ...words], home, trial);

  it('old or new, whatever fails', { timeout: 7_200_000 }, () => {
    prepare();
    const old = now();
    const good = run();
    expect(good.status, good.stderr).toBe(0);
    const wanted = now();
    const files = readdirSync(home).sort();
    for (const [i, each] of wanted.entries()) expect(each.equals(old[i] ?? each)).toBe(false);
    expect(good.calls.filter(({ isRead }) => !isRead).length).toBeGreaterThan(5);

    for (const trial of trialsOf(good.calls, WHOLE.has(name))) {
      const { call, fault } = trial;
      const told = `${name}, seed ${SEED}: ${fault} at ${call.isRead ? 'read' : 'call'} ${call.number}, ${call.name}`;
      prepare();
      const { status, stderr } = run(trial);
      const left = now();
      const states = left.map((each, i) => {
        const [was, is] = [old[i] ?? each, wanted[i] ?? each];
        if (each.equals(is)) return 'new';
        // One that was killed where it changes bytes in their place has new ones that no header leads to.
        return each.equals(was) || (fault === 'kill' && targets[i] !== 'o' && intact(was, each)) ? 'old' : 'neither';
      });
      expect(states, `${told}: ${stderr}`).not.toContain('neither');
      if (fault !== 'kill') {
        expect(stderr, told).not.toContain('internal.bug');
        if (status === 0) expect(states, told).not.toContain('old');
        if (status !== 0 && status !== 3 && targets.length === 1) expect(states, `${told}: ${stderr}`).toEqual(['old']);
        // Whose removal failed is a temporary file that stays for the next run.
        if (call.name !== 'unlink') {
          expect(
            readdirSync(home).filter((file) => !files.includes(file)),
            told,
          ).toEqual([]);
        }
      }
      for (const file of readdirSync(home).filter((each) => each.startsWith('.'))) {
        utimesSync(at(file), LONG_AGO, LONG_AGO);
      }
      const again = run();
      expect(again.status, `${told}, then: ${again.stderr}`).toBe(0);
      expect(readdirSync(home).sort(), told).toEqual(files);
      for (const target of targets) {
        if (target === 'o') continue;
        const judged = spawnSync(process.execPath, [program, 'verify', '-q', target], { cwd: home, encoding: 'utf8' });
        expect(judged.status, `${told}: ${judged.stdout}${judged.stderr}`).not.toBe(2);
      }
      if (targets.includes('o') || fault !== 'kill') expect(now(), told).toEqual(wanted);
    }
  });
});
