/** Where bytes of unknown number go as they come, up to a limit. */

/** A buffer for little input begins with this. */
const LEAST = 0x100000;

/** What real compressors reach on kernels, and room to spare. */
const USUAL_RATIO = 16;

/** Of less than this no more than usual is expected. */
const LITTLE = 0x100000;

/**
 * One buffer that is filled as bytes come, so that nothing is held twice: room for all that may come is taken at once, and
 * pages that are not written cost nothing. A system that counts them all the same may refuse; then it grows, as it does for
 * little input, of which many may be unpacked one after the other.
 */
export class Output {
  readonly #limit: number;
  #buffer: Uint8Array;
  #size = 0;

  constructor(limit: number, inputSize: number) {
    this.#limit = limit;
    const usual = Math.min(limit, Math.max(LEAST, inputSize * USUAL_RATIO));
    try {
      this.#buffer = new Uint8Array(inputSize < LITTLE ? usual : limit);
    } catch {
      this.#buffer = new Uint8Array(usual);
    }
  }

  /** False: more than the limit; as much as fits is kept. */
  add(chunk: Uint8Array): boolean {
    const room = this.#limit - this.#size;
    if (chunk.length <= room) {
      this.#keep(chunk);
      return true;
    }
    this.#keep(chunk.subarray(0, room));
    return false;
  }

  #keep(chunk: Uint8Array): void {
    const size = this.#size + chunk.length;
    if (size > this.#buffer.length) {
      const larger = new Uint8Array(Math.min(this.#limit, Math.max(size, this.#buffer.length * 2)));
      larger.set(this.#buffer.subarray(0, this.#size));
      this.#buffer = larger;
    }
    this.#buffer.set(chunk, this.#size);
    this.#size = size;
  }

  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#size);
  }
}
