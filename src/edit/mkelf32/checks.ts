/**
 * What the original checks before it writes, in its order and in its words. Whatever it would wait for forever is a
 * refusal here (`mkelf32.short`).
 */
import { type ByteSource, fits } from '../../base/bytes/source.js';
import { fail } from '../../base/errors/patch-error.js';
import { Ehdr, EI_NIDENT, Phdr } from '../../formats/elf/headers.js';
import { beginsAsElf, EI_CLASS, EI_DATA, ELFCLASS64, ELFDATA2LSB } from '../../formats/elf/names.js';
import type { Encoding } from '../../formats/elf/struct.js';
import { u32 } from './numbers.js';
import type { Variant } from './variants.js';

const INPUT: Encoding = { bits: 64, endian: 'little' };
const ENTRY = BigInt(Phdr.size(INPUT));
const U64 = (value: bigint) => BigInt.asUintN(64, value);
const S64 = (value: bigint) => BigInt.asIntN(64, value);
const OFF_T_END = 1n << 63n;

/** What is wrapped: the first header, whatever its type says, and with `--notes` the second. */
export interface OriginalInput {
  readonly load: Phdr;
  readonly note: Phdr | undefined;
  /** Where in the file the data is read from: p_offset, as far as the original gets there. */
  readonly dataFrom: bigint;
}

/**
 * Reads and checks an input as the tool of that release does.
 * Errors: `mkelf32.not-elf`, `.class`, `.entry-size`, `.header-count`, `.note-outside`, `.short`.
 */
export function checkInput(source: ByteSource, variant: Variant, notes: boolean): OriginalInput {
  const file = new Position(source);
  const header = readHeader(file);
  const wanted = notes ? 2 : 1;
  const found = variant.dropsHeaders ? countedHeaders(file, header, wanted) : header.e_phnum;
  if (found !== wanted) fail('mkelf32.header-count', { file: source.name }, { wanted, found });
  file.seek(header.e_phoff);
  const load = file.entry('program header 0');
  file.seek(load.p_offset);
  let note: Phdr | undefined;
  if (notes) {
    file.seek(header.e_phoff + ENTRY);
    note = file.entry('program header 1');
    // The original keeps this offset in 32 bits.
    file.seek(u32(load.p_offset));
    checkNote(source.name, load, note, variant);
  }
  // The original finds this out while it copies, when the old output is gone.
  refuseShort(source, file.at, u32(load.p_filesz), 'load segment');
  return { load, note, dataFrom: file.at };
}

/** The input as a C program reads it: one place in the file, and an impossible seek that leaves it where it is. */
class Position {
  readonly source: ByteSource;
  at = 0n;

  constructor(source: ByteSource) {
    this.source = source;
  }

  /** Sums are unsigned and wrap; lseek refuses what is negative as an off_t, and the original ignores its answer. */
  seek(offset: bigint): void {
    const wanted = U64(offset);
    if (wanted < OFF_T_END) this.at = wanted;
  }

  read(size: bigint, part: string): Uint8Array {
    const bytes = need(this.source, this.at, size, part);
    this.at += size;
    return bytes;
  }

  entry(part: string): Phdr {
    return Phdr.decode(this.read(ENTRY, part), 0, INPUT);
  }
}

function readHeader(input: Position): Ehdr {
  const file = input.source.name;
  // 52 bytes are the header of an ELF32 image: the original reads as many before it knows the class.
  const start = input.read(52n, 'ELF header');
  const { [EI_CLASS]: eiClass = 0, [EI_DATA]: eiData } = start;
  if (!beginsAsElf(start) || eiData !== ELFDATA2LSB) fail('mkelf32.not-elf', { file }, {});
  if (eiClass !== ELFCLASS64) fail('mkelf32.class', { file }, { found: eiClass });
  input.seek(0n);
  const bytes = input.read(BigInt(EI_NIDENT + Ehdr.size(INPUT)), 'ELF header');
  const header = Ehdr.decode(bytes, EI_NIDENT, INPUT);
  if (BigInt(header.e_phentsize) !== ENTRY) fail('mkelf32.entry-size', { file }, { found: header.e_phentsize });
  return header;
}

/**
 * Drops trailing entries whose p_memsz is 0. The original reads the entry at index e_phnum, one behind the last, so what
 * counts are the indices wanted + 1 to e_phnum; the entry at `wanted` is never looked at.
 */
function countedHeaders(input: Position, { e_phoff, e_phnum }: Ehdr, wanted: number): number {
  let count = e_phnum;
  while (count > wanted) {
    input.seek(e_phoff + BigInt(count) * ENTRY);
    if (input.entry('program headers').p_memsz !== 0n) break;
    count--;
  }
  return count;
}

function checkNote(file: string, load: Phdr, note: Phdr, { noteBounds }: Variant): void {
  const place = { file };
  // Of the load segment 32 bits are kept, of the note 64.
  const start = u32(load.p_offset);
  const size = u32(load.p_filesz);
  if (noteBounds === 'offset') {
    if (note.p_offset <= size && start <= note.p_offset) return;
    const words = `Offset ${S64(note.p_offset)} not within ${BigInt.asIntN(32, size)}!`;
    fail('mkelf32.note-outside', place, { detail: words });
  }
  const noteEnd = U64(note.p_offset + note.p_filesz);
  const loadEnd = u32(start + size);
  if (note.p_offset >= start && noteEnd <= loadEnd) return;
  const range = (from: bigint, to: bigint) => `[${from.toString(16)}, ${to.toString(16)})`;
  const words = `.note: ${range(note.p_offset, noteEnd)} .text: ${range(start, loadEnd)}`;
  fail('mkelf32.note-outside', place, { detail: words });
}

/** Refuses a range that leaves the file: there the original waits forever. */
export function refuseShort(source: ByteSource, offset: bigint, size: bigint, part: string): void {
  // Nothing is read of nothing, wherever that is.
  if (size === 0n || fits(offset, size, source.size)) return;
  fail('mkelf32.short', { file: source.name }, { part, end: offset + size, size: source.size });
}

function need(source: ByteSource, offset: bigint, size: bigint, part: string): Uint8Array {
  refuseShort(source, offset, size, part);
  return source.read(offset, size, part);
}
