/**
 * What the original checks before it writes, in its order and in its words. Whatever it would wait for forever is a
 * refusal here (`mkelf32.short`).
 */
import { type ByteSource, fits } from '../bytes/source.js';
import { Ehdr, EI_NIDENT, Phdr } from '../elf/headers.js';
import type { Encoding } from '../elf/struct.js';
import { fail } from '../errors/patch-error.js';
import { u32 } from './numbers.js';
import type { Variant } from './variants.js';

const INPUT: Encoding = { bits: 64, endian: 'little' };
const ENTRY = BigInt(Phdr.size(INPUT));
const U64 = (value: bigint) => BigInt.asUintN(64, value);
const S64 = (value: bigint) => BigInt.asIntN(64, value);

/** What is wrapped: the first header, whatever its type says, and with `--notes` the second. */
export interface OriginalInput {
  readonly load: Phdr;
  readonly note: Phdr | undefined;
}

/**
 * Reads and checks an input as the tool of that release does.
 * Errors: `mkelf32.not-elf`, `.class`, `.entry-size`, `.header-count`, `.note-outside`, `.short`.
 */
export function checkInput(source: ByteSource, variant: Variant, notes: boolean): OriginalInput {
  const header = readHeader(source);
  const wanted = notes ? 2 : 1;
  const found = variant.dropsHeaders ? countedHeaders(source, header, wanted) : header.e_phnum;
  const file = source.name;
  if (found !== wanted) fail('mkelf32.header-count', { file }, { wanted, found });
  const load = readEntry(source, header, 0);
  const note = notes ? readEntry(source, header, 1) : undefined;
  if (note !== undefined) checkNote(file, load, note, variant);
  // The original finds this out while it copies, when the old output is gone.
  refuseShort(source, load.p_offset, u32(load.p_filesz), 'load segment');
  return { load, note };
}

function readHeader(source: ByteSource): Ehdr {
  const file = source.name;
  // 52 bytes are the header of an ELF32 image: the original reads as many before it knows the class.
  const start = need(source, 0n, 52n, 'ELF header');
  const [magic0, magic1, magic2, magic3, eiClass = 0, eiData] = start;
  const isElf = magic0 === 0x7f && magic1 === 0x45 && magic2 === 0x4c && magic3 === 0x46;
  if (!isElf || eiData !== 1) fail('mkelf32.not-elf', { file }, {});
  if (eiClass !== 2) fail('mkelf32.class', { file }, { found: eiClass });
  const bytes = need(source, 0n, BigInt(EI_NIDENT + Ehdr.size(INPUT)), 'ELF header');
  const header = Ehdr.decode(bytes, EI_NIDENT, INPUT);
  if (BigInt(header.e_phentsize) !== ENTRY) fail('mkelf32.entry-size', { file }, { found: header.e_phentsize });
  return header;
}

/**
 * Drops trailing entries whose p_memsz is 0. The original reads the entry at index e_phnum, one behind the last, so what
 * counts are the indices wanted + 1 to e_phnum; the entry at `wanted` is never looked at.
 */
function countedHeaders(source: ByteSource, { e_phoff, e_phnum }: Ehdr, wanted: number): number {
  if (e_phnum <= wanted) return e_phnum;
  const first = wanted + 1;
  const bytes = need(source, e_phoff + BigInt(first) * ENTRY, BigInt(e_phnum - wanted) * ENTRY, 'program headers');
  let count = e_phnum;
  while (count > wanted && Phdr.decode(bytes, (count - first) * Number(ENTRY), INPUT).p_memsz === 0n) count--;
  return count;
}

function readEntry(source: ByteSource, { e_phoff }: Ehdr, index: number): Phdr {
  return Phdr.decode(need(source, e_phoff + BigInt(index) * ENTRY, ENTRY, `program header ${index}`), 0, INPUT);
}

function checkNote(file: string, load: Phdr, note: Phdr, { noteBounds }: Variant): void {
  const place = { file };
  if (noteBounds === 'offset') {
    const size = u32(load.p_filesz);
    if (note.p_offset <= size && load.p_offset <= note.p_offset) return;
    const words = `Offset ${S64(note.p_offset)} not within ${BigInt.asIntN(32, size)}!`;
    fail('mkelf32.note-outside', place, { detail: words });
  }
  const noteEnd = U64(note.p_offset + note.p_filesz);
  const loadEnd = U64(load.p_offset + load.p_filesz);
  if (note.p_offset >= load.p_offset && noteEnd <= loadEnd) return;
  const range = (start: bigint, end: bigint) => `[${start.toString(16)}, ${end.toString(16)})`;
  const words = `.note: ${range(note.p_offset, noteEnd)} .text: ${range(load.p_offset, loadEnd)}`;
  fail('mkelf32.note-outside', place, { detail: words });
}

/** Refuses a range that leaves the file: there the original waits forever. */
export function refuseShort(source: ByteSource, offset: bigint, size: bigint, part: string): void {
  if (fits(offset, size, source.size)) return;
  fail('mkelf32.short', { file: source.name }, { part, end: offset + size, size: source.size });
}

function need(source: ByteSource, offset: bigint, size: bigint, part: string): Uint8Array {
  refuseShort(source, offset, size, part);
  return source.read(offset, size, part);
}
