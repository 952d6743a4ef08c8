/** Bytes of a file on disk, through Node's file system: the one source that is not memory. */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { fail } from '../errors/patch-error.js';
import type { OpenFile } from './ports.js';
import { checkInside, checkRead, systemError } from './source.js';

/** Reads of no more than this are counted; behind so many of them, they come out of pages that are kept. */
const SMALL = 0x1000;
const MANY = 2000;
const PAGE = 0x4000;
/** Pages kept: 8 MiB of them. */
const KEPT = 512;

/** An open regular file. Close it when done; a read after that is an error of the caller. */
export class FileSource implements OpenFile {
  readonly name: string;
  readonly size: bigint;
  readonly fd: number;
  readonly stats: Stats;
  readonly mode: number;
  readonly #pages = new Map<bigint, Uint8Array>();
  #smallReads = 0;

  private constructor(name: string, fd: number, stats: Stats) {
    this.name = name;
    this.fd = fd;
    this.stats = stats;
    this.size = BigInt(stats.size);
    this.mode = stats.mode;
  }

  /** Opens `path` for reading. Errors: `read.open`, `read.not-a-file` (a pipe is never waited for). */
  static open(path: string, name = path): FileSource {
    let fd: number;
    try {
      // O_NONBLOCK: opening a FIFO without a writer would hang.
      fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    } catch (error) {
      throw systemError(error, name, 'open');
    }
    const stats = fstatSync(fd);
    if (!stats.isFile()) {
      closeSync(fd);
      fail('read.not-a-file', { file: name }, { kind: kindOf(stats) });
    }
    return new FileSource(name, fd, stats);
  }

  read(offset: bigint, length: bigint, part: string): Uint8Array {
    checkRead(this, offset, length, part);
    const bytes = new Uint8Array(Number(length));
    this.readInto(offset, bytes, part);
    return bytes;
  }

  readInto(offset: bigint, target: Uint8Array, part: string): void {
    checkInside(this, offset, BigInt(target.length), part);
    if (target.length <= SMALL && ++this.#smallReads > MANY) this.#fromPages(offset, target, part);
    else this.#readWhole(offset, target, part);
  }

  /** Headers that lead to 65,534 places are 65,534 reads, and as many again for each reader. */
  #fromPages(offset: bigint, target: Uint8Array, part: string): void {
    for (let done = 0; done < target.length; ) {
      const at = offset + BigInt(done);
      const page = this.#page(at / BigInt(PAGE), part);
      const from = Number(at % BigInt(PAGE));
      const piece = page.subarray(from, from + target.length - done);
      target.set(piece, done);
      done += piece.length;
    }
  }

  #page(index: bigint, part: string): Uint8Array {
    const kept = this.#pages.get(index);
    if (kept !== undefined) return kept;
    const start = index * BigInt(PAGE);
    const page = new Uint8Array(Math.min(PAGE, Number(this.size - start)));
    this.#readWhole(start, page, part);
    if (this.#pages.size >= KEPT) this.#pages.clear();
    this.#pages.set(index, page);
    return page;
  }

  #readWhole(offset: bigint, target: Uint8Array, part: string): void {
    let done = 0;
    while (done < target.length) {
      const got = this.#readAt(target, done, offset + BigInt(done));
      if (got === 0) {
        fail('read.changed', { file: this.name, offset, part }, { what: 'it became shorter' });
      }
      done += got;
    }
  }

  #readAt(bytes: Uint8Array, at: number, offset: bigint): number {
    try {
      return readSync(this.fd, bytes, at, bytes.length - at, offset);
    } catch (error) {
      throw systemError(error, this.name, 'read');
    }
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** What a file is that is no regular one, in a word. */
export function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'directory';
  if (stats.isFIFO()) return 'pipe';
  if (stats.isSocket()) return 'socket';
  return 'device';
}
