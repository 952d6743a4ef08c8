/**
 * The ELF32 file around the load segment, as a sequence of parts. It is written front to back, so no part needs to be held
 * in memory (layout of the headers: gABI; their values: xen/arch/x86/boot/mkelf32.c).
 */
import { Ehdr, EI_NIDENT, Phdr, Shdr } from '../../formats/elf/headers.js';
import {
  ELF_MAGIC,
  ELFCLASS32,
  ELFDATA2LSB,
  EM_386,
  ET_EXEC,
  EV_CURRENT,
  PF_R,
  PF_W,
  PF_X,
  PT_LOAD,
  PT_NOTE,
  SHT_NULL,
} from '../../formats/elf/names.js';
import type { Encoding } from '../../formats/elf/struct.js';

/** A stretch of the output. */
export type Part =
  | { readonly kind: 'bytes'; readonly what: string; readonly bytes: Uint8Array }
  | { readonly kind: 'zeros'; readonly what: string; readonly size: bigint }
  /** `size` bytes of the input from file offset `from`. */
  | { readonly kind: 'copy'; readonly what: string; readonly from: bigint; readonly size: bigint }
  /** Bytes that are made while they are written; `chunks` gives exactly `size` of them. */
  | { readonly kind: 'made'; readonly what: string; readonly size: bigint; chunks(): Iterable<Uint8Array> };

/** The planned output. */
export interface Container {
  readonly parts: readonly Part[];
  readonly fileSize: bigint;
  readonly entry: bigint;
  readonly load: Phdr;
  readonly note: Phdr | undefined;
  readonly sections: readonly Shdr[];
  readonly warnings: readonly string[];
}

/** Class and byte order of the result. */
export const OUTPUT: Encoding = { bits: 32, endian: 'little' };
/** The data stands behind the headers at this offset, whatever they take. */
export const DATA_AT = 128n;
/** Bytes of the ELF header of the result. */
export const EHDR_SIZE = BigInt(EI_NIDENT + Ehdr.size(OUTPUT));
/** Bytes of one section header of the result. */
export const SHDR_SIZE = BigInt(Shdr.size(OUTPUT));

const IDENT = Uint8Array.of(...ELF_MAGIC, ELFCLASS32, ELFDATA2LSB, EV_CURRENT);

/** Bytes of one part of the result. */
export function partSize(part: Part): bigint {
  return part.kind === 'bytes' ? BigInt(part.bytes.length) : part.size;
}

/** Bytes of parts that stand one behind the other. */
export function sizeOf(parts: readonly Part[]): bigint {
  return parts.reduce((sum, part) => sum + partSize(part), 0n);
}

/** What the ELF header and the program headers of the result say. */
export interface Head {
  readonly entry: bigint;
  readonly load: Phdr;
  readonly note: Phdr | undefined;
  /** File offset of the section headers, modulo 2^32. */
  readonly shoff: bigint;
  readonly shnum: number;
  readonly shstrndx: number;
}

/** The first 128 bytes: ELF header, one or two program headers, zeros. */
export function headBytes({ entry, load, note, shoff, shnum, shstrndx }: Head): Uint8Array {
  const segments = note === undefined ? [load] : [load, note];
  const bytes = new Uint8Array(Number(DATA_AT));
  bytes.set(IDENT);
  const header: Ehdr = {
    e_type: ET_EXEC,
    e_machine: EM_386,
    e_version: EV_CURRENT,
    e_entry: entry,
    e_phoff: EHDR_SIZE,
    e_shoff: shoff,
    e_flags: 0,
    e_ehsize: Number(EHDR_SIZE),
    e_phentsize: Phdr.size(OUTPUT),
    e_phnum: segments.length,
    e_shentsize: Shdr.size(OUTPUT),
    e_shnum: shnum,
    e_shstrndx: shstrndx,
  };
  Ehdr.encodeInto(bytes, EI_NIDENT, header, OUTPUT);
  for (const [index, segment] of segments.entries()) {
    Phdr.encodeInto(bytes, Number(EHDR_SIZE) + index * Phdr.size(OUTPUT), segment, OUTPUT);
  }
  return bytes;
}

/** The PT_LOAD of the output: everything in one segment that may be read, written and run. */
export function loadHeader(base: bigint, filesz: bigint, memsz: bigint): Phdr {
  return {
    p_type: PT_LOAD,
    p_flags: PF_R | PF_W | PF_X,
    p_offset: DATA_AT,
    p_vaddr: base,
    p_paddr: base,
    p_filesz: filesz,
    p_memsz: memsz,
    p_align: 64n,
  };
}

/** The PT_NOTE of the output. */
export function noteHeader(offset: bigint, address: bigint, size: bigint): Phdr {
  return {
    p_type: PT_NOTE,
    p_flags: PF_R,
    p_offset: offset,
    p_vaddr: address,
    p_paddr: address,
    p_filesz: size,
    p_memsz: size,
    p_align: 4n,
  };
}

/** A section header with what it needs; the rest is 0. */
export function section(fields: Partial<Shdr>): Shdr {
  return {
    sh_name: 0,
    sh_type: SHT_NULL,
    sh_flags: 0n,
    sh_addr: 0n,
    sh_offset: 0n,
    sh_size: 0n,
    sh_link: 0,
    sh_info: 0,
    sh_addralign: 0n,
    sh_entsize: 0n,
    ...fields,
  };
}

/** A section header table as bytes. */
export function sectionBytes(sections: readonly Shdr[]): Uint8Array {
  const bytes = new Uint8Array(sections.length * Shdr.size(OUTPUT));
  for (const [index, header] of sections.entries()) {
    Shdr.encodeInto(bytes, index * Shdr.size(OUTPUT), header, OUTPUT);
  }
  return bytes;
}
