/** A source with zero bytes inserted at a place: what a file is once everything behind that place has moved. */
import { type ByteSource, cut, DerivedSource, type Write } from './source.js';

/** Bytes at or behind `at` stand `by` later. */
export interface Insertion {
  readonly at: bigint;
  readonly by: bigint;
}

export class ShiftedSource extends DerivedSource {
  readonly #base: ByteSource;
  readonly #shift: Insertion;

  constructor(base: ByteSource, shift: Insertion) {
    super(base.name, base.size + shift.by);
    this.#base = base;
    this.#shift = shift;
  }

  protected fill(target: Write, part: string): void {
    const { at, by } = this.#shift;
    const before = cut(target, 0n, at);
    if (before !== undefined) this.#base.readInto(before.offset, before.bytes, part);
    const behind = cut(target, at + by, this.size);
    if (behind !== undefined) this.#base.readInto(behind.offset - by, behind.bytes, part);
  }
}
