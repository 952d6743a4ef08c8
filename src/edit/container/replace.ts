/**
 * `replace`: the kernel's own payload is rebuilt in place. Nothing behind it can move, so the new stream must not be
 * longer, and every field that holds its lengths is rewritten: the header, the start-up code's pair, init_size.
 */
import { runProgram } from '../../base/bytes/ports.js';
import type { ByteSource, Write } from '../../base/bytes/source.js';
import { joinBytes } from '../../base/bytes/text.js';
import { fail } from '../../base/errors/patch-error.js';
import { type BzImage, hasSizeWord } from '../../formats/container/bzimage.js';
import { tailProblem } from '../../formats/container/elf-and-relocs.js';
import { formatOf } from '../../formats/container/formats.js';
import { type OnProgress, wordBytes } from '../../formats/container/limits.js';
import { thePair } from '../../formats/container/native.js';
import { contentEnd, unsealed } from '../../formats/container/signature-and-checksums.js';
import type { ElfImage } from '../../formats/elf/image.js';
import { growth } from './init-size.js';
import { PACKERS } from './packers.js';
import { differing, headerWord, type Rebuilt, withCrc } from './rebuilt.js';

/** What the user decides about packing the payload anew. */
export interface ReplaceOptions {
  readonly strip: boolean;
  /** Program to use instead of the usual one of the format. */
  readonly compressor: string | undefined;
  readonly onProgress?: OnProgress | undefined;
}

/** What is to be replaced: unpacked data with its parts, before and after. */
export interface NewData {
  readonly image: ElfImage;
  readonly tail: Uint8Array;
  readonly oldSize: number;
  readonly data: ByteSource;
}

/**
 * Rebuilds the payload around the new data. Errors: those of contentEnd; `bzimage.attached`, `.tail`, `.pair`, `.no-room`,
 * `.too-large`, `codec.missing`, `codec.failed`.
 */
export async function replace(image: BzImage, next: NewData, options: ReplaceOptions): Promise<Rebuilt> {
  const { source, payload } = image;
  const place = { file: source.name, offset: payload.start, part: 'payload' };
  if (image.attached) fail('bzimage.attached', place, { offset: payload.start });
  const end = contentEnd(image, options.strip);
  const why = tailProblem(next.tail, next.image.encoding.bits);
  if (why !== undefined) fail('bzimage.tail', place, { size: BigInt(next.tail.length), why });
  const pair = thePair(image);
  const { stream, by } = await pack(image, next.data, options);
  const size = Number(next.data.size);
  const room = Number(payload.end - payload.start);
  const sizeWord = hasSizeWord(image.format) ? wordBytes(size) : new Uint8Array(0);
  const length = stream.length + sizeWord.length;
  const bytes = new Uint8Array(room);
  bytes.set(stream);
  bytes.set(sizeWord, stream.length);
  const grown = growth(room - length, size - next.oldSize);
  const writes: Write[] = [
    { offset: payload.start, bytes },
    headerWord('payload_length', length),
    { offset: pair, bytes: joinBytes([wordBytes(length), wordBytes(size)]) },
    ...initSizes(image, grown),
    ...unsealed(image),
  ];
  const raised = grown > 0n && image.hasInitSize ? `, init_size raised by 0x${grown.toString(16)}` : '';
  return {
    writes: differing(source, withCrc(image, writes, end)),
    fileSize: end,
    summary: `the payload replaced in place (${by}, ${length} of ${room} bytes${raised})`,
    warnings: [],
  };
}

function initSizes({ hasInitSize, header, pe, source }: BzImage, by: bigint): Write[] {
  if (by === 0n || !hasInitSize) return [];
  const raised = BigInt(header.init_size) + by;
  if (raised > 0xffffffffn) {
    fail('bzimage.too-large', { file: source.name, part: 'setup header' }, { need: raised, limit: 0xffffffffn });
  }
  return [
    headerWord('init_size', raised),
    ...(pe?.initSizes ?? []).map(({ offset, value }) => ({ offset, bytes: wordBytes(BigInt(value) + by) })),
  ];
}

interface Packed {
  readonly stream: Uint8Array;
  readonly by: string;
}

async function pack(image: BzImage, data: ByteSource, { compressor, onProgress }: ReplaceOptions): Promise<Packed> {
  const { source, payload, format } = image;
  const place = { file: source.name, offset: payload.start, part: 'payload' };
  const packer = PACKERS[format];
  if (packer === undefined) {
    return fail('container.wrong-way', place, {
      way: 'replace',
      found: `a ${format} payload`,
      why: 'nothing packs it',
    });
  }
  const program = compressor ?? packer.program;
  const room = Number(payload.end - payload.start) - (hasSizeWord(format) ? 4 : 0);
  let smallest: number | undefined;
  for (const settings of packer.settings) {
    // A stream that does not fit is still measured, for the message.
    const result = await runProgram(program, settings, data, room * 2, onProgress);
    switch (result.kind) {
      case 'missing':
        return fail('codec.missing', place, { program, format });
      case 'failed':
        return fail('codec.failed', place, { program, why: result.why });
      case 'too-long':
        continue;
      case 'done':
        break;
    }
    if (formatOf(result.bytes) !== format) {
      return fail('codec.failed', place, { program, why: `what it printed is no ${format} data` });
    }
    if (result.bytes.length <= room) {
      return { stream: result.bytes, by: [program, ...settings].join(' ') };
    }
    smallest = Math.min(smallest ?? result.bytes.length, result.bytes.length);
  }
  const strongest = [program, ...(packer.settings.at(-1) ?? [])].join(' ');
  const need = BigInt(smallest ?? room * 2);
  return fail('bzimage.no-room', place, { need, room: BigInt(room), with: strongest });
}
