/** One source behind another, as if they were one file. */
import { type ByteSource, cut, DerivedSource, type Write } from './source.js';

/** `first`, and `second` right behind it. */
export class JoinedSource extends DerivedSource {
  readonly #first: ByteSource;
  readonly #second: ByteSource;

  constructor(first: ByteSource, second: ByteSource) {
    super(first.name, first.size + second.size);
    this.#first = first;
    this.#second = second;
  }

  protected fill(target: Write, part: string): void {
    const border = this.#first.size;
    const before = cut(target, 0n, border);
    if (before !== undefined) this.#first.readInto(before.offset, before.bytes, part);
    const behind = cut(target, border, this.size);
    if (behind !== undefined) this.#second.readInto(behind.offset - border, behind.bytes, part);
  }
}
