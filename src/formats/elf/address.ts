/**
 * The three kinds of address of an ELF image, as types. All are bigint when the program runs; a brand only keeps tsc from
 * taking one where another is wanted. Fields of headers stay plain: the call that looks one up names its kind (docs/decisions/bigint.md).
 */
import type { Range } from '../../base/bytes/range.js';

declare const kind: unique symbol;

/** A virtual address, in the space of p_vaddr, sh_addr and st_value. */
export type Vaddr = bigint & { readonly [kind]: 'virtual' };

/** A physical address, in the space of p_paddr. */
export type Paddr = bigint & { readonly [kind]: 'physical' };

/** A distance in bytes from the start of the file, in the space of p_offset and sh_offset. */
export type FileOffset = bigint & { readonly [kind]: 'offset' };

/** A range of virtual addresses. */
export interface VaddrRange extends Range {
  readonly start: Vaddr;
  readonly end: Vaddr;
}

/** A range of file offsets. */
export interface FileRange extends Range {
  readonly start: FileOffset;
  readonly end: FileOffset;
}

/** Says that a number is a virtual address; nothing is checked. */
export function vaddr(address: bigint): Vaddr {
  return address as Vaddr;
}

/** Says that a number is a physical address; nothing is checked. */
export function paddr(address: bigint): Paddr {
  return address as Paddr;
}

/** Says that a number is a file offset; nothing is checked. */
export function fileOffset(offset: bigint): FileOffset {
  return offset as FileOffset;
}

/** The `size` bytes of memory from a virtual address. */
export function vaddrRange(start: bigint, size: bigint): VaddrRange {
  return { start: vaddr(start), end: vaddr(start + size) };
}

/** The `size` bytes of the file from an offset. */
export function fileRange(start: bigint, size: bigint): FileRange {
  return { start: fileOffset(start), end: fileOffset(start + size) };
}
