/**
 * What the core needs of the platform it runs on, as functions that are given to it: hashes, decompression, a second
 * reader, files named in values. src/base/platform/node.ts has Node's; another JavaScript may install its own, or none.
 */
import type { SecondParser } from './second-parser.js';
import type { ByteSource } from './source.js';

/** A hash that is fed piece by piece. */
export interface Hasher {
  update(bytes: Uint8Array): void;
  digest(): Uint8Array;
}

/** A stretch of deflate data, unpacked, or why not. */
export type Inflated =
  | {
      readonly bytes: Uint8Array;
      /** Bytes of input that the data took. */
      readonly used: number;
    }
  | { readonly problem: 'too-large' }
  | { readonly problem: 'corrupt'; readonly why: string };

/** What became of a program of the host. */
export type ProgramResult =
  | { readonly kind: 'done'; readonly bytes: Uint8Array }
  | { readonly kind: 'missing' }
  /** More came out than was allowed; what was allowed. */
  | { readonly kind: 'too-long'; readonly bytes: Uint8Array }
  | { readonly kind: 'failed'; readonly why: string };

/** Formats that a program of the host unpacks, and that the platform may unpack by itself. */
export type PackedFormat = 'xz' | 'lzma' | 'bzip2';

/** An open file; close it when done. */
export interface OpenFile extends ByteSource {
  close(): void;
}

/** How text can be set off on a terminal. */
export type TextFormat = 'bold' | 'dim' | 'green' | 'red' | 'yellow';

/** Everything that a platform may have. */
export interface Ports {
  /** Below 0, 0 or above 0, as the first byte that differs has it. There is a slower one without it. */
  compareBytes(a: Uint8Array, b: Uint8Array): number;
  /** Index of the first `wanted` in `bytes` at or behind `from`; -1: none. There is a slower one without it. */
  findBytes(bytes: Uint8Array, wanted: Uint8Array, from: number): number;
  /** Lets events be handled, signals among them. Without it nothing is waited for. */
  pause(): Promise<void>;
  /** Text as a terminal sets it off. Without it nothing is set off. */
  styleText(format: TextFormat, text: string): string;
  newHasher(algorithm: 'sha1' | 'sha256'): Hasher;
  /** CRC-32 as in gzip, going on from `crc`. */
  crc32(bytes: Uint8Array, crc: number): number;
  /** Unpacks raw deflate data (RFC 1951) to at most `limit` bytes, by a first guess of `likely`. */
  inflate(packed: Uint8Array, limit: number, likely: number): Inflated;
  /** What some raw deflate data begins with, wherever it is cut off; undefined: damaged. Packed data decides how much it is. */
  inflateBeginning(packed: Uint8Array): Uint8Array | undefined;
  /** Unpacks a zstd frame to `size` bytes; what is damaged gives none, or more. */
  loadZstd(): Promise<(frame: Uint8Array, size: number) => Uint8Array>;
  /** Without it the second reader's verdict is `absent`. */
  loadSecondParser(): Promise<SecondParser>;
  /** Runs a program of the host on `input`; at most `limit` bytes come back. Without it every program is missing. */
  runProgram(
    program: string,
    args: readonly string[],
    input: ByteSource,
    limit: number,
    onProgress?: (done: bigint, total: bigint) => void,
  ): Promise<ProgramResult>;
  /** Unpacks a stream to at most `limit` bytes, where the program for it is missing. Without it only programs unpack these. */
  unpackItself(format: PackedFormat, packed: Uint8Array, limit: number): Promise<ProgramResult>;
  /** Opens a regular file. Errors: `read.open`, `read.not-a-file`. */
  openFile(path: string): OpenFile;
  /** The bytes of a file or of a shell's pipe, at most `limit` and one more. Throws what the system says, and `read.not-a-file`. */
  readFile(path: string, limit: number): Uint8Array;
}

const installed: Partial<Ports> = {};

/** Gives the core what the platform has; what was given before stays where nothing new is given. */
export function installPorts(ports: Partial<Ports>): void {
  Object.assign(installed, ports);
}

/** What the platform has under this name; undefined: nothing. */
export function portOrNone<Name extends keyof Ports>(name: Name): Partial<Ports>[Name] {
  return installed[name];
}

/** Runs a program of the host, as the port says; `missing` on a platform that runs none. */
export const runProgram: Ports['runProgram'] = async (...args) =>
  installed.runProgram?.(...args) ?? { kind: 'missing' };

/** What the platform has under this name. Throws a TypeError when it has nothing: the embedding program's mistake. */
export function port<Name extends keyof Ports>(name: Name): Ports[Name] {
  const found = installed[name];
  if (found === undefined) throw new TypeError(`this platform has no ${name}: installPorts() takes one`);
  return found;
}
