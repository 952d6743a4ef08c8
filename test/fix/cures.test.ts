import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/bytes/source.js';
import { readElf } from '../../src/elf/read.js';
import { type ProvedVerdict, proveCure } from '../../src/fix/cure.js';
import { findFix } from '../../src/fix/fix.js';
import { judgeLoaders } from '../../src/loaders/loaders.js';
import { accepts } from '../../src/loaders/rule.js';
import { planPatch } from '../../src/pipeline.js';
import { preview } from '../../src/write/render.js';
import { generateImages } from '../oracle/generate.js';
import { BIN, runCli, workFolder } from '../support/cli.js';
import { shellIn } from '../support/shell.js';
import { REPORTED } from './reported.js';

const folder = workFolder();
afterAll(() => folder.remove());

/** What the loader says after the fix that the verdict names. */
function afterCure(source: BufferSource, { cure, loader }: ProvedVerdict) {
  if (cure?.kind !== 'image') throw new Error('no fix of an image');
  const plan = cure.repairs.length > 0 ? findFix(source, [loader]).plan : planPatch(readElf(source), cure.edits);
  if (plan === undefined) throw new Error('no plan');
  return judgeLoaders(preview(plan.image, plan.rendered), { names: [loader] })[0];
}

function check(name: string, bytes: Uint8Array): { cures: number; advice: number } {
  const source = new BufferSource(bytes, 'kernel');
  let [cures, advice] = [0, 0];
  for (const verdict of judgeLoaders(source)) {
    const proved = proveCure(source, verdict);
    if (accepts(verdict)) continue;
    if (proved.advice !== undefined) advice += 1;
    if (proved.cure === undefined) continue;
    cures += 1;
    const after = afterCure(source, proved);
    expect({ name, cure: proved.cure, loads: after !== undefined && accepts(after) }).toMatchObject({ loads: true });
  }
  return { cures, advice };
}

describe('proveCure()', () => {
  it('names no edit that does not mend: reported problems and fixtures', () => {
    const fixtures = readdirSync('fixtures/bin').filter((name) => !name.endsWith('.efi'));
    const all = [
      ...REPORTED.map(({ name, image }) => [name, image] as const),
      ...fixtures.map((name) => [name, new Uint8Array(readFileSync(join('fixtures/bin', name)))] as const),
    ];
    const sums = all.map(([name, bytes]) => check(name, bytes));
    expect(sums.reduce((sum, { cures }) => sum + cures, 0)).toBeGreaterThan(20);
    expect(sums.reduce((sum, { advice }) => sum + advice, 0)).toBeGreaterThan(20);
  });

  it('nor for images bent in every way', () => {
    const sums = generateImages(300, 11).map((bytes, i) => check(`generated ${i}`, bytes));
    expect(sums.reduce((sum, { cures }) => sum + cures, 0)).toBeGreaterThan(50);
  });
});

const run = shellIn(folder.path);

describe.each(REPORTED.map((each, i) => ({ ...each, file: `-image ${i}'s` })))(
  'verify --for: $name',
  ({ loaders, image, file }) => {
    it.each(loaders)('%s: every line that it prints as a cure cures, as it stands', (loader) => {
      const path = folder.write(file, image);
      const { stdout } = spawnSync(process.execPath, [BIN, 'verify', '--for', loader, '--', file], {
        cwd: folder.path,
        encoding: 'utf8',
      });
      const [, line] = /^ {2}cure: (.*)$/m.exec(stdout) ?? [];
      if (line === undefined) {
        // Taken as it is, or nothing cures it; then it is said what is in the way.
        const takes = runCli(['verify', path, '--for', loader]).status === 0;
        expect(takes || /^ {2}(what to do|because|says): /m.test(stdout)).toBe(true);
        return;
      }
      expect(run(line)).toMatchObject({ status: 0 });
      expect(runCli(['verify', `${path}.xen`, '--for', loader]).status).toBe(0);
    });
  },
);

describe('fix and files that wrap a kernel', () => {
  const kernel = REPORTED.find(({ name }) => name === 'no PVH note, and a symbol tells the entry');
  if (kernel === undefined) throw new Error('no such image');
  const path = folder.write('kernel.gz', gzipSync(kernel.image));

  it('says what is wrong inside, and verify names the line that mends it there', () => {
    expect(runCli(['fix', path, '--for', 'xen-pvh'])).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('phys:pvh_start_xen'),
    });
    expect(runCli(['fix', path, '--for', 'xen-pvh', '--check']).status).toBe(1);
    const { stdout } = spawnSync(process.execPath, [BIN, 'verify', 'kernel.gz', '--for', 'xen-pvh'], {
      cwd: folder.path,
      encoding: 'utf8',
    });
    const [, line = ''] = /^ {2}cure: (.*)$/m.exec(stdout) ?? [];
    expect(line).toContain('xen-elfpatch patch ');
    expect(run(line)).toMatchObject({ status: 0 });
  });

  it('writes into them', () => {
    const output = `${path}.out`;
    expect(runCli(['fix', path, '--for', 'xen-pvh', '-o', output])).toMatchObject({ status: 0 });
    expect(runCli(['verify', output, '--for', 'xen-pvh']).status).toBe(0);
  });
});
