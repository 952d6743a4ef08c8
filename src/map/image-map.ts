/** Everything a map of an image shows: the file from front to back, memory from low to high, and the notes with names. */
import type { ElfImage } from '../elf/image.js';
import { noteAreas } from '../note/areas.js';
import { ownerOf } from '../note/record.js';
import { noteName } from '../note/xen-notes.js';
import { type Band, fileBands } from './bands.js';
import { type MemoryBand, memoryBands } from './memory.js';

export interface ImageMap {
  readonly image: ElfImage;
  readonly file: readonly Band[];
  readonly memory: readonly MemoryBand[];
  /** What a band of notes holds, by its start: `Xen PHYS32_ENTRY`, `GNU 0x3`. */
  readonly notes: ReadonlyMap<bigint, readonly string[]>;
  /** PT_NOTEs in the order of the table, for loaders that let the last one decide. */
  readonly segments: number;
}

/** Note names kept for one area. */
const NAMES_KEPT = 64;

/** Errors: those of noteAreas. */
export function imageMap(image: ElfImage, by: 'p_vaddr' | 'p_paddr' = 'p_vaddr'): ImageMap {
  const notes = new Map<bigint, readonly string[]>();
  for (const { range, walk } of noteAreas(image)) {
    if (notes.has(range.start)) continue;
    notes.set(
      range.start,
      walk.records.slice(0, NAMES_KEPT).map(({ name, type }) => {
        const owner = ownerOf(name);
        return owner === 'Xen' ? `Xen ${noteName(type)}` : `${owner} ${foreignName(owner, type)}`;
      }),
    );
  }
  return { image, file: fileBands(image), memory: memoryBands(image, by), notes, segments: image.segments.length };
}

function foreignName(owner: string, type: number): string {
  if (owner === 'GNU' && type === 3) return 'build-id';
  if (owner === 'GNU' && type === 5) return 'property';
  if (owner === 'FDO' && type === 0xcafe1a7e) return 'package metadata';
  return `0x${type.toString(16)}`;
}

/** `12 bytes`, `4 KiB`, `1.5 MiB`: sizes for a picture, where an exact one would not be read. */
export function roundSize(size: bigint): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'];
  let value = Number(size);
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 || Number.isInteger(value) ? Math.round(value) : value.toFixed(1).replace(/\.0$/, '')} ${units[unit]}`;
}
