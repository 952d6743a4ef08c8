/** A file to the ELF in it: recognise, take apart, unpack one level, split off what stands behind the ELF. */
import { rangeOf } from '../../base/bytes/range.js';
import { BufferSource, type ByteSource } from '../../base/bytes/source.js';
import { hex, hexBytes } from '../../base/errors/hex.js';
import { fail, type Place } from '../../base/errors/patch-error.js';
import { looksLikeElf, readElf } from '../elf/read.js';
import { beginning } from './beginning.js';
import { type BzImage, protocolText, readBzImage, streamRange } from './bzimage.js';
import { splitElfAndRelocs } from './elf-and-relocs.js';
import type { BzImageFacts, ContainerFacts, Demand, GzipFacts, StreamFacts } from './facts.js';
import type { PayloadFormat } from './formats.js';
import { unpackGzip } from './gzip.js';
import { type OnProgress, readWhole, UNPACKED_LIMIT, wordAt } from './limits.js';
import { type Recognised, recognise } from './recognise.js';
import { demandsOf } from './stream-requirements.js';
import { unpack } from './unpack.js';

interface Inside {
  /** The ELF alone. */
  readonly elf: ByteSource;
  /** What stands behind it in the unpacked data. */
  readonly tail: Uint8Array;
  readonly unpacked: Uint8Array;
}

/** An ELF.gz with the kernel inside. */
export interface OpenedGzip extends Inside {
  readonly kind: 'gzip';
  readonly facts: GzipFacts;
}

/** A Linux boot image with the kernel inside. */
export interface OpenedBzImage extends Inside {
  readonly kind: 'bzimage';
  readonly facts: BzImageFacts;
  readonly image: BzImage;
}

/** A packed kernel with nothing around it, with the kernel inside. */
export interface OpenedStream extends Inside {
  readonly kind: 'stream';
  readonly facts: StreamFacts;
}

/** A container of any kind with the kernel inside. */
export type OpenedContainer = OpenedGzip | OpenedBzImage | OpenedStream;
/** A kernel file as opened: a bare ELF or a container. */
export type Opened = { readonly kind: 'elf'; readonly elf: ByteSource } | OpenedContainer;

/** How a container is opened. */
export interface OpenOptions {
  /** Name of the ELF part in messages; default: the file's, with `(unpacked)`. */
  readonly elfName?: string;
  /** Told while a program unpacks. */
  readonly onProgress?: OnProgress | undefined;
  /** Bytes that may be unpacked; UNPACKED_LIMIT when it is not given, and never more. */
  readonly limit?: bigint | undefined;
}

/** OpenOptions as the openers take them. */
interface Opening {
  readonly name: string;
  readonly limit: number;
  readonly onProgress: OnProgress | undefined;
}

/**
 * Looks inside a file. Holds in memory what it unpacks, at most 1 GiB or the limit given, and nothing on the word of a
 * header alone; what does not begin with an ELF is not unpacked.
 * Errors: `container.*`, `gzip.*`, `bzimage.*`, `codec.missing`; `read.not-elf` for bytes that nothing is known about.
 */
export async function openContainer(source: ByteSource, options: OpenOptions = {}): Promise<Opened> {
  const found = recognise(source);
  const { limit = UNPACKED_LIMIT } = options;
  const opening: Opening = {
    name: options.elfName ?? `${source.name} (unpacked)`,
    limit: Number(limit < UNPACKED_LIMIT ? limit : UNPACKED_LIMIT),
    onProgress: options.onProgress,
  };
  switch (found.kind) {
    case 'elf':
      return { kind: 'elf', elf: source };
    case 'bzimage':
      return openBzImage(source, opening);
    case 'gzip':
      return openGzip(source, opening);
    case 'stream':
      return openStream(source, found.format, opening);
    case 'other':
      return fail(
        'container.no-notes',
        { file: source.name },
        { found: found.name, why: found.why, instead: found.instead },
      );
    case 'unknown': {
      const start = source.read(0n, source.size < 4n ? source.size : 4n, 'magic');
      const what = start.length === 0 ? 'an empty file' : hexBytes(start);
      return fail('read.not-elf', { file: source.name, offset: 0n }, { found: what });
    }
  }
}

async function openBzImage(source: ByteSource, opening: Opening): Promise<OpenedBzImage> {
  const { name, limit } = opening;
  const image = readBzImage(source);
  const file = source.name;
  const stream = streamRange(image);
  const packed = readWhole(source, stream, 'payload');
  const place = { file, offset: stream.start, part: 'payload' };
  if (image.unpackedSize > limit && BigInt(limit) < UNPACKED_LIMIT) tooMuch(file, limit);
  const start = await beginning(image.format, packed);
  if (start !== undefined && !looksLikeElf(new BufferSource(start, name))) notElf(place, start);
  const result = await unpack(image.format, packed, image.unpackedSize, opening);
  switch (result.kind) {
    case 'missing':
      return fail('codec.missing', place, { program: result.program, format: image.format });
    case 'corrupt':
      return fail('bzimage.corrupt', place, { format: image.format, why: result.why });
    case 'wrong-size':
      return fail('bzimage.size', place, { stated: BigInt(image.unpackedSize), found: result.found });
    case 'unpacked':
      break;
  }
  const inside = new BufferSource(result.bytes, name);
  if (!looksLikeElf(inside)) notElf(place, result.bytes);
  const { elf, tail } = splitElfAndRelocs(result.bytes, readElf(inside), name);
  const demands = demandsOf(image.format, packed, result.spare);
  return {
    kind: 'bzimage',
    image,
    elf,
    tail,
    unpacked: result.bytes,
    facts: {
      kind: 'bzimage',
      file,
      fileSize: source.size,
      format: image.format,
      stream,
      unpackedSize: BigInt(result.bytes.length),
      elfSize: elf.size,
      demands,
      warnings: spareWarnings(result.spare, demands),
      protocol: protocolText(image.header),
      attached: image.attached,
      spare: BigInt(result.spare),
      signed: image.pe?.certificate !== undefined,
    },
  };
}

function notElf(place: Place, bytes: Uint8Array): never {
  return fail('bzimage.not-elf', place, { found: hexBytes(bytes.subarray(0, 4)) || 'with nothing' });
}

function tooMuch(file: string, limit: number): never {
  return fail('container.limit', { file }, { limit: BigInt(limit) });
}

/** Who takes it is another matter: the verdicts tell. */
function spareWarnings(spare: number, demands: readonly Demand[]): string[] {
  if (spare === 0) return [];
  const readers = demands.filter(({ reader, what }) => reader !== 'linux' && what.startsWith(`${spare} bytes`));
  const names = readers.map(({ reader }) => (reader === 'toolstack' ? "Xen's tools refuse" : 'the hypervisor refuses'));
  const who = names.length === 0 ? 'all readers that are known step over them' : `${names.join(', ')} that`;
  return [`${spare} bytes stand between the stream and the size word; ${who}`];
}

/**
 * An ELF that was packed as a whole. Only the hypervisor takes such a file, and only when it ends with the unpacked size;
 * a file that unpacks without its last word, to what that word says, has one.
 */
async function openStream(source: ByteSource, format: PayloadFormat, opening: Opening): Promise<OpenedStream> {
  const { name, limit } = opening;
  const file = source.name;
  const whole = readWhole(source, rangeOf(0n, source.size), `${format} data`);
  const stated = whole.length > 8 ? wordAt(whole, whole.length - 4) : 0;
  const possible = stated > 0 && stated <= limit;
  const packed = whole.subarray(0, whole.length - 4);
  await refuseNoElf(file, name, format, whole, `a bare ${format} stream`);
  const first = possible ? await unpack(format, packed, stated, opening) : undefined;
  const sizeWord = first?.kind === 'unpacked' && first.spare === 0;
  const result = sizeWord ? first : await unpack(format, whole, undefined, opening);
  const stream = sizeWord ? packed : whole;
  switch (result.kind) {
    case 'missing':
      return fail('codec.missing', { file }, { program: result.program, format });
    case 'corrupt':
      return fail('container.corrupt', { file }, { format, why: result.why });
    case 'wrong-size':
      if (BigInt(limit) < UNPACKED_LIMIT) tooMuch(file, limit);
      return fail('container.corrupt', { file }, { format, why: `unpacks to more than ${hex(UNPACKED_LIMIT)} bytes` });
    case 'unpacked':
      break;
  }
  const inside = new BufferSource(result.bytes, name);
  const found = recognise(inside);
  if (found.kind !== 'elf') refuseInside(file, found, result.bytes, `a bare ${format} stream`);
  const { elf, tail } = splitElfAndRelocs(result.bytes, readElf(inside), name);
  return {
    kind: 'stream',
    elf,
    tail,
    unpacked: result.bytes,
    facts: {
      kind: 'stream',
      file,
      fileSize: source.size,
      format,
      stream: rangeOf(0n, BigInt(stream.length)),
      unpackedSize: BigInt(result.bytes.length),
      elfSize: elf.size,
      demands: demandsOf(format, stream, result.spare),
      warnings: [],
      sizeWord,
    },
  };
}

async function openGzip(source: ByteSource, { name, limit }: Opening): Promise<OpenedGzip> {
  const file = source.name;
  const packed = readWhole(source, rangeOf(0n, source.size), 'gzip data');
  await refuseNoElf(file, name, 'gzip', packed, 'a gzip file');
  const member = unpackGzip(packed, limit);
  if (!('bytes' in member)) {
    if (member.problem === 'too-large' && BigInt(limit) < UNPACKED_LIMIT) tooMuch(file, limit);
    if (member.problem === 'too-large') return fail('gzip.too-large', { file }, { limit: UNPACKED_LIMIT });
    return fail('gzip.corrupt', { file }, { why: member.why });
  }
  const inside = new BufferSource(member.bytes, name);
  const found = recognise(inside);
  if (found.kind !== 'elf') refuseInside(file, found, member.bytes, 'a gzip file');
  const { elf, tail } = splitElfAndRelocs(member.bytes, readElf(inside), name);
  const behind = packed.subarray(member.end);
  const kind = behind.length === 0 ? 'nothing' : behind[0] === 0x1f && behind[1] === 0x8b ? 'member' : 'other';
  return {
    kind: 'gzip',
    elf,
    tail,
    unpacked: member.bytes,
    facts: {
      kind: 'gzip',
      file,
      fileSize: source.size,
      format: 'gzip',
      stream: rangeOf(0n, BigInt(member.end)),
      unpackedSize: BigInt(member.bytes.length),
      elfSize: elf.size,
      demands: [],
      warnings: behindWarnings(kind, behind.length),
      behind: { size: BigInt(behind.length), kind },
      flags: member.flags,
      lastWord: BigInt(wordAt(packed, packed.length - 4)),
    },
  };
}

function behindWarnings(kind: GzipFacts['behind']['kind'], size: number): string[] {
  if (kind === 'nothing') return [];
  return kind === 'member'
    ? ['a second gzip member follows, which Xen does not read; shown is what the first one holds']
    : [`${size} bytes follow the gzip data, and Xen refuses or hangs on such a file`];
}

/** Errors: those of refuseInside, before more than the beginning is unpacked. Damaged data is for the whole to tell. */
async function refuseNoElf(
  file: string,
  name: string,
  format: PayloadFormat,
  packed: Uint8Array,
  outer: string,
): Promise<void> {
  const start = await beginning(format, packed);
  if (start === undefined) return;
  const found = recognise(new BufferSource(start, name));
  if (found.kind !== 'elf') refuseInside(file, found, start, outer);
}

function refuseInside(file: string, found: Recognised, bytes: Uint8Array, outer: string): never {
  switch (found.kind) {
    case 'other':
      return fail('container.no-notes', { file }, { ...found, found: `${found.name} in ${outer}` });
    case 'unknown':
    case 'elf':
      return fail(
        'read.not-elf',
        { file },
        { found: `${outer} of something that begins ${hexBytes(bytes.subarray(0, 4)) || 'with nothing'}` },
      );
    case 'bzimage':
      return fail('container.contains-container', { file }, { found: 'a bzImage', outer });
    case 'gzip':
      return fail('container.contains-container', { file }, { found: 'a gzip file', outer });
    case 'stream':
      return fail('container.contains-container', { file }, { found: `a bare ${found.format} stream`, outer });
  }
}

/** All that was unpacked, what stands behind the ELF included: the same bytes as in a file that was never packed. */
export function wholeOf(opened: Opened): ByteSource {
  return opened.kind === 'elf' ? opened.elf : new BufferSource(opened.unpacked, opened.elf.name);
}

/** The facts of an opened file; undefined for a bare ELF. */
export function factsOf(opened: Opened): ContainerFacts | undefined {
  return opened.kind === 'elf' ? undefined : opened.facts;
}
