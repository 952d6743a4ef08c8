import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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
const shipped = join(home, 'dist/cli/code');
const notesOfKernel = { status: 0, stderr: '', stdout: expect.stringContaining('PHYS32_ENTRY') };
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

  it('stores compiled code that this V8 takes, for every command of a kernel build', () => {
    const stored = readdirSync(shipped).map((name) => ({ name, part: name.split('-')[0] ?? '' }));
    for (const command of ['notes', 'patch', 'verify']) {
      expect(stored.map(({ name }) => name)).toContainEqual(expect.stringMatching(`^main-${command}-`));
    }
    for (const { name, part } of stored) {
      const filename = join(home, 'dist/cli', `${part}.js`);
      const script = new Script(readFileSync(filename, 'latin1'), {
        filename,
        cachedData: readFileSync(join(shipped, name)),
      });
      expect(script.cachedDataRejected, name).toBe(false);
    }
  });

  it('reads no more than the first part for notes, and for a patch in place', () => {
    const rest = ['copy.js', 'rest.js'].map((name) => join(home, 'dist/cli', name));
    for (const file of rest) renameSync(file, `${file}.away`);
    try {
      expect(run('notes', kernel).status).toBe(0);
      copyFileSync(kernel, join(folder.path, 'patched'));
      expect(run('patch', 'patched', '--in-place', '--set', 'GUEST_OS=linux')).toMatchObject({ status: 0, stderr: '' });
      expect(run('verify', 'patched')).toMatchObject({ status: 0, stderr: '' });
    } finally {
      for (const file of rest) renameSync(`${file}.away`, file);
    }
  });

  it('runs as well with compiled code of another V8, with garbage, and with none', () => {
    const [name = ''] = readdirSync(shipped).filter((file) => file.startsWith('main-notes-'));
    const file = join(shipped, name);
    const right = readFileSync(file);
    for (const bytes of [Buffer.from('garbage'), new Uint8Array(0), Buffer.from(right).fill(0xff, 0, 16)]) {
      writeFileSync(file, bytes);
      expect(run('notes', kernel)).toMatchObject(notesOfKernel);
    }
    rmSync(file);
    expect(run('notes', kernel)).toMatchObject(notesOfKernel);
    writeFileSync(file, right);
  });

  it('tells a source tree that was not built', () => {
    const unbuilt = join(folder.path, 'unbuilt.cjs');
    copyFileSync('bin/xen-elfpatch.js', unbuilt);
    copyFileSync('bin/code-cache.js', join(folder.path, 'code-cache.js'));
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
