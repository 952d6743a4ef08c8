/** An entry of one kind is never made of another: what fix and verify say of kernels that do not tell what a loader wants. */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../../src/base/bytes/source.js';
import { planPatch } from '../../../src/edit/elf/pipeline.js';
import { proveCure } from '../../../src/edit/fix/cure.js';
import { findFix, targetsOf } from '../../../src/edit/fix/fix.js';
import { toldBy } from '../../../src/edit/fix/told.js';
import { readElf } from '../../../src/formats/elf/read.js';
import { preset } from '../../../src/formats/note/fix.js';
import { judgeLoaders } from '../../../src/loaders/loaders.js';
import { accepts } from '../../../src/loaders/rule.js';
import { cstr, elf, num, type TestNote } from '../../support/elf-builder.js';

const LE64 = { bits: 64, endian: 'little' } as const;
const BASE = 0xffffffff80000000n;
const START = 0x200000n;

const PVH_NOTE: TestNote = { type: 18, desc: num(START + 0x1000n, 4, LE64) };
const LABELS: readonly TestNote[] = [
  { type: 5, desc: cstr('xen-3.0') },
  { type: 6, desc: cstr('linux') },
];

interface Shape {
  readonly notes?: readonly TestNote[];
  readonly symbols?: Readonly<Record<string, bigint>>;
  readonly high?: boolean;
}

function kernel({ notes = [], symbols = {}, high = false }: Shape): Uint8Array {
  const vaddr = high ? BASE + START : START;
  const builder = elf(LE64)
    .header({ e_type: 2, e_machine: 62, e_entry: vaddr + 0x1000n })
    .with({ slack: 0x200 })
    .load(vaddr, new Uint8Array(0x3000).fill(0x90), { paddr: START, align: 0x1000n });
  if (notes.length > 0) builder.noteSegment(notes);
  for (const [name, value] of Object.entries(symbols)) builder.symbol(name, value);
  return builder.build();
}

const PVH = [
  ['PHYS32_ENTRY alone, and e_entry at the same place', { notes: [PVH_NOTE] }],
  ['PHYS32_ENTRY of a kernel that is linked high', { notes: [PVH_NOTE], high: true }],
  ['PHYS32_ENTRY with a general start symbol', { notes: [PVH_NOTE], symbols: { _start: START + 0x1000n } }],
  ['PHYS32_ENTRY, and the labels that Linux writes without PV', { notes: [PVH_NOTE, ...LABELS] }],
  ['a symbol made for the PVH entry', { symbols: { pvh_start_xen: START + 0x1000n } }],
  ['such a symbol, and a hypercall page', { symbols: { pvh_entry: START, hypercall_page: START + 0x1000n } }],
] as const satisfies readonly (readonly [string, Shape])[];

describe.each(PVH)('a PVH kernel asked for as PV: %s', (_, shape) => {
  const source = new BufferSource(kernel(shape), 'kernel');

  it.each([
    ['xen-pv', 'type="pvh"'],
    ['xen-dom0-pv', 'dom0=pvh'],
  ] as const)('%s is not given a PV entry, and is told how to start it: %s', (loader, words) => {
    const found = findFix(source, [loader]);
    expect(found.steps).toEqual([]);
    const [verdict] = judgeLoaders(source, { names: [loader] });
    if (verdict === undefined) throw new Error('no verdict');
    const proved = proveCure(source, verdict);
    expect(proved.cure).toBeUndefined();
    const [diagnosis] = found.diagnoses;
    if (accepts(verdict)) {
      expect(proved.warnings.map(({ text }) => text).join()).toContain(words);
    } else {
      expect(found.cured).toBe(false);
      expect(proved.advice).toContain(words);
      expect(diagnosis?.advice).toBe(proved.advice);
    }
  });

  it('is made for PVH loaders alone', () => {
    const image = readElf(source);
    expect(toldBy(image)).toMatchObject({ pv: false, pvh: true });
    if ('notes' in shape) expect(targetsOf(image)).not.toContain('xen-pv');
  });
});

describe('a kernel that tells no entry', () => {
  const START_SYMBOL = { symbols: { _start: START + 0x1000n } };

  it.each(['qemu-pvh', 'linux-loader', 'xen-pvh', 'xen-dom0-pvh'])(
    '%s: _start is suggested and not taken',
    (loader) => {
      const source = new BufferSource(kernel(START_SYMBOL), 'kernel');
      const found = findFix(source, [loader]);
      expect({ steps: found.steps, cured: found.cured }).toEqual({ steps: [], cured: false });
      const dom0 = loader === 'xen-dom0-pvh' ? '+dom0' : '';
      const advice = found.diagnoses[0]?.advice ?? '';
      expect(advice).toContain(`xen-elfpatch patch kernel --preset pvh${dom0} -o kernel.xen`);
      expect(advice).toContain('--set PHYS32_ENTRY=phys:_start');
    },
  );

  it.each(['qemu-pvh', 'linux-loader', 'xen-pvh', 'xen-pv', 'xen-dom0-pv'])(
    '%s: no line has a word to fill in',
    (loader) => {
      const found = findFix(new BufferSource(kernel({}), 'kernel'), [loader]);
      expect(found.cured).toBe(false);
      expect(found.diagnoses[0]?.advice).toMatch(/nothing in the image tells a/);
      expect(found.diagnoses[0]?.advice).not.toMatch(/=[A-Z]{3,}\b|IMAGE/);
    },
  );

  it('Linux is told of CONFIG_PVH', () => {
    const source = new BufferSource(kernel({ symbols: { linux_banner: START, _start: START } }), 'vmlinux');
    expect(findFix(source, ['qemu-pvh']).diagnoses[0]?.advice).toContain('CONFIG_PVH=y');
  });

  it('and a PV kernel of type="pv"', () => {
    const notes = [...LABELS, { type: 1, desc: num(START, 8, LE64) }, { type: 3, desc: num(0n, 8, LE64) }];
    expect(findFix(new BufferSource(kernel({ notes }), 'k'), ['xen-pvh']).diagnoses[0]?.advice).toContain('type="pv"');
  });
});

describe('--preset pv', () => {
  it('does not take the PVH entry for that of a PV guest', () => {
    const image = readElf(new BufferSource(kernel({ notes: [PVH_NOTE] }), 'k'));
    expect(() => planPatch(image, [preset('pv')])).toThrow(/is the PVH entry/);
  });

  it('takes e_entry beside a PVH entry that is elsewhere', () => {
    const notes = [{ type: 18, desc: num(START, 4, LE64) }];
    const image = readElf(new BufferSource(kernel({ notes }), 'k'));
    expect(() => planPatch(image, [preset('pv')])).not.toThrow();
  });
});

describe('an ELF32 before linux-loader', () => {
  it('is told to be one; of an ELF64 the size of its program headers is told', () => {
    const judged = (bits: 32 | 64, change: (bytes: Uint8Array) => void) => {
      const bytes = elf({ bits, endian: 'little' })
        .header({ e_type: 2, e_machine: 3 })
        .load(START, new Uint8Array(64))
        .build();
      change(bytes);
      return judgeLoaders(new BufferSource(bytes, 'k'), { names: ['linux-loader'] })[0];
    };
    const message = 'Invalid program header size';
    expect(judged(32, () => undefined)).toMatchObject({ message, reason: 'it is an ELF32: link it as ELF64' });
    const wide = judged(64, (bytes) => {
      bytes[54] = 57;
    });
    expect(wide).toMatchObject({ message, reason: 'e_phentsize is 57' });
  });
});
