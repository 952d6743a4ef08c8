/** `--strict`: what is only warned of without it is a no with it, and nothing is written. */
import { existsSync, linkSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.js';
import { xenEfi } from '../reports/report-shapes.js';
import { workFolder } from '../support/cli.js';
import { cstr, type ElfBuilder, elf, num, type TestNote } from '../support/elf-builder.js';
import { fixture } from '../support/fixtures.js';
import { runHere } from '../support/in-process.js';
import { signedPe } from '../support/pe-builder.js';

vi.mock('../../src/cli/output.js', async (original) => {
  const { captured } = await import('../support/captured-output.js');
  return captured(await original<typeof import('../../src/cli/output.js')>());
});

const folder = workFolder();
afterAll(() => folder.remove());

const LE64 = { bits: 64, endian: 'little' } as const;
const PADDR = 0x100000n;
const PVH: TestNote = { type: 18, desc: num(PADDR, 4, LE64) };
const kernel = (): ElfBuilder =>
  elf(LE64)
    .header({ e_type: 2, e_machine: 62, e_entry: PADDR })
    .load(PADDR, new Uint8Array(0x200).fill(0x90), { align: 0x1000n });

const trailing = folder.write(
  'trailing',
  // No zeros in front of the code, so that what is longer goes behind what stands at the end.
  elf(LE64)
    .header({ e_type: 2, e_machine: 62, e_entry: PADDR })
    .load(PADDR, new Uint8Array(0x200).fill(0x90))
    .noteSegment([PVH])
    .with({ trailing: cstr('found from its end') })
    .build(),
);
const low = folder.write(
  'low',
  elf(LE64)
    .header({ e_type: 2, e_machine: 62, e_entry: 0x8000n })
    .load(0x8000n, new Uint8Array(0x200).fill(0x90), { align: 0x1000n })
    .noteSegment([{ name: 'GNU', type: 3, desc: new Uint8Array(20) }])
    .symbol('pvh_start_xen', 0x8000n)
    .build(),
);
const misaligned = folder.write('misaligned', kernel().noteSegment([PVH], { align: 1n }).build());
const damaged = folder.write('damaged', kernel().noteSegment([PVH], { filesz: 17n }).build());
const plain = folder.write('plain', kernel().build());

const signed = folder.write('signed.efi', signedPe(xenEfi()));
const packed = folder.write('packed.gz', gzipSync(readFileSync(low)));

/** Commands that write `out` and warn; where a command has several roads to disk, one row for each. */
const WRITERS: readonly (readonly [what: string, args: readonly string[]])[] = [
  ['patch', ['patch', trailing, '--set', 'PHYS32_ENTRY=0x5000000', '-o', 'OUT']],
  ['stamp', ['stamp', trailing, '--package-metadata', `name=${'x'.repeat(400)}`, '-o', 'OUT']],
  ['fix', ['fix', low, '--for', 'qemu-pvh', '-o', 'OUT']],
  ['mkelf32', ['mkelf32', plain, 'OUT', '0x100000zz']],
  ['linearize', ['linearize', signed, '--drop-signature', '-o', 'OUT']],
  ['fix of a gzip file', ['fix', packed, '--for', 'xen-dom0-pvh', '-o', 'OUT']],
];

describe.each(WRITERS)('%s', (name, words) => {
  const out = join(folder.path, `${name}.out`);
  const args = words.map((word) => (word === 'OUT' ? out : word));

  it('warns and writes', async () => {
    rmSync(out, { force: true });
    const { status, stderr, stdout } = await runHere(args);
    expect({ status, warned: /warning|takes it, but/.test(stderr + stdout) }).toEqual({ status: 0, warned: true });
    expect(existsSync(out)).toBe(true);
  });

  it('with --strict says no and writes nothing', async () => {
    rmSync(out, { force: true });
    const { status, stderr } = await runHere([...args, '--strict']);
    expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining('[write.warned]') });
    expect(existsSync(out)).toBe(false);
  });
});

it('a hard link that would be left behind counts before anything is written', async () => {
  const out = folder.write('linked.out', new Uint8Array(4));
  linkSync(out, join(folder.path, 'other name'));
  const args = ['patch', fixture('pvh64-notes'), '--set', 'GUEST_OS=x', '-o', out];
  expect(await runHere([...args, '--strict'])).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('[write.warned]'),
  });
  expect(readFileSync(out).length).toBe(4);
  expect(await runHere(args)).toMatchObject({ status: 0, stderr: expect.stringContaining('hard link') });
});

describe.each([
  ['verify --for', ['verify', misaligned, '--for', 'qemu-pvh']],
  ['notes', ['notes', damaged]],
  ['fix', ['fix', low, '--for', 'qemu-pvh']],
  ['patch --dry-run', ['patch', trailing, '--set', 'PHYS32_ENTRY=0x5000000', '--dry-run']],
] as const)('%s', (_, args) => {
  it('is a yes, and a no with --strict', async () => {
    expect((await runHere(args)).status).toBe(0);
    expect((await runHere([...args, '--strict'])).status).toBe(1);
  });
});

it('where nothing is warned of, --strict changes nothing', async () => {
  const out = join(folder.path, 'clean.out');
  expect((await runHere(['patch', fixture('pvh64-notes'), '--set', 'GUEST_OS=x', '-o', out, '--strict'])).status).toBe(
    0,
  );
  expect((await runHere(['verify', out, '--for', 'xen-pvh', '--strict'])).status).toBe(0);
  expect((await runHere(['notes', out, '--strict'])).status).toBe(0);
});

it('every command that writes an image is a row', () => {
  const writing = COMMANDS.filter(({ shape }) => Object.hasOwn(shape.options, 'output')).map(({ shape }) => shape.name);
  const rows = new Set(WRITERS.map(([, [command]]) => command));
  expect([...writing, 'mkelf32'].filter((name) => !rows.has(name))).toEqual([]);
});

it('every command that can warn has it', () => {
  const without = COMMANDS.filter(({ shape }) => !Object.hasOwn(shape.options, 'strict')).map(
    ({ shape }) => shape.name,
  );
  // These print what is there, and warn of nothing.
  expect(without.sort()).toEqual(['completion', 'diff', 'explain', 'layout']);
});
