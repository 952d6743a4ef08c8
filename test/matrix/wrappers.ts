/** The wrappers of the matrix, each made as kernel builds and people make them. */
import { spawnSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { BufferSource } from '../../src/base/bytes/source.js';
import { factsOf, openContainer, wholeOf } from '../../src/formats/container/open.js';
import { bzImage, type TestFormat } from '../support/bzimage.js';
import type { BentKernel } from './bent-kernels.js';
import type { Judged } from './matrix.js';

/** By name: a kernel in it. */
export type Wrappers = Readonly<Record<string, (kernel: Uint8Array) => Uint8Array>>;

/** Fast settings: thousands of small kernels are packed. */
const PACKERS: Readonly<Partial<Record<TestFormat, readonly [string, ...string[]]>>> = {
  xz: ['xz', '-c', '-0', '--threads=1', '--check=crc32'],
  lzma: ['xz', '-c', '-0', '--threads=1', '--format=lzma'],
  zstd: ['zstd', '-c', '-q', '-1'],
  lz4: ['lz4', '-c', '-q', '-l', '-1'],
  bzip2: ['bzip2', '-c', '-1'],
  lzo: ['lzop', '-c', '-1'],
};

function packed(format: TestFormat, data: Uint8Array): Uint8Array {
  const [program, ...args] = PACKERS[format] ?? ['false'];
  const { status, stdout } = spawnSync(program, args, { input: data });
  if (status !== 0) throw new Error(`${program} ended with ${status}`);
  return stdout;
}

const boot = (format: TestFormat) => (data: Uint8Array) =>
  bzImage(PACKERS[format] === undefined ? { format, data } : { format, data, stream: packed(format, data) });

/** Those that loaders look through, or that carry a signature. */
export const USUAL_WRAPPERS: Wrappers = {
  gzip: (data) => gzipSync(data),
  'bzImage, gzip': boot('gzip'),
  'bzImage, signed': (data) => bzImage({ format: 'gzip', data, pe: 'new', certificate: 1472 }),
  'bzImage, stored': boot('stored'),
};

/** Those for which a program of the host packs and unpacks. */
export const OTHER_WRAPPERS: Wrappers = {
  xz: (data) => packed('xz', data),
  zstd: (data) => withSize(packed('zstd', data), data.length),
  lz4: (data) => withSize(packed('lz4', data), data.length),
  'bzImage, xz': boot('xz'),
  'bzImage, zstd': boot('zstd'),
  'bzImage, lz4': boot('lz4'),
  'bzImage, lzma': boot('lzma'),
  'bzImage, bzip2': boot('bzip2'),
  'bzImage, lzo': boot('lzo'),
};

/** Streams as Xen takes them end with the size of what they unpack to. */
function withSize(stream: Uint8Array, size: number): Uint8Array {
  const word = Buffer.alloc(4);
  word.writeUInt32LE(size);
  return Buffer.concat([stream, word]);
}

/** A kernel in a wrapper, as loaders get it; undefined for a file that holds no ELF. */
export async function judgedIn(wrap: Wrappers[string], image: BentKernel): Promise<Judged | undefined> {
  const bytes = wrap(image.bytes);
  const outer = new BufferSource(bytes, image.name);
  try {
    const opened = await openContainer(outer);
    const facts = factsOf(opened);
    if (facts === undefined) return undefined;
    return { image: { ...image, bytes }, source: wholeOf(opened), wrapped: { facts, outer } };
  } catch {
    return undefined;
  }
}
