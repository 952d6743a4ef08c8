/**
 * The one block that QEMU makes of a kernel with a Multiboot header, from its lowest to its highest address, and what an option ROM
 * of the BIOS does with it in the machine: how the block is gathered from the loads of an ELF file, and where it goes.
 */

import { compare } from '../base/bytes/range.js';
import { hex } from '../base/errors/hex.js';
import { isMemory, leastMemory, mebibytes } from './memory.js';
import { PC_FIRMWARE, type QemuElf, qemuPlace } from './qemu-elf.js';
import { crash, lost, type Remark, type Rule, refuse, warn } from './rule.js';

/** A range of physical addresses. */
export interface Block {
  readonly start: bigint;
  readonly size: bigint;
}

/** What is loaded at one place: `bytes` of them from the file, the rest of `size` zeros. */
interface Blob extends Block {
  readonly name: string;
  readonly bytes: bigint;
}

/**
 * Where the BIOS keeps the option ROM that copies the kernel in, on machine pc with its own devices: a block that begins at
 * 0xcb000 is entered, one at 0xca000 never (tried with 7.2).
 */
const LOADER_START = 0xca000n;
const LOADER_END = 0xcb000n;

const FETCH_FAILED = 'Error while fetching elf kernel from rom';

const u32 = (value: bigint): bigint => BigInt.asUintN(32, value);
const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);

/** The kernel is copied by an option ROM of the BIOS, and over it: what then? */
export function overFirmware({ start, size }: Block): Remark | undefined {
  const end = start + size;
  if (start >= LOADER_END || end <= LOADER_START) return undefined;
  return crash(
    `the kernel never starts: ${hex(start)} to ${hex(end)} is copied as one block, with zeros over the BIOS and what it copies by`,
  );
}

/** Is the block memory? What is not swallows what is written to it, a few bytes at a time; the entry may be in it. */
export function blockInMemory({ start, size }: Block, entry: bigint, memory: bigint): Remark | undefined {
  if (size === 0n) return undefined;
  const map = qemuPlace(memory);
  if (isMemory(map, memory, start, size)) return undefined;
  const why = `the block goes to ${hex(start)} to ${hex(start + size)}, of which a machine with ${mebibytes(memory)} of memory has not all`;
  if (!isMemory(map, memory, entry, 1n)) return lost(why, leastMemory(map, start, size));
  return warn(`${why}: what is outside is written for nothing, which may take minutes`);
}

/** Addresses and sizes of the block are kept in 32 bits. Without a load, one byte at the end of them. */
function blockOf(view: QemuElf): Block {
  const placed = view.placed();
  const low = placed.reduce((least, { start }) => (start < least ? start : least), (1n << 64n) - 1n);
  const high = placed.reduce((most, { end }) => (end > most ? end : most), 0n);
  return { start: u32(low), size: u32(high - low) };
}

/** All that QEMU has to load, by address: the firmware is the first of those at its own. */
function blobsOf(view: QemuElf): Blob[] {
  const loads = view.placed().flatMap(({ index, start, end }): Blob[] => {
    const bytes = view.image.segments[index]?.p_filesz ?? 0n;
    return end > start ? [{ name: `PT_LOAD ${index}`, start, size: end - start, bytes }] : [];
  });
  const { start, end } = PC_FIRMWARE;
  const firmware = { name: 'the firmware', start, size: end - start, bytes: end - start };
  return [firmware, ...loads].sort((a, b) => compare(a.start, b.start));
}

/** How far the block was filled, and what is longer than the rest of it. */
interface Gathered {
  readonly filled: bigint;
  readonly tooLong?: Blob;
}

function gather(view: QemuElf, { start, size }: Block): Gathered {
  let filled = 0n;
  for (const blob of blobsOf(view)) {
    if (u64(blob.start + blob.size) < start) continue;
    if (blob.start > start + size || blob.start < start) break;
    const at = blob.start - start;
    // A piece that is too long is cut to its distance from the start, negated: nothing at the start, and else a size without end.
    const bytes = at + blob.bytes > size ? 0n : blob.bytes;
    if (bytes < blob.bytes && at > 0n) return { filled: 0n, tooLong: blob };
    const rest = blob.size > blob.bytes ? blob.size - blob.bytes : 0n;
    const zeros = at + bytes + rest > size ? 0n : rest;
    if (zeros < rest && at + bytes > 0n) return { filled: 0n, tooLong: blob };
    filled = at + bytes + zeros;
  }
  return { filled: u32(filled) };
}

const GATHERED: Rule<QemuElf> = {
  name: 'fetched-to-the-end',
  source: 'hw/i386/multiboot.c, load_multiboot; hw/core/loader.c, rom_copy',
  because:
    'one block is fetched up to the highest end: the last piece by address has to end there, and none may be longer than the rest',
  run(view) {
    const block = blockOf(view);
    const end = block.start + block.size;
    const { filled, tooLong } = gather(view, block);
    if (filled === block.size) return undefined;
    if (tooLong === undefined) {
      const last = `the last piece by address ends at ${hex(block.start + filled)}, the highest end is ${hex(end)}`;
      return refuse(FETCH_FAILED, { reason: view.loads.length === 0 ? 'there is no PT_LOAD' : last });
    }
    const { name, start, size, bytes } = tooLong;
    const longest = start + (bytes > size ? bytes : size);
    const why = `the block ends at ${hex(end)}, and ${name} goes into it from ${hex(start)} to ${hex(longest)}`;
    return refuse(FETCH_FAILED, { reason: `${why}: QEMU copies over its own memory, and may crash` });
  },
};

const ONE_BLOCK: Rule<QemuElf> = {
  name: 'one-block',
  source: 'hw/i386/multiboot.c, load_multiboot',
  because: 'one block from the lowest to the highest load is copied, with zeros where the file has nothing',
  run: (view) => overFirmware(blockOf(view)),
};

/** The rules on the block of an ELF file, once its headers are taken. */
export const QEMU_BLOCK: readonly Rule<QemuElf>[] = [GATHERED, ONE_BLOCK];
