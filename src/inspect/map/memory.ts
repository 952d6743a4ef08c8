/** Memory as a loader makes it: PT_LOADs by address, what of them comes from the file, what is zero, where notes stand. */
import { compare, type Range } from '../../base/bytes/range.js';
import { type ElfImage, loads } from '../../formats/elf/image.js';
import { PT_NOTE } from '../../formats/elf/names.js';

/** One PT_LOAD, or one section of a PE image, in memory. */
export interface MemoryBand extends Range {
  readonly load: number;
  /** `PT_LOAD 2`, `.text`. */
  readonly name: string;
  /** PF_R, PF_W and PF_X of the gABI, whatever the format. */
  readonly flags: number;
  readonly p_vaddr: bigint;
  readonly p_paddr: bigint;
  /** Bytes from the file; the rest up to the end is zero. */
  readonly filesz: bigint;
  readonly offset: bigint;
  /** PT_NOTEs whose bytes are among those from the file, by address. */
  readonly notes: readonly MemoryNote[];
  /** The entry, when it lies here. */
  readonly entry: bigint | undefined;
}

/** A PT_NOTE as it lies in memory. */
export interface MemoryNote extends Range {
  readonly index: number;
}

/** PT_LOADs that are drawn. */
const LOAD_LIMIT = 1024;

/** PT_LOADs by virtual or by physical address, lowest first; e_entry is looked for by its virtual address, then by its physical one. */
export function memoryBands(image: ElfImage, by: 'p_vaddr' | 'p_paddr' = 'p_vaddr'): MemoryBand[] {
  const all = loads(image).filter(({ segment }) => segment.p_memsz > 0n);
  const { e_entry } = image.header;
  const holds = (address: bigint, size: bigint) => e_entry >= address && e_entry - address < size;
  const virtual = all.find(({ segment: s }) => holds(s.p_vaddr, s.p_memsz))?.index;
  const physical = virtual === undefined ? all.find(({ segment: s }) => holds(s.p_paddr, s.p_memsz))?.index : undefined;
  const notes = image.segments.flatMap((s, index) =>
    s.p_type === PT_NOTE && s.p_filesz > 0n ? [{ index, segment: s }] : [],
  );
  return all
    .slice(0, LOAD_LIMIT)
    .map(({ index, segment: s }): MemoryBand => {
      const start = s[by];
      const entry =
        index === virtual
          ? start + (e_entry - s.p_vaddr)
          : index === physical
            ? start + (e_entry - s.p_paddr)
            : undefined;
      return {
        start,
        end: start + s.p_memsz,
        load: index,
        name: `PT_LOAD ${index}`,
        flags: s.p_flags,
        p_vaddr: s.p_vaddr,
        p_paddr: s.p_paddr,
        filesz: s.p_filesz < s.p_memsz ? s.p_filesz : s.p_memsz,
        offset: s.p_offset,
        notes: notes.slice(0, LOAD_LIMIT).flatMap(({ index: note, segment: n }) => {
          const inside = n.p_offset >= s.p_offset && n.p_offset + n.p_filesz <= s.p_offset + s.p_filesz;
          const at = start + (n.p_offset - s.p_offset);
          return inside ? [{ index: note, start: at, end: at + n.p_filesz }] : [];
        }),
        entry,
      };
    })
    .sort((a, b) => compare(a.start, b.start));
}
