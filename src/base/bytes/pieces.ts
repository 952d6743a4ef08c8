/** A file put together out of ranges of another one and of zeros: a new layout costs a list, not a copy. */
import { countWhile } from './sorted.js';
import { type ByteSource, cut, DerivedSource, type Write } from './source.js';

/** The bytes `[start, end)` of the whole: those of the base from `from` on, or zeros. */
export interface Piece {
  readonly start: bigint;
  readonly end: bigint;
  readonly from: bigint | undefined;
}

/** A source made of pieces, sorted and disjoint; what no piece covers is zeros. */
export class PiecedSource extends DerivedSource {
  readonly base: ByteSource;
  readonly pieces: readonly Piece[];

  constructor(base: ByteSource, pieces: readonly Piece[], size: bigint) {
    super(base.name, size);
    this.base = base;
    this.pieces = pieces.filter(({ from }) => from !== undefined);
  }

  protected fill(target: Write, part: string): void {
    const end = target.offset + BigInt(target.bytes.length);
    for (let index = firstEndingBehind(this.pieces, target.offset); index < this.pieces.length; index++) {
      const piece = this.pieces[index];
      if (piece?.from === undefined || piece.start >= end) break;
      const into = cut(target, piece.start, piece.end);
      if (into !== undefined) this.base.readInto(piece.from + (into.offset - piece.start), into.bytes, part);
    }
  }
}

/** Index of the first piece that ends behind `point`; logarithmic. */
function firstEndingBehind(pieces: readonly Piece[], point: bigint): number {
  return countWhile(pieces, ({ end }) => end <= point);
}
