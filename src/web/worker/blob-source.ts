/**
 * A file that was dropped on the page, read by range: nothing of it is in memory but what was asked for last. In a worker a
 * Blob can be read while others wait, which is what the core's one door for bytes wants.
 */
import { type ByteSource, checkInside, checkRead } from '../../base/bytes/source.js';

/** Headers are read field by field: small reads share blocks of this size. */
const BLOCK = 0x10000;
/** Blocks that are kept. */
const KEPT = 32;

/** A Blob as a source. Errors: `read.*`; what the browser says of a file that went away is thrown as it is. */
export class BlobSource implements ByteSource {
  readonly name: string;
  readonly size: bigint;
  readonly #blob: Blob;
  readonly #reader = new FileReaderSync();
  readonly #blocks = new Map<number, Uint8Array>();

  constructor(blob: Blob, name: string) {
    this.#blob = blob;
    this.name = name;
    this.size = BigInt(blob.size);
  }

  read(offset: bigint, length: bigint, part: string): Uint8Array {
    checkRead(this, offset, length, part);
    const bytes = new Uint8Array(Number(length));
    this.#fill(Number(offset), bytes);
    return bytes;
  }

  readInto(offset: bigint, target: Uint8Array, part: string): void {
    checkInside(this, offset, BigInt(target.length), part);
    this.#fill(Number(offset), target);
  }

  #fill(offset: number, target: Uint8Array): void {
    if (target.length >= BLOCK) {
      target.set(this.#load(offset, offset + target.length));
      return;
    }
    for (let done = 0; done < target.length; ) {
      const at = offset + done;
      const start = at - (at % BLOCK);
      const part = this.#block(start).subarray(at - start, at - start + target.length - done);
      target.set(part, done);
      done += part.length;
    }
  }

  #block(start: number): Uint8Array {
    const known = this.#blocks.get(start);
    if (known !== undefined) return known;
    const bytes = this.#load(start, Math.min(start + BLOCK, this.#blob.size));
    const [oldest] = this.#blocks.keys();
    if (this.#blocks.size >= KEPT && oldest !== undefined) this.#blocks.delete(oldest);
    this.#blocks.set(start, bytes);
    return bytes;
  }

  #load(start: number, end: number): Uint8Array {
    return new Uint8Array(this.#reader.readAsArrayBuffer(this.#blob.slice(start, end)));
  }
}
