/** Bytes that come once, in pieces of any size, as a program prints them: taken by count, or stepped over. */
import { PatchError } from '../../base/errors/patch-error.js';

/** Nothing that is taken as a whole is larger: headers, and names of files. */
const TAKEN_LIMIT = 0x100000;

/** A stream with a place in it. */
export class ByteStream {
  readonly #name: string;
  readonly #pieces: AsyncIterator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array(0);

  /** `name` is the archive's, for messages. */
  constructor(name: string, pieces: AsyncIterable<Uint8Array>) {
    this.#name = name;
    this.#pieces = pieces[Symbol.asyncIterator]();
  }

  /** The next bytes, in pieces as they come. Errors: `archive.bad` where there are fewer. */
  async *some(count: bigint): AsyncGenerator<Uint8Array> {
    for (let left = count; left > 0n; ) {
      const piece = await this.#next();
      if (piece.length === 0) this.refuse('it ends within a member');
      const part = left < BigInt(piece.length) ? piece.subarray(0, Number(left)) : piece;
      this.#piece = piece.subarray(part.length);
      left -= BigInt(part.length);
      yield part;
    }
  }

  /** The next bytes as a whole. Errors: `archive.bad` where there are fewer, or more are wanted than any header has. */
  async take(count: bigint): Promise<Uint8Array> {
    if (count > TAKEN_LIMIT) this.refuse(`a name of ${count} bytes`);
    const bytes = new Uint8Array(Number(count));
    let at = 0;
    for await (const part of this.some(count)) {
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  /** Steps over bytes. Errors: `archive.bad` where there are fewer. */
  async skip(count: bigint): Promise<void> {
    for await (const _ of this.some(count));
  }

  /** Is there nothing more? */
  async isOver(): Promise<boolean> {
    return (await this.#next()).length === 0;
  }

  refuse(why: string): never {
    throw PatchError.of('archive.bad', { file: this.#name }, { why });
  }

  async #next(): Promise<Uint8Array> {
    while (this.#piece.length === 0) {
      const { done, value } = await this.#pieces.next();
      if (done === true) break;
      this.#piece = value;
    }
    return this.#piece;
  }
}

/** A regular file in an archive. What is not taken of its content is stepped over when the next one is asked for. */
export interface Member {
  readonly name: string;
  readonly size: bigint;
  /** The next bytes of the content. */
  some(count: bigint): AsyncGenerator<Uint8Array>;
}

/** A member of the stream, and how it is left behind. */
export function memberOf(stream: ByteStream, name: string, size: bigint): { member: Member; leave(): Promise<void> } {
  let left = size;
  return {
    member: {
      name,
      size,
      async *some(count) {
        for await (const part of stream.some(count < left ? count : left)) {
          left -= BigInt(part.length);
          yield part;
        }
      },
    },
    leave: () => stream.skip(left),
  };
}
