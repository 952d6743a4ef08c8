/** What strip and objcopy of binutils do to loads and notes, by where bfd puts them. */
import { alignUp } from '../../../../base/bytes/align.js';
import { rangeOf } from '../../../../base/bytes/range.js';
import { hex } from '../../../../base/errors/hex.js';
import type { Phdr } from '../../../../formats/elf/headers.js';
import {
  type ElfImage,
  ehdrSize,
  isAllocated,
  loadAtOffset,
  loads,
  phdrTable,
  sectionFileRange,
} from '../../../../formats/elf/image.js';
import { SHT_NOBITS } from '../../../../formats/elf/names.js';
import { type Rebuilt, rebuild } from './bfd.js';
import { bfdRefusal } from './bfd-refusal.js';
import { firstNonZero, kept, loadsBroken, noteSegments, notesBroken, type Outcome, uncovered } from './outcome.js';

/** Sections times segments that are gone through; images with tables of tens of thousands are not foretold. */
const PAIRS = 0x400000;

/** The outcome of strip or objcopy without options that name sections. */
export function gnu(image: ElfImage): Outcome {
  if (image.sections.length === 0) {
    return loadsBroken('GNU tools rebuild segments from sections, and the image has none');
  }
  if (image.sections.length * image.segments.length > PAIRS) {
    return {
      verdict: 'unknown',
      why: `${image.sections.length} sections in ${image.segments.length} segments are not followed`,
    };
  }
  const refused = bfdRefusal(image);
  if (refused !== undefined) return loadsBroken(`GNU tools refuse the image: ${refused}`);
  const rebuilt = rebuild(image);
  const why = rebuilt.trouble ?? loadTrouble(image, rebuilt);
  if (why !== undefined) return loadsBroken(`GNU tools rebuild segments from sections: ${why}`);
  return notes(image, rebuilt);
}

function loadTrouble(image: ElfImage, { loads: built, held }: Rebuilt): string | undefined {
  const table = phdrTable(image);
  const headers = ehdrSize(image.encoding) + (table.end - table.start);
  for (const { index, segment } of loads(image)) {
    const now = built.get(index);
    if (segment.p_memsz === 0n || now === undefined) continue;
    if (now.p_vaddr !== segment.p_vaddr || now.p_paddr !== segment.p_paddr) {
      return `PT_LOAD ${index} goes from ${hex(segment.p_vaddr)} to ${hex(now.p_vaddr)}`;
    }
    // One that shows the headers alone grows with them.
    const grows = segment.p_offset === 0n && now.p_memsz > segment.p_memsz && now.p_memsz === headers;
    if (now.p_memsz !== segment.p_memsz && !grows) {
      return `PT_LOAD ${index} holds ${hex(segment.p_memsz)} bytes, and its sections ${hex(now.p_memsz)}`;
    }
    const lost = firstNonZero(image, uncovered(image, segment, held[index] ?? [], rangeOf(0n, headers)));
    if (lost !== undefined) return `no section covers the bytes at ${hex(lost.start)} of PT_LOAD ${index}`;
  }
  return undefined;
}

function notes(image: ElfImage, { held }: Rebuilt): Outcome {
  for (const { index, segment } of noteSegments(image)) {
    const own = held[index] ?? [];
    if (own.length === 0) return notesBroken('no section covers the notes', 'dropped');
    const bss = own.find((i) => image.sections[i]?.sh_type === SHT_NOBITS);
    if (bss !== undefined) {
      const why = `section ${bss}, which has no bytes, has the address of the PT_NOTE, and where GNU tools put it then is not followed`;
      return { verdict: 'unknown', why };
    }
    const lost = firstNonZero(image, uncovered(image, segment, own));
    if (lost !== undefined) return notesBroken(`no section covers the notes at ${hex(lost.start)}`);
    const moved = apart(image, segment, own);
    if (moved !== undefined) return notesBroken(moved);
    const outside = own.find((i) => {
      const section = image.sections[i];
      return (
        section !== undefined && isAllocated(section) && loadAtOffset(image, sectionFileRange(section)) === undefined
      );
    });
    if (outside !== undefined) {
      return { verdict: 'kept with a warning', why: 'the note section is marked allocated outside every PT_LOAD' };
    }
  }
  return kept('sections cover the loads and the notes; the program headers go back behind the ELF header');
}

/** Sections that are not allocated are put one behind the other in their order: do they keep their distances? */
function apart(image: ElfImage, segment: Phdr, own: readonly number[]): string | undefined {
  let end: bigint | undefined;
  let shift: bigint | undefined;
  for (const index of own) {
    const section = image.sections[index];
    if (section === undefined || isAllocated(section)) continue;
    const at: bigint = alignUp(end ?? section.sh_offset, section.sh_addralign);
    shift ??= at - section.sh_offset;
    if (at - section.sh_offset !== shift)
      return `section ${index} of the PT_NOTE at ${hex(segment.p_offset)} moves apart from the others`;
    end = at + section.sh_size;
  }
  return undefined;
}
