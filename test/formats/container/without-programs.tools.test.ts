/** xz, lzma and bzip2 streams on a machine that has none of the programs: unpacked all the same, and to the same. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { unpackItself } from '../../../src/base/platform/codecs.js';
import { runProgram } from '../../../src/base/platform/program.js';
import { UNPACKERS } from '../../../src/formats/container/unpackers.js';
import { bzImage } from '../../support/bzimage.js';
import { workFolder } from '../../support/cli.js';
import { fixture } from '../../support/fixtures.js';

const folder = workFolder();
afterAll(() => folder.remove());
const kernel = readFileSync(fixture('pvh64-notes'));
const LIMIT = 1 << 24;

function byTool(program: string, ...args: string[]): Uint8Array {
  const { status, stdout } = spawnSync(program, args, { input: kernel });
  if (status !== 0) throw new Error(`${program} ended with ${status}`);
  return stdout;
}

const STREAMS = [
  ['xz as kernels pack it', 'xz', byTool('xz', '-c', '--check=crc32', '--x86', '--lzma2=dict=128MiB')],
  ['xz of a plain run', 'xz', byTool('xz', '-c')],
  ['xz of several blocks', 'xz', byTool('xz', '-c', '--block-size=1024', '--check=sha256')],
  ['lzma of unknown length', 'lzma', byTool('xz', '-c', '--format=lzma')],
  ['bzip2', 'bzip2', byTool('bzip2', '-c', '-9')],
  ['bzip2 of several blocks', 'bzip2', byTool('bzip2', '-c', '-1')],
] as const;

describe.each(STREAMS)('%s', (_, format, packed) => {
  const byProgram = (bytes: Uint8Array, limit: number) => {
    const [program, ...args] = UNPACKERS[format];
    return runProgram(program, args, new BufferSource(bytes), limit);
  };

  it('becomes what was packed', async () => {
    const result = await unpackItself(format, packed, LIMIT);
    if (result.kind !== 'done') throw new Error(JSON.stringify(result));
    expect(Buffer.compare(result.bytes, kernel)).toBe(0);
  });

  it.each([0, 1, 4096, kernel.length - 1])('gives no more than %d bytes', async (limit) => {
    const result = await unpackItself(format, packed, limit);
    if (result.kind !== 'too-long') throw new Error(JSON.stringify(result));
    expect(Buffer.compare(result.bytes, kernel.subarray(0, limit))).toBe(0);
    expect(await unpackItself(format, packed, kernel.length)).toMatchObject({ kind: 'done' });
  });

  it('is refused where the program refuses it: cut short, damaged, with more behind', async () => {
    const places = Array.from({ length: 12 }, (__, i) => Math.floor((packed.length * i) / 12));
    const damaged = places.map((at) => {
      const bytes = Uint8Array.from(packed);
      bytes[at] = (bytes[at] ?? 0) ^ 0x40;
      return bytes;
    });
    const cut = places.map((at) => packed.subarray(0, at));
    const answers = { done: 0, failed: 0 };
    for (const bytes of [...damaged, ...cut]) {
      const [own, program] = [await unpackItself(format, bytes, LIMIT), await byProgram(bytes, LIMIT)];
      // bzip2 itself goes through empty input without a word; nobody takes that for a kernel.
      if (bytes.length > 0) expect(own.kind).toBe(program.kind);
      if (own.kind === 'done' && program.kind === 'done') expect(Buffer.compare(own.bytes, program.bytes)).toBe(0);
      if (own.kind === 'done' || own.kind === 'failed') answers[own.kind] += 1;
    }
    expect(answers.failed).toBeGreaterThan(12);
  });
});

describe('the command on a machine with nothing but Node', () => {
  const empty = join(folder.path, 'no-programs');
  mkdirSync(empty);
  const run = (command: string, image: string) =>
    spawnSync(process.execPath, [command, 'notes', image], { env: { PATH: empty }, encoding: 'utf8' });
  const wrapped = (format: 'xz' | 'lzma' | 'bzip2' | 'lzo') => {
    const path = join(folder.path, `vmlinuz.${format}`);
    writeFileSync(path, bzImage({ format, data: kernel }));
    return path;
  };

  it.each(['xz', 'lzma', 'bzip2'] as const)('reads the notes of a bzImage with a payload in %s', (format) => {
    const { status, stdout, stderr } = run('bin/xen-elfpatch.js', wrapped(format));
    expect(stderr).toBe('');
    expect(stdout).toContain('PHYS32_ENTRY');
    expect(status).toBe(0);
  });

  it('says which program is missing where there is no package either', () => {
    const home = join(folder.path, 'alone');
    cpSync('bin', join(home, 'bin'), { recursive: true });
    cpSync('dist/cli', join(home, 'dist/cli'), { recursive: true });
    for (const [format, program] of [
      ['xz', 'xz'],
      ['bzip2', 'bzip2'],
      ['lzo', 'lzop'],
    ] as const) {
      const { status, stderr } = run(resolve(home, 'bin/xen-elfpatch.js'), wrapped(format));
      expect(stderr).toContain(`cannot run ${program}, which is needed for ${format} data [codec.missing]`);
      expect(status).toBe(2);
    }
  });
});
