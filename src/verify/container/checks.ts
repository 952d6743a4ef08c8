/**
 * The checks of a rewritten container, one row each. They judge the file as it was read back, from
 * the input and the data wanted, without knowing how it was made.
 */
import { differingRanges, newBlocks } from '../../base/bytes/byte-comparison.js';
import { normalize, type Range, rangeOf } from '../../base/bytes/range.js';
import { type ByteSource, fits } from '../../base/bytes/source.js';
import { hex } from '../../base/errors/hex.js';
import { type BzImage, setupField } from '../../formats/container/bzimage.js';
import { findNative, findPairs, pairAt } from '../../formats/container/native.js';
import { type OpenedBzImage, type OpenedContainer, type OpenedGzip, wholeOf } from '../../formats/container/open.js';
import type { PayloadAction } from '../../formats/container/payload-action.js';
import { sectionsBehind, sectionsBehindPayload } from '../../formats/container/sections-behind.js';
import { crcRange, hasCrc, kernelEnd } from '../../formats/container/signature-and-checksums.js';
import { type ExpectationCheck, type Finding, run } from '../check.js';
import { differenceAt, differences, firstDifference, sameBytes } from './differences.js';

/** A container and what it became: what a result is judged by. */
export interface Rewritten<Opened extends OpenedContainer = OpenedBzImage> {
  readonly before: Opened;
  /** The result, opened from scratch. */
  readonly after: Opened;
  /** What it shall unpack to. */
  readonly wanted: ByteSource;
}

/** A check of a rewritten container. */
export interface ContainerCheck<Opened extends OpenedContainer = OpenedBzImage>
  extends ExpectationCheck<Rewritten<Opened>> {
  /** The ways of writing that it is about. */
  readonly ways: readonly (PayloadAction | 'strip' | 'gzip')[];
}

const ALL = ['attach', 'replace', 'detach', 'strip'] as const;

/** The checks of a rewritten Linux boot image. */
export const BZIMAGE_CHECKS: readonly ContainerCheck[] = [
  {
    name: 'container-unpacks-to-wanted',
    needs: 'expectation',
    because: 'what Xen unpacks by the header is the kernel it starts',
    ways: ALL,
    *run({ after, wanted }) {
      const at = differenceAt(wholeOf(after), wanted);
      if (at !== undefined) {
        const size = after.unpacked.length;
        yield { text: `the payload unpacks to ${size} bytes that differ at ${hex(at)}, wanted ${wanted.size}` };
      }
    },
  },
  {
    name: 'container-tail-kept',
    needs: 'expectation',
    because: 'Linux reads its relocation table backwards from the end of what it unpacks',
    ways: ALL,
    *run({ before, after }) {
      const { unpacked } = after;
      const behind = unpacked.subarray(Math.max(0, unpacked.length - before.tail.length));
      if (firstDifference(behind, before.tail) !== undefined) yield { text: 'the bytes behind the ELF changed' };
    },
  },
  {
    name: 'container-native-kept',
    needs: 'expectation',
    because: 'Linux starts exactly what it started before',
    ways: ['attach', 'detach', 'strip'],
    *run({ before, after }) {
      const { image } = before;
      const fields = normalize([
        rangeOf(setupField('payload_offset'), 8n),
        ...sealRanges(image),
        ...(hasCrc(image) ? [crcRange(image)] : []),
        ...sectionsBehindPayload(image).map(({ pointer }) => rangeOf(pointer, 4n)),
      ]);
      yield* differences(image.source, after.image.source, { start: 0n, end: kernelEnd(image) }, fields);
    },
  },
  {
    name: 'container-sections-kept',
    needs: 'expectation',
    because: 'shim and firmware find what was stamped into the PE header by its section',
    ways: ALL,
    *run({ before, after }) {
      const now = after.image.pe?.sections ?? [];
      for (const { index, name, range } of sectionsBehind(before.image)) {
        const kept = now.find((section) => section.index === index);
        const part = `section ${name}`;
        const size = range.end - range.start;
        if (kept === undefined || !fits(kept.range.start, size, after.image.source.size)) {
          yield { part, text: 'is not in the file any more' };
          continue;
        }
        const stretch = (source: ByteSource, offset: bigint) => ({ source, offset });
        const [found] = differingRanges(
          stretch(after.image.source, kept.range.start),
          stretch(before.image.source, range.start),
          size,
          newBlocks(size),
        );
        if (found !== undefined) {
          yield { part, offset: kept.range.start + found.start, text: 'holds other bytes than it did' };
        }
      }
    },
  },
  {
    name: 'container-attached-behind-kernel',
    needs: 'expectation',
    because: 'a payload inside the protected-mode part would be taken for the native one',
    ways: ['attach'],
    *run({ before, after: { image } }) {
      const end = kernelEnd(before.image);
      if (!image.attached || image.payload.start < end) {
        yield { text: `the payload is at ${hex(image.payload.start)}, wanted it behind ${hex(end)}` };
      }
    },
  },
  {
    name: 'container-fits-init-size',
    needs: 'expectation',
    because: 'GRUB reads all that follows the setup part into init_size bytes, without comparing the two',
    ways: ['attach'],
    *run({ after: { image } }) {
      const need = image.source.size - image.setupSize;
      if (image.hasInitSize && need > BigInt(image.header.init_size)) {
        yield { text: `${hex(need)} bytes follow the setup part, init_size is ${hex(image.header.init_size)}` };
      }
    },
  },
  {
    name: 'container-native-lengths-kept',
    needs: 'expectation',
    because: 'the start-up code unpacks the old payload by the lengths in its own data',
    ways: ['attach'],
    *run({ before, after }) {
      if (before.image.attached) return;
      const { payload, unpackedSize } = before.image;
      const length = Number(payload.end - payload.start);
      for (const at of findPairs(before.image, length, unpackedSize)) {
        const pair = pairAt(after.image, at);
        if (pair.length !== length || pair.size !== unpackedSize) yield { text: `the lengths at ${hex(at)} changed` };
      }
    },
  },
  {
    name: 'container-ends-with-payload',
    needs: 'expectation',
    because: 'signing tools append to the end of the image',
    ways: ['attach'],
    *run({ after: { image } }) {
      const { end } = image.payload;
      if (end !== image.source.size)
        yield { text: `the payload ends at ${hex(end)}, the file at ${hex(image.source.size)}` };
    },
  },
  {
    name: 'container-native-payload-named',
    needs: 'expectation',
    because: 'a detached image is what it was before attach',
    ways: ['detach'],
    *run({ before, after: { image } }) {
      if (image.attached) yield { text: 'the payload still stands behind the kernel' };
      // Sections that stood behind the payload now end the file.
      const end = sectionsBehindPayload(before.image).length === 0 ? kernelEnd(before.image) : endOfSections(image);
      if (image.source.size !== end)
        yield { text: `the file ends at ${hex(image.source.size)}, the kernel at ${hex(end)}` };
      const native = findNative(before.image);
      const length = Number(image.payload.end - image.payload.start);
      if (
        native.length !== length ||
        native.offset !== image.header.payload_offset ||
        native.size !== image.unpackedSize
      ) {
        yield { text: 'the header and the start-up code name different payloads' };
      }
    },
  },
  {
    name: 'container-same-size',
    needs: 'expectation',
    because: 'nothing behind the payload can move',
    ways: ['replace'],
    *run({ before, after }) {
      const was = kernelEnd(before.image);
      if (after.image.source.size !== was)
        yield { text: `the file has ${hex(after.image.source.size)} bytes, wanted ${hex(was)}` };
    },
  },
  {
    name: 'container-only-named-fields',
    needs: 'expectation',
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
      yield* differences(image.source, after.image.source, { start: 0n, end: kernelEnd(image) }, fields);
    },
  },
  {
    name: 'container-lengths-agree',
    needs: 'expectation',
    because: 'header, start-up code and size word are read by different readers',
    ways: ['replace'],
    *run({ before, after: { image } }) {
      const was = before.image;
      const length = Number(image.payload.end - image.payload.start);
      for (const at of findPairs(was, Number(was.payload.end - was.payload.start), was.unpackedSize)) {
        const pair = pairAt(image, at);
        if (pair.length !== length || pair.size !== image.unpackedSize) {
          yield {
            text: `the start-up code has ${hex(pair.length)} and ${hex(pair.size)}, the header ${hex(length)}, the size word ${hex(image.unpackedSize)}`,
          };
        }
      }
    },
  },
  {
    name: 'container-payload-stays',
    needs: 'expectation',
    because: 'the start-up code knows the place and the format of its payload',
    ways: ['replace'],
    *run({ before, after }) {
      if (after.image.header.payload_offset !== before.image.header.payload_offset) yield { text: 'the payload moved' };
      if (after.image.format !== before.image.format) {
        yield { text: `the payload is ${after.image.format}, wanted ${before.image.format}` };
      }
      if (after.facts.spare > 0n)
        yield { text: `${after.facts.spare} bytes stand between the stream and the size word` };
    },
  },
  {
    name: 'container-in-place-law',
    needs: 'expectation',
    because: 'Linux unpacks over itself, and init_size keeps the writer behind the reader',
    ways: ['replace'],
    *run({ before: { image: was }, after: { image: is } }) {
      if (!was.hasInitSize) return;
      // The law is stated here anew: what the writer goes by must not prove the writer right.
      const shorter = was.payload.end - was.payload.start - (is.payload.end - is.payload.start);
      const closer = atLeastZero(shorter) + atLeastZero(BigInt(is.unpackedSize - was.unpackedSize));
      const need = BigInt(was.header.init_size) + ((closer + PAGE - 1n) / PAGE) * PAGE;
      if (BigInt(is.header.init_size) < need)
        yield { text: `init_size is ${hex(is.header.init_size)}, wanted ${hex(need)}` };
    },
  },
  {
    name: 'container-crc-as-before',
    needs: 'expectation',
    because: 'tools compare the CRC-32 at the end of the kernel; a kernel without one has data there',
    ways: ALL,
    *run({ before, after }) {
      if (hasCrc(before.image) && !hasCrc(after.image)) yield { text: 'the CRC-32 at the end of the kernel is wrong' };
    },
  },
  {
    name: 'container-not-signed',
    needs: 'expectation',
    because: 'a signature that no longer matches is worse than none',
    ways: ALL,
    *run({ after: { image } }) {
      if (image.pe?.certificate !== undefined) yield { text: 'the certificate table is still there' };
      if (image.pe !== undefined && image.pe.checksum.value !== 0) yield { text: 'the PE checksum is not 0' };
    },
  },
];

/** Where the last section behind the kernel ends. */
function endOfSections(image: BzImage): bigint {
  return sectionsBehind(image).at(-1)?.range.end ?? kernelEnd(image);
}

/** The checks of a rewritten ELF.gz. */
export const GZIP_CHECKS: readonly ContainerCheck<OpenedGzip>[] = [
  {
    name: 'gzip-one-plain-member',
    needs: 'expectation',
    because: 'Xen reads one member, takes the size from the end of the file, and refuses some header flags',
    ways: ['gzip'],
    *run({ after: { facts } }) {
      if (facts.behind.size > 0n) yield { text: `${facts.behind.size} bytes follow the member` };
      if (facts.flags !== 0) yield { text: `the header flags are ${hex(facts.flags)}, wanted 0` };
    },
  },
  {
    name: 'gzip-unpacks-to-wanted',
    needs: 'expectation',
    because: 'what is unpacked is the kernel that is started',
    ways: ['gzip'],
    *run({ after, wanted }) {
      if (!sameBytes(wholeOf(after), wanted)) yield { text: 'the file unpacks to something else' };
    },
  },
];

/** All that breaks the checks for one way of writing, in the order of the table. */
export function judgeBzImage(way: PayloadAction | 'strip', rewritten: Rewritten): Finding[] {
  return judge(BZIMAGE_CHECKS, way, rewritten);
}

/** Holds a rewritten ELF.gz against what it should be. */
export function judgeGzip(rewritten: Rewritten<OpenedGzip>): Finding[] {
  return judge(GZIP_CHECKS, 'gzip', rewritten);
}

function judge<O extends OpenedContainer>(
  checks: readonly ContainerCheck<O>[],
  way: PayloadAction | 'strip' | 'gzip',
  planned: Rewritten<O>,
): Finding[] {
  const asked = checks.filter(({ ways }) => ways.includes(way));
  return run(asked, { file: planned.after.facts.file, planned }, 'table');
}

/** Fields that a signature touches. */
function sealRanges({ pe }: BzImage): Range[] {
  if (pe === undefined) return [];
  const entry = pe.certificateEntry;
  return [rangeOf(pe.checksum.offset, 4n), ...(entry === undefined ? [] : [entry])];
}

/** init_size grows by pages: the decompressor aligns what it works with. */
const PAGE = 4096n;

function atLeastZero(value: bigint): bigint {
  return value < 0n ? 0n : value;
}
