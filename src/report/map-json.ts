/** A map as members of a `xen-elfpatch/layout/1` document. */

import { printable } from '../base/printable.js';
import { segmentFlags } from '../formats/elf/names.js';
import type { ImageMap } from '../inspect/map/image-map.js';
import type { Json } from './json.js';

/** The map of an image as `--json` has it. */
export function mapJson({ name, size, entry, kind, file, memory, notes }: ImageMap): { readonly [key: string]: Json } {
  return {
    file: name,
    ...(kind === 'pe' ? { format: kind } : {}),
    size,
    entry,
    bands: file.map((band) => ({
      start: band.start,
      end: band.end,
      kind: band.kind,
      name: printable(band.name),
      load: band.load ?? null,
      ...(band.kind === 'notes' ? { notes: (notes.get(band.start) ?? []).map(printable) } : {}),
    })),
    memory: memory.map((band) => ({
      start: band.start,
      end: band.end,
      load: band.load,
      ...(kind === 'pe' ? { name: printable(band.name) } : {}),
      flags: segmentFlags(band.flags),
      vaddr: band.p_vaddr,
      paddr: band.p_paddr,
      offset: band.offset,
      filesz: band.filesz,
      notes: band.notes.map((note) => ({ segment: note.index, start: note.start, end: note.end })),
      entry: band.entry ?? null,
    })),
  };
}
