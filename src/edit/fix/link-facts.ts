/**
 * What a sentence about a link can name of a file: its headers as far as they can be read, the sections in a PT_LOAD, and
 * where one of them has to go. A broken file has these, too.
 */
import type { ByteSource } from '../../base/bytes/source.js';
import { hex } from '../../base/errors/hex.js';
import { PatchError } from '../../base/errors/patch-error.js';
import type { Phdr } from '../../formats/elf/headers.js';
import { type ElfImage, hasFileBytes, isAllocated } from '../../formats/elf/image.js';
import { EI_CLASS, EI_DATA, ELFCLASS64, ELFDATA2MSB, PT_LOAD } from '../../formats/elf/names.js';
import { readElf } from '../../formats/elf/read.js';
import { sectionName } from '../../formats/elf/section-names.js';
import { type LaxImage, laxIdent, lenientElf } from '../../loaders/read/lenient-elf.js';
import type { Verdict } from '../../loaders/rule.js';

/** A PT_LOAD with its place in the table. */
export interface Load extends Phdr {
  readonly index: number;
}

/** A file and the verdict on it, for what has to change in its source or link. */
export class LinkFacts {
  readonly source: ByteSource;
  readonly verdict: Verdict;
  /** Read as loaders read it: whatever the headers say. */
  readonly image: LaxImage;
  readonly loads: readonly Load[];
  readonly #named: ElfImage | undefined;

  constructor(source: ByteSource, verdict: Verdict) {
    this.source = source;
    this.verdict = verdict;
    const ident = laxIdent(source);
    const encoding = {
      bits: ident[EI_CLASS] === ELFCLASS64 ? 64 : 32,
      endian: ident[EI_DATA] === ELFDATA2MSB ? 'big' : 'little',
    } as const;
    this.image = lenientElf(source, encoding, { stride: 'own-size', sections: true });
    this.loads = this.image.segments.flatMap((segment, index) =>
      segment.p_type === PT_LOAD ? [{ ...segment, index }] : [],
    );
    this.#named = readable(source);
  }

  /** `PT_LOAD 2 (.data, .bss)`: the first sections that it holds, as far as there are any. */
  loadName({ index, p_offset, p_filesz, p_vaddr, p_memsz }: Load): string {
    const image = this.#named;
    const sections = image?.sections ?? [];
    const names = sections.flatMap((section, at) => {
      if (!isAllocated(section) || section.sh_size === 0n || image === undefined) return [];
      const inside = hasFileBytes(section)
        ? section.sh_offset >= p_offset && section.sh_offset < p_offset + p_filesz
        : section.sh_addr >= p_vaddr && section.sh_addr < p_vaddr + p_memsz;
      return inside ? [sectionName(image, at)] : [];
    });
    return `PT_LOAD ${index}${names.length === 0 ? '' : ` (${names.slice(0, MOST_NAMES).join(', ')})`}`;
  }

  /** The first PT_LOAD of which that is true, as a sentence says it. */
  about(is: (load: Load) => boolean, say: (name: string, load: Load) => string): string | undefined {
    const load = this.loads.find(is);
    return load === undefined ? undefined : say(this.loadName(load), load);
  }

  /** A section of that kind, by name. */
  sectionNamed(is: (type: number) => boolean): string | undefined {
    const image = this.#named;
    const at = image?.sections.findIndex(({ sh_type }) => is(sh_type)) ?? -1;
    return image === undefined || at < 0 ? undefined : sectionName(image, at);
  }
}

/** A sentence about a file; undefined where it has nothing to say of this one. */
export type LinkRow = (facts: LinkFacts) => string | undefined;

const MOST_NAMES = 3;

function readable(source: ByteSource): ElfImage | undefined {
  try {
    return readElf(source);
  } catch (error) {
    if (error instanceof PatchError) return undefined;
    throw error;
  }
}

/** Where a segment lies in physical memory: `0x100000 to 0x103000`. */
export function placeOf({ p_paddr, p_memsz }: Phdr): string {
  return `${hex(p_paddr)} to ${hex(p_paddr + p_memsz)}`;
}
