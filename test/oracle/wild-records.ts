/** Note records with any owner, size, gap and padding, values around the ends of an image, strings around the limits. */
import fc from 'fast-check';
import type { Encoding } from '../../src/formats/elf/struct.js';
import { concat, latin1, num } from '../support/elf-builder.js';
import { features, of, PADDR, some, U64 } from './wild-texts.js';

/** One record, as its bytes. */
export function recordOf(encoding: Encoding): fc.Arbitrary<Uint8Array> {
  const word = (value: number) => num(BigInt(value >>> 0), 4, encoding);
  const high = encoding.bits === 64 ? 0xffffffff80000000n : 0xc0000000n;
  const address = some<bigint>(
    [6, of(0n, 1n, 0x10n, 0x800n, 0xfffn, 0x1000n, 0x1001n, 0x3000n).map((d) => PADDR + d)],
    [6, of(0n, 1n, 0x10n, 0x800n, 0xfffn, 0x1000n, 0x1001n, 0x3000n).map((d) => high + PADDR + d)],
    [2, of(0n, high, 0xffffffffn, U64, U64 - 1n, 1n << 63n, 0xffff800000000000n)],
    [1, fc.bigInt(0n, U64)],
  );
  const numeric = fc.tuple(address, some<number>([8, of(encoding.bits / 8)], [3, of(4, 8)], [2, fc.nat(16)]));
  const text = some<string>(
    [3, of('xen-3.0', 'generic', 'linux', 'yes', 'bimodal', '2.6', '')],
    [2, features],
    [1, of('xen-3.0-x86_64p', 'generic loader', 'linuxlinuxlinuxlinux', 'yes,bimodal', 'no', 'Xen', 'a\nb')],
    [1, fc.integer({ min: 13, max: 18 }).map((length) => `generic${'x'.repeat(length - 7)}`)],
    [1, fc.integer({ min: 4093, max: 4098 }).map((length) => 's'.repeat(length))],
  );
  const stringDesc = fc.tuple(text, some([8, of('\0')], [1, of('')])).map(([value, nul]) => latin1(value + nul));
  const numberDesc = numeric.map(([value, width]) => {
    const eight = num(value, 8, encoding);
    const low = encoding.endian === 'little' ? eight.subarray(0, width) : eight.subarray(Math.max(0, 8 - width));
    return concat([low, new Uint8Array(Math.max(0, width - 8))]);
  });
  const wordsDesc = fc
    .array(of(0, 1, 0x1000, 0x200000, 0x8801, 0x800, 0x3fffffff, 0xffffffff), { maxLength: 5 })
    .map((values) => concat(values.map(word)));
  const owner = some<readonly [Uint8Array, number]>(
    [40, of([latin1('Xen\0'), 4] as const)],
    [
      3,
      of<readonly [Uint8Array, number]>(
        [latin1('Xen'), 3],
        [latin1('Xen\0'), 0],
        [latin1('Xen\0'), 1],
        [latin1('Xen\0'), 5],
        [latin1('Xen\0\0\0\0\0'), 8],
        [latin1('Xen\0\0\0\0\0'), 7],
        [latin1('Xen\0x\0\0\0'), 5],
        [latin1('Xen '), 4],
        [latin1('XEN\0'), 4],
        [latin1('Xenx'), 3],
      ),
    ],
    [2, of<readonly [Uint8Array, number]>([latin1('GNU\0'), 4], [latin1('Linux\0\0\0'), 6], [new Uint8Array(0), 0])],
    [
      1,
      of(0xffffffff, 0xfffffffd, 0xfffffffc, 0x80000000, 0x7fffffff, 0x1000).map(
        (namesz) => [latin1('Xen\0'), namesz] as const,
      ),
    ],
  );
  const desc = (type: number) => {
    if ([0, 5, 6, 7, 8, 9, 10, 11].includes(type)) return some([9, stringDesc], [1, numberDesc]);
    if ([13, 17, 19].includes(type)) return some([4, wordsDesc], [1, numberDesc]);
    return some([12, numberDesc], [1, stringDesc]);
  };
  const wrongSize = some<number | undefined>(
    [40, of(undefined)],
    [1, of(0, 1, 2, 3, 5, 12, 0xffffffff, 0xfffffffe, 0xfffffffc, 0xfffffff0, 0x1000, 0x7ffffffc)],
  );
  const gap = some<number>([30, of(0)], [2, of(12, 24)], [1, fc.nat(20)]);
  const fill = some<number>([12, of(0)], [1, of(0xff, 0x58)]);
  return some([30, fc.nat(19)], [1, of(20, 21, 0x100, 0x1000001, 0x2000000, 0xffffffff)])
    .chain((type) => fc.tuple(fc.constant(type), owner, desc(type), wrongSize, gap, fill))
    .map(([type, [name, namesz], bytes, wrong, behind, pad]) => {
      const padded = (part: Uint8Array) => concat([part, new Uint8Array((4 - (part.length % 4)) % 4).fill(pad)]);
      return concat([
        word(namesz),
        word(wrong ?? bytes.length),
        word(type),
        padded(name),
        padded(bytes),
        new Uint8Array(behind),
      ]);
    });
}

/** Records that make an image loadable, so that more than the gate is seen. */
export function saneRecords(encoding: Encoding, kind: 'pv' | 'pvh'): Uint8Array[] {
  const word = (value: number) => num(BigInt(value), 4, encoding);
  const make = (type: number, desc: Uint8Array) =>
    concat([
      word(4),
      word(desc.length),
      word(type),
      latin1('Xen\0'),
      desc,
      new Uint8Array((4 - (desc.length % 4)) % 4),
    ]);
  if (kind === 'pvh') return [make(18, num(PADDR, 4, encoding))];
  return [make(5, latin1('xen-3.0\0')), make(8, latin1('generic\0')), make(9, latin1('yes\0'))];
}
