/**
 * Reads an image the way loaders do: any place may be asked for, the answer outside the file is "nothing", never an error.
 * It holds one window of the file, so a walk that jumps about costs one small read per jump and no memory.
 */
import { type ByteSource, fits } from '../../base/bytes/source.js';
import { latin1 } from '../../base/bytes/text.js';
import type { Encoding } from '../../formats/elf/struct.js';
import { readNumber } from '../../formats/note/desc.js';
import { NHDR_SIZE } from '../../formats/note/record.js';

/** Room for a note header with the longest name that Xen reads behind it. */
const WINDOW = 8192n;

/** Characters that Xen reads of a string (ELF_MAX_STRING_LENGTH, xen/common/libelf). */
export const STRING_LIMIT = 4096;

/** A string as Xen reads it, or what keeps it from doing so. */
export type LoaderString =
  | { readonly text: string }
  | { readonly broken: 'out of range access' | 'excessively long string' };

/** Reads numbers and bytes of a file for a loader's walk; undefined where the file ends before. */
export class LoaderReader {
  readonly #source: ByteSource;
  readonly #endian: Encoding['endian'];
  #window: Uint8Array = new Uint8Array(0);
  #words: DataView = new DataView(this.#window.buffer, this.#window.byteOffset, 0);
  #start = 0n;

  constructor(source: ByteSource, endian: Encoding['endian']) {
    this.#source = source;
    this.#endian = endian;
  }

  /** The unsigned number of `width` bytes at `at`; undefined when one of them is outside the file. */
  number(at: bigint, width: 1 | 2 | 4 | 8): bigint | undefined {
    if (!fits(at, BigInt(width), this.#source.size)) return undefined;
    const index = this.#locate(at, width);
    return readNumber(this.#window, index, width, this.#endian);
  }

  /** The 32-bit word at `at`. */
  word(at: bigint): number | undefined {
    if (!fits(at, 4n, this.#source.size)) return undefined;
    const index = this.#locate(at, 4);
    return this.#words.getUint32(index, this.#endian === 'little');
  }

  /** The three words of the note header at `at`; undefined when one of them is outside the file. */
  noteHeader(at: bigint): { readonly namesz: number; readonly descsz: number; readonly type: number } | undefined {
    if (!fits(at, BigInt(NHDR_SIZE), this.#source.size)) return undefined;
    const index = this.#locate(at, NHDR_SIZE);
    const word = (place: number) => this.#words.getUint32(index + place, this.#endian === 'little');
    return { namesz: word(0), descsz: word(4), type: word(8) };
  }

  /** The bytes from `at`, as many of `length` as the file has. `length` is at most what the caller can hold. */
  bytes(at: bigint, length: bigint): Uint8Array {
    const { size } = this.#source;
    if (at >= size) return new Uint8Array(0);
    const have = size - at < length ? size - at : length;
    if (have > WINDOW) return this.#source.read(at, have, 'notes');
    const index = this.#locate(at, Number(have));
    return new Uint8Array(this.#window.subarray(index, index + Number(have)));
  }

  /** The NUL-terminated string at `at`. */
  string(at: bigint): LoaderString {
    const { size } = this.#source;
    if (at >= size) return { broken: 'out of range access' };
    const longest = STRING_LIMIT + 1;
    const rest = size - at < BigInt(longest) ? Number(size - at) : longest;
    const index = this.#locate(at, rest);
    const end = this.#window.indexOf(0, index);
    if (end >= 0 && end < index + rest) return { text: latin1(this.#window.subarray(index, end)) };
    return { broken: rest === longest ? 'excessively long string' : 'out of range access' };
  }

  /**
   * Where `at` stands in the window, which is moved there if it does not hold `need` bytes from it; the caller has made
   * sure that they are in the file.
   */
  #locate(at: bigint, need: number): number {
    const from = at - this.#start;
    if (from >= 0n && from + BigInt(need) <= BigInt(this.#window.length)) return Number(from);
    const rest = this.#source.size - at;
    const bytes = this.#source.read(at, rest < WINDOW ? rest : WINDOW, 'notes');
    this.#start = at;
    this.#window = bytes;
    this.#words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return 0;
  }
}
