/** Notes that are there and that a loader does not see, and code that is not there: each told under every loader that looks. */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/base/bytes/source.js';
import { judgeLoaders } from '../../src/loaders/loaders.js';
import { isOfFamily, LOADER_NAMES } from '../../src/loaders/names.js';
import { accepts } from '../../src/loaders/rule.js';
import { concat, cstr, type ElfBuilder, elf, noteBytes, num, type TestNote } from '../support/elf-builder.js';

const LE64 = { bits: 64, endian: 'little' } as const;
const PADDR = 0x100000n;
const PVH = LOADER_NAMES.filter((name) => isOfFamily(name, 'pvh'));
const PV = LOADER_NAMES.filter((name) => isOfFamily(name, 'pv'));

const entry: TestNote = { type: 18, desc: num(PADDR, 4, LE64) };
const buildId: TestNote = { name: 'GNU', type: 3, desc: new Uint8Array(20).fill(7) };
const pv: readonly TestNote[] = [
  { type: 5, desc: cstr('xen-3.0') },
  { type: 8, desc: cstr('generic') },
  { type: 3, desc: num(0n, 8, LE64) },
  { type: 1, desc: num(PADDR, 8, LE64) },
];
const kernel = (): ElfBuilder =>
  elf(LE64)
    .header({ e_type: 2, e_machine: 62, e_entry: PADDR })
    .load(PADDR, new Uint8Array(0x100).fill(0x90), { align: 0x1000n });
const named = (notes: readonly TestNote[], name: string | Uint8Array) => notes.map((note) => ({ ...note, name }));
/** A record that was zeroed in place, in front. */
const hidden = (notes: readonly TestNote[]) => concat([new Uint8Array(8).fill(0xff), noteBytes(notes, LE64)]);

/** `pvh`: Xen's own readers find them all the same, so no PV loader refuses. */
type Row = readonly [what: string, build: (notes: readonly TestNote[]) => ElfBuilder, told: RegExp, refusedBy?: 'pvh'];
const ROWS: readonly Row[] = [
  ['an owner in lower case', (n) => kernel().noteSegment(named(n, 'xen')), /has the owner "xen"/],
  [
    'an owner without its NUL',
    (n) => kernel().noteSegment(named(n, new Uint8Array([0x58, 0x65, 0x6e]))),
    /the owner "Xen" without its NUL, n_namesz 3/,
    'pvh',
  ],
  [
    'a section without a PT_NOTE',
    (n) => kernel().noteSection('.note.Xen', n),
    /in section \.note\.Xen, and no PT_NOTE/,
    'pvh',
  ],
  [
    'a PT_NOTE behind it',
    (n) => kernel().noteSegment(n).noteSegment([buildId]),
    /in PT_NOTE 1, and PT_NOTE 2 behind it is read, too/,
    'pvh',
  ],
  ['bytes that are no record in front', (n) => kernel().noteSegment(hidden(n)), /behind bytes that are no record/],
];

describe.each([
  ['PHYS32_ENTRY', [entry], PVH],
  ['the notes of a PV guest', pv, PV],
] as const)('%s', (_, notes, loaders) => {
  it.each(ROWS.map((row) => ({ what: row[0], row })))('$what', ({ row }) => {
    const [, build, told, refusedBy] = row;
    const verdicts = judgeLoaders(new BufferSource(build(notes).build(), 'kernel'), { names: loaders });
    const refused = verdicts.filter((verdict) => !accepts(verdict));
    expect(refused.length > 0).toBe(refusedBy === undefined || loaders === PVH);
    expect(refused.map(({ loader, reason = '' }) => [loader, told.test(reason)])).toEqual(
      refused.map(({ loader }) => [loader, true]),
    );
  });
});

it('PHYS32_ENTRY of another width, and of another owner', () => {
  const reasons = (note: TestNote) =>
    judgeLoaders(new BufferSource(kernel().noteSegment([note]).build(), 'kernel'), { names: PVH }).map(
      ({ reason }) => reason ?? '',
    );
  expect(reasons({ ...entry, desc: new Uint8Array(2) }).some((text) => /has 2 bytes, wanted 4/.test(text))).toBe(true);
  expect(reasons({ ...entry, name: 'CORE' }).some((text) => text.includes('has the owner "CORE"'))).toBe(true);
});

it('without anything like it, nothing is told', () => {
  const verdicts = judgeLoaders(new BufferSource(kernel().noteSegment([buildId]).build(), 'kernel'), { names: PVH });
  for (const { reason = '' } of verdicts) expect(reason).not.toMatch(/has the owner|stands at/);
});

describe('code that is not in the file', () => {
  const split = (type: number) =>
    kernel()
      .noteSegment([entry])
      .section('.text', { type, inside: { load: 0, at: 0, size: 0x100 }, flags: 6n });

  it.each(PVH)('%s would take the file of debug information, and is told what it is', (name) => {
    const judged = (type: number) =>
      judgeLoaders(new BufferSource(split(type).build(), 'kernel.debug'), { names: [name] })[0];
    expect(judged(1)).toMatchObject({ outcome: 'accepted' });
    expect(judged(8)).toMatchObject({
      outcome: 'crash',
      rule: 'code-in-file',
      message: expect.stringContaining('section .text is SHT_NOBITS'),
    });
  });
});
