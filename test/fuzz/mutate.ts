/** Mutators that know where the numbers of a format stand: a wrong number behind a right one reaches further than noise. */
import { gzipSync } from 'node:zlib';
import { bzImage } from '../support/bzimage.js';
import { cpioOf, lz4Of, tarOf, zstdOf } from './packed.js';
import type { Random } from './random.js';

/** Numbers at which sums wrap, tables end and signs turn. */
const EDGES: readonly bigint[] = [
  ...[0n, 1n, 2n, 3n, 4n, 7n, 8n, 11n, 12n, 13n, 18n, 0x40n, 0xffn, 0x1000n, 0x7fffn, 0x8000n, 0xfffen, 0xffffn],
  ...[0x10000n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_fff0n, 0xffff_fffcn, 0xffff_fffdn, 0xffff_ffffn, 1n << 32n],
  ...[(1n << 63n) - 1n, 1n << 63n, (1n << 64n) - 4096n, (1n << 64n) - 12n, (1n << 64n) - 4n, (1n << 64n) - 1n],
];

/** Changes bytes in place. */
type Mutator = (bytes: Uint8Array, random: Random) => void;

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A number of 1, 2, 4 or 8 bytes: an edge, one near what was there, or one near the size of the file. */
function bend(bytes: Uint8Array, at: number, width: 1 | 2 | 4 | 8, random: Random): void {
  if (at < 0 || at + width > bytes.length) return;
  const view = viewOf(bytes);
  const old = width === 8 ? view.getBigUint64(at, true) : width === 4 ? BigInt(view.getUint32(at, true)) : 0n;
  const near = BigInt(random.below(17) - 8);
  const value = random.pick([random.pick(EDGES), random.pick(EDGES), old + near, BigInt(bytes.length) + near]);
  if (width === 8) view.setBigUint64(at, BigInt.asUintN(64, value), true);
  else if (width === 4) view.setUint32(at, Number(BigInt.asUintN(32, value)), true);
  else if (width === 2) view.setUint16(at, Number(BigInt.asUintN(16, value)), true);
  else view.setUint8(at, Number(BigInt.asUintN(8, value)));
}

/** The ELF header, and the numbers that lead to the tables. */
const elfHeader: Mutator = (bytes, random) => {
  const wide = bytes[4] === 2;
  const [at, width] = random.pick<readonly [number, 1 | 2 | 4 | 8]>(
    wide
      ? [
          [4, 1],
          [5, 1],
          [16, 2],
          [18, 2],
          [24, 8],
          [32, 8],
          [40, 8],
          [52, 2],
          [54, 2],
          [56, 2],
          [58, 2],
          [60, 2],
          [62, 2],
        ]
      : [
          [4, 1],
          [5, 1],
          [16, 2],
          [18, 2],
          [24, 4],
          [28, 4],
          [32, 4],
          [40, 2],
          [42, 2],
          [44, 2],
          [46, 2],
          [48, 2],
          [50, 2],
        ],
  );
  bend(bytes, at, width, random);
};

/** Where a table begins, how long its records are and how many it has. */
function tableOf(bytes: Uint8Array, which: 'segments' | 'sections'): { at: number; size: number; count: number } {
  const view = viewOf(bytes);
  const wide = bytes[4] === 2;
  const place = which === 'segments' ? (wide ? 32 : 28) : wide ? 40 : 32;
  if (bytes.length < 64) return { at: 0, size: 0, count: 0 };
  const at = wide ? Number(view.getBigUint64(place, true)) : view.getUint32(place, true);
  const counts = which === 'segments' ? (wide ? 54 : 42) : wide ? 58 : 46;
  return { at, size: view.getUint16(counts, true), count: view.getUint16(counts + 2, true) };
}

function record(which: 'segments' | 'sections'): Mutator {
  return (bytes, random) => {
    const { at, size, count } = tableOf(bytes, which);
    if (count === 0 || size < 8 || at >= bytes.length) return;
    const own = at + random.below(Math.min(count, 64)) * size;
    if (random.below(8) === 0) {
      // One record over another: two views of the same bytes.
      const from = at + random.below(Math.min(count, 64)) * size;
      if (Math.max(own, from) + size <= bytes.length) bytes.copyWithin(own, from, from + size);
      return;
    }
    const width = bytes[4] === 2 && random.below(4) > 0 ? 8 : 4;
    bend(bytes, own + random.below(size / width) * width, width, random);
  };
}

/** The three words of a note, wherever an owner of ours stands. */
const noteWords: Mutator = (bytes, random) => {
  const owners: number[] = [];
  for (let at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf('Xen\0'); at >= 12; ) {
    owners.push(at);
    at = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf('Xen\0', at + 1);
    if (owners.length > 100) break;
  }
  if (owners.length > 0) bend(bytes, random.pick(owners) - 12 + 4 * random.below(8), 4, random);
};

/** PE headers, and the section table behind them. */
const peWords: Mutator = (bytes, random) => {
  const start = viewOf(bytes).getUint32(0x3c, true);
  bend(bytes, random.below(3) === 0 ? 0x3c : start + 4 * random.below(160), random.pick([2, 4] as const), random);
};

/** The setup header of a bzImage. */
const setupHeader: Mutator = (bytes, random) =>
  bend(bytes, 0x1f1 + random.below(0x78), random.pick([1, 2, 4] as const), random);

/** The first bytes of a stream or of a member: magics, lengths, descriptors. */
const beginning: Mutator = (bytes, random) => {
  if (bytes.length > 0) bytes[random.below(Math.min(bytes.length, 48))] = random.below(256);
};

/** A field of a member's header, in the digits that both archives have; tar's sum is made right again, half of the time. */
const member: Mutator = (bytes, random) => {
  const [from, to] = random.pick([
    [6, 110],
    [124, 136],
    [156, 157],
    [257, 265],
    [345, 360],
    [512, 600],
  ] as const);
  const at = from + random.below(to - from);
  if (at >= bytes.length) return;
  bytes[at] = random.pick([0x30, 0x31, 0x37, 0x38, 0x66, 0x78, 0x67, 0x4c, 0x4b, 0, 0x80, 0xff]);
  if (bytes.length < 512 || bytes[0] === 0x30 || random.below(2) === 0) return;
  bytes.fill(0x20, 148, 156);
  const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  bytes.set(Buffer.from(`${sum.toString(8).padStart(6, '0')}\0 `, 'latin1'), 148);
};

/** What needs no knowledge: bits, and pieces that go elsewhere. */
const noise: Mutator = (bytes, random) => {
  const at = random.below(bytes.length);
  if (random.below(3) > 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
  else bytes.copyWithin(at, random.below(bytes.length), random.below(bytes.length));
};

const ELF: readonly Mutator[] = [elfHeader, record('segments'), record('sections'), noteWords, noise];

/** The mutators of each class of input. */
export const MUTATORS = {
  elf: ELF,
  notes: [noteWords, noteWords, noteWords, record('segments')],
  sections: [record('sections'), record('sections'), elfHeader],
  pe: [peWords, peWords, peWords, noise],
  bzImage: [setupHeader, setupHeader, noise],
  codec: [noise, beginning],
  archive: [member, member, noise],
} as const satisfies Readonly<Record<string, readonly Mutator[]>>;

/** A class of binary inputs. */
export type Kind = keyof typeof MUTATORS;

/** A changed copy: one to eight changes, and now and then an end that comes too early. */
export function mutated(kind: Kind, seed: Uint8Array, random: Random): Uint8Array {
  const bytes = Uint8Array.from(seed);
  const mutators: readonly Mutator[] = MUTATORS[kind];
  for (let left = 1 + random.below(8); left > 0; left--) random.pick(mutators)(bytes, random);
  return random.below(12) === 0 ? bytes.subarray(0, random.below(bytes.length)) : bytes;
}

/** A container around a changed image, half of the time; else the container itself is changed. */
export function mutatedContainer(kind: 'bzImage' | 'codec', elf: Uint8Array, random: Random): Uint8Array {
  const codec = random.pick([(data: Uint8Array) => gzipSync(data, { level: 1 }), lz4Of, zstdOf]);
  const wrap = (data: Uint8Array) => (kind === 'bzImage' ? bzImage({ data }) : codec(data));
  if (random.below(2) === 0) return wrap(mutated('elf', elf, random));
  return mutated(kind, wrap(elf), random);
}

/** An archive of two kernels, changed. */
export function mutatedArchive(elf: Uint8Array, random: Random): Uint8Array {
  const files = [
    { name: 'boot/vmlinux', bytes: elf },
    { name: 'n'.repeat(random.below(120)), bytes: elf.subarray(0, random.below(600)) },
  ];
  return mutated('archive', random.pick([tarOf, cpioOf])(files), random);
}

const WORDS = [
  ...[
    'notes',
    'GUEST_OS',
    'PHYS32_ENTRY',
    'unset',
    'clear',
    'XEN_VERSION',
    '0x42',
    'ENTRY',
    'value',
    'type',
    '__proto__',
  ],
  ...[
    ':',
    ': ',
    '\n',
    '\n  ',
    '\n- ',
    '[',
    ']',
    '{',
    '}',
    ',',
    '"',
    "'",
    '&a ',
    '*a',
    '!!binary ',
    '!!js/function ',
    '<<: *a',
  ],
  ...[
    '0x100000',
    '-1',
    '1e999',
    '~',
    'null',
    'true',
    '\0',
    '\u2028',
    '\ufeff',
    '|',
    '>',
    '#',
    '%YAML 9.9\n---\n',
    '...',
    '\t',
  ],
];

/** A notes file that may be one. */
export function mutatedSpec(random: Random): string {
  const start = random.pick([
    '',
    'notes:\n  GUEST_OS: linux\n',
    '{"notes":{"PHYS32_ENTRY":"0x100000"}}',
    'notes:\n  - ',
  ]);
  let text: string = start;
  for (let left = random.below(24); left > 0; left--) {
    const at = random.below(text.length + 1);
    text = `${text.slice(0, at)}${random.pick(WORDS)}${text.slice(at + random.below(3))}`;
  }
  return text;
}
