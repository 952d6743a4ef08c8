/**
 * Large descriptors, held against a reader that is not ours: a copy of the Node that runs is stamped with a single executable
 * application, which it finds by walking its own PT_NOTEs in memory (Node's deps/postject/postject-api.h).
 */
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  ftruncateSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runCli, workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';

const folder = workFolder();
afterAll(() => folder.remove());
const at = (name: string) => join(folder.path, name);

/** Node looks for its application only where the byte behind this says so (postject's sentinel). */
const FUSE = Buffer.from('NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2:0');
const NOTE = 'NODE_SEA_BLOB:0=file:';

function withFuse(path: string): void {
  const bytes = readFileSync(path);
  const found = bytes.indexOf(FUSE);
  if (found < 0 || bytes.indexOf(FUSE, found + 1) >= 0) throw new Error(`${process.execPath} has no one fuse`);
  const fd = openSync(path, 'r+');
  writeSync(fd, '1', found + FUSE.length - 1);
  closeSync(fd);
}

/** An application that tells how long its asset is and what its last byte is; `size` bytes of asset. */
function application(size: number, last: number): string {
  writeFileSync(at('asset'), Buffer.concat([Buffer.alloc(size - 1, 'never the same block\n'), Buffer.of(last)]));
  writeFileSync(
    at('main.js'),
    "const a = new Uint8Array(require('node:sea').getRawAsset('asset')); console.log(a.length, a[a.length - 1]);",
  );
  const config = { main: 'main.js', output: 'blob', disableExperimentalSEAWarning: true, assets: { asset: 'asset' } };
  writeFileSync(at('sea.json'), JSON.stringify(config));
  const { status, stderr } = spawnSync(process.execPath, ['--experimental-sea-config', 'sea.json'], {
    cwd: folder.path,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  return at('blob');
}

function answer(path: string): string {
  const { stdout, stderr } = spawnSync(path, [], { encoding: 'utf8' });
  return stdout + stderr;
}

describe('a copy of the Node that runs', () => {
  it.each([100, 5_000_000, 100_000_000])(
    'with an application of %i bytes in a note runs it',
    (size) => {
      const node = at('node');
      copyFileSync(process.execPath, node);
      withFuse(node);
      const blob = application(size, 7);
      const stamp = (...args: string[]) => runCli(['stamp', ...args, '--note', `${NOTE}${blob}`, '--loaded']);
      expect(stamp(node, '-o', at('app'))).toMatchObject({ status: 0 });
      expect(answer(at('app'))).toBe(`${size} 7\n`);
      expect(stamp(at('app'), '--check')).toMatchObject({ status: 0 });

      // Another application of the same length goes where the first one is.
      application(size, 8);
      expect(stamp(at('app'), '--in-place')).toMatchObject({ status: 0 });
      expect(answer(at('app'))).toBe(`${size} 8\n`);
      rmSync(at('app'));
    },
    300_000,
  );
});

describe('a kernel with a descriptor larger than any single read', () => {
  const SIZE = 0x2800001;
  const big = at('big');
  const fd = openSync(big, 'w');
  writeSync(fd, 'start');
  writeSync(fd, 'end', SIZE - 3);
  closeSync(fd);

  it('takes it, shows it, keeps it through edits, and gives it up', () => {
    const run = (...args: string[]) => {
      const result = runCli(args);
      expect(result.stderr.replaceAll(/^xen-elfpatch: warning:.*\n/gm, '')).toBe('');
      expect(result.status).toBe(0);
      return result.stdout;
    };
    run('stamp', fixture('pvh64-notes'), '-o', at('a'), '--note', `V:1=file:${big}`);
    // A hole in the file of the descriptor is one in the result.
    expect(statSync(at('a')).blocks * 512).toBeLessThan(0x100000);
    expect(run('notes', at('a'))).toMatch(/0x\w+ +V +0x1 /);
    run('patch', at('a'), '-o', at('b'), '--set', 'GUEST_OS=other');
    run('verify', at('b'), '--baseline', at('a'), '--for', 'qemu-pvh');
    const readelf = spawnSync('readelf', ['-nW', at('b')], { encoding: 'utf8', maxBuffer: 1 << 28 }).stdout;
    expect(readelf).toMatch(new RegExp(`V +0x0*${SIZE.toString(16)}`));
    expect(readelf).toMatch(/data: 73 74 61 72 74 00 .* 65 6e 64 *$/m);
    run('stamp', at('b'), '-o', at('c'), '--remove', 'V:1');
    expect(run('notes', at('c'))).not.toMatch(/ V +0x1 /);
  }, 60_000);

  it('refuses one that a note cannot count, by name and size', () => {
    const huge = at('huge');
    const handle = openSync(huge, 'w');
    ftruncateSync(handle, 0x1_0000_0000);
    closeSync(handle);
    const { status, stderr } = runCli(['stamp', fixture('pvh64-notes'), '-o', at('d'), '--note', `V:1=file:${huge}`]);
    expect(status).toBe(2);
    expect(stderr).toContain(
      'huge: cannot take the value from the file: it has 4294967296 bytes, and a descriptor at most 4294967280 [plan.bad-file]',
    );
  });
});
