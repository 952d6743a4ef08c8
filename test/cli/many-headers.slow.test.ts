/**
 * An image with more program headers than an edit is planned for: every command that reads answers, every one that would edit or
 * show them all refuses in the same words, whether the image is packed or not, and nothing is written.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { MOST_HEADERS } from '../../src/edit/elf/plan/most-headers.js';
import { runCli, workFolder } from '../support/cli.js';
import { elf, num } from '../support/elf-builder.js';
import { expectError } from '../support/patching.js';

const folder = workFolder();
afterAll(() => folder.remove());

const LE64 = { bits: 64, endian: 'little' } as const;

/** So many program headers, all but two PT_NULL. */
function withHeaders(count: number): Uint8Array {
  const image = elf(LE64)
    .header({ e_type: 2, e_machine: 62, e_entry: 0x100000n })
    .load(0x100000n, new Uint8Array(0x200).fill(0x90), { align: 0x1000n })
    .noteSegment([{ type: 18, desc: num(0x100000n, 4, LE64) }]);
  // A type of no meaning, which nobody takes for free.
  for (let left = count - 2; left > 0; left--) image.segment(0x60000001, undefined, { offset: 0n, filesz: 0n });
  return image.build();
}

const most = folder.write('most', withHeaders(MOST_HEADERS));
const many = folder.write('many', withHeaders(MOST_HEADERS + 1));
folder.write('many.gz', gzipSync(withHeaders(MOST_HEADERS + 1)));
const small = folder.write('small', withHeaders(3));

const EDITS: readonly (readonly [string, ...string[]])[] = [
  ['patch', '--set', 'GUEST_OS=x', '-o', 'out'],
  ['patch', '--set', 'GUEST_OS=x', '--dry-run', '-o', 'out'],
  ['stamp', '--note', 'Owner:1=x', '-o', 'out'],
  ['fix', '--for', 'xen-pv', '-o', 'out'],
  ['fix', '--for', 'xen-pv', '--dry-run', '-o', 'out'],
  ['layout', '--html', 'out'],
];

describe.each(['many', 'many.gz'])('%s', (name) => {
  it.each(EDITS)('is refused by %s %s %s', (command, ...rest) => {
    const run = runCli([command, name, ...rest], { cwd: folder.path });
    expectError(
      run,
      'plan.too-many-headers',
      new RegExp(`found ${MOST_HEADERS + 1} .* wanted at most ${MOST_HEADERS}`),
    );
    expect(existsSync(join(folder.path, 'out'))).toBe(false);
  });

  it.each([
    ['notes', name],
    ['notes', '--json', name],
    ['verify', name],
    ['verify', '--json', name],
    ['layout', name],
    ['stamp', name],
    ['diff', name, name],
  ])('is answered by %s %s', (...args) => {
    const { status, stderr, stdout } = runCli(args, { cwd: folder.path });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).not.toContain('cure: xen-elfpatch');
  });
});

it('one header less is edited', () => {
  expect(runCli(['patch', most, '--set', 'GUEST_OS=x', '--dry-run', '-o', 'out']).status).toBe(0);
  expect(runCli(['diff', many, small]).status).toBe(1);
});
