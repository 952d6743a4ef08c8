/**
 * Where GRUB puts a Multiboot kernel: at its addresses, whatever memory is there, or where a tag of a Multiboot2 header lets it
 * be moved to (grub-core/lib/relocator.c).
 */
import { hex } from '../base/errors/hex.js';
import { PT_LOAD } from '../formats/elf/names.js';
import { type RelocatableTag, TAG_RELOCATABLE } from '../formats/multiboot/tags.js';
import { linearEnd } from './grub-multiboot-header.js';
import type { MultibootView } from './grub-multiboot-view.js';
import { isMemory, leastMemory, type MemoryMap, mebibytes, mostOf } from './memory.js';
import { lost, type Remark, type Rule, refuse, warn } from './rule.js';

type R = Rule<MultibootView>;

/** A PC: RAM from 1 MiB to a hole for devices whose start differs from board to board, and is seldom lower. */
const PC: MemoryMap = { holeStart: 0xc000_0000n };
/** Below are tables of the firmware and GRUB itself. */
const MIB = 0x10_0000n;

/** A piece of memory that is written, with the part of it that has bytes of the file. */
interface Piece {
  readonly start: bigint;
  readonly end: bigint;
  readonly fileEnd: bigint;
}

/** Is there a place for so many bytes between the two ends? GRUB says no in these words. */
function placeFor({ min_addr, max_addr, align }: RelocatableTag, size: bigint, memory: bigint): Remark | undefined {
  const range = `tag ${TAG_RELOCATABLE} wants ${hex(size)} bytes between ${hex(min_addr)} and ${hex(max_addr)}`;
  if (size > max_addr || min_addr > max_addr - size) {
    return refuse('invalid min/max address and/or load size', { reason: range });
  }
  const unit = align === 0n ? 1n : align;
  const low = min_addr > MIB ? min_addr : MIB;
  const start = ((low + unit - 1n) / unit) * unit;
  if (start + size <= max_addr && isMemory(PC, memory, start, size)) return undefined;
  const reason = `${range}, at a multiple of ${hex(unit)}; memory is ${mebibytes(memory)}`;
  const needs = start + size <= max_addr ? leastMemory(PC, start, size) : undefined;
  return refuse("couldn't find suitable memory target", { reason, needs });
}

/** Is there a place for a file that is copied as one piece, if it may be moved? */
export const LINEAR_PLACE: R = {
  name: 'place-for-the-file',
  source: 'grub-core/loader/multiboot_mbi2.c, grub_multiboot2_load; grub-core/lib/relocator.c',
  because: 'with a tag that lets it be moved, the image goes where that tag has room, not to its own addresses',
  run(view) {
    const { fields, relocatable, memory } = view;
    if (fields === undefined || relocatable === undefined) return undefined;
    const end = fields.bss_end_addr === 0n ? linearEnd(view, fields) : fields.bss_end_addr;
    return end < fields.load_addr ? undefined : placeFor(relocatable, end - fields.load_addr, memory);
  },
};

/** Is there a place for all PT_LOADs of an ELF file, if it may be moved? */
export const ELF_PLACE: R = {
  name: 'place-for-the-image',
  source: 'grub-core/loader/multiboot_elfxx.c, grub_multiboot_load_elf; grub-core/lib/relocator.c',
  because: 'with a tag that lets it be moved, all PT_LOADs go together where that tag has room',
  run(view) {
    const { relocatable, memory } = view;
    const pieces = loadsOf(view);
    if (relocatable === undefined || pieces.length === 0) return undefined;
    const [start, end] = [lowest(pieces), highest(pieces)];
    return placeFor(relocatable, end - start, memory);
  },
};

function loadsOf({ image: { segments } }: MultibootView): Piece[] {
  return segments
    .filter(({ p_type }) => p_type === PT_LOAD)
    .map((s) => ({ start: s.p_paddr, end: s.p_paddr + s.p_memsz, fileEnd: s.p_paddr + s.p_filesz }));
}

function lowest(pieces: readonly Piece[]): bigint {
  return pieces.reduce((least, { start }) => (start < least ? start : least), pieces[0]?.start ?? 0n);
}

function highest(pieces: readonly Piece[]): bigint {
  return pieces.reduce((most, { end }) => (end > most ? end : most), 0n);
}

/** What becomes of pieces where the machine has no memory. */
function remarkOn(pieces: readonly Piece[], entry: bigint | undefined, memory: bigint): Remark | undefined {
  const outside = pieces.filter(({ start, end }) => end > start && !isMemory(PC, memory, start, end - start));
  const [first] = outside;
  if (first === undefined) return undefined;
  const home = outside.find(({ start, fileEnd }) => entry !== undefined && entry >= start && entry < fileEnd);
  const { start, end } = home ?? first;
  const why = `a load goes to ${hex(start)} to ${hex(end)}, of which a machine with ${mebibytes(memory)} of memory has not all`;
  if (home === undefined) return warn(why);
  return lost(why, needsOf(pieces));
}

/** The pieces that a kernel is written to, at its own addresses; none for one that is moved. */
function piecesOf(view: MultibootView): Piece[] {
  const { fields, relocatable } = view;
  if (relocatable !== undefined) return [];
  if (fields === undefined) return loadsOf(view);
  const fileEnd = linearEnd(view, fields);
  return [{ start: fields.load_addr, end: fields.bss_end_addr > fileEnd ? fields.bss_end_addr : fileEnd, fileEnd }];
}

function needsOf(pieces: readonly Piece[]): bigint | undefined {
  return mostOf(pieces.map(({ start, end }) => leastMemory(PC, start, end > start ? end - start : 0n)));
}

/** The least memory of a machine, in bytes, on which all of a kernel finds its place; undefined where none has it. */
export function multibootNeeds(view: MultibootView): bigint | undefined {
  const pieces = piecesOf(view);
  return pieces.length === 0 ? undefined : needsOf(pieces);
}

const BECAUSE = 'what goes where the machine has no memory is not written, and GRUB reports nothing';

/** Is the place of a file that is copied as one piece memory, if it may not be moved? */
export const LINEAR_IN_MEMORY: R = {
  name: 'load-in-memory',
  source: 'grub-core/lib/relocator.c, grub_relocator_alloc_chunk_addr',
  because: BECAUSE,
  run(view) {
    const { fields, memory } = view;
    return fields === undefined ? undefined : remarkOn(piecesOf(view), fields.entry_addr, memory);
  },
};

/** Is the place of each PT_LOAD memory, if the image may not be moved? */
export const ELF_IN_MEMORY: R = {
  name: 'segments-in-memory',
  source: 'grub-core/lib/relocator.c, grub_relocator_alloc_chunk_addr',
  because: BECAUSE,
  run(view) {
    return remarkOn(piecesOf(view), view.elfEntry, view.memory);
  },
};
