/**
 * The laws that a rewritten container must obey, each with its reason: one row per law, all that breaks it. They are held
 * against the file as it was read back, by somebody who knows the input and the data wanted, and not how it was made.
 */
import { compare, normalize, type Range, rangeOf, subtractSorted } from '../bytes/range.js';
import type { ByteSource } from '../bytes/source.js';
import { equalBytes } from '../bytes/text.js';
import { hex, hexRange } from '../errors/hex.js';
import { type BzImage, setupField } from './bzimage.js';
import { growth } from './growth.js';
import { findNative, findPairs, pairAt } from './native.js';
import { type OpenedBzImage, type OpenedContainer, type OpenedGzip, wholeOf } from './open.js';
import type { Way } from './rebuilt.js';
import { crcRange, hasCrc } from './seal.js';

/** What a result is judged by. */
export interface Verdict<Opened extends OpenedContainer = OpenedBzImage> {
  readonly before: Opened;
  /** The result, opened from scratch. */
  readonly after: Opened;
  /** What it shall unpack to. */
  readonly wanted: ByteSource;
}

export interface ContainerCheck<Opened extends OpenedContainer = OpenedBzImage> {
  /** Stable; users and tests name it. */
  readonly name: string;
  readonly because: string;
  readonly ways: readonly (Way | 'strip' | 'gzip')[];
  run(verdict: Verdict<Opened>): Iterable<string>;
}

/** A breach, for the message. */
export interface Breach {
  readonly check: string;
  readonly text: string;
}

const ALL = ['attach', 'replace', 'detach', 'strip'] as const;

export const BZIMAGE_CHECKS: readonly ContainerCheck[] = [
  {
    name: 'container-unpacks-to-wanted',
    because: 'what Xen unpacks by the header is the kernel it starts',
    ways: ALL,
    *run({ after, wanted }) {
      const at = differenceAt(wholeOf(after), wanted);
      if (at !== undefined) {
        const size = after.unpacked.length;
        yield `the payload unpacks to ${size} bytes that differ at ${hex(at)}, wanted ${wanted.size}`;
      }
    },
  },
  {
    name: 'container-tail-kept',
    because: 'Linux reads its relocation table backwards from the end of what it unpacks',
    ways: ALL,
    *run({ before, after }) {
      const { unpacked } = after;
      const behind = unpacked.subarray(Math.max(0, unpacked.length - before.tail.length));
      if (firstDifference(behind, before.tail) !== undefined) yield 'the bytes behind the ELF changed';
    },
  },
  {
    name: 'container-native-kept',
    because: 'Linux starts exactly what it started before',
    ways: ['attach', 'detach', 'strip'],
    *run({ before, after }) {
      const { image } = before;
      const fields = normalize([
        rangeOf(setupField('payload_offset'), 8n),
        ...sealRanges(image),
        ...(hasCrc(image) ? [crcRange(image)] : []),
      ]);
      yield* differences(image.source, after.image.source, { start: 0n, end: image.sysEnd }, fields);
    },
  },
  {
    name: 'container-attached-behind-kernel',
    because: 'a payload inside the protected-mode part would be taken for the native one',
    ways: ['attach'],
    *run({ before, after: { image } }) {
      if (!image.attached || image.payload.start < before.image.sysEnd) {
        yield `the payload is at ${hex(image.payload.start)}, wanted it behind ${hex(before.image.sysEnd)}`;
      }
    },
  },
  {
    name: 'container-fits-init-size',
    because: 'GRUB reads all that follows the setup part into init_size bytes, without comparing the two',
    ways: ['attach'],
    *run({ after: { image } }) {
      const need = image.source.size - image.setupSize;
      if (image.hasInitSize && need > BigInt(image.header.init_size)) {
        yield `${hex(need)} bytes follow the setup part, init_size is ${hex(image.header.init_size)}`;
      }
    },
  },
  {
    name: 'container-native-lengths-kept',
    because: 'the start-up code unpacks the old payload by the lengths in its own data',
    ways: ['attach'],
    *run({ before, after }) {
      if (before.image.attached) return;
      const { payload, unpackedSize } = before.image;
      const length = Number(payload.end - payload.start);
      for (const at of findPairs(before.image, length, unpackedSize)) {
        const pair = pairAt(after.image, at);
        if (pair.length !== length || pair.size !== unpackedSize) yield `the lengths at ${hex(at)} changed`;
      }
    },
  },
  {
    name: 'container-ends-with-payload',
    because: 'whoever signs the image appends to its end',
    ways: ['attach'],
    *run({ after: { image } }) {
      const { end } = image.payload;
      if (end !== image.source.size) yield `the payload ends at ${hex(end)}, the file at ${hex(image.source.size)}`;
    },
  },
  {
    name: 'container-native-payload-named',
    because: 'a detached image is what it was before attach',
    ways: ['detach'],
    *run({ before, after: { image } }) {
      if (image.attached) yield 'the payload still stands behind the kernel';
      if (image.source.size !== image.sysEnd)
        yield `the file ends at ${hex(image.source.size)}, the kernel at ${hex(image.sysEnd)}`;
      const native = findNative(before.image);
      const length = Number(image.payload.end - image.payload.start);
      if (
        native.length !== length ||
        native.offset !== image.header.payload_offset ||
        native.size !== image.unpackedSize
      ) {
        yield 'the header and the start-up code name different payloads';
      }
    },
  },
  {
    name: 'container-same-size',
    because: 'nothing behind the payload can move',
    ways: ['replace'],
    *run({ before, after }) {
      const was = before.image.sysEnd;
      if (after.image.source.size !== was)
        yield `the file has ${hex(after.image.source.size)} bytes, wanted ${hex(was)}`;
    },
  },
  {
    name: 'container-only-named-fields',
    because: 'the code around the payload must stay as it was linked',
    ways: ['replace'],
    *run({ before, after }) {
      const { image } = before;
      const length = Number(image.payload.end - image.payload.start);
      const fields = normalize([
        image.payload,
        rangeOf(setupField('payload_length'), 4n),
        rangeOf(setupField('init_size'), 4n),
        ...findPairs(image, length, image.unpackedSize).map((at) => rangeOf(at, 8n)),
        ...(image.pe?.initSizes ?? []).map(({ offset }) => rangeOf(offset, 4n)),
        ...sealRanges(image),
        ...(hasCrc(image) ? [crcRange(image)] : []),
      ]);
      yield* differences(image.source, after.image.source, { start: 0n, end: image.sysEnd }, fields);
    },
  },
  {
    name: 'container-lengths-agree',
    because: 'header, start-up code and size word are read by different readers',
    ways: ['replace'],
    *run({ before, after: { image } }) {
      const was = before.image;
      const length = Number(image.payload.end - image.payload.start);
      for (const at of findPairs(was, Number(was.payload.end - was.payload.start), was.unpackedSize)) {
        const pair = pairAt(image, at);
        if (pair.length !== length || pair.size !== image.unpackedSize) {
          yield `the start-up code has ${hex(pair.length)} and ${hex(pair.size)}, the header ${hex(length)}, the size word ${hex(image.unpackedSize)}`;
        }
      }
    },
  },
  {
    name: 'container-payload-stays',
    because: 'the start-up code knows the place and the format of its payload',
    ways: ['replace'],
    *run({ before, after }) {
      if (after.image.header.payload_offset !== before.image.header.payload_offset) yield 'the payload moved';
      if (after.image.format !== before.image.format) {
        yield `the payload is ${after.image.format}, wanted ${before.image.format}`;
      }
      if (after.facts.spare > 0n) yield `${after.facts.spare} bytes stand between the stream and the size word`;
    },
  },
  {
    name: 'container-in-place-law',
    because: 'Linux unpacks over itself, and init_size keeps the writer behind the reader',
    ways: ['replace'],
    *run({ before: { image: was }, after: { image: is } }) {
      if (!was.hasInitSize) return;
      const shorter = Number(was.payload.end - was.payload.start) - Number(is.payload.end - is.payload.start);
      const need = BigInt(was.header.init_size) + growth(shorter, is.unpackedSize - was.unpackedSize);
      if (BigInt(is.header.init_size) < need) yield `init_size is ${hex(is.header.init_size)}, wanted ${hex(need)}`;
    },
  },
  {
    name: 'container-crc-as-before',
    because: 'tools compare the CRC-32 at the end of the kernel; a kernel without one has data there',
    ways: ALL,
    *run({ before, after }) {
      if (hasCrc(before.image) && !hasCrc(after.image)) yield 'the CRC-32 at the end of the kernel is wrong';
    },
  },
  {
    name: 'container-not-signed',
    because: 'a signature that no longer matches is worse than none',
    ways: ALL,
    *run({ after: { image } }) {
      if (image.pe?.certificate !== undefined) yield 'the certificate table is still there';
      if (image.pe !== undefined && image.pe.checksum.value !== 0) yield 'the PE checksum is not 0';
    },
  },
];

export const GZIP_CHECKS: readonly ContainerCheck<OpenedGzip>[] = [
  {
    name: 'gzip-one-plain-member',
    because: 'Xen reads one member, takes the size from the end of the file, and refuses some header flags',
    ways: ['gzip'],
    *run({ after: { facts } }) {
      if (facts.behind.size > 0n) yield `${facts.behind.size} bytes follow the member`;
      if (facts.flags !== 0) yield `the header flags are ${hex(facts.flags)}, wanted 0`;
    },
  },
  {
    name: 'gzip-unpacks-to-wanted',
    because: 'what is unpacked is the kernel that is started',
    ways: ['gzip'],
    *run({ after, wanted }) {
      if (!sameBytes(wholeOf(after), wanted)) yield 'the file unpacks to something else';
    },
  },
];

/** All breaches of the laws for one way of writing. */
export function judgeBzImage(way: Way | 'strip', verdict: Verdict): Breach[] {
  return judge(BZIMAGE_CHECKS, way, verdict);
}

export function judgeGzip(verdict: Verdict<OpenedGzip>): Breach[] {
  return judge(GZIP_CHECKS, 'gzip', verdict);
}

function judge<O extends OpenedContainer>(
  checks: readonly ContainerCheck<O>[],
  way: Way | 'strip' | 'gzip',
  verdict: Verdict<O>,
): Breach[] {
  return checks
    .filter(({ ways }) => ways.includes(way))
    .flatMap(({ name, run }) => [...run(verdict)].map((text) => ({ check: name, text })));
}

/** Fields that a signature touches. */
function sealRanges({ pe }: BzImage): Range[] {
  if (pe === undefined) return [];
  const entry = pe.certificateEntry;
  return [rangeOf(pe.checksum.offset, 4n), ...(entry === undefined ? [] : [entry])];
}

const CHUNK = 0x100000n;

/** Where two files differ within `range`, but for `except` (sorted, disjoint): the first place. */
function* differences(a: ByteSource, b: ByteSource, range: Range, except: readonly Range[]): Generator<string> {
  if (b.size < range.end) {
    yield `the file ends at ${hex(b.size)}, wanted it to reach ${hex(range.end)}`;
    return;
  }
  for (const { start, end } of subtractSorted(
    range,
    [...except].sort((x, y) => compare(x.start, y.start)),
  )) {
    for (let at = start; at < end; at += CHUNK) {
      const length = end - at < CHUNK ? end - at : CHUNK;
      const difference = firstDifference(a.read(at, length, 'input'), b.read(at, length, 'result'));
      if (difference === undefined) continue;
      yield `the byte at ${hex(at + BigInt(difference))} changed, in ${hexRange(start, end)} none may`;
      return;
    }
  }
}

/** Offset of the first byte that differs; undefined: equal, and equally long. */
function differenceAt(a: ByteSource, b: ByteSource): bigint | undefined {
  const most = a.size < b.size ? a.size : b.size;
  for (let at = 0n; at < most; at += CHUNK) {
    const length = most - at < CHUNK ? most - at : CHUNK;
    const difference = firstDifference(a.read(at, length, 'result'), b.read(at, length, 'wanted data'));
    if (difference !== undefined) return at + BigInt(difference);
  }
  return a.size === b.size ? undefined : most;
}

export function sameBytes(a: ByteSource, b: ByteSource): boolean {
  return a.size === b.size && differenceAt(a, b) === undefined;
}

/** Index of the first byte that differs; undefined: equal, and equally long. */
export function firstDifference(a: Uint8Array, b: Uint8Array): number | undefined {
  if (equalBytes(a, b)) return undefined;
  const most = Math.min(a.length, b.length);
  for (let at = 0; at < most; at++) if (a[at] !== b[at]) return at;
  return most;
}
