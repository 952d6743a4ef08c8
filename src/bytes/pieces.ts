/** A file put together out of ranges of another one and of zeros: a new layout costs a list, not a copy. */
import { type ByteSource, checkInside, checkRead } from './source.js';

/** The bytes `[start, end)` of the whole: those of the base from `from` on, or zeros. */
export interface Piece {
  readonly start: bigint;
  readonly end: bigint;
  readonly from: bigint | undefined;
}

/** A source made of pieces, sorted and disjoint; what no piece covers is zeros. */
export class PiecedSource implements ByteSource {
  readonly name: string;
  readonly size: bigint;
  readonly base: ByteSource;
  readonly pieces: readonly Piece[];

  constructor(base: ByteSource, pieces: readonly Piece[], size: bigint) {
    this.name = base.name;
    this.base = base;
    this.pieces = pieces.filter(({ from }) => from !== undefined);
    this.size = size;
  }

  read(offset: bigint, length: bigint, part: string): Uint8Array {
    checkRead(this, offset, length, part);
    const bytes = new Uint8Array(Number(length));
    this.readInto(offset, bytes, part);
    return bytes;
  }

  readInto(offset: bigint, target: Uint8Array, part: string): void {
    const end = offset + BigInt(target.length);
    checkInside(this, offset, end - offset, part);
    target.fill(0);
    for (let index = firstEndingBehind(this.pieces, offset); index < this.pieces.length; index++) {
      const piece = this.pieces[index];
      if (piece === undefined || piece.from === undefined || piece.start >= end) break;
      const from = piece.start > offset ? piece.start : offset;
      const to = piece.end < end ? piece.end : end;
      const into = target.subarray(Number(from - offset), Number(to - offset));
      this.base.readInto(piece.from + (from - piece.start), into, part);
    }
  }
}

/** Index of the first piece that ends behind `point`; logarithmic. */
function firstEndingBehind(pieces: readonly Piece[], point: bigint): number {
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((pieces[middle]?.end ?? 0n) <= point) low = middle + 1;
    else high = middle;
  }
  return low;
}
