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

/**
 * Refuses a range of bytes that leaves the file; `part` is what stands there, for the message. Errors:
 * `read.truncated`.
 */
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

/** Bytes of a source that are too many to be held in memory. */
export interface BytesAt {
  readonly source: ByteSource;
  readonly offset: bigint;
  readonly size: bigint;
}

/** Bytes that a file will have at `to`, taken from a source block by block. */
export interface Copied extends BytesAt {
  readonly to: bigint;
}

/**
 * A source whose bytes come from others: what is in no other is zeros. A kind of it says only where bytes come from; the
 * range of a read is checked, cut and cleared here.
 */
export abstract class DerivedSource implements ByteSource {
  readonly name: string;
  readonly size: bigint;

  constructor(name: string, size: bigint) {
    this.name = name;
    this.size = size;
  }

  read(offset: bigint, length: bigint, part: string): Uint8Array {
    checkRead(this, offset, length, part);
    const bytes = new Uint8Array(Number(length));
    this.fill({ offset, bytes }, part);
    return bytes;
  }

  readInto(offset: bigint, target: Uint8Array, part: string): void {
    checkInside(this, offset, BigInt(target.length), part);
    target.fill(0);
    this.fill({ offset, bytes: target }, part);
  }

  /** Fills a range of this source, which is inside it and zeros. Errors: those of the sources that it comes from. */
  protected abstract fill(target: Write, part: string): void;
}

/** The part of a range of bytes that lies in `[start, end)`, as a view; undefined when nothing of it does. */
export function cut({ offset, bytes }: Write, start: bigint, end: bigint): Write | undefined {
  const from = max(offset, start);
  const to = min(offset + BigInt(bytes.length), end);
  return from < to ? { offset: from, bytes: bytes.subarray(Number(from - offset), Number(to - offset)) } : undefined;
}

/** A source with writes applied over it, later ones over earlier ones; the end grows as far as they reach. */
export class OverlaySource extends DerivedSource {
  /** What lies under the writes: outside them, both sources are the same bytes. */
  readonly base: ByteSource;
  readonly writes: readonly Write[];

  constructor(base: ByteSource, writes: readonly Write[], size?: bigint) {
    super(base.name, size ?? writes.reduce((end, w) => max(end, w.offset + BigInt(w.bytes.length)), base.size));
    this.base = base;
    this.writes = writes;
  }

  protected fill(target: Write, part: string): void {
    const under = cut(target, 0n, this.base.size);
    if (under !== undefined) this.base.readInto(under.offset, under.bytes, part);
    for (const write of this.writes) {
      const end = write.offset + BigInt(write.bytes.length);
      const over = cut(target, write.offset, end);
      if (over === undefined) continue;
      const at = Number(over.offset - write.offset);
      over.bytes.set(write.bytes.subarray(at, at + over.bytes.length));
    }
  }
}

/** A source with ranges of other sources laid over it; the end grows as far as they reach. */
export class CopiedSource extends DerivedSource {
  readonly #base: ByteSource;
  readonly #copies: readonly Copied[];

  constructor(base: ByteSource, copies: readonly Copied[]) {
    super(
      base.name,
      copies.reduce((end, { to, size }) => max(end, to + size), base.size),
    );
    this.#base = base;
    this.#copies = copies;
  }

  protected fill(target: Write, part: string): void {
    const under = cut(target, 0n, this.#base.size);
    if (under !== undefined) this.#base.readInto(under.offset, under.bytes, part);
    for (const { source, offset, size, to } of this.#copies) {
      const over = cut(target, to, to + size);
      if (over !== undefined) source.readInto(offset + (over.offset - to), over.bytes, part);
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
