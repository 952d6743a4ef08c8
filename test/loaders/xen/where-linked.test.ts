/** What Xen takes and loads elsewhere than the code looks for it: a no, and never one for a kernel that is sound. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import type { Encoding } from '../../../src/formats/elf/struct.js';
import { judgeLoaders } from '../../../src/loaders/loaders.js';
import { accepts, type Verdict } from '../../../src/loaders/rule.js';
import { dom0Kernels } from '../../judges/dom0.js';
import { cstr, elf, num, type TestNote } from '../../support/elf-builder.js';
import { fixture } from '../../support/fixtures.js';

const LE64: Encoding = { bits: 64, endian: 'little' };
const HIGH = 0xffffffff80000000n;
const MIB = 0x10_0000n;

const wide = (type: number, value: bigint): TestNote => ({ type, desc: num(value, 8, LE64) });
const NOTES = (entry: bigint, base: bigint, offset = 0n): TestNote[] => [
  wide(1, entry),
  wide(3, base),
  wide(4, offset),
  { type: 5, desc: cstr('xen-3.0') },
  { type: 6, desc: cstr('linux') },
  { type: 18, desc: num(MIB, 4, LE64) },
];
const PV = NOTES(HIGH + MIB, HIGH);

interface Second {
  readonly vaddr: bigint;
  readonly paddr: bigint;
}

const low = (vaddr: bigint, paddr: bigint): Second => ({ vaddr, paddr });

/** Code at 1 MiB, linked in the upper half, and a second PT_LOAD. */
function kernel({ vaddr, paddr }: Second, notes = PV): Uint8Array {
  return elf(LE64)
    .header({ e_type: 2, e_machine: 62, e_entry: HIGH + MIB })
    .load(HIGH + MIB, new Uint8Array(0x1000).fill(0x90), { paddr: MIB })
    .load(vaddr, new Uint8Array(0x1000).fill(1), { paddr })
    .noteSegment(notes)
    .build();
}

function judge(bytes: Uint8Array, name: string): Verdict {
  const [verdict] = judgeLoaders(new BufferSource(bytes, 'kernel'), { names: [name] });
  if (verdict === undefined) throw new Error(`no loader ${name}`);
  return verdict;
}

const ROWS = ['xen-pv', 'xen-pvh', 'xen-dom0-pv', 'xen-dom0-pvh'] as const;

describe.each(ROWS)('%s', (row) => {
  it.each<readonly [what: string, second: Second, rule: string | undefined]>([
    ['as linked', { vaddr: HIGH + 2n * MIB, paddr: 2n * MIB }, undefined],
    ['a page off', { vaddr: HIGH + 2n * MIB, paddr: 2n * MIB + 0x1000n }, 'loaded-as-linked'],
    ['right behind the code', { vaddr: HIGH + 2n * MIB, paddr: MIB + 0x1000n }, 'loaded-as-linked'],
    ['where it was linked, in physical memory', { vaddr: 2n * MIB, paddr: 2n * MIB }, undefined],
    ['linked at 0, for each CPU', { vaddr: 0n, paddr: 2n * MIB }, undefined],
    ['linked below 1 MiB, for the start of further CPUs', { vaddr: HIGH + 0x8000n, paddr: 2n * MIB }, undefined],
  ])('a second PT_LOAD %s', (_, second, rule) => {
    const verdict = judge(kernel(second), row);
    expect([accepts(verdict), verdict.rule]).toEqual([rule === undefined, rule]);
    if (rule !== undefined) expect(verdict.message).toContain('the guest is lost');
  });
});

/** Kernels whose first instructions are linked at one place and the rest at another, which they map or find by its address. */
describe('a PVH kernel that maps itself', () => {
  const shapes: readonly (readonly [what: string, boot: Second, rest: Second, rule: string | undefined])[] = [
    ['boot code at its physical address, the rest at -2 GiB', low(MIB, MIB), low(HIGH + 2n * MIB, 2n * MIB), undefined],
    ['boot code at its physical address, the rest at 3 GiB', low(MIB, MIB), low(0xc020_0000n, 2n * MIB), undefined],
    ['boot code at its physical address, the rest at 256 MiB', low(MIB, MIB), low(0x1020_0000n, 2n * MIB), undefined],
    [
      'boot code linked elsewhere, the rest where it is loaded',
      low(16n * MIB, MIB),
      low(2n * MIB, 2n * MIB),
      undefined,
    ],
    ['all of it at its physical address', low(MIB, MIB), low(4n * MIB, 4n * MIB), undefined],
    ['the rest near the boot code, and loaded elsewhere', low(MIB, MIB), low(4n * MIB, 5n * MIB), 'loaded-as-linked'],
    [
      'all of it linked high, one part a page off',
      low(HIGH + MIB, MIB),
      low(HIGH + 4n * MIB, 4n * MIB + 0x1000n),
      'loaded-as-linked',
    ],
  ];

  it.each(shapes)('%s', (_, boot, rest, rule) => {
    const bytes = elf(LE64)
      .header({ e_type: 2, e_machine: 62, e_entry: boot.vaddr })
      .load(boot.vaddr, new Uint8Array(0x1000).fill(0x90), { paddr: boot.paddr })
      .load(rest.vaddr, new Uint8Array(0x1000).fill(1), { paddr: rest.paddr })
      .noteSegment([{ type: 18, desc: num(boot.paddr, 4, LE64) }])
      .build();
    for (const row of ['xen-pvh', 'xen-dom0-pvh']) expect([row, judge(bytes, row).rule]).toEqual([row, rule]);
  });
});

describe('a PV image as a whole', () => {
  const second = { vaddr: HIGH + 2n * MIB, paddr: 2n * MIB };

  it('may be loaded elsewhere than linked, where the entry says so, too', () => {
    const low = NOTES(MIB, 0n);
    expect(judge(kernel(second, low), 'xen-dom0-pv')).toMatchObject({ rule: undefined, values: { entry: MIB } });
  });

  it('may not be moved away from under its entry', () => {
    const notes = NOTES(HIGH + MIB + 0x400n, HIGH, 0x800n);
    expect(judge(kernel(second, notes), 'xen-dom0-pv').rule).toBe('entry-as-linked');
  });
});

describe('sections', () => {
  /** The fixture with the second program header bent: its .data is no longer in a PT_LOAD, or only shifted. */
  function bent(field: number, value: bigint): Uint8Array {
    const bytes = Buffer.from(readFileSync(fixture('pv64-notes')));
    bytes.writeBigUInt64LE(BigInt.asUintN(64, value), Number(bytes.readBigUInt64LE(32)) + 56 + field);
    return bytes;
  }

  it.each([
    ['in no PT_LOAD', 16, HIGH + 0x200000n, 'crash'],
    ['shifted in the file', 8, 0x4008n, 'crash'],
    ['.bss behind the memory of the PT_LOAD', 40, 8n, 'crash'],
    ['as they are', 16, HIGH + 0x103000n, 'accepted'],
  ])('%s', (_, field, value, outcome) => {
    const verdict = judge(bent(field, value), 'xen-dom0-pv');
    expect(verdict.outcome).toBe(outcome);
    expect(verdict.rule).toBe(
      outcome === 'crash' ? (field === 16 ? 'loaded-as-linked' : 'sections-loaded') : undefined,
    );
  });

  it('of the sound kernels are all loaded', () => {
    const sound = dom0Kernels().filter(({ bends }) => bends === 'sound');
    expect(
      sound.map(
        ({ bytes, name }) =>
          judge(Buffer.from(bytes), name.split(':')[0] === 'dom0-pv' ? 'xen-dom0-pv' : 'xen-dom0-pvh').outcome,
      ),
    ).toEqual(sound.map(() => 'accepted'));
  });
});
