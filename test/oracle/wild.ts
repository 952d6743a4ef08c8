/**
 * Images that no tool would make: every field of every header, tables with any stride, note areas that overlap, lie in each
 * other or leave the file. Put down byte by byte, so that the builder's idea of a file plays no part. The same seed gives the
 * same images.
 */
import fc from 'fast-check';
import type { Encoding } from '../../src/formats/elf/struct.js';
import { concat, latin1, num } from '../support/elf-builder.js';
import { recordOf, saneRecords } from './wild-records.js';
import { legacyText, of, PADDR, some, U64 } from './wild-texts.js';

/** Where a header points: a stretch of the file, and how far beside it. */
interface Pointer {
  readonly area: number;
  readonly shift: bigint;
  readonly grow: bigint;
}
const pointer = fc.record({
  area: fc.nat(5),
  shift: some<bigint>([12, of(0n)], [1, of(-12n, -4n, 1n, 2n, 4n, 8n, 20n)], [1, of(1n << 32n, U64, 0x7fffffffn)]),
  grow: some<bigint>(
    [12, of(0n)],
    [2, of(-20n, -8n, -4n, -1n, 1n, 4n, 8n, 12n, 0x100n)],
    [1, of(0x10000n, 1n << 40n, U64, -(1n << 62n))],
  ),
});

const segment = fc.record({
  type: some<number>([8, of(4)], [6, of(1)], [1, of(0, 2, 3, 6, 0x6474e551, 0x6474e553, 0xffffffff)]),
  flags: some<number>([6, of(4, 5, 6, 7)], [1, of(0, 8, 0xfffffff8)]),
  at: pointer,
  offsetZero: some<boolean>([12, of(false)], [1, of(true)]),
  address: some<bigint>(
    [6, of(0n, 0x1000n, 0x2000n, 0x3000n).map((d) => PADDR + d)],
    [1, of(0n, 1n, PADDR - 1n, 0xffff0000n, 1n << 32n, U64, U64 - 0xfffn)],
  ),
  memory: some<bigint>([4, of(0x1000n)], [2, of(0n, 1n, 8n, 0xfffn, 0x2000n)], [1, of(1n << 32n, U64, 1n << 63n)]),
  align: some<bigint>([6, of(4n)], [3, of(0n, 1n, 2n, 8n, 16n, 0x1000n)], [1, of(0x200000n, U64)]),
});

const SECTION_NAMES = [
  '',
  '.text',
  '.note.Xen',
  '__xen_guest',
  '__xen_guestx',
  '.shstrtab',
  '.symtab',
  '.strtab',
] as const;
const section = fc.record({
  type: some<number>([4, of(7)], [3, of(1)], [2, of(2, 3)], [1, of(0, 8, 4, 9, 11, 0xffffffff)]),
  name: fc.nat(SECTION_NAMES.length - 1),
  at: pointer,
  address: of(0n, 0n, PADDR),
  link: some<number>([4, fc.nat(6)], [1, of(0xffff, 0xffffffff)]),
});

/** A header field, and what it is given instead: by name, its place in either class and its width. */
const FIELDS: readonly (readonly [at64: number, at32: number, width64: number, width32: number])[] = [
  [0, 0, 1, 1],
  [3, 3, 1, 1],
  [4, 4, 1, 1],
  [5, 5, 1, 1],
  [6, 6, 1, 1],
  [7, 7, 1, 1],
  [16, 16, 2, 2],
  [18, 18, 2, 2],
  [20, 20, 4, 4],
  [24, 24, 8, 4],
  [32, 28, 8, 4],
  [40, 32, 8, 4],
  [48, 36, 4, 4],
  [52, 40, 2, 2],
  [54, 42, 2, 2],
  [56, 44, 2, 2],
  [58, 46, 2, 2],
  [60, 48, 2, 2],
  [62, 50, 2, 2],
];
const override = fc.record({
  field: fc.nat(FIELDS.length - 1),
  value: some<bigint>(
    [3, of(0n, 1n, 2n, 3n, 4n, 7n, 40n, 62n, 64n, 0xffn, 0xffffn)],
    [1, of(1n << 31n, (1n << 32n) - 1n, 1n << 63n, U64, U64 - 0x3fn)],
    [1, fc.bigInt(0n, U64)],
  ),
});

const plan = some<Encoding>(
  [12, of<Encoding>({ bits: 64, endian: 'little' })],
  [6, of<Encoding>({ bits: 32, endian: 'little' })],
  [2, of<Encoding>({ bits: 64, endian: 'big' }, { bits: 32, endian: 'big' })],
).chain((encoding) =>
  fc.record({
    encoding: fc.constant(encoding),
    machine: some<number>([10, of(encoding.bits === 64 ? 62 : 3)], [2, of(3, 62)], [1, of(0, 40, 183, 6)]),
    entry: some<bigint>([6, of(PADDR, PADDR + 0x10n, PADDR + 0x1000n)], [1, of(0n, PADDR - 1n, U64, PADDR + 0x1001n)]),
    sane: of('pv', 'pvh', 'both', 'none', 'pv', 'pvh'),
    records: fc.array(fc.array(recordOf(encoding), { maxLength: 4 }), { minLength: 2, maxLength: 3 }),
    legacy: legacyText,
    first: some([6, of(true)], [1, of(false)]),
    segments: fc.array(segment, { maxLength: 5 }),
    sections: some([2, of([])], [5, fc.array(section, { minLength: 1, maxLength: 6 })]),
    stride: some<readonly [number, number]>(
      [10, of([0, 0] as const)],
      [1, of([8, 0] as const, [0, 24] as const, [-4, -8] as const)],
    ),
    names: some<number>([6, of(-1)], [1, fc.nat(6)]),
    overrides: some([3, of([])], [2, fc.array(override, { minLength: 1, maxLength: 2 })]),
    flips: some([5, of([])], [1, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })]),
    cut: some<number>([9, of(0)], [1, fc.nat(200)]),
    tail: some<number>([5, of(0)], [1, fc.nat(64)]),
  }),
);

type Plan = typeof plan extends fc.Arbitrary<infer T> ? T : never;

function assemble(options: Plan): Uint8Array {
  const { encoding } = options;
  const wide = encoding.bits === 64;
  const native = wide ? 8 : 4;
  const put = (value: bigint, width: number) => num(BigInt.asUintN(8 * width, value), width, encoding);
  const [phdrSize, shdrSize, ehdrSize] = wide ? [56, 64, 64] : [32, 40, 52];
  const [phStride, shStride] = [phdrSize + options.stride[0], shdrSize + options.stride[1]];

  const sane = options.sane === 'both' ? ['pv', 'pvh'] : options.sane === 'none' ? [] : [options.sane];
  const first = sane.flatMap((kind) => saneRecords(encoding, kind as 'pv' | 'pvh'));
  const noteAreas = options.records.map((records, index) => concat(index === 0 ? [...first, ...records] : records));
  const namesAt = SECTION_NAMES.map((_, i) =>
    SECTION_NAMES.slice(0, i).reduce((sum, name) => sum + name.length + 1, 0),
  );
  const areas = [...noteAreas, options.legacy, latin1(`${SECTION_NAMES.join('\0')}\0`), new Uint8Array(96).fill(0x41)];

  const load = { ...LOAD, flags: 7 };
  const segments = options.first ? [load, NOTE, ...options.segments] : options.segments;
  const sections = options.sections.length === 0 ? [] : [NONE, ...options.sections, NAMES];
  const tables = segments.length * Math.max(phStride, phdrSize);
  let at = ehdrSize + tables + 16;
  const places = areas.map((area) => {
    const place = at;
    at += area.length + ((8 - (area.length % 8)) % 8);
    return place;
  });
  const shoff = sections.length === 0 ? 0 : at;
  const size = at + sections.length * Math.max(shStride, shdrSize);

  const nameArea = areas.length - 2;
  const range = ({ area, shift, grow }: Pointer) => {
    const index = area === NAME_AREA ? nameArea : area % areas.length;
    return { offset: BigInt(places[index] ?? 0) + shift, size: BigInt(areas[index]?.length ?? 0) + grow };
  };
  const file = new Uint8Array(size);
  const shstrndx = options.names < 0 ? Math.max(0, sections.length - 1) : options.names;
  const ident = [0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, encoding.endian === 'little' ? 1 : 2, 1];
  const halves = [ehdrSize, phStride, segments.length, shStride, sections.length, shstrndx];
  file.set(
    concat([
      Uint8Array.from(ident),
      new Uint8Array(9),
      put(2n, 2),
      put(BigInt(options.machine), 2),
      put(1n, 4),
      put(options.entry, native),
      put(BigInt(ehdrSize), native),
      put(BigInt(shoff), native),
      put(0n, 4),
      ...halves.map((half) => put(BigInt(half), 2)),
    ]),
  );
  for (const [index, { type, flags, at: where, offsetZero, address, memory, align }] of segments.entries()) {
    const { offset, size: filesz } = range(where);
    const [kind, bits] = [put(BigInt(type), 4), put(BigInt(flags), 4)];
    const body = [offsetZero ? 0n : offset, address, address, filesz, memory, align].map((value) => put(value, native));
    const bytes = wide ? [kind, bits, ...body] : [kind, ...body.slice(0, 5), bits, ...body.slice(5)];
    place(file, ehdrSize + index * phStride, concat(bytes));
  }
  for (const [index, { type, name, at: where, address, link }] of sections.entries()) {
    const { offset, size: length } = index === 0 ? { offset: 0n, size: 0n } : range(where);
    const fields: (readonly [bigint, number])[] = [
      [BigInt(namesAt[name] ?? 0), 4],
      [BigInt(type), 4],
      [0n, native],
      [address, native],
      [offset, native],
      [length, native],
      [BigInt(link), 4],
      [0n, 4],
      [4n, native],
      [0n, native],
    ];
    place(file, shoff + index * shStride, concat(fields.map(([value, width]) => put(value, width))));
  }
  for (const [index, area] of areas.entries()) place(file, places[index] ?? 0, area);

  for (const { field, value } of options.overrides) {
    const [at64, at32, width64, width32] = FIELDS[field] ?? [16, 16, 2, 2];
    file.set(put(value, wide ? width64 : width32), wide ? at64 : at32);
  }
  for (const [where, value] of options.flips) file[where % file.length] = value;
  return concat([file.subarray(0, file.length - (options.cut % file.length)), new Uint8Array(options.tail)]);
}

function place(file: Uint8Array, at: number, bytes: Uint8Array): void {
  if (at < file.length) file.set(bytes.subarray(0, file.length - at), at);
}

const NAME_AREA = 99;
const plain = (area: number): Pointer => ({ area, shift: 0n, grow: 0n });
const LOAD = { type: 1, at: plain(0), offsetZero: false, address: PADDR, memory: 0x1000n, align: 0x1000n };
const NOTE = { type: 4, flags: 4, at: plain(0), offsetZero: false, address: 0n, memory: 0n, align: 4n };
const NONE = { type: 0, name: 0, at: plain(0), address: 0n, link: 0 };
const NAMES = { type: 3, name: 5, at: plain(NAME_AREA), address: 0n, link: 0 };

/** So many images from one seed. */
export function wildImages(count: number, seed: number): Uint8Array[] {
  return fc.sample(plan, { numRuns: count, seed }).map(assemble);
}
