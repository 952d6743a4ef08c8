/**
 * Images for the oracles: kernels that a loader would take, with their notes, headers, sizes, alignments and bytes bent in
 * ways that people and linkers bend them, and in some that only malice would. The same seed gives the same images.
 */
import fc from 'fast-check';
import type { Encoding } from '../../src/formats/elf/struct.js';
import { concat, cstr, elf, hexToBytes, latin1, num } from '../support/elf-builder.js';

/** A descriptor by what it holds; made into bytes once class and byte order are known. */
interface NotePlan {
  readonly type: number;
  readonly owner: Uint8Array;
  readonly namesz: number;
  readonly desc: Uint8Array;
  readonly descsz: number;
  /** Zero bytes behind the record, as a linker leaves them in front of an 8-aligned section. */
  readonly gap: number;
}

const XEN = latin1('Xen\0');

const owners = fc.oneof(
  { weight: 30, arbitrary: fc.constant({ owner: XEN, namesz: 4 }) },
  { weight: 1, arbitrary: fc.constant({ owner: XEN, namesz: 3 }) },
  { weight: 1, arbitrary: fc.constant({ owner: latin1('Xen\0\0\0\0\0'), namesz: 8 }) },
  { weight: 1, arbitrary: fc.constant({ owner: latin1('Xen\0x\0\0\0'), namesz: 5 }) },
  { weight: 1, arbitrary: fc.constant({ owner: latin1('Xenx'), namesz: 3 }) },
  { weight: 1, arbitrary: fc.constant({ owner: latin1('xen\0'), namesz: 4 }) },
  { weight: 1, arbitrary: fc.constant({ owner: latin1('XenServer\0\0\0'), namesz: 10 }) },
  { weight: 1, arbitrary: fc.constant({ owner: new Uint8Array(0), namesz: 0 }) },
  { weight: 1, arbitrary: fc.constant({ owner: XEN, namesz: 0xffffffff }) },
  { weight: 1, arbitrary: fc.constant({ owner: XEN, namesz: 0x7fffffff }) },
  { weight: 3, arbitrary: fc.constant({ owner: latin1('GNU\0'), namesz: 4 }) },
);

/** Addresses around the ends of the image, and those that mean "not given". */
function addresses(base: bigint, size: bigint): fc.Arbitrary<bigint> {
  const near = [0n, 1n, 0x10n, size / 2n, size - 1n, size, size + 1n, size + 0x1000n].map((d) => base + d);
  return fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(...near) },
    { weight: 1, arbitrary: fc.constantFrom(base - 1n, base & 0xffffffffn, 0n, 0xffffffffn, (1n << 64n) - 1n) },
    { weight: 1, arbitrary: fc.bigInt(0n, (1n << 64n) - 1n) },
  );
}

const widths = fc.oneof(
  { weight: 10, arbitrary: fc.constant('native' as const) },
  { weight: 4, arbitrary: fc.constantFrom(4, 8) },
  { weight: 1, arbitrary: fc.constantFrom(0, 1, 2, 3, 5, 7, 12, 16) },
);

const texts: Readonly<Record<number, readonly string[]>> = {
  0: ['NAME=VALUE', ''],
  5: ['xen-3.0', 'xen-3.0', 'xen-3.0-x86_64', 'xen-3.1', 'Xen-3.0', 'xen-4.0', ''],
  6: ['linux', 'linux', 'Linux', 'NetBSD', 'linuxy-system-of-some-length', 'GRUB', ''],
  7: ['2.6', '4.99', ''],
  8: ['generic', 'generic', 'generics', 'other', 'Generic', ''],
  9: ['yes', 'yes', 'no', 'yes,bimodal', 'bimodal', 'YES', ''],
  10: [
    '!writable_page_tables|pae_pgdir_above_4gb',
    'dom0',
    '!dom0|hvm_callback_vector',
    'auto_translated_physmap||!',
    '!frobnicate',
    'frobnicate| dom0',
    '!auto_translated_physmap',
    '!supervisor_mode_kernel',
    `${'a'.repeat(62)}!dom0|${'b'.repeat(70)}dom0`,
    `${'c'.repeat(63)}|dom0`,
    'linux_rsdp_unrestricted|writable_descriptor_tables',
    '',
  ],
  11: ['yes', 'no', 'yes '],
};

/** One note, right for its type more often than not. */
function note(encoding: Encoding, base: bigint, paddr: bigint, size: bigint): fc.Arbitrary<NotePlan> {
  const native = encoding.bits / 8;
  const types = fc.oneof(
    { weight: 20, arbitrary: fc.integer({ min: 0, max: 19 }) },
    { weight: 1, arbitrary: fc.constantFrom(20, 0x100, 0x01000001, 0xffffffff) },
  );
  const gaps = fc.oneof(
    { weight: 30, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.constantFrom(4, 8, 12, 16, 24) },
  );
  const wrongSize = fc.oneof(
    { weight: 40, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary: fc.constantFrom(0, 1, 0xffffffff, 0xfffffff0, 0x1000, 0x7ffffffc) },
  );
  const address = fc.oneof(addresses(base, size), addresses(paddr, size));
  const everything = fc.record({
    type: types,
    who: owners,
    gap: gaps,
    wrongSize,
    address,
    width: widths,
    pick: fc.nat(),
    nul: fc.nat(9),
  });
  return everything.map(({ type, who, gap, wrongSize: wrong, address: value, width, pick, nul }) => {
    const known = texts[type];
    let desc: Uint8Array;
    if (known !== undefined) {
      const text = known[pick % known.length] ?? '';
      // One in ten has no NUL of its own.
      desc = nul === 0 ? latin1(text) : cstr(text);
    } else if (type === 13 || type === 19) {
      desc = concat(Array.from({ length: pick % 5 }, (_, i) => num(BigInt(i) * 0x1000n, 4, encoding)));
    } else {
      const bytes = width === 'native' ? native : width;
      const wanted =
        type === 16 || type === 14
          ? BigInt(pick % 2)
          : type === 17
            ? BigInt([0x8801, 1, 0x800, 0][pick % 4] ?? 0)
            : value;
      const eight = num(wanted, 8, encoding);
      const low = encoding.endian === 'little' ? eight.subarray(0, bytes) : eight.subarray(Math.max(0, 8 - bytes));
      desc = concat([low, new Uint8Array(Math.max(0, bytes - 8))]);
    }
    return { type, owner: who.owner, namesz: who.namesz, desc, descsz: wrong ?? desc.length, gap };
  });
}

function recordBytes({ type, owner, namesz, desc, descsz, gap }: NotePlan, encoding: Encoding): Uint8Array {
  const padded = (bytes: Uint8Array) => concat([bytes, new Uint8Array((4 - (bytes.length % 4)) % 4)]);
  const words = [namesz, descsz, type].map((word) => num(BigInt(word), 4, encoding));
  return concat([...words, padded(owner), padded(desc), new Uint8Array(gap)]);
}

/** The set that makes a kernel loadable, before it is bent. */
function minimal(kind: string, encoding: Encoding, base: bigint, paddr: bigint): NotePlan[] {
  const make = (type: number, desc: Uint8Array): NotePlan => ({
    type,
    owner: XEN,
    namesz: 4,
    desc,
    descsz: desc.length,
    gap: 0,
  });
  const native = encoding.bits / 8;
  const pv = [
    make(6, cstr('linux')),
    make(5, cstr('xen-3.0')),
    make(8, cstr('generic')),
    make(3, num(base - paddr, native, encoding)),
    make(1, num(base, native, encoding)),
    ...(encoding.bits === 32 ? [make(9, cstr('yes'))] : []),
  ];
  const pvh = [make(18, num(paddr, 4, encoding))];
  return kind === 'pv' ? pv : kind === 'pvh' ? pvh : kind === 'both' ? [...pv, ...pvh] : [];
}

const legacyStrings = fc.constantFrom(
  'GUEST_OS=linux,XEN_VER=xen-3.0,VIRT_BASE=0xffffffff80000000,ELF_PADDR_OFFSET=0x0,LOADER=generic,PAE=yes',
  'LOADER=generic,XEN_VER=xen-3.0,VIRT_BASE=0x0,ELF_PADDR_OFFSET=0x0,HYPERCALL_PAGE=0x102,PAE=yes[extended-cr3]',
  'XEN_VER=xen-3.0,LOADER=generic,VIRT_BASE=0,FEATURES=!frobnicate|dom0,PAE=yes,GUEST_VER=1',
  'XEN_VER=xen-3.0,LOADER=generic,PAE=no,BSD_SYMTAB,HYPERCALL_PAGE=256,VIRT_ENTRY=0x100000',
  'XEN_VER=xen-3.0,LOADER=generic,VIRT_BASE=01777,PAE=bimodal,=x,,KEY',
  `XEN_VER=xen-3.0,${'K'.repeat(40)}=1,LOADER=generic,GUEST_OS=${'v'.repeat(200)},PAE=yes`,
  'XEN_VER=xen-4.0,LOADER=generic',
  '',
);

type Place = 'segment' | 'two-segments' | 'section' | 'both' | 'none' | 'inside-load' | 'offset-0';

/** One image. */
const image: fc.Arbitrary<Uint8Array> = fc
  .record({
    encoding: fc.oneof(
      { weight: 12, arbitrary: fc.constant({ bits: 64, endian: 'little' } as const) },
      { weight: 6, arbitrary: fc.constant({ bits: 32, endian: 'little' } as const) },
      {
        weight: 1,
        arbitrary: fc.constantFrom({ bits: 64, endian: 'big' } as const, { bits: 32, endian: 'big' } as const),
      },
    ),
    kind: fc.constantFrom('pv', 'pv', 'pvh', 'pvh', 'both', 'none'),
    high: fc.boolean(),
  })
  .chain(({ encoding, kind, high }) => {
    const paddr = 0x100000n;
    const offset = !high ? 0n : encoding.bits === 64 ? 0xffffffff80000000n : 0xc0000000n;
    const base = paddr + offset;
    const size = 0x3000n;
    return fc.record({
      encoding: fc.constant(encoding),
      kind: fc.constant(kind),
      base: fc.constant(base),
      extra: fc.oneof(
        { weight: 3, arbitrary: fc.constant([]) },
        { weight: 7, arbitrary: fc.array(note(encoding, base, paddr, size), { maxLength: 5 }) },
      ),
      drop: fc.oneof({ weight: 4, arbitrary: fc.constant(-1) }, { weight: 1, arbitrary: fc.nat(6) }),
      extraFirst: fc.boolean(),
      place: fc.oneof(
        { weight: 6, arbitrary: fc.constant('segment' as Place) },
        {
          weight: 4,
          arbitrary: fc.constantFrom<Place>('two-segments', 'section', 'both', 'none', 'inside-load', 'offset-0'),
        },
      ),
      align: fc.constantFrom(4n, 4n, 4n, 4n, 8n, 1n, 16n),
      filesz: fc.oneof(
        { weight: 12, arbitrary: fc.constant(0n) },
        { weight: 1, arbitrary: fc.constantFrom(-4n, -20n, 4n, 8n, 0x1000n) },
      ),
      otherNote: fc.constantFrom('none', 'none', 'none', 'before', 'after', 'section'),
      legacy: fc.option(legacyStrings, { freq: 6 }),
      symbols: fc.oneof({ weight: 4, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
      machine: fc.oneof(
        { weight: 12, arbitrary: fc.constant(encoding.bits === 64 ? 62 : 3) },
        { weight: 1, arbitrary: fc.constantFrom(3, 62, 6, 40, 0, 183) },
      ),
      entry: addresses(base, size).map((value) => BigInt.asUintN(encoding.bits, value)),
      flags: fc.oneof({ weight: 12, arbitrary: fc.constant(6) }, { weight: 1, arbitrary: fc.constantFrom(0, 7) }),
      secondAt: fc.oneof(
        { weight: 10, arbitrary: fc.constant(0x2000n) },
        { weight: 1, arbitrary: fc.constantFrom(0n, 0x800n, 0x1000000n, 0xffffff00000n, -0x1000n) },
      ),
      memsz: fc.constantFrom(0x1000n, 0x1000n, 0x1008n, 0n),
      bend: fc.oneof(
        { weight: 10, arbitrary: fc.constant(undefined) },
        {
          weight: 3,
          arbitrary: fc.record({
            field: fc.constantFrom(
              'class',
              'data',
              'phoff',
              'shoff',
              'phnum',
              'shnum',
              'phentsize',
              'shentsize',
              'shstrndx',
              'cut',
              'tail',
              'flip',
              'flip',
              'flip',
            ),
            value: fc.constantFrom(0, 1, 2, 3, 4, 0x20, 0x38, 0x40, 0xff, 0xffff, 0x7fffffff),
            at: fc.nat(0x3ff),
          }),
        },
      ),
    });
  })
  .map((plan) => {
    const { encoding, base, place } = plan;
    const paddr = 0x100000n;
    const narrow = (value: bigint) => BigInt.asUintN(encoding.bits, value);
    const first = minimal(plan.kind, encoding, base, paddr).filter((_, index) => index !== plan.drop);
    const notes = plan.extraFirst ? [...plan.extra, ...first] : [...first, ...plan.extra];
    const halves = place === 'two-segments' ? [notes.slice(0, 2), notes.slice(2)] : [notes];
    const areas = halves.map((half) => concat(half.map((each) => recordBytes(each, encoding))));
    const whole = areas[0] ?? new Uint8Array(0);
    const gnu = concat([
      num(4n, 4, encoding),
      num(20n, 4, encoding),
      num(3n, 4, encoding),
      latin1('GNU\0'),
      new Uint8Array(20).fill(0xab),
    ]);

    const code = new Uint8Array(0x400).fill(0x90);
    if (place === 'inside-load') code.set(whole.subarray(0, 0x300), 0x100);
    const builder = elf(encoding)
      .header({ e_type: 2, e_machine: plan.machine, e_entry: plan.entry })
      .load(base, code, { paddr, flags: 5, memsz: 0x1000n })
      .load(narrow(base + plan.secondAt), new Uint8Array(0x20), {
        paddr: narrow(paddr + plan.secondAt),
        flags: plan.flags,
        memsz: plan.memsz,
      });
    if (plan.otherNote === 'before') builder.noteSegment(gnu);
    if (place === 'segment' || place === 'two-segments' || place === 'both') {
      for (const area of areas) {
        const filesz = BigInt(area.length) + plan.filesz;
        builder.noteSegment(area, { align: plan.align, filesz: filesz < 0n ? 0n : filesz });
      }
    }
    if (place === 'offset-0') builder.noteSegment(whole, { offset: 0n });
    if (place === 'inside-load') {
      const size = Math.min(whole.length, 0x300);
      builder.noteSegment(new Uint8Array(size), { inside: { load: 0, at: 0x100 }, align: plan.align });
    }
    if (plan.otherNote === 'after') builder.noteSegment(gnu);
    if (plan.otherNote === 'section') builder.noteSection('.note.gnu', gnu);
    if (place === 'section' || place === 'both' || place === 'offset-0') builder.noteSection('.note.Xen', whole);
    if (plan.legacy !== null) builder.section('__xen_guest', { bytes: cstr(plan.legacy) });
    if (plan.symbols) builder.symbol('start', base);
    return bent(builder.build(), encoding, plan.bend);
  });

interface Bend {
  readonly field: string;
  readonly value: number;
  readonly at: number;
}

/** Overwrites what no builder would write. */
function bent(bytes: Uint8Array, encoding: Encoding, bend: Bend | undefined): Uint8Array {
  if (bend === undefined) return bytes;
  const wide = encoding.bits === 64;
  const at: Record<string, readonly [number, number]> = {
    class: [4, 1],
    data: [5, 1],
    phoff: wide ? [32, 8] : [28, 4],
    shoff: wide ? [40, 8] : [32, 4],
    phentsize: [wide ? 54 : 42, 2],
    phnum: [wide ? 56 : 44, 2],
    shentsize: [wide ? 58 : 46, 2],
    shnum: [wide ? 60 : 48, 2],
    shstrndx: [wide ? 62 : 50, 2],
  };
  const place = at[bend.field];
  if (place !== undefined) {
    const [offset, width] = place;
    bytes.set(num(BigInt.asUintN(8 * width, BigInt(bend.value)), width, encoding), offset);
    return bytes;
  }
  if (bend.field === 'cut') return bytes.subarray(0, Math.max(0, bytes.length - bend.at));
  if (bend.field === 'tail') return concat([bytes, hexToBytes('00'.repeat(bend.at % 64))]);
  // Among headers and notes, where it counts.
  const offset = bend.at % bytes.length;
  bytes[offset] = bend.value & 0xff;
  return bytes;
}

/** So many images from one seed. */
export function generateImages(count: number, seed: number): Uint8Array[] {
  return fc.sample(image, { numRuns: count, seed });
}
