/** Bytes that moved: the law of it, and what a file is once everything behind a place stands later. */
import { type ByteSource, type Copied, CopiedSource, cut, DerivedSource, OverlaySource, type Write } from './source.js';

/** Bytes of the input at or behind `at` stand `by` later in the output; the bytes between are zero. */
export interface Shift {
  readonly at: bigint;
  readonly by: bigint;
}

/** Where the byte at `offset` of the input stands in the output. */
export function movedOffset(shift: Shift | undefined, offset: bigint): bigint {
  return shift === undefined || offset < shift.at ? offset : offset + shift.by;
}

/** A file with a gap of zeros: `shift.by` bytes at `shift.at`, what follows moved up. Reads through to its base. */
export class ShiftedSource extends DerivedSource {
  /** What stands before and behind the gap. */
  readonly base: ByteSource;
  readonly shift: Shift;

  constructor(base: ByteSource, shift: Shift) {
    super(base.name, base.size + shift.by);
    this.base = base;
    this.shift = shift;
  }

  protected fill(target: Write, part: string): void {
    const { at, by } = this.shift;
    const before = cut(target, 0n, at);
    if (before !== undefined) this.base.readInto(before.offset, before.bytes, part);
    const behind = cut(target, at + by, this.size);
    if (behind !== undefined) this.base.readInto(behind.offset - by, behind.bytes, part);
  }
}

/** A file as what differs from another one: a gap may open, ranges are written over, and it has an end of its own. */
export interface Changed {
  /** Over the input, or over the shifted input. */
  readonly writes: readonly Write[];
  /** Bytes too many for a write, apart from those. None unless given. */
  readonly copies?: readonly Copied[] | undefined;
  readonly shift: Shift | undefined;
  readonly fileSize: bigint;
  /** Where the input ends for this; undefined: where it ends. */
  readonly inputEnd?: bigint | undefined;
}

/** The changed file as a source, without a byte written. */
export function changedSource(base: ByteSource, { writes, copies = [], shift, fileSize }: Changed): ByteSource {
  const shifted = shift === undefined ? base : new ShiftedSource(base, shift);
  return new OverlaySource(copies.length === 0 ? shifted : new CopiedSource(shifted, copies), writes, fileSize);
}
