/** A sparse input gives a sparse result, by every way of writing an image. */
import { closeSync, openSync, readFileSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runCli, workFolder } from '../support/cli.js';
import { fixture } from '../support/fixtures.js';

const folder = workFolder();
afterAll(() => folder.remove());
const at = (name: string) => join(folder.path, name);
const HOLE = 64 << 20;
const blocksOf = (path: string) => statSync(path).blocks * 512;

/** A kernel with a hole behind it and a few bytes behind the hole. */
function sparseKernel(): string {
  const path = at('sparse');
  writeFileSync(path, readFileSync(fixture('pvh64-notes')));
  truncateSync(path, statSync(path).size + HOLE);
  const fd = openSync(path, 'r+');
  writeSync(fd, 'behind the hole', statSync(path).size);
  closeSync(fd);
  return path;
}

const LONG = `GUEST_OS=${'x'.repeat(3000)}`;
const WAYS: readonly (readonly [string, readonly string[]])[] = [
  ['a copy', ['patch', '-o', 'out', '--set', 'GUEST_OS=x']],
  ['a copy with a gap', ['patch', '-o', 'out', '--set', LONG, '--placement', 'shift']],
  ['in place, by a small write', ['patch', '--in-place', '--set', 'PHYS32_ENTRY=0x100010']],
  ['in place, by a copy', ['patch', '--in-place', '--set', LONG]],
  ['a stamp', ['stamp', '-o', 'out', '--note', 'V:1=x']],
  ['nothing to fix', ['fix', '-o', 'out', '--for', 'qemu-pvh']],
];

describe('a file with a hole of 64 MiB', () => {
  it.each(WAYS)('%s keeps the hole', (_, [command = '', ...args]) => {
    const input = sparseKernel();
    expect(blocksOf(input)).toBeLessThan(1 << 20);
    const words = args.map((word) => (word === 'out' ? at('out') : word));
    const { status, stderr } = runCli([command, input, ...words]);
    expect([status, stderr.replaceAll(/^xen-elfpatch: warning:.*\n/gm, '')]).toEqual([0, '']);
    const result = args.includes('-o') ? at('out') : input;
    expect(statSync(result).size).toBeGreaterThan(HOLE);
    expect(blocksOf(result)).toBeLessThan(1 << 20);
    expect(readFileSync(result).includes('behind the hole')).toBe(true);
  });
});
