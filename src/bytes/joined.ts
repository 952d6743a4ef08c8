/** One source behind another, as if they were one file. */
import { type ByteSource, checkInside, checkRead } from './source.js';

/** `first`, and `second` right behind it. */
export class JoinedSource implements ByteSource {
  readonly name: string;
  readonly size: bigint;
  readonly #first: ByteSource;
  readonly #second: ByteSource;

  constructor(first: ByteSource, second: ByteSource) {
    this.name = first.name;
    this.size = first.size + second.size;
    this.#first = first;
    this.#second = second;
  }

  read(offset: bigint, length: bigint, part: string): Uint8Array {
    checkRead(this, offset, length, part);
    const bytes = new Uint8Array(Number(length));
    this.readInto(offset, bytes, part);
    return bytes;
  }

  readInto(offset: bigint, target: Uint8Array, part: string): void {
    checkInside(this, offset, BigInt(target.length), part);
    const border = this.#first.size;
    const inFirst = offset >= border ? 0 : Math.min(target.length, Number(border - offset));
    if (inFirst > 0) this.#first.readInto(offset, target.subarray(0, inFirst), part);
    if (inFirst < target.length) {
      const at = offset > border ? offset - border : 0n;
      this.#second.readInto(at, target.subarray(inFirst), part);
    }
  }
}
