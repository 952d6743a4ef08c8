/** Everything a map of an image shows: the file from front to back, memory from low to high, and the notes with names. */
import type { ElfImage } from '../../formats/elf/image.js';
import { fileTypeName, machineName } from '../../formats/elf/names.js';
import { noteAreas } from '../../formats/note/areas.js';
import { noteWords, XEN } from '../../formats/note/note-types.js';
import { ownerOf } from '../../formats/note/record.js';
import { noteName } from '../../formats/note/xen-notes.js';
import { type Band, fileBands } from './bands.js';
import { type MemoryBand, memoryBands } from './memory.js';

/** What stands where in the file and in memory; offsets, addresses and sizes in bytes. */
export interface ImageMap {
  /** The file's name as it was given. */
  readonly name: string;
  readonly size: bigint;
  readonly kind: 'elf' | 'pe';
  /** `ELF64 little-endian, x86-64, executable`. */
  readonly format: string;
  /** Where the image says that it is entered, and what its format calls that. */
  readonly entry: bigint;
  readonly entryName: string;
  /** What is loaded, by the number that bands call it by: a PT_LOAD's, or a section's. */
  readonly loads: ReadonlyMap<number, LoadFacts>;
  readonly file: readonly Band[];
  readonly memory: readonly MemoryBand[];
  /** What a band of notes holds, by its start: `Xen PHYS32_ENTRY`, `GNU 0x3`. */
  readonly notes: ReadonlyMap<bigint, readonly string[]>;
}

/** A loaded part as the file's side of a map tells of it. */
export interface LoadFacts {
  /** `PT_LOAD 2`, `.text`. */
  readonly name: string;
  readonly flags: number;
  readonly vaddr: bigint;
}

/** Note names kept for one area. */
const NAMES_KEPT = 64;

/** Maps an ELF image; memory is laid out by the addresses that `by` names. Errors: those of noteAreas. */
export function imageMap(image: ElfImage, by: 'p_vaddr' | 'p_paddr' = 'p_vaddr'): ImageMap {
  const notes = new Map<bigint, readonly string[]>();
  for (const { range, walk } of noteAreas(image)) {
    if (notes.has(range.start)) continue;
    notes.set(
      range.start,
      walk.records.slice(0, NAMES_KEPT).map(({ name, type }) => {
        const owner = ownerOf(name);
        return `${owner} ${owner === XEN ? noteName(type) : (noteWords(owner, type) ?? `0x${type.toString(16)}`)}`;
      }),
    );
  }
  const { encoding, header, source } = image;
  return {
    name: source.name,
    size: source.size,
    kind: 'elf',
    format: `ELF${encoding.bits} ${encoding.endian}-endian, ${machineName(header.e_machine)}, ${fileTypeName(header.e_type)}`,
    entry: header.e_entry,
    entryName: 'e_entry',
    loads: new Map(
      image.segments.map((s, index) => [index, { name: `PT_LOAD ${index}`, flags: s.p_flags, vaddr: s.p_vaddr }]),
    ),
    file: fileBands(image),
    memory: memoryBands(image, by),
    notes,
  };
}
