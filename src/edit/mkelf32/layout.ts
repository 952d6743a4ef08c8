/**
 * The container as a release of Xen's own tool writes it, to the byte. All of it is arithmetic on unsigned 32-bit numbers
 * that wrap, and none of it is checked: what the original lets through goes through.
 */
import { alignUp } from '../../base/bytes/align.js';
import type { ByteSource } from '../../base/bytes/source.js';
import { fail } from '../../base/errors/patch-error.js';
import type { Phdr, Shdr } from '../../formats/elf/headers.js';
import { SHF_ALLOC, SHF_EXECINSTR, SHF_WRITE, SHT_NOTE, SHT_PROGBITS, SHT_STRTAB } from '../../formats/elf/names.js';
import type { OriginalInput } from './checks.js';
import {
  type Container,
  DATA_AT,
  headBytes,
  loadHeader,
  noteHeader,
  type Part,
  SHDR_SIZE,
  section,
  sectionBytes,
  sizeOf,
} from './container.js';
import { u32 } from './numbers.js';
import type { Variant } from './variants.js';

/** Where the image goes, and where it ends for the releases that take it as an argument. */
export interface Addresses {
  readonly loadBase: bigint;
  readonly finalExec: bigint | undefined;
}

const NAMES = '\0.text\0.shstrtab\0';
/** One NUL more than a name needs. */
const NOTE_NAME = '.note\0\0';
/** The original copies by so many bytes at a time. */
const BUFFER = 1024n;

/** Lays the container out. Errors: `mkelf32.no-final`. */
export function layOutOriginal(
  source: ByteSource,
  { load, note, dataFrom }: OriginalInput,
  { loadBase, finalExec }: Addresses,
  variant: Variant,
): Container {
  const data = u32(load.p_filesz);
  const memory = memorySize(source, load, variant, loadBase, finalExec);
  const noteIn = note === undefined ? undefined : notePlace(load, note, loadBase, variant);
  const names = latin1(note === undefined ? NAMES : NAMES + NOTE_NAME);
  const sections = sectionHeaders(loadBase, data, BigInt(names.length), noteIn);
  const outLoad = loadHeader(loadBase, data, memory);
  const outNote =
    noteIn && noteHeader(u32(noteIn.offset + DATA_AT - variant.noteOffsetError), noteIn.address, noteIn.size);
  const head = {
    entry: loadBase,
    load: outLoad,
    note: outNote,
    shoff: u32(DATA_AT + data),
    shnum: sections.length,
    shstrndx: 2,
  };
  const parts: Part[] = [
    { kind: 'bytes', what: 'headers', bytes: headBytes(head) },
    { kind: 'copy', what: 'load segment', from: dataFrom, size: data },
    { kind: 'bytes', what: 'section headers', bytes: sectionBytes(sections) },
    { kind: 'bytes', what: 'section names', bytes: names },
    { kind: 'bytes', what: 'tail', bytes: tail(source, dataFrom, data, names.length) },
  ];
  const warnings = variant.undefinedPadding
    ? [
        `the tool of ${variant.releases} leaves 12 or 44 bytes behind the headers and the tail to chance; zeros are written`,
      ]
    : [];
  return { parts, fileSize: sizeOf(parts), entry: loadBase, load: outLoad, note: outNote, sections, warnings };
}

/** p_memsz: the end address in memory is page aligned, not the size. */
function memorySize(
  source: ByteSource,
  load: Phdr,
  { memory, releases }: Variant,
  loadBase: bigint,
  finalExec: bigint | undefined,
): bigint {
  if (memory !== 'final') return pageEnd(loadBase, u32(alignUp(u32(load.p_memsz), memory)));
  if (finalExec === undefined) fail('mkelf32.no-final', { file: source.name }, { releases });
  return pageEnd(loadBase, u32(finalExec - load.p_vaddr));
}

/** The least size at or above `size` with which `base` plus it is a multiple of 4 KiB, in 32 bits. */
export function pageEnd(base: bigint, size: bigint): bigint {
  return u32(size + (-(base + size) & 0xfffn));
}

interface NotePlace {
  /** Behind the start of the data. */
  readonly offset: bigint;
  readonly address: bigint;
  readonly size: bigint;
}

function notePlace(load: Phdr, note: Phdr, loadBase: bigint, { noteAddress }: Variant): NotePlace {
  const distance = note.p_vaddr - load.p_vaddr;
  return {
    offset: u32(note.p_offset - load.p_offset),
    address: u32(noteAddress === 'address' ? loadBase + distance : distance),
    // Not p_filesz: a PT_NOTE that takes no memory comes out empty.
    size: u32(note.p_memsz),
  };
}

function sectionHeaders(base: bigint, data: bigint, names: bigint, note: NotePlace | undefined): Shdr[] {
  const text = section({
    sh_name: NAMES.indexOf('.text'),
    sh_type: SHT_PROGBITS,
    sh_flags: SHF_WRITE | SHF_ALLOC | SHF_EXECINSTR,
    sh_addr: base,
    sh_offset: DATA_AT,
    sh_size: data,
    sh_addralign: 64n,
  });
  const count = note === undefined ? 3n : 4n;
  const shstrtab = section({
    sh_name: NAMES.indexOf('.shstrtab'),
    sh_type: SHT_STRTAB,
    sh_offset: u32(DATA_AT + data + count * SHDR_SIZE),
    sh_size: names,
    sh_addralign: 1n,
  });
  const all = [section({}), text, shstrtab];
  if (note === undefined) return all;
  const noteSection = section({
    sh_name: NAMES.length,
    sh_type: SHT_NOTE,
    sh_addr: note.address,
    sh_offset: u32(DATA_AT + note.offset),
    sh_size: note.size,
    sh_addralign: 4n,
  });
  return [...all, noteSection];
}

/**
 * 1 to 4 bytes of padding: the first bytes of the copy buffer, which hold the start of the last piece copied, of the piece
 * before it where the last one was shorter, or zeros.
 */
function tail(source: ByteSource, from: bigint, data: bigint, names: number): Uint8Array {
  const bytes = new Uint8Array(4 - Number((BigInt(names) + data) % 4n));
  if (data === 0n) return bytes;
  const last = ((data - 1n) / BUFFER) * BUFFER;
  const size = BigInt(bytes.length);
  const copy = (piece: bigint, length: bigint) => {
    const used = length < size ? length : size;
    bytes.set(source.read(from + piece, used, 'load segment'));
  };
  if (last > 0n) copy(last - BUFFER, BUFFER);
  copy(last, data - last);
  return bytes;
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
