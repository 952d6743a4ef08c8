import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { planPatch } from '../../../src/edit/elf/pipeline.js';
import { preview } from '../../../src/edit/elf/render.js';
import { type ProvedVerdict, proveCure } from '../../../src/edit/fix/cure.js';
import { findFix } from '../../../src/edit/fix/fix.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { setText } from '../../../src/formats/note/fix.js';
import { judgeLoaders } from '../../../src/loaders/loaders.js';
import { accepts } from '../../../src/loaders/rule.js';
import { generateImages } from '../../oracle/generate.js';
import { type BzImageOptions, bzImage } from '../../support/bzimage.js';
import { BIN, runCli, workFolder } from '../../support/cli.js';
import { fixture } from '../../support/fixtures.js';
import { shellIn, wordsOf } from '../../support/shell.js';
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

function check(name: string, bytes: Uint8Array, agrees = false): { cures: number; advice: number } {
  const source = new BufferSource(bytes, 'kernel');
  let [cures, advice] = [0, 0];
  for (const verdict of judgeLoaders(source)) {
    const proved = proveCure(source, verdict);
    if (accepts(verdict)) continue;
    if (proved.advice !== undefined) advice += 1;
    if (proved.cure === undefined) continue;
    cures += 1;
    if (agrees) expect(findFix(source, [verdict.loader])).toMatchObject({ cured: true, fix: proved.cure });
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
    const sums = all.map(([name, bytes]) => check(name, bytes, true));
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
      const [, line] = /^ {2}fix: (.*)$/m.exec(stdout) ?? [];
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
    const [, line = ''] = /^ {2}fix: (.*)$/m.exec(stdout) ?? [];
    expect(line).toContain('xen-elfpatch patch ');
    expect(run(line)).toMatchObject({ status: 0 });
  });

  it('writes into them', () => {
    const output = `${path}.out`;
    expect(runCli(['fix', path, '--for', 'xen-pvh', '-o', output])).toMatchObject({ status: 0 });
    expect(runCli(['verify', output, '--for', 'xen-pvh']).status).toBe(0);
  });
});

describe('a kernel in a wrapper: what verify prints works as printed, and fix says the same', () => {
  const read = (name: string) => new Uint8Array(readFileSync(fixture(name)));
  const [pv, pvh] = [read('pv64-notes'), read('pvh64-notes')];
  const dom0 = preview(
    readElf(new BufferSource(pv, 'pv')),
    planPatch(readElf(new BufferSource(pv, 'pv')), [setText('FEATURES', '!dom0|!writable_page_tables')]).rendered,
  );
  const onlyDom0 = dom0.read(0n, dom0.size, 'kernel');
  const packed = (data: Uint8Array, more: Partial<BzImageOptions> = {}) => bzImage({ format: 'gzip', data, ...more });
  const edit = "--set 'FEATURES=dom0|!writable_page_tables'";
  const gzip = '--payload extract --compressor gzip';

  it.each([
    ['gzip', gzipSync(pvh), 'qemu-pvh', '--payload extract'],
    ['gzip', gzipSync(pvh), 'linux-loader', '--payload extract'],
    ['bzImage', packed(pvh), 'qemu-pvh', '--payload extract'],
    ['bzImage', packed(pvh), 'linux-loader', '--payload extract'],
    ['bzImage, which another can unpack', packed(pv, { format: 'lzo' }), 'xen-pv', gzip],
    ['gzip, an edit in it', gzipSync(onlyDom0), 'xen-pv', edit],
    ['bzImage, an edit in it', packed(onlyDom0), 'xen-pv', edit],
    [
      'signed bzImage, an edit in it',
      packed(onlyDom0, { pe: 'new', certificate: 1472 }),
      'xen-pv',
      `--strip-signature ${edit}`,
    ],
    [
      'bzImage with bytes behind it',
      packed(onlyDom0, { behind: new Uint8Array(64).fill(7) }),
      'xen-pv',
      `${gzip} ${edit}`,
    ],
    ['two gzip members, an edit', Buffer.concat([gzipSync(onlyDom0), gzipSync(pv)]), 'xen-pv', `${gzip} ${edit}`],
  ] as const)('%s (%#): %3$s', (name, bytes, loader, options) => {
    const file = `my ${name}'s kernel`;
    const path = folder.write(file, bytes);
    rmSync(`${path}.xen`, { force: true });
    const { stdout } = runCli(['verify', file, '--for', loader], { cwd: folder.path });
    const [, line = stdout] = /^ {2}fix: (.*)$/m.exec(stdout) ?? [];
    const quoted = `'my ${name}'\\''s kernel`;
    expect(line).toBe(`xen-elfpatch patch ${quoted}' ${options} -o ${quoted}.xen'`);
    expect(run(line)).toMatchObject({ status: 0 });
    expect(runCli(['verify', `${path}.xen`, '--for', loader]).status).toBe(0);
    const fixed = runCli(['fix', path, '--for', loader, '--json']);
    const { steps }: { steps: readonly { edit: readonly string[] }[] } = JSON.parse(fixed.stdout);
    expect([fixed.status, steps.flatMap((step) => step.edit)]).toEqual([0, wordsOf(options)]);
    if (!options.includes('--strip-signature')) {
      expect(runCli(['fix', path, '--for', loader, '-o', `${path}.fixed`]).status).toBe(0);
      expect(readFileSync(`${path}.fixed`).equals(readFileSync(`${path}.xen`))).toBe(true);
    }
  });

  it('a signature is not taken off by fix unless it is told to', () => {
    const path = folder.write('signed', packed(onlyDom0, { pe: 'new', certificate: 1472 }));
    const output = `${path}.fixed`;
    expect(runCli(['fix', path, '--for', 'xen-pv', '-o', output])).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('[pe.signed]'),
    });
    expect(runCli(['fix', path, '--for', 'xen-pv', '--strip-signature', '-o', output]).status).toBe(0);
    expect(runCli(['verify', output, '--for', 'xen-pv']).status).toBe(0);
  });

  it('the file stays what it is where no loader was named, or in place', () => {
    const path = folder.write('kept.gz', gzipSync(pvh));
    const { stdout } = runCli(['fix', path]);
    expect(stdout).not.toContain('edit:');
    expect(stdout).toMatch(/the kernel in it is loaded; to take it out: xen-elfpatch patch .*\n/);
    expect(runCli(['fix', path, '--for', 'qemu-pvh', '--in-place'])).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('[fix.no-cure]'),
    });
    expect(readFileSync(path).equals(gzipSync(pvh))).toBe(true);
  });

  it('Multiboot: QEMU unpacks nothing, and no line is printed that holds no edit', () => {
    const path = folder.write('mb1 kernel.gz', gzipSync(read('mb1')));
    const { stdout } = runCli(['verify', path, '--for', 'multiboot', '--for', 'qemu-pvh', '--for', 'qemu-multiboot'], {
      cwd: folder.path,
    });
    expect(stdout).toMatch(/^ {2}qemu-pvh +no +invalid kernel header$/m);
    expect(stdout).toMatch(/^ {2}qemu-multiboot +otherwise +no Multiboot 1 header/m);
    expect(stdout).toMatch(/^ {2}grub-multiboot +yes/m);
    // For the row whose header it is, the same command is the cure.
    const cures = [...stdout.matchAll(/^ {2}fix: (.*)$/gm)].map(([, command]) => command);
    const [, line = stdout] =
      /^ {2}what to do: the file is not unpacked, and the kernel in it .*; to take it out: (.*)$/m.exec(stdout) ?? [];
    expect(line).toContain(" --payload extract -o '");
    expect(cures).toEqual([line]);
    expect(run(line)).toMatchObject({ status: 0 });
    const { stdout: after } = runCli(['verify', `${path}.xen`, '--for', 'qemu-multiboot']);
    expect(after).toMatch(/^ {2}qemu-multiboot +yes/m);
  });
});
