/**
 * A small bzImage for tests, put together from the boot protocol's text alone (Linux Documentation/arch/x86/boot.rst):
 * setup code, a start of the protected-mode part, the packed kernel with its size word, and behind it code with the two
 * lengths that Linux's decompressor goes by, and the CRC-32.
 */
import { spawnSync } from 'node:child_process';
import { crc32, gzipSync } from 'node:zlib';

export type TestFormat = 'gzip' | 'xz' | 'zstd' | 'lz4' | 'lzma' | 'bzip2' | 'lzo' | 'stored';

export interface BzImageOptions {
  readonly format?: TestFormat;
  /** What the payload unpacks to. */
  readonly data: Uint8Array;
  /** The packed stream, instead of `data` packed. */
  readonly stream?: Uint8Array;
  readonly version?: number;
  readonly setupSects?: number;
  /** Distance from 0x202 to the end of the setup header. */
  readonly headerLength?: number;
  readonly sizeWord?: number;
  /** Bytes between the stream and the size word. */
  readonly spare?: Uint8Array;
  readonly initSize?: number;
  /** How often the pair of lengths stands behind the payload; 1 unless given. */
  readonly pairs?: number;
  readonly crc?: boolean;
  /** `old` has sizes that follow init_size, `new` has not; none: no PE header. */
  readonly pe?: 'old' | 'new';
  /** What the kernel's linker leaves behind the protected-mode part. */
  readonly tail?: Uint8Array;
  /** Bytes of a certificate table at the end. */
  readonly certificate?: number;
  /** Bytes behind everything. */
  readonly behind?: Uint8Array;
}

const PROGRAMS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  xz: ['xz', '-c', '--threads=1', '--check=crc32', '--x86', '--lzma2=dict=32MiB'],
  lzma: ['xz', '-c', '--threads=1', '--format=lzma', '-9'],
  zstd: ['zstd', '-c', '-q', '-T1', '-22', '--ultra'],
  lz4: ['lz4', '-c', '-q', '-l', '-9'],
  bzip2: ['bzip2', '-c', '-9'],
  lzo: ['lzop', '-c', '-9'],
};

/** Packs as kernel builds do, by the host's own program. */
export function packForTest(format: TestFormat, data: Uint8Array): Uint8Array {
  if (format === 'stored') return data;
  if (format === 'gzip') return gzipSync(data, { level: 9 });
  return program(PROGRAMS[format] ?? ['false'], data);
}

const UNPACKERS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  gzip: ['gzip', '-dc'],
  xz: ['xz', '-dc'],
  lzma: ['xz', '-dc', '--format=lzma'],
  zstd: ['zstd', '-dcq'],
  lz4: ['lz4', '-dcq'],
  bzip2: ['bzip2', '-dc'],
  lzo: ['lzop', '-dc'],
};

/** A kernel in a wrapper, for the loaders themselves to judge. */
export interface WrappedKernel {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** One kernel in every format, and in the streams that one reader or the other refuses. */
export function wrappedKernels(data: Uint8Array): WrappedKernel[] {
  const packed = (name: string, ...args: readonly string[]) => program([name, '-c', ...args], data);
  const formats = ['gzip', 'xz', 'zstd', 'lz4', 'lzma', 'bzip2', 'lzo'] as const;
  const word = Buffer.alloc(4);
  word.writeUInt32LE(data.length);
  const gzip = packForTest('gzip', data);
  const boot = (name: string, options: Partial<BzImageOptions>) => ({
    name: `bzImage ${name}`,
    bytes: bzImage({ data, ...options }),
  });
  const padded = (['xz', 'zstd', 'lz4'] as const).flatMap((format) =>
    [new Uint8Array(4), new Uint8Array(8), new Uint8Array(3), Uint8Array.of(7, 7, 7, 7)].map((spare) =>
      boot(`${format} with ${Buffer.from(spare).toString('hex')} behind the stream`, { format, spare }),
    ),
  );
  return [
    ...[...formats, 'stored' as const].map((format) => boot(format, { format })),
    ...padded.filter(({ name }) => !name.includes('lz4 with 07')),
    boot('lz4 with a magic behind the stream', { format: 'lz4', spare: Uint8Array.of(0x02, 0x21, 0x4c, 0x18) }),
    boot('zstd with a skippable frame', { format: 'zstd', spare: Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0) }),
    boot('xz crc64', { format: 'xz', stream: packed('xz', '--check=crc64') }),
    boot('xz sha256', { format: 'xz', stream: packed('xz', '--check=sha256') }),
    boot('xz none', { format: 'xz', stream: packed('xz', '--check=none') }),
    boot('xz arm', { format: 'xz', stream: packed('xz', '--check=crc32', '--arm', '--lzma2') }),
    boot('zstd window', { format: 'zstd', stream: packed('zstd', '-q', '--ultra', '-22', '--long=28') }),
    { name: 'gzip', bytes: gzip },
    { name: 'gzip twice', bytes: Buffer.concat([gzip, gzip]) },
    { name: 'gzip padded', bytes: Buffer.concat([gzip, new Uint8Array(16)]) },
    { name: 'gzip with text behind it', bytes: Buffer.concat([gzip, Buffer.from('hello world, hello')]) },
    ...formats.slice(1).flatMap((format) => {
      const stream = packForTest(format, data);
      return [
        { name: `bare ${format}`, bytes: stream },
        { name: `bare ${format} with its size`, bytes: Buffer.concat([stream, word]) },
      ];
    }),
  ];
}

/** Unpacks by the host's own program: nothing of src has a part in it. */
export function unpackForTest(format: string, stream: Uint8Array): Uint8Array {
  return program(UNPACKERS[format] ?? ['false'], stream);
}

function program([name, ...args]: readonly [string, ...string[]], input: Uint8Array): Uint8Array {
  const { status, stdout, stderr, error } = spawnSync(name, args, { input, maxBuffer: 1 << 30 });
  if (error !== undefined || status !== 0) throw new Error(`${name}: ${error?.message ?? stderr.toString()}`);
  return stdout;
}

/** The payload of any bzImage, taken out by hand: by the header's own fields. */
export function payloadOf(image: Uint8Array): {
  readonly stream: Uint8Array;
  readonly size: number;
  readonly end: number;
} {
  const view = new DataView(image.buffer, image.byteOffset, image.length);
  const start = ((image[0x1f1] ?? 0) + 1) * 512 + view.getUint32(0x248, true);
  const end = start + view.getUint32(0x24c, true);
  const gzip = image[start] === 0x1f && image[start + 1] === 0x8b;
  return { stream: image.subarray(start, gzip ? end : end - 4), size: view.getUint32(end - 4, true), end };
}

const HEAD = 0x2cc;

export function bzImage(options: BzImageOptions): Uint8Array {
  const { format = 'gzip', data, version = 0x20f, setupSects = 3, pairs = 1, crc = true, spare } = options;
  const stream = options.stream ?? packForTest(format, data);
  const hasWord = format !== 'gzip' && format !== 'stored';
  const setupSize = (setupSects + 1) * 512;
  const length = stream.length + (spare?.length ?? 0) + (hasWord ? 4 : 0);
  const behind = 64 + pairs * 16 + 128;
  const sysSize = Math.ceil((HEAD + length + 16 + behind + 4) / 16) * 16;
  const certificate = options.certificate ?? 0;
  const tail = options.tail ?? new Uint8Array(0);
  const image = new Uint8Array(setupSize + sysSize + tail.length + certificate + (options.behind?.length ?? 0));
  const view = new DataView(image.buffer);
  // Code that is not zero, so that a byte out of place is seen.
  for (let at = 0x264; at < setupSize + sysSize; at++) image[at] = (at * 7 + 13) & 0xff;

  if (options.pe !== undefined) putPe(image, view, options.pe, setupSize, sysSize, options);
  image[0x1f1] = setupSects;
  view.setUint32(0x1f4, sysSize / 16, true);
  view.setUint16(0x1fe, 0xaa55, true);
  image[0x200] = 0xeb;
  image[0x201] = options.headerLength ?? 0x6a;
  image.set([0x48, 0x64, 0x72, 0x53], 0x202);
  view.setUint16(0x206, version, true);
  view.setUint32(0x248, HEAD, true);
  view.setUint32(0x24c, length, true);
  view.setUint32(0x260, options.initSize ?? 0x400000, true);

  const payload = setupSize + HEAD;
  image.set(stream, payload);
  image.set(spare ?? [], payload + stream.length);
  const size = options.sizeWord ?? data.length;
  if (hasWord) view.setUint32(payload + length - 4, size, true);
  const pairAt = (payload + length + 64 + 3) & ~3;
  for (let i = 0; i < pairs; i++) {
    view.setUint32(pairAt + i * 16, length, true);
    view.setUint32(pairAt + i * 16 + 4, size, true);
  }
  const end = setupSize + sysSize;
  if (crc) view.setUint32(end - 4, (crc32(image.subarray(0, end - 4)) ^ 0xffffffff) >>> 0, true);
  image.set(tail, end);
  if (certificate > 0) putSignature(image, view, end + tail.length, certificate);
  image.set(options.behind ?? [], end + tail.length + certificate);
  return image;
}

const PE = 0x40;
const OPTIONAL = PE + 24;

/** PE32+ as the EFI stub has it: the optional header ends before the setup header. */
function putPe(
  image: Uint8Array,
  view: DataView,
  generation: 'old' | 'new',
  setupSize: number,
  sysSize: number,
  options: BzImageOptions,
): void {
  image.set([0x4d, 0x5a]);
  view.setUint32(0x3c, PE, true);
  image.set([0x50, 0x45, 0, 0], PE);
  const names = generation === 'old' ? ['.setup', '.reloc', '.text'] : ['.setup', '.text', '.data'];
  view.setUint16(PE + 4, 0x8664, true);
  view.setUint16(PE + 6, names.length, true);
  view.setUint16(PE + 20, 160, true);
  view.setUint16(OPTIONAL, 0x20b, true);
  const initSize = options.initSize ?? 0x400000;
  view.setUint32(OPTIONAL + 4, generation === 'old' ? initSize : sysSize, true);
  view.setUint32(OPTIONAL + 56, generation === 'old' ? initSize + setupSize : setupSize + sysSize, true);
  view.setUint32(OPTIONAL + 108, 6, true);
  for (const [i, name] of names.entries()) {
    const at = OPTIONAL + 160 + i * 40;
    image.set(Buffer.from(name, 'latin1'), at);
    const grows = generation === 'old' && name === '.text';
    view.setUint32(at + 8, grows ? initSize : 0x200, true);
    view.setUint32(at + 16, grows ? sysSize : 0x200, true);
  }
}

/** The image with one more section in its PE header, and its data behind everything: what stamping leaves. */
export function withSection(image: Uint8Array, name: string, data: Uint8Array): Uint8Array {
  const start = Math.ceil(image.length / 0x200) * 0x200;
  const size = Math.ceil(data.length / 0x200) * 0x200;
  const result = new Uint8Array(start + size);
  result.set(image);
  result.set(data, start);
  const view = new DataView(result.buffer);
  const count = view.getUint16(PE + 6, true);
  const at = OPTIONAL + 160 + count * 40;
  if (at + 40 > 0x1ef) throw new Error('no room for a section header');
  view.setUint16(PE + 6, count + 1, true);
  view.setUint32(OPTIONAL + 36, 0x200, true);
  result.set(Buffer.from(name, 'latin1'), at);
  view.setUint32(at + 8, data.length, true);
  view.setUint32(at + 12, 0x1000000 + count * 0x1000, true);
  view.setUint32(at + 16, size, true);
  view.setUint32(at + 20, start, true);
  return result;
}

/** The bytes of a section as its header names them. */
export function sectionOf(image: Uint8Array, name: string): Uint8Array {
  const view = new DataView(image.buffer, image.byteOffset, image.length);
  for (let i = 0; i < view.getUint16(PE + 6, true); i++) {
    const at = OPTIONAL + 160 + i * 40;
    const called = Buffer.from(image.subarray(at, at + 8))
      .toString('latin1')
      .replace(/\0+$/, '');
    const start = view.getUint32(at + 20, true);
    if (called === name) return image.subarray(start, start + view.getUint32(at + 8, true));
  }
  throw new Error(`no section ${name}`);
}

/** What signing leaves: a table at the end, its directory entry, a checksum. The CRC-32 is not made again. */
function putSignature(image: Uint8Array, view: DataView, at: number, size: number): void {
  view.setUint32(OPTIONAL + 64, 0x00c0ffee, true);
  view.setUint32(OPTIONAL + 112 + 32, at, true);
  view.setUint32(OPTIONAL + 112 + 36, size, true);
  view.setUint32(at, size, true);
  image.fill(0x30, at + 8, at + size);
}

/** A KASLR relocation table as Linux puts behind its ELF: three lists, each begun by a zero. */
export function relocationTail(): Uint8Array {
  const words = [0, 0x81000010, 0x81000020, 0, 0x81000030, 0, 0x81000040, 0x81000050, 0x81000060];
  const bytes = new Uint8Array(words.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [i, word] of words.entries()) view.setUint32(i * 4, word, true);
  return bytes;
}
