/** Bytes that moved: the law of it, and what a file is once everything behind a place stands later. */
import { type ByteSource, checkInside, OverlaySource, type Write } from './source.js';

/** Bytes of the input at or behind `at` stand `by` later in the output; the bytes between are zero. */
export interface Shift {
  readonly at: bigint;
  readonly by: bigint;
}

/** Where the byte at `offset` of the input stands in the output. */
export function movedOffset(shift: Shift | undefined, offset: bigint): bigint {
  return shift === undefined || offset < shift.at ? offset : offset + shift.by;
}

export class ShiftedSource implements ByteSource {
  readonly name: string;
  readonly size: bigint;
  readonly #base: ByteSource;
  readonly #shift: Shift;

  constructor(base: ByteSource, shift: Shift) {
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

/** A file as what differs from another one: a gap may open, ranges are written over, and it has an end of its own. */
export interface Changed {
  /** Over the input, or over the shifted input. */
  readonly writes: readonly Write[];
  readonly shift: Shift | undefined;
  readonly fileSize: bigint;
}

/** The changed file as a source, without a byte written. */
export function changedSource(base: ByteSource, { writes, shift, fileSize }: Changed): ByteSource {
  return new OverlaySource(shift === undefined ? base : new ShiftedSource(base, shift), writes, fileSize);
}
