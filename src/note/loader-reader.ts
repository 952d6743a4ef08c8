/**
 * Reads an image the way loaders do: any place may be asked for, the answer outside the file is "nothing", never an error.
 * It holds one window of the file, so a walk that jumps about costs one small read per jump and no memory.
 */
import { type ByteSource, fits } from '../bytes/source.js';
import type { Encoding } from '../elf/struct.js';
import { readNumber } from './desc.js';

/** Room for a note header with the longest name that Xen reads behind it. */
const WINDOW = 8192n;

/** Characters that Xen reads of a string (ELF_MAX_STRING_LENGTH, xen/common/libelf). */
export const STRING_LIMIT = 4096;

/** A string as Xen reads it, or what keeps it from doing so. */
export type LoaderString =
  | { readonly text: string }
  | { readonly broken: 'out of range access' | 'excessively long string' };

export class LoaderReader {
  readonly #source: ByteSource;
  readonly #endian: Encoding['endian'];
  #window: Uint8Array = new Uint8Array(0);
  #start = 0n;

  constructor(source: ByteSource, endian: Encoding['endian']) {
    this.#source = source;
    this.#endian = endian;
  }

  /** The unsigned number of `width` bytes at `at`; undefined when one of them is outside the file. */
  number(at: bigint, width: 1 | 2 | 4 | 8): bigint | undefined {
    if (!fits(at, BigInt(width), this.#source.size)) return undefined;
    return readNumber(this.#view(at, BigInt(width)), 0, width, this.#endian);
  }

  /** The 32-bit word at `at`. */
  word(at: bigint): number | undefined {
    const value = this.number(at, 4);
    return value === undefined ? undefined : Number(value);
  }

  /** The bytes from `at`, as many of `length` as the file has. `length` is at most what the caller can hold. */
  bytes(at: bigint, length: bigint): Uint8Array {
    const { size } = this.#source;
    if (at >= size) return new Uint8Array(0);
    const have = size - at < length ? size - at : length;
    if (have > WINDOW) return this.#source.read(at, have, 'notes');
    return this.#view(at, have).slice(0, Number(have));
  }

  /** The NUL-terminated string at `at`. */
  string(at: bigint): LoaderString {
    const { size } = this.#source;
    if (at >= size) return { broken: 'out of range access' };
    const longest = BigInt(STRING_LIMIT + 1);
    const rest = size - at < longest ? size - at : longest;
    const bytes = this.#view(at, rest).subarray(0, Number(rest));
    const end = bytes.indexOf(0);
    if (end >= 0) return { text: Buffer.from(bytes.buffer, bytes.byteOffset, end).toString('latin1') };
    return { broken: rest === longest ? 'excessively long string' : 'out of range access' };
  }

  /** Window bytes from `at`, at least `need` of them; the caller has made sure that they are in the file. */
  #view(at: bigint, need: bigint): Uint8Array {
    const from = at - this.#start;
    if (from >= 0n && from + need <= BigInt(this.#window.length)) return this.#window.subarray(Number(from));
    const rest = this.#source.size - at;
    this.#start = at;
    this.#window = this.#source.read(at, rest < WINDOW ? rest : WINDOW, 'notes');
    return this.#window;
  }
}
