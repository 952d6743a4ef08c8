/**
 * Reading an image as Xen's libelf does (xen/common/libelf/libelf-tools.c): what is outside the file reads as 0 or as no
 * string, and leaves a mark that nothing but a message depends on. Shared by Xen's parser and by readnotes.
 */
import type { ElfImage } from '../../formats/elf/image.js';
import { XEN } from '../../formats/note/note-types.js';
import { NHDR_SIZE } from '../../formats/note/record.js';
import { LoaderReader } from './loader-reader.js';

/** The header of a note whose owner is Xen. */
export interface LibelfNote {
  readonly offset: bigint;
  readonly descOffset: bigint;
  readonly namesz: number;
  readonly descsz: number;
  readonly type: number;
}

/** Where an image is mapped, nearly: libelf counts in pointers, and a process has its mappings just below 2^47. */
const MAPPED_AT = 0x7f00_0000_0000n;

/** An offset as the pointer that libelf makes of it; it wraps. */
function pointer(offset: bigint): bigint {
  return BigInt.asUintN(64, MAPPED_AT + offset);
}

/** Xen's libelf reading one image: its walks of notes, and whether it has given up (elf_mark_broken). */
export class Libelf {
  readonly #image: ElfImage;
  readonly #reader: LoaderReader;
  #broken: string | undefined;

  constructor(image: ElfImage) {
    this.#image = image;
    this.#reader = new LoaderReader(image.source, image.encoding.endian);
  }

  /** The first thing it stumbled over, in libelf's words. */
  get broken(): string | undefined {
    return this.#broken;
  }

  /** Calls the image broken, as elf_mark_broken does: the first reason stays. */
  mark(broken: string): void {
    this.#broken ??= broken;
  }

  /** A number; 0 for a width that is none, and outside the file. */
  number(at: bigint, width: number): bigint {
    if (width !== 1 && width !== 2 && width !== 4 && width !== 8) return 0n;
    const value = this.#reader.number(at, width);
    if (value === undefined) this.mark('out of range access');
    return value ?? 0n;
  }

  /** The 32-bit word at a file offset; 0 outside the file, and the image is broken then. */
  word(at: bigint): number {
    const value = this.#reader.word(at);
    if (value === undefined) this.mark('out of range access');
    return value ?? 0;
  }

  /** A string of at most 4096 characters, one a byte; undefined when it has no end within them or within the file. */
  string(at: bigint): string | undefined {
    const result = this.#reader.string(at);
    if ('text' in result) return result.text;
    this.mark(result.broken);
    return undefined;
  }

  /** The bytes from `at`, as many of `length` as the file has. */
  bytes(at: bigint, length: bigint): Uint8Array {
    return this.#reader.bytes(at, length);
  }

  /**
   * The notes owned by Xen among the records from `offset`. Only the start of a record must be inside the range, and
   * namesz plays no part in telling whose it is. `visit` is asked before each record; false ends the walk. `unit`: what names
   * and descriptors are padded to.
   */
  *xenNotes(offset: bigint, size: bigint, visit: () => boolean, unit: 4 | 8 = 4): Generator<LibelfNote> {
    const end = pointer(offset + size);
    let at = offset;
    while (pointer(at) < end && visit()) {
      const owner = this.string(at + BigInt(NHDR_SIZE));
      const namesz = this.word(at);
      const descsz = this.word(at + 4n);
      if (owner === XEN) {
        const descOffset = at + BigInt(afterHead(namesz, unit));
        yield { offset: at, descOffset, namesz, descsz, type: this.word(at + 8n) };
      }
      const next = at + BigInt(unit === 4 ? NHDR_SIZE + up4(namesz) + up4(descsz) : up8(afterHead(namesz, 8) + descsz));
      if (at >= this.#image.source.size) {
        this.mark('out of range access');
        return;
      }
      at = next;
    }
  }

  /** The first section of that name, index 0 left out. Names are read from e_shstrndx as it stands, bounded by the file, not the table. */
  sectionNamed(name: string): number | undefined {
    const { header, sections } = this.#image;
    const table = header.e_shstrndx < header.e_shnum ? sections[header.e_shstrndx] : undefined;
    if (table === undefined) return undefined;
    const found = sections
      .slice(0, header.e_shnum)
      .findIndex(({ sh_name }, index) => index > 0 && this.string(table.sh_offset + BigInt(sh_name)) === name);
    return found < 0 ? undefined : found;
  }
}

/** From the start of a record to its descriptor. In steps of 8 the head counts for the padding of the name (gABI). */
function afterHead(namesz: number, unit: 4 | 8): number {
  return unit === 4 ? NHDR_SIZE + up4(namesz) : up8(NHDR_SIZE + namesz);
}

function up8(size: number): number {
  return Math.ceil(size / 8) * 8;
}

/** Rounds up to 4 in 32 bits: the three sizes just below 2^32 become 0. */
export function up4(size: number): number {
  return ((size + 3) & ~3) >>> 0;
}
