/** ELF64 inputs put down byte by byte, so that they may be as wrong as a test wants. */
import { BufferSource } from '../../../src/base/bytes/source.js';
import type { Container, Part } from '../../../src/edit/mkelf32/container.js';
import { type OriginalRequest, planOriginal } from '../../../src/edit/mkelf32/mkelf32.js';
import { variantOf } from '../../../src/edit/mkelf32/variants.js';
import { concat } from '../../support/elf-builder.js';

export interface Entry {
  readonly type?: number;
  readonly offset?: bigint;
  readonly vaddr?: bigint;
  readonly paddr?: bigint;
  readonly filesz?: bigint;
  readonly memsz?: bigint;
}

/** A file of `size` bytes that counts 1, 2, 3 … modulo 251, with an ELF64 header and these program headers at 64. */
export function input(entries: readonly Entry[], size: number, phnum = entries.length): Uint8Array {
  const bytes = pattern(size);
  bytes.fill(0, 0, 64);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 62, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, phnum, true);
  for (const [index, entry] of entries.entries()) {
    const at = 64 + 56 * index;
    view.setUint32(at, entry.type ?? 1, true);
    view.setUint32(at + 4, 7, true);
    const { offset = 0n, vaddr = 0n, paddr = vaddr, filesz = 0n, memsz = filesz } = entry;
    for (const [field, value] of [offset, vaddr, paddr, filesz, memsz, 16n].entries()) {
      view.setBigUint64(at + 8 + 8 * field, value, true);
    }
  }
  return bytes;
}

/** Bytes that differ from each other wherever a mistake of a few bytes would look. */
export function pattern(size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => ((i * 7) % 251) + 1);
}

/** One load segment of `filesz` bytes at offset 0x1000, and with `note` a note in it at that distance. */
export function simple(filesz: number, memsz: bigint, note?: { at: bigint; size: bigint }): Uint8Array {
  const load = { offset: 0x1000n, vaddr: 0xffff82d040200000n, filesz: BigInt(filesz), memsz };
  const entries: Entry[] = [load];
  if (note !== undefined) {
    const { at, size } = note;
    entries.push({ type: 4, offset: 0x1000n + at, vaddr: load.vaddr + at, filesz: size, memsz: size });
  }
  return input(entries, 0x1000 + filesz);
}

export type Request = Partial<OriginalRequest> & { readonly release?: string };

export function plan(bytes: Uint8Array, request: Request = {}): Container {
  const { notes = false, loadBase = 0x200000n, finalExec, release = 'newest' } = request;
  return planOriginal(new BufferSource(bytes, 'in'), { notes, loadBase, finalExec, variant: variantOf(release) });
}

/** The whole output as bytes. */
export function outputOf(bytes: Uint8Array, container: Container): Uint8Array {
  return concat(container.parts.map((part) => partBytes(bytes, part)));
}

function partBytes(bytes: Uint8Array, part: Part): Uint8Array {
  switch (part.kind) {
    case 'bytes':
      return part.bytes;
    case 'zeros':
      return new Uint8Array(Number(part.size));
    case 'copy':
      return bytes.slice(Number(part.from), Number(part.from + part.size));
    case 'made':
      return concat([...part.chunks()]);
  }
}

export function wrap(bytes: Uint8Array, request: Request = {}): Uint8Array {
  return outputOf(bytes, plan(bytes, request));
}

export function word(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at, true);
}
