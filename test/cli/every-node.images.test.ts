/** The built command on each line of Node that users have: every command says and writes the same bytes on all of them. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LINES, nodes } from '../../scripts/bench/nodes.mjs';
import { COMMANDS } from '../../src/cli/commands.js';
import { bzImage, packForTest } from '../support/bzimage.js';
import { fixture } from '../support/fixtures.js';

const BIN = resolve('bin');
const [OWN = process.execPath, ...OTHERS] = nodes();

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'every-node-'));
  for (const name of ['pvh64-notes', 'pvh64-bare', 'pv64-notes', 'mb1', 'dual.efi']) {
    copyFileSync(fixture(name), join(folder, name));
  }
  const kernel = readFileSync(fixture('pvh64-notes'));
  writeFileSync(join(folder, 'gzip.gz'), packForTest('gzip', kernel));
  // Node's own zstd where it has one, the package's on the others; LZ4 is ours.
  for (const format of ['zstd', 'lz4', 'xz'] as const) {
    writeFileSync(join(folder, `${format}.bzimage`), bzImage({ format, data: kernel, crc: true }));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** `out` is where a command writes to; it is compared too. */
const RUNS = [
  '--help',
  '--version',
  'notes pvh64-notes pv64-notes',
  'notes --json --raw pvh64-notes mb1',
  'notes --format readnotes pv64-notes',
  'notes gzip.gz',
  'notes zstd.bzimage lz4.bzimage xz.bzimage',
  'notes missing',
  'notes pvh64-notes --jsno',
  'verify pvh64-notes --json',
  'verify pvh64-bare --for qemu-pvh --rules',
  'verify zstd.bzimage',
  'verify dual.efi',
  'patch pvh64-bare -o out --set PHYS32_ENTRY=0x100000',
  'patch pvh64-bare --dry-run --json --set PHYS32_ENTRY=0x100000 --set GUEST_OS=x',
  'patch gzip.gz -o out --set GUEST_OS=every',
  'patch zstd.bzimage -o out --set GUEST_OS=every',
  'patch xz.bzimage -o out --payload extract --compressor gzip --set GUEST_OS=every',
  'patch pvh64-bare --set NO_SUCH_NOTE=1 -o out --json',
  'stamp pvh64-bare -o out --package-metadata name=every --build-id sha256',
  'stamp pvh64-notes --check',
  'fix pvh64-bare --json',
  'fix pvh64-bare --for qemu-pvh --set PHYS32_ENTRY=0x100000 -o out',
  'diff pvh64-bare pvh64-notes',
  'diff pvh64-bare pvh64-notes --json',
  'layout pvh64-notes',
  'layout pvh64-notes --compare pvh64-bare --svg out',
  'linearize dual.efi -o out',
  'linearize --verify dual.efi --json',
  'mkelf32 pv64-notes out 0x100000',
  'mkelf32 --tidy pv64-notes out 0x100000',
  'explain',
  'explain PHYS32_ENTRY --json',
  'completion bash',
  'completion zsh',
] as const;

function run(node: string, line: string) {
  const out = join(folder, 'out');
  rmSync(out, { force: true });
  const { status, stdout, stderr } = spawnSync(node, [join(BIN, 'xen-elfpatch.js'), ...line.split(' ')], {
    cwd: folder,
    env: { PATH: process.env['PATH'], COLUMNS: '80', XEN_ELFPATCH_CODE_CACHE: '', SOURCE_DATE_EPOCH: '0' },
  });
  const written = existsSync(out) ? readFileSync(out).toString('hex') : undefined;
  return { status, stdout: stdout.toString(), stderr: stderr.toString(), written };
}

describe('the built command on every line of Node', () => {
  it('is tried by each command, on each line', () => {
    const tried = new Set(RUNS.map((line) => line.split(' ')[0]));
    expect(COMMANDS.map(({ shape }) => shape.name).filter((name) => !tried.has(name))).toEqual([]);
    const majors = [OWN, ...OTHERS].map((node) => spawnSync(node, ['-p', 'process.versions.node']).stdout.toString());
    expect(majors.map((version) => version.split('.')[0])).toEqual(expect.arrayContaining([...LINES]));
  });

  it.each(RUNS)('%s', (line) => {
    const own = run(OWN, line);
    expect([0, 1, 2]).toContain(own.status);
    expect(own.stderr).not.toContain('internal.bug');
    for (const node of OTHERS) expect(run(node, line), node).toEqual(own);
  });
});
