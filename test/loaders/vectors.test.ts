/**
 * One image for each rule, made by hand from what the loaders' sources say: the rule that has to end it, and the words.
 * The base is an image that the loader takes; each row bends it in one place.
 */
import { describe, expect, it } from 'vitest';
import { BufferSource } from '../../src/base/bytes/source.js';
import type { Encoding } from '../../src/formats/elf/struct.js';
import { editFix, preset } from '../../src/formats/note/fix.js';
import { fixCommand } from '../../src/formats/note/fix-command.js';
import { judgeLoaders, LOADERS, lostLoaders } from '../../src/loaders/loaders.js';
import { LOADER_NAMES } from '../../src/loaders/names.js';
import { accepts, type Verdict } from '../../src/loaders/rule.js';
import { NEWEST_XEN, type XenVersion } from '../../src/loaders/xen-version.js';
import {
  concat,
  cstr,
  type ElfBuilder,
  elf,
  type NoteSegmentOptions,
  num,
  type TestNote,
} from '../support/elf-builder.js';

const LE64: Encoding = { bits: 64, endian: 'little' };
const LE32: Encoding = { bits: 32, endian: 'little' };
const VBASE = 0xffffffff80000000n;
const PADDR = 0x100000n;

function judge(bytes: Uint8Array, name: string, xenVersion: XenVersion = NEWEST_XEN): Verdict {
  const [verdict] = judgeLoaders(new BufferSource(bytes, 'kernel'), { names: [name], xenVersion });
  if (verdict === undefined) throw new Error(`no loader ${name}`);
  // What an edit asks, of the newest releases alone, says the same of each of these images.
  const loader = LOADERS.find((each) => each.name === name);
  if (loader !== undefined && verdict.rule !== 'code-in-file') {
    const values = loader.goesBy(new BufferSource(bytes, 'kernel'), { xenVersion });
    expect(values).toEqual(accepts(verdict) ? verdict.values : undefined);
  }
  return verdict;
}

const text = (type: number, value: string): TestNote => ({ type, desc: cstr(value) });
const wide = (type: number, value: bigint): TestNote => ({ type, desc: num(value, 8, LE64) });
const word = (type: number, value: bigint): TestNote => ({ type, desc: num(value, 4, LE64) });

const PV: readonly TestNote[] = [
  text(6, 'linux'),
  text(5, 'xen-3.0'),
  text(8, 'generic'),
  wide(3, VBASE),
  wide(4, 0n),
  wide(1, VBASE + PADDR),
];
const PVH: readonly TestNote[] = [word(18, PADDR)];

/** PV notes with those of the given types replaced, added or, given without a descriptor, left out. */
const pv = (...changes: readonly (TestNote | number)[]): TestNote[] => {
  const types = new Set(changes.map((change) => (typeof change === 'number' ? change : change.type)));
  const added = changes.filter((change): change is TestNote => typeof change !== 'number');
  return [...PV.filter(({ type }) => !types.has(type)), ...added];
};

function kernel(notes: readonly TestNote[], high = true, options: NoteSegmentOptions = {}): ElfBuilder {
  const base = high ? VBASE + PADDR : PADDR;
  return elf(LE64)
    .header({ e_type: 2, e_machine: 62, e_entry: base })
    .load(base, new Uint8Array(0x1000).fill(0x90), { paddr: PADDR })
    .noteSegment(notes, options);
}

const pvhKernel = (notes: readonly TestNote[] = PVH, options: NoteSegmentOptions = {}) => kernel(notes, false, options);

describe('the bases', () => {
  it.each(['xen-pv', 'xen-dom0-pv', 'grub-xen'])('%s takes the PV kernel', (name) => {
    expect(judge(kernel(PV).build(), name)).toMatchObject({ outcome: 'accepted', rule: undefined, warnings: [] });
  });

  it('kexec loads the PV kernel, and enters its virtual address as a physical one', () => {
    expect(judge(kernel(PV).build(), 'kexec')).toMatchObject({ outcome: 'crash', rule: 'entry-in-a-segment' });
    expect(judge(kernel(PV).header({ e_entry: PADDR }).build(), 'kexec')).toMatchObject({ outcome: 'accepted' });
  });

  it.each(['xen-pvh', 'xen-dom0-pvh', 'qemu-pvh', 'firecracker', 'cloud-hypervisor', 'libkrun', 'kexec'])(
    '%s takes the PVH kernel',
    (name) => {
      expect(judge(pvhKernel().build(), name)).toMatchObject({ outcome: 'accepted', warnings: [] });
    },
  );

  it('the command knows all loaders, and no others', () => {
    expect(LOADERS.map(({ name }) => name)).toEqual([...LOADER_NAMES]);
  });

  it('every rule says where it comes from and why; names are unique within a loader', () => {
    for (const { loader, rules } of judgeLoaders(new BufferSource(kernel(PV).build()))) {
      const names = rules.map(({ name }) => name);
      expect([loader, new Set(names).size]).toEqual([loader, names.length]);
      for (const { source, because } of rules) expect(source.length * because.length).toBeGreaterThan(0);
    }
  });
});

describe('values', () => {
  it('are all that Xen goes by, PV', () => {
    const notes = pv(
      wide(2, VBASE + 0x100000n),
      text(10, '!writable_page_tables|dom0'),
      word(17, 0x8000n),
      word(16, 1n),
      wide(15, 0x8000000000n),
      text(9, 'yes'),
    );
    expect(judge(kernel(notes).build(), 'xen-dom0-pv').values).toMatchObject({
      from: 'segments',
      entry: VBASE + PADDR,
      virtBase: VBASE,
      paddrOffset: 0n,
      virtKstart: VBASE + PADDR,
      virtKend: VBASE + PADDR + 0x1000n,
      hypercallPage: VBASE + 0x100000n,
      initP2m: 0x8000000000n,
      unmappedInitrd: true,
      guestType: 'xen-3.0-x86_64',
      pae: 'extended-cr3',
      featuresSupported: ['writable_page_tables', 'dom0', 'linux_rsdp_unrestricted'],
      featuresRequired: ['writable_page_tables'],
    });
  });

  it('and where a PVH dom0 may be moved, since 4.19; a shorter note later leaves the rest of an earlier one', () => {
    const reloc = (...words: bigint[]): TestNote => ({ type: 19, desc: concat(words.map((w) => num(w, 4, LE64))) });
    const bytes = pvhKernel([...PVH, reloc(0x200000n, 0x100000n, 0x3fffffffn), reloc(0x1000n)]).build();
    expect(judge(bytes, 'xen-dom0-pvh').values['physReloc']).toEqual(['0x1000', '0x100000', '0x3fffffff']);
    expect(judge(bytes, 'xen-dom0-pvh', '4.18').values['physReloc']).toBeUndefined();
  });

  it('and PVH: physical addresses, whatever VIRT_BASE says', () => {
    const notes = [...PVH, wide(3, VBASE), wide(4, 0x1000n)];
    expect(judge(pvhKernel(notes).build(), 'xen-pvh').values).toMatchObject({
      entry: PADDR,
      virtBase: 0n,
      paddrOffset: 0n,
      virtKstart: PADDR,
      guestType: 'hvm-3.0-x86_32',
      mode: '32-bit, paging off',
    });
  });
});

type Row = readonly [what: string, bytes: () => Uint8Array, rule: string, message: string | RegExp];

const XEN_ROWS: readonly Row[] = [
  ['no magic', () => new Uint8Array(64), 'elf-magic', 'not an ELF binary'],
  [
    'a wild e_shoff',
    () => kernel(PV).header({ e_shoff: 0x7fffffffn }).build(),
    'section-headers-in-file',
    'shdr overflow',
  ],
  [
    'a required unknown feature',
    () => kernel(pv(text(10, '!frobnicate'))).build(),
    'required-features-known',
    '(no message)',
  ],
  [
    'no note at all',
    () => elf(LE64).header({ e_machine: 62 }).load(PADDR, new Uint8Array(16)).build(),
    'any-notes',
    'Not a Xen-ELF image',
  ],
  [
    'another owner',
    () => kernel([{ ...PV[0], name: 'xen' } as TestNote]).build(),
    'loader-or-linux',
    "(Not '' and '')",
  ],
  ['Linux with a capital', () => kernel(pv(text(6, 'Linux'), 8)).build(), 'loader-or-linux', "(Not '' and 'Linux')"],
  [
    'a string cut at 15',
    () => kernel(pv(text(6, 'a-very-long-name-of-it'), text(8, 'x'))).build(),
    'loader-or-linux',
    "(Not 'x' and 'a-very-long-nam')",
  ],
  ['no XEN_VERSION', () => kernel(pv(5)).build(), 'xen-version', "Xen v3.0 (Not '')"],
  ['xen-4.0', () => kernel(pv(text(5, 'xen-4.0'))).build(), 'xen-version', "(Not 'xen-4.0')"],
  ['PADDR_OFFSET alone', () => kernel(pv(3)).build(), 'paddr-offset-with-virt-base', 'VIRT_BASE unset'],
  [
    'an entry one behind the end',
    () => kernel(pv(wide(1, VBASE + PADDR + 0x1001n))).build(),
    'entry-in-bounds',
    'out of bounds',
  ],
  [
    'an entry of 3 bytes, read as 0',
    () => kernel(pv({ type: 1, desc: new Uint8Array(3) })).build(),
    'entry-in-bounds',
    'out of bounds',
  ],
  ['INIT_P2M in the image', () => kernel(pv(wide(15, VBASE + PADDR))).build(), 'p2m-outside-image', 'P->M table base'],
];

describe('xen-dom0-pv, and the parser', () => {
  it.each(XEN_ROWS)('%s', (_, bytes, rule, message) => {
    const verdict = judge(bytes(), 'xen-dom0-pv');
    expect(verdict).toMatchObject({ outcome: 'refused', rule });
    expect(verdict.message).toContain(message);
  });

  it.each<Row>([
    ['EM_386 in ELF64', () => kernel(PV).header({ e_machine: 3 }).build(), 'class', 'Mismatch'],
    ['no dom0 bit', () => kernel(pv(word(17, 1n))).build(), 'supports-dom0', 'Dom0 operation'],
    [
      'supervisor mode',
      () => kernel(pv(text(10, '!supervisor_mode_kernel'))).build(),
      'no-supervisor-mode',
      'supervisor-mode',
    ],
    ['HYPERCALL_PAGE 0', () => kernel(pv(wide(2, 0n))).build(), 'hypercall-page-in-area', 'Invalid HYPERCALL_PAGE'],
    [
      'p_filesz above p_memsz',
      () =>
        kernel(PV)
          .load(VBASE + 0x200000n, new Uint8Array(32), { paddr: 0x200000n, memsz: 16n })
          .build(),
      'segments-copied',
      'Failed to load',
    ],
    [
      'INIT_P2M over the initial area',
      () => kernel(pv(wide(15, VBASE + PADDR + 0x2000n))).build(),
      'p2m-clear-of-area',
      'P2M table',
    ],
  ])('%s', (_, bytes, rule, message) => {
    const verdict = judge(bytes(), 'xen-dom0-pv');
    expect(verdict).toMatchObject({ outcome: 'refused', rule });
    expect(verdict.message).toContain(message);
  });

  it('an entry equal to the end passes, and the guest is lost', () => {
    const verdict = judge(kernel(pv(wide(1, VBASE + PADDR + 0x1000n))).build(), 'xen-dom0-pv');
    expect(verdict).toMatchObject({
      outcome: 'crash',
      rule: 'entry-in-a-segment',
      values: { entry: VBASE + PADDR + 0x1000n },
    });
  });

  it('a VIRT_BASE that is no page kills Xen', () => {
    const notes = pv(wide(3, VBASE + 8n), wide(1, VBASE + PADDR + 8n));
    expect(judge(kernel(notes).build(), 'xen-dom0-pv')).toMatchObject({
      outcome: 'crash',
      rule: 'virt-base-page-aligned',
    });
  });
});

describe('the toolstack', () => {
  it('tells the user nothing but that nobody wanted the file; the reason is ours to give', () => {
    const verdict = judge(kernel(pv(5)).build(), 'xen-pv');
    expect(verdict.message).toBe('xc_dom_find_loader: no loader found: Invalid kernel');
    expect(verdict.reason).toContain("built for Xen v3.0 (Not '')");
    expect(verdict.cure && fixCommand(verdict.cure, { file: 'kernel', loaders: [] })).toBe(
      'xen-elfpatch patch kernel --set XEN_VERSION=xen-3.0 -o kernel.xen',
    );
  });

  it('takes an ELF32 without notes for firmware in a PVH domain, and refuses ELF64', () => {
    const bare = (encoding: Encoding) =>
      elf(encoding).header({ e_machine: 3, e_entry: PADDR }).load(PADDR, new Uint8Array(64)).build();
    expect(judge(bare(LE32), 'xen-pvh')).toMatchObject({ outcome: 'other-path', rule: 'not-firmware' });
    const refused = judge(bare(LE64), 'xen-pvh');
    expect(refused.message).toContain('ELF image is not 32bit');
    expect(refused.reason).toContain('Not a Xen-ELF image');
  });

  it('wants PHYS32_ENTRY for PVH, no !dom0, PAE for 32 bits, and a page to begin on', () => {
    expect(judge(kernel([...pv(3, 4, 1)], false).build(), 'xen-pvh').rule).toBe('phys32-entry');
    expect(judge(kernel(pv(text(10, '!dom0'))).build(), 'xen-pv').rule).toBe('not-dom0-only');
    const narrow = elf(LE32)
      .header({ e_machine: 3, e_entry: PADDR })
      .load(PADDR, new Uint8Array(64))
      .noteSegment([text(5, 'xen-3.0'), text(8, 'generic')]);
    expect(judge(narrow.build(), 'xen-pv').message).toContain('guest type xen-3.0-x86_32 not supported');
    const odd = elf(LE64).header({ e_machine: 62, e_entry: 0x100010n }).load(0x100010n, new Uint8Array(64));
    expect(judge(odd.noteSegment([word(18, 0x100010n)]).build(), 'xen-pvh').rule).toBe('start-page-aligned');
  });

  it('works by accident: 8-byte PHYS32_ENTRY, p_align 8, a record past its segment, a segment without flags', () => {
    const rules = (bytes: Uint8Array) => judge(bytes, 'xen-pvh').warnings.map(({ rule }) => rule);
    expect(rules(pvhKernel([wide(18, PADDR)]).build())).toEqual(['entry-width']);
    expect(rules(pvhKernel(PVH, { align: 8n }).build())).toEqual(['note-alignment']);
    expect(rules(pvhKernel(PVH, { filesz: 12n }).build())).toEqual(['notes-inside-their-segment']);
    const flagless = pvhKernel().load(0x200000n, new Uint8Array(16), { flags: 0 }).build();
    expect(rules(flagless)).toEqual(['segments-have-flags']);
  });
});

describe('releases of Xen', () => {
  const outcome = (bytes: Uint8Array, name: string) => (version: XenVersion) =>
    judge(bytes, name, version).rule ?? 'taken';

  it('PHYS32_ENTRY alone: since 4.11; in PV, too, from 4.11 to 4.15', () => {
    const only = outcome(pvhKernel().build(), 'xen-dom0-pvh');
    expect(['4.10', '4.11', '4.22'].map((v) => only(v as XenVersion))).toEqual(['loader-or-linux', 'taken', 'taken']);
    const inPv = outcome(pvhKernel().build(), 'xen-dom0-pv');
    expect(['4.10', '4.11', '4.15', '4.16'].map((v) => inPv(v as XenVersion))).toEqual([
      'loader-or-linux',
      'taken',
      'taken',
      'loader-or-linux',
    ]);
  });

  it('PADDR_OFFSET without VIRT_BASE refuses PVH until 4.17', () => {
    const bytes = pvhKernel([...PVH, wide(4, 0n)]).build();
    const said = outcome(bytes, 'xen-dom0-pvh');
    expect([said('4.17'), said('4.18')]).toEqual(['paddr-offset-with-virt-base', 'taken']);
  });

  it('VIRT_BASE counts for PVH until 4.15', () => {
    const notes = [...PVH, wide(3, VBASE), wide(4, 0n)];
    const said = outcome(pvhKernel(notes).build(), 'xen-dom0-pvh');
    expect([said('4.15'), said('4.16')]).toEqual(['entry-in-bounds', 'taken']);
  });

  it('PHYS32_RELOC saves an image on the hole below 1 MiB since 4.19', () => {
    const low = (...more: TestNote[]) =>
      elf(LE64)
        .header({ e_machine: 62, e_entry: 0x90000n })
        .load(0x90000n, new Uint8Array(0x1000), { memsz: 0x20000n })
        .noteSegment([word(18, 0x90000n), ...more])
        .build();
    const reloc: TestNote = { type: 19, desc: concat([num(0x200000n, 4, LE64)]) };
    expect(outcome(low(), 'xen-dom0-pvh')('4.22')).toBe('image-in-memory');
    expect(outcome(low(reloc), 'xen-dom0-pvh')('4.22')).toBe('taken');
    expect(judge(low(reloc), 'xen-dom0-pvh', '4.18').message).toBe('Failed to load kernel: -1');
  });

  it('__xen_guest is tried for PVH until 4.15', () => {
    const bytes = elf(LE64)
      .header({ e_machine: 62, e_entry: PADDR })
      .load(PADDR, new Uint8Array(64))
      .section('__xen_guest', { bytes: cstr('XEN_VER=xen-3.0,LOADER=generic') })
      .build();
    const said = outcome(bytes, 'xen-dom0-pvh');
    expect([said('4.15'), said('4.16')]).toEqual(['phys32-entry', 'any-notes']);
  });
});

describe.each(['firecracker', 'cloud-hypervisor', 'libkrun'])('%s', (vmm) => {
  const build = (segments: readonly (readonly TestNote[])[], header = {}) => {
    const builder = elf(LE64)
      .header({ e_machine: 62, e_entry: PADDR, ...header })
      .load(PADDR, new Uint8Array(0x100));
    for (const notes of segments) builder.noteSegment(notes);
    return builder.build();
  };
  const gnu: TestNote = { name: 'GNU', type: 3, desc: new Uint8Array(20) };

  it.each<Row>([
    [
      'ELF32',
      () => elf(LE32).header({ e_phentsize: 32 }).load(PADDR, new Uint8Array(64)).noteSegment(PVH).build(),
      'program-header-size',
      'Invalid program header size',
    ],
    [
      'a 2-byte value',
      () => build([[{ type: 18, desc: new Uint8Array(2) }]]),
      'segments-and-notes',
      'Invalid PVH note header',
    ],
  ])('%s', (_, bytes, rule, message) => {
    expect(judge(bytes(), vmm)).toMatchObject({ outcome: 'refused', rule, message });
  });

  it('with e_entry below 1 MiB: libkrun passes no bound', () => {
    const verdict = judge(build([PVH], { e_entry: 0x1000n }), vmm);
    if (vmm === 'libkrun') expect(verdict).toMatchObject({ outcome: 'accepted', values: { entry: PADDR } });
    else expect(verdict).toMatchObject({ rule: 'entry-in-high-memory', message: 'Invalid entry address' });
  });

  /** What each does without a PVH entry. */
  const lacks = (bytes: Uint8Array) => {
    const verdict = judge(bytes, vmm);
    expect(verdict.rule).toBe('pvh-entry');
    if (vmm === 'cloud-hypervisor') {
      expect(verdict).toMatchObject({ outcome: 'refused', message: 'Kernel lacks PVH header' });
    } else {
      expect(verdict.outcome).toBe('other-path');
      expect(verdict.message).toMatch(/^starts e_entry 0x100000 in 64-bit mode/);
    }
    expect(verdict.cure).toEqual(editFix(preset('pvh')));
  };

  it.each([
    ['Xen, then build-id', build([PVH, [gnu]])],
    ['Xen, then an empty one', build([PVH, []])],
    ['no note', build([])],
  ])('lacks an entry: %s', (_, bytes) => lacks(bytes));

  it('takes build-id, then Xen; a value of 0; any e_machine', () => {
    expect(judge(build([[gnu], PVH]), vmm).values['entry']).toBe(PADDR);
    expect(judge(build([[word(18, 0n)]]), vmm)).toMatchObject({
      outcome: 'crash',
      rule: 'entry-in-a-segment',
      values: { entry: 0n },
    });
    expect(judge(build([PVH], { e_machine: 6 }), vmm).outcome).toBe('accepted');
  });

  /** What version 0.14 made of these images (its parser, run). */
  describe('as it was seen to answer', () => {
    const B = PADDR + 0x40n;
    const raw = (segments: readonly (readonly [Uint8Array, NoteSegmentOptions?])[], encoding = LE64) => {
      const builder = elf(encoding)
        .header({ e_machine: encoding.bits === 64 ? 62 : 3, e_entry: PADDR })
        .with({ trailing: new Uint8Array(64).fill(0xff) })
        .load(PADDR, new Uint8Array(0x100));
      for (const [bytes, options] of segments) builder.noteSegment(bytes, options);
      return builder.build();
    };
    const four = (value: bigint) => num(value, 4, LE64);
    const note = (type: number, desc: Uint8Array, name = 'Xen\0', descsz = desc.length) =>
      concat([four(BigInt(name.length)), four(BigInt(descsz)), four(BigInt(type)), Buffer.from(name, 'latin1'), desc]);
    const xen = (value = PADDR) => note(18, four(value));
    const buildId = note(3, new Uint8Array(20), 'GNU\0');
    const property = note(5, new Uint8Array(16), 'GNU\0');

    it.each<readonly [string, Uint8Array, bigint]>([
      ['01: 4 bytes', raw([[xen()]]), PADDR],
      ['02: 8 bytes', raw([[note(18, num(PADDR, 8, LE64))]]), PADDR],
      ['03b: 0, then 0xff', raw([[xen(0n)]]), 0n],
      ['04b: 4 GiB', raw([[note(18, num(1n << 32n, 8, LE64))]]), 0n],
      ['11: two segments', raw([[xen()], [xen(B)]]), B],
      ['13: build-id, then Xen', raw([[buildId], [xen()]]), PADDR],
      ['14: two in one segment', raw([[concat([xen(), xen(B)])]]), PADDR],
      ['16: p_align 8', raw([[xen(), { align: 8n }]]), PADDR],
      [
        '16c: name padded to 8',
        raw([[concat([four(4n), four(4n), four(18n), Buffer.from('Xen\0\0\0\0\0', 'latin1'), four(PADDR)])]]),
        0n,
      ],
      ['16e: p_align 8, property first', raw([[concat([property, xen()]), { align: 8n }]]), PADDR],
      ['16f: p_align 8, build-id first', raw([[concat([buildId, xen()]), { align: 8n }]]), PADDR],
      ...[0n, 1n, 2n, 3n, 16n, 4096n].map(
        (align) => [`17: p_align ${align}`, raw([[xen(), { align }]]), PADDR] as const,
      ),
      ['62: zeros behind, in the file', raw([[concat([xen(), new Uint8Array(24)])]]), PADDR],
    ])('%s', (_, bytes, entry) => {
      expect(judge(bytes, vmm).values['entry']).toBe(entry);
    });

    it.each<readonly [string, Uint8Array, string]>([
      ['06: ELF32', raw([[xen()]], LE32), 'Invalid program header size'],
      ['22: descsz 2', raw([[note(18, four(PADDR), 'Xen\0', 2)]]), 'Invalid PVH note header'],
      ['22b: descsz 0', raw([[note(18, four(PADDR), 'Xen\0', 0)]]), 'Invalid PVH note header'],
    ])('%s', (_, bytes, message) => {
      expect(judge(bytes, vmm)).toMatchObject({ outcome: 'refused', message });
    });

    it.each([
      ['12: Xen, then build-id', raw([[xen()], [buildId]])],
      ['21: owner GNU', raw([[note(18, four(PADDR), 'GNU\0')]])],
    ])('%s', (_, bytes) => lacks(bytes));
  });

  it('older releases know no PVH, or pad notes by p_align', () => {
    const padded = build([PVH]);
    const outcome = (version: string) => judge(padded, `${vmm}@${version}`).outcome;
    if (vmm === 'firecracker') expect([outcome('1.11'), outcome('1.12')]).toEqual(['other-path', 'accepted']);
    if (vmm === 'libkrun') expect([outcome('1.19'), outcome('main')]).toEqual(['other-path', 'accepted']);
    const wide = elf(LE64)
      .header({ e_machine: 62, e_entry: PADDR })
      .load(PADDR, new Uint8Array(0x100))
      .noteSegment([...PVH, gnu], { align: 3n })
      .build();
    const says = (version: string) => judge(wide, `${vmm}@${version}`).message;
    if (vmm === 'cloud-hypervisor') expect([says('32'), says('38')]).toEqual(['Invalid alignment', undefined]);
  });

  it('a bzImage is started as Linux by those that try it, since the release that does', () => {
    const bytes = new Uint8Array(0x400);
    bytes.set([0x48, 0x64, 0x72, 0x53], 0x202);
    const rule = (version?: string) => judge(bytes, version === undefined ? vmm : `${vmm}@${version}`).rule;
    if (vmm === 'libkrun') expect(rule()).toBe('elf-magic');
    if (vmm === 'cloud-hypervisor')
      expect([rule(), rule('39'), rule('38')]).toEqual(['not-bzimage', 'not-bzimage', 'elf-magic']);
    if (vmm !== 'firecracker') return;
    expect(rule()).toBe('elf-magic');
    bytes.set([0x0c, 0x02], 0x206);
    bytes.set([1], 0x236);
    expect([rule(), rule('1.16')]).toEqual(['not-bzimage', 'elf-magic']);
  });
});

describe('lostLoaders()', () => {
  const names = (before: Uint8Array, after: Uint8Array) =>
    lostLoaders(new BufferSource(before), new BufferSource(after)).map((lost) => lost.before.loader);
  const both = kernel([...PV, ...PVH]).build();
  const cut = (bytes: Uint8Array) => bytes.subarray(0, 64);
  const multiboot = (version: 1 | 2) => {
    const words = version === 1 ? [0x1badb002, 0, -0x1badb002] : [0xe85250d6, 0, 24, -(0xe85250d6 + 24), 0, 8];
    const bytes = elf(LE32)
      .header({ e_type: 2, e_machine: 3, e_entry: PADDR })
      .load(PADDR, new Uint8Array(0x100))
      // GRUB wants section headers since 2.12.
      .section('.comment', { bytes: new Uint8Array(4) })
      .build();
    const at = Number(new DataView(bytes.buffer, bytes.byteOffset).getUint32(52 + 4, true));
    bytes.set(concat(words.map((word) => num(BigInt(word >>> 0), 4, LE32))), at + ((8 - (at % 8)) % 8));
    return bytes;
  };

  it('names each loader that an edit loses, and none that it does not', () => {
    expect(names(both, both)).toEqual([]);
    expect(names(both, kernel(pv(5)).build())).toEqual(
      expect.arrayContaining(['xen-pv', 'xen-dom0-pv', 'xen-pvh', 'xen-dom0-pvh']),
    );
    expect(names(both, kernel(PV).build())).toEqual([
      'xen-pvh',
      'xen-dom0-pvh',
      'qemu-pvh',
      'firecracker',
      'cloud-hypervisor',
      'libkrun',
    ]);
    expect(names(both, kernel([...pv(text(8, 'other')), ...PVH]).build())).toEqual(['grub-xen']);
    expect(names(both, kernel([...PV, ...PVH], true, { align: 0n }).build())).toEqual(['qemu-pvh']);
    expect(names(both, cut(both))).not.toContain('kexec');
    expect(names(pvhKernel().build(), cut(pvhKernel().build()))).toContain('kexec');
    expect(names(multiboot(1), multiboot(1))).toEqual([]);
    expect(names(multiboot(1), cut(multiboot(1)))).toContain('grub-multiboot');
    expect(names(multiboot(2), cut(multiboot(2)))).toContain('grub-multiboot2');
  });
});

describe('kexec', () => {
  it.each<Row>([
    ['a short p_filesz', () => pvhKernel(PVH, { filesz: 16n }).build(), 'notes-exact', 'ELF Note corrupted !'],
    [
      'trailing zeros',
      () =>
        elf(LE64)
          .load(PADDR, new Uint8Array(64))
          .noteSegment(concat([new Uint8Array(8)]))
          .build(),
      'notes-exact',
      'ELF Note corrupted !',
    ],
    [
      'PT_INTERP',
      () => kernel(PV).segment(3, cstr('/lib/ld.so')).build(),
      'no-interpreter',
      'Requires an ELF interpreter',
    ],
  ])('%s', (_, bytes, rule, message) => {
    const verdict = judge(bytes(), 'kexec');
    expect([verdict.rule ?? '', verdict.message ?? '']).toEqual([rule, message]);
  });
});
