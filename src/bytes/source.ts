/**
 * The one door through which foreign bytes come in. Everything is read by range, checked against the size of the file
 * before a byte is allocated, so a lying header costs an error and nothing else.
 */
import { fail, PatchError } from '../errors/patch-error.js';

/** The most that one read may ask for. Header tables, name tables and notes of real images are far below. */
export const READ_LIMIT = 0x2000000n;

/** Random access to the bytes of an image. */
export interface ByteSource {
  /** For messages: the path as the user gave it. */
  readonly name: string;
  readonly size: bigint;
  /** Kind and permission bits (st_mode) where the bytes are those of one file. */
  readonly mode?: number;
  /**
   * The bytes `[offset, offset + length)`; `part` names them in an error.
   * Errors: `read.truncated` when the range leaves the file, `read.too-large` above READ_LIMIT.
   */
  read(offset: bigint, length: bigint, part: string): Uint8Array;
  /** Fills `target` from `offset` on, for readers that go through a file with one buffer. Errors: `read.truncated`. */
  readInto(offset: bigint, target: Uint8Array, part: string): void;
}

/** Is `[offset, offset + length)` inside `size` bytes? Subtracts instead of adding, so nothing can wrap. */
export function fits(offset: bigint, length: bigint, size: bigint): boolean {
  return offset >= 0n && length >= 0n && offset <= size && length <= size - offset;
}

export function checkInside(source: ByteSource, offset: bigint, length: bigint, part: string): void {
  if (!fits(offset, length, source.size)) {
    const have = offset < source.size ? source.size - offset : 0n;
    fail('read.truncated', { file: source.name, offset, part }, { need: length, have });
  }
}

/** What every `read` makes sure of before it allocates. Errors: `read.truncated`, `read.too-large`. */
export function checkRead(source: ByteSource, offset: bigint, length: bigint, part: string): void {
  checkInside(source, offset, length, part);
  if (length > READ_LIMIT)
    fail('read.too-large', { file: source.name, offset, part }, { size: length, limit: READ_LIMIT });
}

/** An image held in memory. */
export class BufferSource implements ByteSource {
  readonly name: string;
  readonly size: bigint;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, name = 'image') {
    // A Buffer's slice() is a view: what is read from here must be the reader's own.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    this.name = name;
    this.size = BigInt(bytes.length);
  }

  read(offset: bigint, length: bigint, part: string): Uint8Array {
    checkRead(this, offset, length, part);
    return this.#bytes.slice(Number(offset), Number(offset + length));
  }

  readInto(offset: bigint, target: Uint8Array, part: string): void {
    checkInside(this, offset, BigInt(target.length), part);
    target.set(this.#bytes.subarray(Number(offset), Number(offset) + target.length));
  }
}

/** Bytes laid over a source: what a file will be once the writes are made. */
export interface Write {
  readonly offset: bigint;
  readonly bytes: Uint8Array;
}

/** A source with writes applied over it, later ones over earlier ones; the end grows as far as they reach. */
export class OverlaySource implements ByteSource {
  readonly name: string;
  readonly size: bigint;
  /** What lies under the writes: outside them, both sources are the same bytes. */
  readonly base: ByteSource;
  readonly writes: readonly Write[];

  constructor(base: ByteSource, writes: readonly Write[], size?: bigint) {
    this.name = base.name;
    this.base = base;
    this.writes = writes;
    const reach = writes.reduce((end, w) => max(end, w.offset + BigInt(w.bytes.length)), base.size);
    this.size = size ?? reach;
  }

  read(offset: bigint, length: bigint, part: string): Uint8Array {
    checkRead(this, offset, length, part);
    const bytes = new Uint8Array(Number(length));
    this.readInto(offset, bytes, part);
    return bytes;
  }

  readInto(offset: bigint, target: Uint8Array, part: string): void {
    checkInside(this, offset, BigInt(target.length), part);
    const end = offset + BigInt(target.length);
    const fromBase = Number(max(min(end, this.base.size) - offset, 0n));
    if (fromBase > 0) this.base.readInto(offset, target.subarray(0, fromBase), part);
    target.fill(0, fromBase);
    for (const write of this.writes) {
      const from = max(offset, write.offset);
      const to = min(end, write.offset + BigInt(write.bytes.length));
      if (from >= to) continue;
      target.set(write.bytes.subarray(Number(from - write.offset), Number(to - write.offset)), Number(from - offset));
    }
  }
}

/** A source that could be read only with a few bytes laid over it; they are to be written along with any edit of it. */
export class RepairedSource extends OverlaySource {}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/** Wraps an operating system error once, with its cause kept. `action` completes "cannot …". */
export function systemError(error: unknown, file: string, action: string): PatchError {
  if (error instanceof PatchError) return error;
  return PatchError.of('read.open', { file }, { action, reason: describeSystemError(error) }, error);
}

/** `no such file or directory (ENOENT)` out of Node's longer message. */
export function describeSystemError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (code === undefined) return error.message;
  const words = /^\w+: ([^,]+)/.exec(error.message)?.[1];
  return words === undefined ? code : `${words} (${code})`;
}
