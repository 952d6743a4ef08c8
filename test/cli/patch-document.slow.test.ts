import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runCli, workFolder } from '../support/cli.js';
import { cstr, elf, num } from '../support/elf-builder.js';
import { validDocument } from '../support/schema.js';

const folder = workFolder();
afterAll(() => folder.remove());
const encoding = { bits: 64, endian: 'little' } as const;
const bytes = elf(encoding)
  .load(0x100000n, new Uint8Array(64))
  .noteSegment([{ type: 6, desc: cstr('linux') }])
  .with({ slack: 256 })
  .build();
const bare = folder.write('bare', elf(encoding).load(0x100000n, new Uint8Array(64), { align: 0x1000n }).build());

/** `patch --json` with these words on a fresh copy of the image. */
function patch(...words: string[]) {
  const image = folder.write('image', bytes);
  const { status, stdout, stderr } = runCli(['patch', '--json', image, ...words]);
  return { status, stderr, document: validDocument(stdout) };
}

describe('patch --json: one valid document, whatever happens', () => {
  it('written beside', () => {
    const output = join(folder.path, 'out');
    expect(patch('-o', output, '--set', 'PHYS32_ENTRY=0x100000')).toMatchObject({
      status: 0,
      document: {
        changed: true,
        written: { output, how: 'clone' },
        notes: [
          { name: 'GUEST_OS', bytes: Buffer.from(cstr('linux')).toString('hex') },
          { name: 'PHYS32_ENTRY', size: '0x4', bytes: Buffer.from(num(0x100000n, 4, encoding)).toString('hex') },
        ],
      },
    });
  });

  it('where it is', () => {
    expect(patch('--in-place', '--set', 'GUEST_OS=other').document).toMatchObject({ written: { how: 'direct' } });
  });

  it('nothing to do', () => {
    const { document } = patch('--in-place', '--set', 'GUEST_OS=linux');
    expect(document).toMatchObject({ changed: false, written: { how: 'unchanged' }, placement: null, ranges: [] });
  });

  it('a plan only', () => {
    const planned = patch('--dry-run', '--set', 'ENTRY=entry');
    expect(planned).toMatchObject({ status: 0, document: { changed: true, written: null } });
    const checked = patch('--check', '--set', 'ENTRY=entry');
    expect(checked).toMatchObject({ status: 1, document: { changed: true, written: null } });
  });

  it('a plan with refused placements and moved bytes', () => {
    const run = runCli(['patch', '--json', '--dry-run', '--placement=shift', '--set', 'ENTRY=entry', bare]);
    expect(run.status).toBe(0);
    expect(validDocument(run.stdout)).toMatchObject({ placement: 'shift', shift: { by: '0x1000' } });
    const auto = validDocument(runCli(['patch', '--json', '--dry-run', '--set', 'ENTRY=entry', bare]).stdout);
    expect(auto['refused']).toContainEqual({ placement: 'in-place', reason: expect.any(String) });
  });

  it('a refusal', () => {
    const { status, document } = patch('--in-place', '--set', 'PHYS32_ENTR=1');
    expect(status).toBe(2);
    expect(document).toMatchObject({
      schema: 'xen-elfpatch/error/1',
      command: 'patch',
      errors: [{ id: 'note.unknown-name', hint: expect.stringContaining('PHYS32_ENTRY') }],
    });
  });
});
