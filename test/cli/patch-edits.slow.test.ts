/** Edits through the command: their order, presets, notes files, notes of another image, the legacy string. */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cstr, elf, num } from '../support/elf-builder.js';
import { Bench, expectError, xenNotes } from '../support/patching.js';

const bench = new Bench();
afterAll(() => bench.remove());
const text = (value: string) => Buffer.from(`${value}\0`).toString('hex');
const LE64 = { bits: 64, endian: 'little' } as const;
const LE32 = { bits: 32, endian: 'little' } as const;
const word = (value: bigint) => Buffer.from(num(value, 4, LE32)).toString('hex');
const wide = (value: bigint) => Buffer.from(num(value, 8, LE64)).toString('hex');

/** Notes of the result, or the run's failure. */
function patched(image: string, ...words: string[]): [string, string][] {
  const run = bench.run(['patch', image, '-o', 'out', ...words]);
  expect(run.status, run.stderr).toBe(0);
  return xenNotes(bench.at('out'));
}

beforeAll(() => {
  const kernel = elf(LE64)
    .load(0x100000n, new Uint8Array(64))
    .noteSegment([
      { type: 6, desc: cstr('linux') },
      { type: 9, desc: cstr('yes') },
      { name: 'GNU', type: 3, desc: Uint8Array.of(1, 2, 3, 4) },
    ])
    .with({ slack: 512 });
  writeFileSync(bench.at('kernel'), kernel.build());
  const other = elf(LE64)
    .load(0x100000n, new Uint8Array(64))
    .noteSegment([
      { type: 8, desc: cstr('generic') },
      { type: 6, desc: cstr('other') },
    ]);
  writeFileSync(bench.at('other'), other.build());
  writeFileSync(bench.at('none'), elf(LE64).load(0x100000n, new Uint8Array(64)).with({ slack: 512 }).build());
});

describe('the order of edits', () => {
  it('is the same whatever their order on the command line', () => {
    const edits = [
      '--unset=LOADER',
      '--set=GUEST_VERSION=set',
      '--set=GUEST_VERSION=set again',
      '--spec=all.yaml',
      '--copy-from=other',
      '--clear',
    ];
    writeFileSync(bench.at('all.yaml'), 'notes: { GUEST_VERSION: spec, XEN_VERSION: xen-3.0, GUEST_OS: spec }\n');
    const forwards = patched('kernel', ...edits);
    // clear, then copy (LOADER, GUEST_OS), then the file (GUEST_OS replaced), then --set, and last --unset.
    expect(forwards).toEqual([
      ['GUEST_OS', text('spec')],
      ['GUEST_VERSION', text('set again')],
      ['XEN_VERSION', text('xen-3.0')],
    ]);
    const bytes = readFileSync(bench.at('out'));
    const backwards = [edits[5], edits[4], edits[3], edits[1], edits[2], edits[0]].flatMap((edit) => edit ?? []);
    expect(patched('kernel', ...backwards)).toEqual(forwards);
    expect(readFileSync(bench.at('out'))).toEqual(bytes);
  });

  it('what a notes file removes, --set puts back', () => {
    writeFileSync(bench.at('remove.yaml'), 'remove: [GUEST_OS, PAE_MODE]\n');
    expect(patched('kernel', '--set=PAE_MODE=yes[extended-cr3]', '--spec=remove.yaml')).toEqual([
      ['PAE_MODE', text('yes[extended-cr3]')],
    ]);
  });

  it('a notes file may remove what its own preset or an earlier file put', () => {
    writeFileSync(bench.at('one.json'), '{"notes": {"LOADER": "one", "GUEST_OS": "one"}}');
    writeFileSync(bench.at('two.json'), '{"notes": {"LOADER": "two"}, "remove": ["GUEST_OS"]}');
    expect(patched('none', '--spec=one.json', '--spec=two.json')).toEqual([['LOADER', text('two')]]);
    expect(patched('none', '--spec=two.json', '--spec=one.json')).toEqual([
      ['LOADER', text('one')],
      ['GUEST_OS', text('one')],
    ]);
  });

  it('a replaced note keeps its place, other owners keep theirs', () => {
    expect(patched('kernel', '--set=GUEST_OS=a longer name than before')).toEqual([
      ['GUEST_OS', text('a longer name than before')],
      ['PAE_MODE', text('yes')],
    ]);
    expect(readFileSync(bench.at('out')).includes(Buffer.from('GNU\0\x01\x02\x03\x04'))).toBe(true);
  });

  it('a note that the image lacks is not unset with an error', () => {
    expect(patched('none', '--set=LOADER=x', '--unset=FEATURES')).toEqual([['LOADER', text('x')]]);
  });

  it('without any edit there is nothing to do', () => {
    expectError(bench.run(['patch', 'kernel', '-o', 'nothing']), 'plan.no-edit');
  });
});

describe('presets', () => {
  const PV = [
    ['XEN_VERSION', text('xen-3.0')],
    ['LOADER', text('generic')],
  ];
  const high = 0xffff_ffff_8000_0000n;

  it('pv', () => {
    bench.copy('pv64-bare');
    expect(patched('pv64-bare', '--preset', 'pv')).toEqual([
      ...PV,
      ['VIRT_BASE', wide(high)],
      ['PADDR_OFFSET', wide(0n)],
      ['ENTRY', wide(high + 0x100000n)],
      ['HYPERCALL_PAGE', wide(high + 0x101000n)],
    ]);
  });

  it('pv+dom0', () => {
    expect(patched('pv64-bare', '--preset', 'pv+dom0').at(-1)).toEqual(['SUPPORTED_FEATURES', word(0x800n)]);
  });

  it('pv32', () => {
    bench.copy('pv32-bare');
    const notes = patched('pv32-bare', '--preset', 'pv32');
    expect(notes.slice(0, 5)).toEqual([
      ...PV,
      ['VIRT_BASE', word(0xc000_0000n)],
      ['PADDR_OFFSET', word(0n)],
      ['ENTRY', word(0xc010_0000n)],
    ]);
    expect(notes.at(-1)).toEqual(['PAE_MODE', text('yes')]);
  });

  it.each([
    ['pvh64-bare', 0x100000n],
    ['pvh32-bare', 0x100000n],
    // Linked high: the note is physical.
    ['pvh64-high-bare', 0x100000n],
    ['pvh64-lld-bare', 0x1011e6n],
  ])('pvh on %s', (name, start) => {
    bench.copy(name);
    expect(patched(name, '--preset', 'pvh')).toEqual([['PHYS32_ENTRY', word(start)]]);
  });

  it('pv+pvh', () => {
    const notes = patched('pv64-bare', '--preset', 'pv+pvh');
    expect(notes.map(([name]) => name)).toEqual([
      'XEN_VERSION',
      'LOADER',
      'VIRT_BASE',
      'PADDR_OFFSET',
      'ENTRY',
      'HYPERCALL_PAGE',
      'PHYS32_ENTRY',
    ]);
    expect(notes.at(-1)).toEqual(['PHYS32_ENTRY', word(0x100000n)]);
  });

  it('what is set explicitly is not worked out', () => {
    expect(patched('none', '--preset', 'pvh', '--set', 'PHYS32_ENTRY=0x100020')).toEqual([
      ['PHYS32_ENTRY', word(0x100020n)],
    ]);
    writeFileSync(bench.at('given.yaml'), 'preset: pvh\nnotes: { PHYS32_ENTRY: 0x100024 }\n');
    expect(patched('none', '--spec', 'given.yaml')).toEqual([['PHYS32_ENTRY', word(0x100024n)]]);
  });

  it.each([
    ['none', 'pvh', 'plan.preset-missing', /cannot fill in PHYS32_ENTRY: no symbol pvh_start_xen/],
    ['pv32-bare', 'pv', 'plan.preset-mismatch', /ELF64 EM_X86_64, little-endian, found ELF32 EM_386/],
    ['pv64-bare', 'pv32', 'plan.preset-mismatch', /ELF32 EM_386/],
    ['none', 'pvx', 'plan.unknown-preset', /found the preset pvx/],
    ['none', 'pv+pv32', 'plan.unknown-preset', /pv\+pv32/],
    ['none', 'dom0', 'plan.unknown-preset', /dom0/],
    ['big', 'pvh', 'plan.preset-mismatch', /big-endian/],
    ['unplaced', 'pv', 'plan.preset-missing', /VIRT_BASE: p_paddr equals p_vaddr \(0xffffffff80100000\)/],
    ['loadless', 'pv', 'plan.preset-missing', /VIRT_BASE: the image has no PT_LOAD/],
  ])('%s has no %s', (image, preset, id, message) => {
    const big = elf({ bits: 64, endian: 'big' }).load(0x100000n, new Uint8Array(64));
    writeFileSync(bench.at('big'), big.build());
    writeFileSync(
      bench.at('unplaced'),
      elf(LE64)
        .load(high + 0x100000n, new Uint8Array(64))
        .build(),
    );
    writeFileSync(bench.at('loadless'), elf(LE64).segment(0x6474e551).build());
    expectError(bench.run(['patch', image, '-o', 'never', '--preset', preset]), id, message);
    expect(bench.names).not.toContain('never');
  });
});

describe('--spec', () => {
  it.each([
    ['json', '{"preset": "pvh", "notes": {"GUEST_OS": "mini", "PHYS32_ENTRY": "0x100040"}, "section": ".notes"}'],
    ['yaml', 'preset: pvh\nsection: .notes\nnotes:\n  GUEST_OS: mini\n  PHYS32_ENTRY: 0x100040\n'],
    [
      'list.yaml',
      'notes:\n- { name: GUEST_OS, value: mini }\n- { name: 18, value: 0x100040, width: 4 }\nsection: .notes',
    ],
  ])('%s', (extension, content) => {
    writeFileSync(bench.at(`spec.${extension}`), content);
    bench.copy('pvh64-bare');
    const notes = new Map(patched('pvh64-bare', '--spec', `spec.${extension}`));
    expect(notes).toEqual(
      new Map([
        ['GUEST_OS', text('mini')],
        ['PHYS32_ENTRY', word(0x100040n)],
      ]),
    );
    expect(readFileSync(bench.at('out')).includes('\0.notes\0')).toBe(true);
  });

  it('says where, and takes nothing from a file with a mistake in it', () => {
    writeFileSync(bench.at('bad.yaml'), 'notes:\n  GUEST_OS: fine\n  PHYS32_ENTR: 1\nplacment: auto\n');
    const run = bench.run(['patch', 'kernel', '-o', 'never', '--spec', 'bad.yaml']);
    expectError(run, 'note.bad-spec', /bad\.yaml:[34]:/);
    expect(bench.names).not.toContain('never');
  });

  it('a placement on the command line counts more than one in the file', () => {
    writeFileSync(bench.at('place.yaml'), 'placement: shift\nnotes: { LOADER: x }\n');
    const by = (...words: string[]) => {
      const run = bench.run(['patch', 'none', '--dry-run', '--json', '--spec', 'place.yaml', ...words]);
      return Reflect.get(Object(JSON.parse(run.stdout)), 'placement');
    };
    expect(by()).toBe('shift');
    expect(by('--placement', 'append')).toBe('append');
  });
});

describe('--copy-from', () => {
  it('takes all Xen notes of the other image, and no other owner’s', () => {
    expect(patched('none', '--copy-from', 'kernel')).toEqual([
      ['GUEST_OS', text('linux')],
      ['PAE_MODE', text('yes')],
    ]);
    expect(readFileSync(bench.at('out')).includes('GNU\0')).toBe(false);
  });

  it('replaces by type and adds behind', () => {
    expect(patched('kernel', '--copy-from', 'other')).toEqual([
      ['GUEST_OS', text('other')],
      ['PAE_MODE', text('yes')],
      ['LOADER', text('generic')],
    ]);
  });

  it.each([
    ['none', 'plan.no-notes-to-copy', /none: found no Xen note to copy/],
    ['absent', 'read.open', /absent: cannot open/],
    ['all.yaml', 'read.not-elf', /all\.yaml/],
  ])('%s has nothing to copy', (image, id, message) => {
    expectError(bench.run(['patch', 'kernel', '-o', 'never', '--copy-from', image]), id, message);
  });
});

describe('--from-legacy', () => {
  const legacy = (string: string) =>
    elf(LE64)
      .load(0xffff_ffff_8010_0000n, new Uint8Array(64), { paddr: 0x100000n })
      .section('__xen_guest', { bytes: cstr(string) })
      .with({ slack: 512 })
      .build();

  it('says the same in notes, where its defaults are other ones', () => {
    const string =
      'GUEST_OS=mini,XEN_VER=xen-3.0,VIRT_BASE=0xffffffff80000000,HYPERCALL_PAGE=0x2,PAE=yes[extended-cr3],LOADER=generic';
    writeFileSync(bench.at('legacy'), legacy(string));
    const base = 0xffff_ffff_8000_0000n;
    expect(new Map(patched('legacy', '--from-legacy'))).toEqual(
      new Map([
        ['HYPERCALL_PAGE', wide(base + 0x2000n)],
        ['VIRT_BASE', wide(base)],
        // Absent in the string it is VIRT_BASE, absent in notes it is 0.
        ['PADDR_OFFSET', wide(base)],
        ['XEN_VERSION', text('xen-3.0')],
        ['GUEST_OS', text('mini')],
        ['LOADER', text('generic')],
        // The string says in brackets what the note means without them.
        ['PAE_MODE', text('yes')],
      ]),
    );
  });

  it('a PADDR_OFFSET that is given stays, and --set has the last word', () => {
    writeFileSync(bench.at('legacy'), legacy('VIRT_BASE=0xc0000000,ELF_PADDR_OFFSET=0x0'));
    expect(new Map(patched('legacy', '--set=VIRT_BASE=0x0', '--from-legacy'))).toEqual(
      new Map([
        ['VIRT_BASE', wide(0n)],
        ['PADDR_OFFSET', wide(0n)],
      ]),
    );
  });

  it('says what cannot be kept', () => {
    writeFileSync(bench.at('legacy'), legacy('GUEST_OS=x,COLOUR=blue'));
    const run = bench.run(['patch', 'legacy', '-o', 'out', '--from-legacy']);
    expect(run.stderr).toMatch(/warning: legacy: the key "COLOUR" is unknown to Xen/);
    expect(run.status).toBe(0);
  });

  it('needs the string', () => {
    expectError(bench.run(['patch', 'kernel', '-o', 'never', '--from-legacy']), 'plan.no-legacy');
  });
});
