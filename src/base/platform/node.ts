/**
 * Node's side of the ports. Importing this file installs them; each module of Node, and each package, is loaded when it is
 * first needed, because most commands need none of them.
 */
import { FileSource } from '../bytes/file-source.js';
import { type Inflated, installPorts } from '../bytes/ports.js';
import type { SecondParser } from '../bytes/second-parser.js';
import { describeSystemError } from '../bytes/source.js';
import { readValue } from './value-file.js';

/** A first guess below this is no use: data is handed out in pieces of this size at least. */
const LEAST_PIECE = 64;
/** A window as large as anything that is unpacked: 1 GiB. */
const WINDOW_LOG = 30;

installPorts({
  compareBytes: (a, b) => Buffer.compare(a, b),
  findBytes: (bytes, wanted, from) => viewOf(bytes).indexOf(wanted, from),
  pause: () => new Promise((resolve) => setImmediate(resolve)),
  styleText: (format, text) => process.getBuiltinModule('node:util').styleText(format, text, { validateStream: false }),
  newHasher(algorithm) {
    const hash = process.getBuiltinModule('node:crypto').createHash(algorithm);
    return { update: (bytes) => void hash.update(bytes), digest: () => Uint8Array.from(hash.digest()) };
  },
  crc32: (bytes, crc) => process.getBuiltinModule('node:zlib').crc32(bytes, crc),
  inflate,
  inflateBeginning,
  async loadZstd() {
    const own = ownZstd();
    if (own !== undefined) return own;
    const { ZSTDDecoder } = await import('zstddec');
    const decoder = new ZSTDDecoder();
    await decoder.init();
    return (frame, size) => decoder.decode(frame, size);
  },
  loadSecondParser,
  runProgram: async (...args) => (await import('./program.js')).runProgram(...args),
  unpackItself: async (...args) => (await import('./codecs.js')).unpackItself(...args),
  openFile: (path) => FileSource.open(path),
  readFile: readValue,
});

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

function inflate(packed: Uint8Array, limit: number, likely: number): Inflated {
  const { constants, inflateRawSync } = process.getBuiltinModule('node:zlib');
  try {
    const { buffer, engine } = inflateRawSync(packed, {
      maxOutputLength: Math.max(1, limit),
      chunkSize: Math.max(LEAST_PIECE, likely),
      finishFlush: constants.Z_FINISH,
      info: true,
      // With `info` Node answers both the data and the engine; its types know only the first.
    }) as unknown as { readonly buffer: Buffer; readonly engine: { readonly bytesWritten: number } };
    return { bytes: buffer, used: engine.bytesWritten };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ERR_BUFFER_TOO_LARGE') return { problem: 'too-large' };
    return { problem: 'corrupt', why: error instanceof Error ? error.message : describeSystemError(error) };
  }
}

function inflateBeginning(packed: Uint8Array): Uint8Array | undefined {
  const { constants, inflateRawSync } = process.getBuiltinModule('node:zlib');
  try {
    return inflateRawSync(packed, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return undefined;
  }
}

/** Node's zstd as of 22.15; its types here are older. */
interface ZstdOfNode {
  zstdDecompressSync?(frame: Uint8Array, options: object): Uint8Array;
  readonly constants: Readonly<Record<string, unknown>>;
}

/** libzstd of Node itself, where it has one; undefined: the package's, in WebAssembly. */
function ownZstd(): ((frame: Uint8Array, size: number) => Uint8Array) | undefined {
  const zlib: ZstdOfNode = process.getBuiltinModule('node:zlib');
  const { zstdDecompressSync, constants } = zlib;
  const windowLog = constants['ZSTD_d_windowLogMax'];
  if (zstdDecompressSync === undefined || typeof windowLog !== 'number') return undefined;
  const params = { [windowLog]: WINDOW_LOG };
  return (frame, size) => {
    try {
      return zstdDecompressSync(frame, { maxOutputLength: size, chunkSize: Math.max(LEAST_PIECE, size), params });
    } catch {
      return new Uint8Array(0);
    }
  };
}

async function loadSecondParser(): Promise<SecondParser> {
  const { default: elfy } = await import('elfy');
  return {
    constants: elfy.constants,
    parse(bytes, named) {
      const parser = new elfy.Parser();
      const whole = viewOf(bytes);
      const header = parser.parseHeader(whole);
      const body = parser.parseBody(whole, header);
      return { header, body: named ? parser.resolveBody(body, header) : body };
    },
  };
}
