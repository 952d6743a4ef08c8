import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { workFolder } from '../support/cli.js';
import { elf, num } from '../support/elf-builder.js';

const folder = workFolder();
afterAll(() => folder.remove());
const home = join(folder.path, 'package');
const bin = join(home, 'bin/xen-elfpatch.js');
const encoding = { bits: 64, endian: 'little' } as const;
const kernel = folder.write(
  'kernel',
  elf(encoding)
    .load(0x100000n, new Uint8Array(64))
    .noteSegment([{ type: 18, desc: num(0x100000n, 4, encoding) }])
    .with({ slack: 256 })
    .build(),
);

/** Runs the command of the unpacked package, far from any node_modules. */
function run(...args: string[]) {
  return spawnSync(process.execPath, [bin, ...args], { cwd: folder.path, encoding: 'utf8' });
}

describe('the packed package', () => {
  beforeAll(() => {
    // The bundle is there already; npm would build it once more.
    const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder.path], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [{ filename }] = JSON.parse(packed);
    execFileSync('tar', ['-xzf', filename, '-C', folder.path], { cwd: folder.path });
  });

  it('runs without any node_modules', () => {
    expect(run('notes', kernel)).toMatchObject({
      status: 0,
      stderr: '',
      stdout: expect.stringContaining('PHYS32_ENTRY'),
    });
    expect(run('explain', 'ENTRY').status).toBe(0);
  });

  it('finds the packages that only some commands need', () => {
    // elfy and fs-extra
    expect(run('patch', kernel, '-o', 'out', '--set', 'GUEST_OS=linux')).toMatchObject({ status: 0, stderr: '' });
    // yaml and ajv
    writeFileSync(join(folder.path, 'notes.yaml'), 'notes:\n  GUEST_OS: linux\n');
    expect(run('patch', kernel, '-o', 'out', '--spec', 'notes.yaml')).toMatchObject({ status: 0, stderr: '' });
  });

  it('stores compiled code that this V8 takes', () => {
    const main = join(home, 'dist/cli/main.js');
    const cachedData = readFileSync(`${main}.cache`);
    expect(new Script(readFileSync(main, 'utf8'), { filename: main, cachedData }).cachedDataRejected).toBe(false);
  });

  it('runs as well with compiled code of another V8, with garbage, and with none', () => {
    const cache = join(home, 'dist/cli/main.js.cache');
    for (const bytes of [Buffer.from('garbage'), new Uint8Array(0), readFileSync(cache).fill(0xff, 0, 16)]) {
      writeFileSync(cache, bytes);
      expect(run('notes', kernel)).toMatchObject({
        status: 0,
        stderr: '',
        stdout: expect.stringContaining('PHYS32_ENTRY'),
      });
    }
  });

  it('tells a source tree that was not built', () => {
    const unbuilt = join(folder.path, 'unbuilt.cjs');
    copyFileSync('bin/xen-elfpatch.js', unbuilt);
    expect(spawnSync(process.execPath, [unbuilt], { encoding: 'utf8' })).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringMatching(/main\.js is missing\n {2}hint: npm run build/),
    });
  });

  it('holds schemas that other programs can ask for by name', () => {
    const require = createRequire(join(process.cwd(), 'package.json'));
    expect(require('xen-elfpatch/schema/notes.schema.json')).toHaveProperty('title', 'xen-elfpatch/notes/1');
    expect(readFileSync(join(home, 'schema/error.schema.json'), 'utf8')).toContain('xen-elfpatch/error/1');
  });
});
