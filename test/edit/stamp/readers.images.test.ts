/** Stamps as others read them, and what every loader says of a stamped image. */
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { PatchError } from '../../../src/base/errors/patch-error.js';
import { preview } from '../../../src/edit/elf/render.js';
import { planStamp, type StampWish } from '../../../src/edit/stamp/stamp.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { judgeLoaders } from '../../../src/loaders/loaders.js';
import { accepts } from '../../../src/loaders/rule.js';
import { XEN_VERSIONS } from '../../../src/loaders/xen-version.js';
import { generateImages } from '../../oracle/generate.js';
import { runCli, workFolder } from '../../support/cli.js';
import { fixture, realImage, requireTools } from '../../support/images.js';
import { REPORTED } from '../fix/reported.js';

const folder = workFolder();
afterAll(() => folder.remove());

const WISHES: readonly StampWish[] = [
  { metadata: { name: 'k' }, members: {}, buildId: undefined, notes: [], remove: [], placement: {} },
  {
    metadata: undefined,
    members: { name: 'kernel', version: '1'.repeat(700) },
    buildId: { kind: 'compute', algorithm: 'sha256' },
    notes: [],
    remove: [],
    placement: {},
  },
  {
    metadata: undefined,
    members: {},
    buildId: { kind: 'set', id: new Uint8Array(20).fill(7) },
    notes: [{ name: Uint8Array.from(Buffer.from('Vendor\0')), type: 18, desc: new Uint8Array(5).fill(9) }],
    remove: [],
    placement: {},
  },
];

describe('no loader that took an image stops doing so', () => {
  it('whatever is stamped on it, by the rules of every release', () => {
    const images = [...generateImages(500, 23), ...REPORTED.map(({ image }) => image)];
    let [stamped, taken] = [0, 0];
    for (const [i, bytes] of images.entries()) {
      const source = new BufferSource(bytes);
      for (const options of WISHES) {
        let result: ReturnType<typeof preview>;
        try {
          const plan = planStamp(readElf(source), options);
          result = preview(plan.image, plan.rendered);
        } catch (error) {
          if (!(error instanceof PatchError)) throw error;
          continue;
        }
        stamped += 1;
        for (const xenVersion of [XEN_VERSIONS[0], '4.17', '4.20', '4.22'] as const) {
          const before = judgeLoaders(source, { xenVersion }).filter(accepts);
          const names = before.map(({ loader }) => loader);
          taken += names.length;
          const lost = judgeLoaders(result, { xenVersion, names }).filter((verdict) => !accepts(verdict));
          expect({ i, xenVersion, lost: lost.map(({ loader }) => loader) }).toEqual({ i, xenVersion, lost: [] });
        }
      }
    }
    expect(stamped).toBeGreaterThan(300);
    expect(taken).toBeGreaterThan(1000);
  });
});

describe.each([
  ['pvh64-notes', () => fixture('pvh64-notes')],
  ['pvh32-notes', () => fixture('pvh32-notes')],
  ['pv64-notes', () => fixture('pv64-notes')],
  ['xen-syms', () => realImage('xen-syms').path],
  ['vmlinux-cloud', () => realImage('vmlinux-cloud').path],
] as const)('%s, stamped three times, as others read it', (name, path) => {
  it('shows the last metadata and one build-id, once each, stripped too', () => {
    requireTools('readelf', 'eu-readelf', 'llvm-readelf-14', 'strip', 'systemd-analyze');
    const output = join(folder.path, name);
    copyFileSync(path(), `${output}.in`);
    chmodSync(`${output}.in`, 0o644);
    const id = 'ab'.repeat(16);
    expect(
      runCli(['stamp', `${output}.in`, '-o', output, '--package-metadata', 'name=k', '--build-id', id]),
    ).toMatchObject({
      status: 0,
    });
    const add = (...stamps: string[]) => runCli(['stamp', output, '--in-place', ...stamps]);
    expect(add('--package-metadata', `version=${'1'.repeat(90)}`)).toMatchObject({ status: 0 });
    expect(add('--package-metadata', 'version=2-ü', '--build-id', id)).toMatchObject({ status: 0 });
    const stripped = `${output}.stripped`;
    expect(spawnSync('strip', ['-o', stripped, output]).status).toBe(0);
    for (const file of [output, stripped]) {
      for (const [tool, ...args] of [
        ['readelf', '-nW'],
        ['eu-readelf', '-n'],
        ['llvm-readelf-14', '-n'],
      ] as const) {
        const { stdout } = spawnSync(tool, [...args, file], {
          encoding: 'utf8',
          env: { ...process.env, LC_ALL: 'C.UTF-8' },
        });
        expect({ file, tool, ids: stdout.split(/Build ID: /).length - 1 }).toEqual({ file, tool, ids: 1 });
        expect(stdout).toContain(`Build ID: ${id}`);
        // LLVM 14 and elfutils 0.188 show this type as bytes.
        if (tool !== 'readelf') continue;
        expect(stdout.split('"name":"k"').length - 1).toBe(1);
        expect(stdout).toContain('{"name":"k","version":"2-');
      }
      // Without colours and pager it prints lines of `name: value`.
      const read = spawnSync('systemd-analyze', ['--no-pager', 'inspect-elf', file], { encoding: 'utf8' });
      expect(read.stdout.replaceAll(/ +/g, ' ')).toContain(` buildId: ${id}`);
      expect(read.stdout.replaceAll(/ +/g, ' ')).toContain(' version: 2-ü');
    }
  });
});
