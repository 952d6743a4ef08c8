/**
 * Does an entry point that is about to be written make sense? Nothing is refused for it: the image may be meant for a
 * loader with rules of its own. But a loader that jumps into bytes it never loaded stops without a word.
 */

import { hex } from '../../../base/errors/hex.js';
import { paddr, vaddr } from '../../../formats/elf/address.js';
import type { Phdr } from '../../../formats/elf/headers.js';
import { type ElfImage, loadAtPaddr, loadAtVaddr } from '../../../formats/elf/image.js';
import { PF_X } from '../../../formats/elf/names.js';
import { nativeSize } from '../../../formats/elf/struct.js';
import { decodeValue } from '../../../formats/note/desc.js';
import { XEN_ELFNOTE } from '../../../formats/note/note-types.js';
import type { NoteContent } from '../../../formats/note/record.js';
import { sameNote } from '../../../formats/note/record.js';

const { ENTRY, VIRT_BASE, PADDR_OFFSET, PHYS32_ENTRY } = XEN_ELFNOTE;
const MIB = 0x100000n;
const GIB4 = 0x100000000n;

/** Warnings about entry points among `notes` that were not there, as they are, `before`. */
export function entryWarnings(
  image: ElfImage,
  notes: readonly NoteContent[],
  before: readonly NoteContent[],
): readonly string[] {
  return [...physicalWarnings(image, notes, before), ...virtualWarnings(image, notes, before)];
}

/** PHYS32_ENTRY is jumped to with paging off and 32 bits (xen/include/public/elfnote.h). */
function* physicalWarnings(
  image: ElfImage,
  notes: readonly NoteContent[],
  before: readonly NoteContent[],
): Generator<string> {
  const entry = fresh(image, PHYS32_ENTRY, notes, before);
  if (entry === undefined) return;
  const name = `PHYS32_ENTRY ${hex(entry)}`;
  if (entry >= GIB4) {
    yield `${name} is not below 4 GiB: loaders take its lower 32 bits, ${hex(entry % GIB4)}`;
    return;
  }
  const reason = amiss(loadAtPaddr(image, paddr(entry)), entry, 'p_paddr', 'physical address');
  if (reason !== undefined) yield `${name} ${reason}`;
  else if (entry < MIB) yield `${name} is below 1 MiB, where firmware and loaders keep things of their own`;
}

function* virtualWarnings(
  image: ElfImage,
  notes: readonly NoteContent[],
  before: readonly NoteContent[],
): Generator<string> {
  const entry = fresh(image, ENTRY, notes, before);
  // All ones are how a note says that it is not given.
  if (entry === undefined || entry === (1n << BigInt(nativeSize(image.encoding) * 8)) - 1n) return;
  const name = `ENTRY ${hex(entry)}`;
  const byVaddr = loadAtVaddr(image, vaddr(entry));
  if (byVaddr !== undefined) {
    const reason = amiss(byVaddr, entry, 'p_vaddr', 'virtual address');
    if (reason !== undefined) yield `${name} ${reason}`;
    return;
  }
  // Xen maps by these notes, whatever p_vaddr says.
  const virtBase = number(image, VIRT_BASE, notes);
  const physical = virtBase === undefined ? undefined : entry - virtBase + (number(image, PADDR_OFFSET, notes) ?? 0n);
  const load = physical === undefined ? undefined : loadAtPaddr(image, paddr(physical));
  const reason = amiss(load, physical ?? entry, 'p_paddr', 'virtual address');
  if (reason !== undefined) yield `${name} ${reason}`;
}

function amiss(
  load: Phdr | undefined,
  address: bigint,
  field: 'p_vaddr' | 'p_paddr',
  what: string,
): string | undefined {
  if (load === undefined) return `is the ${what} of no PT_LOAD: nothing of the image will be there`;
  if (address - load[field] >= load.p_filesz) return 'lies behind the file bytes of its PT_LOAD, in zeros (.bss)';
  return (load.p_flags & PF_X) === 0 ? 'lies in a PT_LOAD that is not executable' : undefined;
}

/** The number a note will say; undefined when there is none, it is none, or it said so before. */
function fresh(
  image: ElfImage,
  type: number,
  notes: readonly NoteContent[],
  before: readonly NoteContent[],
): bigint | undefined {
  const note = last(type, notes);
  const was = last(type, before);
  return note === undefined || (was !== undefined && sameNote(note, was)) ? undefined : number(image, type, notes);
}

/** Of several notes of a type the last one counts. */
function last(type: number, notes: readonly NoteContent[]): NoteContent | undefined {
  return notes.findLast((note) => note.type === type);
}

function number({ encoding }: ElfImage, type: number, notes: readonly NoteContent[]): bigint | undefined {
  const note = last(type, notes);
  const value = note === undefined ? undefined : decodeValue(type, note.desc, encoding);
  return value?.kind === 'number' ? value.value : undefined;
}
