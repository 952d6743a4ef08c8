/**
 * Inputs that are nearly right, from a seed that is printed: every reader answers or refuses, none fails otherwise. `make fuzz`
 * runs it for as many as one likes (FUZZ_INPUTS, FUZZ_SEED). What fails is kept in `corpus/`, which runs first, each time.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import '../../src/base/platform/node.js';
import { workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';
import { commandFault } from './commands.js';
import { type Kind, MUTATORS, mutated, mutatedArchive, mutatedContainer, mutatedSpec } from './mutate.js';
import { randomOf } from './random.js';
import { type Outcome, outcomeOf, specOutcome } from './targets.js';

vi.mock('../../src/cli/output.js', async (original) => {
  const { captured } = await import('../support/captured-output.js');
  return captured(await original<typeof import('../../src/cli/output.js')>());
});

const folder = workFolder();
afterAll(() => folder.remove());

const CORPUS = 'test/fuzz/corpus';
const SEED = Number(process.env['FUZZ_SEED'] ?? 20261128);
const INPUTS = Number(process.env['FUZZ_INPUTS'] ?? 20_000);
const KINDS = Object.keys(MUTATORS) as Kind[];

/** Of 100 inputs so many are of each class; the rest are notes files. */
const SHARE: Readonly<Record<Kind, number>> = {
  ...{ elf: 22, notes: 18, sections: 14, pe: 12, bzImage: 6, codec: 6, archive: 6 },
};

/** One input of so many goes through the commands as well. */
const SAMPLED = 200;

const read = (name: string): Uint8Array => readFileSync(fixture(name));
const IMAGES = ['pvh64-notes', 'pvh32-notes', 'pv64-notes', 'pv32-notes', 'pvh64-high-notes', 'mb1'].map(read);
const PE = ['dual.efi', 'dual-tight.efi'].map(read);

function isKind(name: string): name is Kind {
  return (KINDS as readonly string[]).includes(name);
}

/** `elf-1a2b3c4d`: the class, and a name for the bytes. */
function keep(kind: Kind | 'spec', bytes: Uint8Array | string): string {
  const path = join(CORPUS, `${kind}-${createHash('sha256').update(bytes).digest('hex').slice(0, 8)}`);
  writeFileSync(path, bytes);
  return path;
}

it.each(readdirSync(CORPUS).filter((name) => name !== 'README.md'))('%s, which failed once', async (name) => {
  const kind = name.split('-')[0] ?? '';
  const bytes = readFileSync(join(CORPUS, name));
  const outcome = isKind(kind) ? await outcomeOf(kind, bytes) : specOutcome(bytes.toString('utf8'));
  expect(['read', 'refused']).toContain(outcome);
});

it(`${INPUTS} inputs from seed ${SEED}`, { timeout: 120_000 + INPUTS * 200 }, async () => {
  const random = randomOf(SEED);
  const counts: Record<string, Record<Outcome, number>> = {};
  const failures: string[] = [];
  const wheel = KINDS.flatMap((kind) => Array.from({ length: SHARE[kind] }, () => kind));
  for (let left = INPUTS; left > 0; left--) {
    const kind = wheel[random.below(100)];
    const input =
      kind === undefined
        ? mutatedSpec(random)
        : kind === 'pe'
          ? mutated(kind, random.pick(PE), random)
          : kind === 'bzImage' || kind === 'codec'
            ? mutatedContainer(kind, random.pick(IMAGES), random)
            : kind === 'archive'
              ? mutatedArchive(random.pick(IMAGES), random)
              : mutated(kind, random.pick(IMAGES), random);
    try {
      const outcome =
        kind === undefined || typeof input === 'string' ? specOutcome(String(input)) : await outcomeOf(kind, input);
      const count = counts[kind ?? 'spec'] ?? { read: 0, refused: 0 };
      counts[kind ?? 'spec'] = { ...count, [outcome]: count[outcome] + 1 };
      if (typeof input !== 'string' && random.below(SAMPLED) === 0) {
        const fault = await commandFault(folder.path, input);
        if (fault !== undefined) throw new Error(fault);
      }
    } catch (error) {
      failures.push(`${keep(kind ?? 'spec', input)}: ${error instanceof Error ? error.stack : error}`);
      if (failures.length === 20) break;
    }
  }
  process.stdout.write(`fuzz: seed ${SEED}, ${INPUTS} inputs: ${JSON.stringify(counts)}\n`);
  expect(failures).toEqual([]);
  // Neither is all of it refused, which would try nothing, nor all of it read.
  for (const kind of [...KINDS, 'spec']) {
    if (INPUTS < 2000) continue;
    expect(counts[kind]?.read, kind).toBeGreaterThan(0);
    expect(counts[kind]?.refused, kind).toBeGreaterThan(0);
  }
});
