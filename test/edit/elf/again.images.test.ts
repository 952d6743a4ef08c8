/** Files that are edited again and again: they stop growing, stay sound, and hold nothing else than after one edit. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runCli, workFolder } from '../../support/cli.js';
import { elf } from '../../support/elf-builder.js';
import { fixture, realImage } from '../../support/images.js';
import { xenNotes } from '../../support/patching.js';

const folder = workFolder();
afterAll(() => folder.remove());

const ROUND = [
  ['--set', 'PHYS32_ENTRY=0x100000', '--set', 'GUEST_OS=abc'],
  ['--set', `GUEST_VERSION=${'v'.repeat(100)}`],
  ['--unset', 'GUEST_VERSION'],
  ['--clear'],
];

function round(path: string): number {
  for (const edit of ROUND) {
    const run = runCli(['patch', path, '--in-place', ...edit]);
    expect(run.status, `${edit.join(' ')}: ${run.stderr}`).toBe(0);
  }
  return statSync(path).size;
}

describe.each([
  ['pvh64-bare', () => fixture('pvh64-bare')],
  ['pvh32-bare', () => fixture('pvh32-bare')],
  ['pv64-notes', () => fixture('pv64-notes')],
  ['xen-shim', () => realImage('xen-shim').path],
  ['grub-x86_64-xen', () => realImage('grub-x86_64-xen').path],
  ['gnumach-xen', () => realImage('gnumach-xen').path],
] as const)('%s', (name, input) => {
  it('grows no more after the second round of the same edits', () => {
    const path = join(folder.path, name);
    writeFileSync(path, readFileSync(input()));
    // An undo may cut off what edits appended, and the next edit append it again.
    const most = Math.max(round(path), round(path));
    for (const size of [round(path), round(path), round(path)]) expect(size).toBeLessThanOrEqual(most);
    expect(xenNotes(path)).toEqual([]);
    expect(runCli(['notes', path, '--require-xen']).status).toBe(1);
    const verified = runCli(['verify', path, '--baseline', input()]);
    expect(verified.stdout).toContain('nothing but notes and headers differs');
    expect(verified.status).toBe(0);
  });
});

describe('a notes-less copy of notes in a section', () => {
  it('is not what Xen finds after --clear: sections count as soon as no segment has a note', () => {
    const path = join(folder.path, 'shim');
    writeFileSync(path, readFileSync(realImage('xen-shim').path));
    // Longer than the room: the notes move, and the loaded section keeps the old ones.
    expect(runCli(['patch', path, '--in-place', '--set', 'GUEST_OS=somewhere else']).status).toBe(0);
    const before = readFileSync(path);
    const cleared = runCli(['patch', path, '--in-place', '--clear']);
    expect(cleared.status, cleared.stderr).toBe(0);
    const notes = JSON.parse(runCli(['notes', path, '--json']).stdout);
    expect(notes.images[0].xen).toMatchObject({ from: 'none', notes: 0 });
    expect(notes.images[0].notes.filter((note: { owner: string }) => note.owner === 'Xen')).toEqual([]);
    expect(runCli(['patch', path, '--clear', '--check']).status).toBe(0);
    expect(statSync(path).size).toBeLessThanOrEqual(before.length);
  });
});

describe('a note behind an alignment gap, which Xen does not come by', () => {
  /** A build-id of 36 bytes, 4 bytes of gap, a property note, then PHYS32_ENTRY 0x100000: what one output section gives. */
  const area = Buffer.from(
    '040000001400000003000000474e5500000102030405060708090a0b0c0d0e0f10111213' +
      '00000000' +
      '040000001000000005000000474e5500010001c0040000000300000000000000' +
      '040000000400000012000000' +
      '58656e0000001000',
    'hex',
  );

  it('goes with --clear like any other', () => {
    const bytes = elf().load(0x100000n, new Uint8Array(64)).noteSegment(area, { align: 8n }).build();
    const path = folder.write('gap', bytes);
    const owners = () =>
      JSON.parse(runCli(['notes', path, '--json']).stdout).images[0].notes.map((note: { owner: string }) => note.owner);
    expect(owners()).toEqual(['GNU', 'GNU', 'Xen']);
    expect(runCli(['patch', path, '--clear', '--check']).status).toBe(1);
    const cleared = runCli(['patch', path, '--clear', '--in-place']);
    expect(cleared.status, cleared.stderr).toBe(0);
    expect(owners()).toEqual(['GNU', 'GNU']);
    expect(runCli(['patch', path, '--clear', '--check']).status).toBe(0);
  });
});
