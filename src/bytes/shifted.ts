/** A source with zero bytes inserted at a place: what a file is once everything behind that place has moved. */
import { type ByteSource, checkInside } from './source.js';

/** Bytes at or behind `at` stand `by` later. */
export interface Insertion {
  readonly at: bigint;
  readonly by: bigint;
}

export class ShiftedSource implements ByteSource {
  readonly name: string;
  readonly size: bigint;
  readonly #base: ByteSource;
  readonly #shift: Insertion;

  constructor(base: ByteSource, shift: Insertion) {
    this.name = base.name;
    this.size = base.size + shift.by;
    this.#base = base;
    this.#shift = shift;
  }

  read(offset: bigint, length: bigint, part: string): Uint8Array {
    checkInside(this, offset, length, part);
    const bytes = new Uint8Array(Number(length));
    this.readInto(offset, bytes, part);
    return bytes;
  }

  readInto(offset: bigint, target: Uint8Array, part: string): void {
    const { at, by } = this.#shift;
    const end = offset + BigInt(target.length);
    checkInside(this, offset, end - offset, part);
    target.fill(0);
    const copy = (from: bigint, to: bigint, source: bigint) => {
      if (from < to) this.#base.readInto(source, target.subarray(Number(from - offset), Number(to - offset)), part);
    };
    copy(offset, end < at ? end : at, offset);
    const behind = offset > at + by ? offset : at + by;
    copy(behind, end, behind - by);
  }
}
