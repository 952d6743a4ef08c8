/** Generated images, edited, judged by an oracle that shares nothing with the verifier: oracle.py, in one process; and readelf. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { PatchError } from '../../../src/base/errors/patch-error.js';
import { changes, type PatchPlan, planPatch } from '../../../src/edit/elf/pipeline.js';
import { DEFAULT_PLACEMENT, type Edit, type PlacementOptions } from '../../../src/edit/elf/plan/placement-options.js';
import { preview } from '../../../src/edit/elf/render.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { editLists, imageOf, shapes, wishes } from '../../support/generated.js';
import { requireTools } from '../../support/tools.js';

const RUNS = Number(process.env['ORACLE_RUNS'] ?? 2000);
const SEED = Number(process.env['GENERATED_SEED'] ?? Date.now() % 0x7fffffff);
/** Results that readelf looks at. */
const LOOKS = 60;

let folder = '';
beforeAll(() => {
  requireTools('python3', 'readelf');
  folder = mkdtempSync(join(tmpdir(), 'xen-elfpatch-oracle-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const open = (bytes: Uint8Array) => readElf(new BufferSource(bytes, 'generated'));
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

function resultOf(plan: PatchPlan): Uint8Array {
  const source = preview(plan.image, plan.rendered);
  return source.read(0n, source.size, 'result');
}

function planned(bytes: Uint8Array, edits: readonly Edit[], options: PlacementOptions): PatchPlan | undefined {
  try {
    return planPatch(open(bytes), edits, options);
  } catch (error) {
    if (error instanceof PatchError) return undefined;
    throw error;
  }
}

/** Texts that were asked for, the last of each note, where no other edit takes that note away. */
function asked(edits: readonly Edit[]): [type: number, desc: string][] {
  if (edits.some(({ kind }) => kind === 'clear' || kind === 'unset')) return [];
  const texts = new Map<number, string>();
  for (const edit of edits) {
    if (edit.kind !== 'set' || edit.setting.expr.kind !== 'text') continue;
    texts.set(edit.setting.type, Buffer.from(`${edit.setting.expr.text}\0`).toString('hex'));
  }
  return [...texts];
}

function warnings(path: string): string[] {
  const { stderr } = spawnSync('readelf', ['-hlSnW', path], { encoding: 'latin1' });
  return stderr
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.replaceAll(path, 'FILE').replace(/0x[0-9a-f]+|\d+/g, 'N'));
}

it('every written file is what was asked for, says an oracle of its own', () => {
  console.log(`seed ${SEED}`);
  const cases: { name: string; asked: [number, string][]; wanted: [number, string][] }[] = [];
  const small = shapes.map((shape) => ({ ...shape, pageAlign: shape.pageAlign > 0x1000n ? 0x1000n : shape.pageAlign }));
  for (const [shape, edits, options] of fc.sample(fc.tuple(small, editLists, wishes), { numRuns: RUNS, seed: SEED })) {
    const before = imageOf(shape);
    const plan = planned(before, edits, options);
    if (plan === undefined || !changes(plan)) continue;
    const after = resultOf(plan);
    const again = planned(after, edits, options);
    const cleared = planned(after, [{ kind: 'clear' }], DEFAULT_PLACEMENT);
    const name = String(cases.length);
    const files = { before, after, again: again && resultOf(again), cleared: cleared && resultOf(cleared) };
    for (const [kind, bytes] of Object.entries(files)) {
      if (bytes !== undefined) writeFileSync(join(folder, `${name}.${kind}`), bytes);
    }
    const wanted = plan.xenNotes.map(({ type, desc }): [number, string] => [type, hex(desc)]);
    cases.push({ name, asked: asked(edits), wanted });
    if (cases.length > LOOKS) continue;
    const known = new Set(warnings(join(folder, `${name}.before`)));
    expect(warnings(join(folder, `${name}.after`)).filter((line) => !known.has(line))).toEqual([]);
  }
  writeFileSync(join(folder, 'cases.json'), JSON.stringify(cases));
  const run = spawnSync('python3', [resolve('test/edit/elf/oracle.py'), folder], { encoding: 'utf8' });
  expect(run.stderr).toBe('');
  expect(run.stdout).toBe(`${cases.length} cases\n`);
  expect(cases.length).toBeGreaterThan(RUNS / 10);
});

it('the oracle sees a byte that changed', () => {
  const bytes = imageOf(fc.sample(shapes, { numRuns: 1, seed: 1 })[0] ?? fail());
  const plan = planned(bytes, [{ kind: 'clear' }], DEFAULT_PLACEMENT);
  const after = plan === undefined ? bytes : resultOf(plan);
  const load = open(after).segments.find(({ p_type, p_filesz }) => p_type === 1 && p_filesz >= 0x80n);
  const broken = after.slice();
  const at = Number((load?.p_offset ?? 0n) + 0x70n);
  broken.set([(broken[at] ?? 0) ^ 1], at);
  for (const [kind, content] of Object.entries({ before: after, after: broken, again: broken })) {
    writeFileSync(join(folder, `x.${kind}`), content);
  }
  writeFileSync(join(folder, 'cases.json'), JSON.stringify([{ name: 'x', asked: [], wanted: [] }]));
  const run = spawnSync('python3', [resolve('test/edit/elf/oracle.py'), folder], { encoding: 'utf8' });
  expect(run.stderr).toBe('');
  expect(run.stdout).toMatch(/^x: /);
});

function fail(): never {
  throw new Error('no shape');
}
