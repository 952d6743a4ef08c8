/**
 * rust-vmm/linux-loader (src/loader/elf/mod.rs): the reader of ELF files that Firecracker, Cloud Hypervisor and libkrun
 * share. What each does with its answer is in vmms.ts.
 */

import { type ByteSource, fits } from '../base/bytes/source.js';
import { hex } from '../base/errors/hex.js';
import { EI_CLASS, EI_DATA, ELFCLASS32, ELFDATA2LSB, PT_LOAD, PT_NOTE } from '../formats/elf/names.js';
import { editFix, preset } from '../formats/note/fix.js';
import { isMemory, leastMemory, type MemoryMap, mebibytes, mostOf } from './memory.js';
import { hasPhysical } from './read/file-bytes.js';
import { hasElfMagic, type LaxImage, laxIdent, lenientElf } from './read/lenient-elf.js';
import { type LinuxLoaderPadding, type PhysEntry, physEntryAsLinuxLoader } from './read/phys-entry.js';
import { entryOutside, type Remark, type Rule, refuse, warn } from './rule.js';

const SOURCE = 'rust-vmm/linux-loader src/loader/elf/mod.rs, Elf::load';
const NOTE = 'rust-vmm/linux-loader src/loader/elf/mod.rs, parse_elf_note';

/** What Cloud Hypervisor prints where the library found no PVH entry. */
export const LACKS_PVH = 'Kernel lacks PVH header';
const MIB = 0x100000n;
/** The last that one of the callers writes below 1 MiB: Cloud Hypervisor's RSDP page. */
const LOW_STRUCTURES_END = 0xa1000n;

/** Bytes of memory that the guest has, and where they are. */
export interface GuestMemory {
  readonly memory: bigint;
  readonly map: MemoryMap;
}

/** An image as the library reads it, for a guest with so much memory. */
export class LinuxLoaderView {
  readonly source: ByteSource;
  /** Always read as ELF64: the class is never looked at. */
  readonly image: LaxImage;
  readonly guest: GuestMemory;
  readonly #padding: LinuxLoaderPadding;
  #entry: PhysEntry | undefined;

  constructor(source: ByteSource, guest: GuestMemory, padding: LinuxLoaderPadding = 'four') {
    this.source = source;
    this.guest = guest;
    this.#padding = padding;
    const encoding = { bits: 64, endian: 'little' } as const;
    this.image = lenientElf(source, encoding, { stride: 'own-size', sections: false });
  }

  /** The least memory with which every PT_LOAD finds its place; undefined: one never does. */
  needsMemory(): bigint | undefined {
    const loads = this.image.segments.filter(({ p_type, p_filesz }) => p_type === PT_LOAD && p_filesz > 0n);
    return mostOf(loads.map(({ p_paddr, p_filesz }) => leastMemory(this.guest.map, p_paddr, p_filesz)));
  }

  /** The 32-bit entry that the library takes from the notes. */
  get entry(): PhysEntry {
    this.#entry ??= physEntryAsLinuxLoader(this.image, this.#padding);
    return this.#entry;
  }
}

/** The library reads a header, whatever the file is. */
export const HEADER: Rule<LinuxLoaderView> = {
  name: 'header',
  source: SOURCE,
  because: 'an ELF64 header is read whatever the file is',
  run: ({ source }) => (source.size < 64n ? refuse('Unable to read elf header') : undefined),
};

/** Where it was told from where on memory is the kernel's; it compares e_entry with that, and no p_paddr. */
export const ENTRY_IN_HIGH_MEMORY: Rule<LinuxLoaderView> = {
  name: 'entry-in-high-memory',
  source: SOURCE,
  because: 'e_entry has to be at 1 MiB or above, even where the PVH entry will be used',
  run({ image: { header } }) {
    if (header.e_entry >= MIB) return undefined;
    return refuse('Invalid entry address', { reason: `e_entry is ${hex(header.e_entry)}` });
  },
};

/** The headers of the file, up to what each caller has of its own. */
export const ELF_HEADER: readonly Rule<LinuxLoaderView>[] = [
  {
    name: 'elf-magic',
    source: SOURCE,
    because: 'only ELF; callers try a bzImage next',
    run: ({ source }) => (hasElfMagic(source) ? undefined : refuse('Invalid Elf magic number')),
  },
  {
    name: 'byte-order',
    source: SOURCE,
    because: 'the loader does not swap',
    run({ source }) {
      if (laxIdent(source)[EI_DATA] === ELFDATA2LSB) return undefined;
      return refuse('Trying to load big-endian binary on little-endian machine');
    },
  },
  {
    name: 'program-header-size',
    source: SOURCE,
    because: 'e_phentsize must be 56: this, and not the class, is what keeps ELF32 out',
    run({ image: { header }, source }) {
      if (header.e_phentsize === 56) return undefined;
      // The field stands elsewhere in an ELF32, so its number would say nothing there.
      const narrow = laxIdent(source)[EI_CLASS] === ELFCLASS32;
      const reason = narrow ? 'it is an ELF32: link it as ELF64' : `e_phentsize is ${header.e_phentsize}`;
      return refuse('Invalid program header size', { reason });
    },
  },
  {
    name: 'program-header-offset',
    source: SOURCE,
    because: 'the table has to stand behind the ELF header',
    run: ({ image: { header } }) => (header.e_phoff < 64n ? refuse('Invalid program header offset') : undefined),
  },
];

/** The program headers: what is loaded, and where the notes are. */
export const SEGMENTS: readonly Rule<LinuxLoaderView>[] = [
  {
    name: 'program-headers',
    source: SOURCE,
    because: 'the table must be in the file',
    run({ image: { header }, source }) {
      const inFile = fits(header.e_phoff, BigInt(header.e_phnum) * 56n, source.size);
      return inFile ? undefined : refuse('Unable to read program header');
    },
  },
  {
    name: 'segments-and-notes',
    source: `${SOURCE}; parse_elf_note`,
    because: 'in table order: each PT_LOAD with bytes is copied, each PT_NOTE is walked; reading past the file fails',
    run: segmentsAndNotes,
  },
];

/** Why the library gives no PVH entry; undefined: it gives one. */
export function withoutEntry({ entry, image }: LinuxLoaderView): string | undefined {
  if (entry.found) return undefined;
  const notes = image.segments.filter(({ p_type }) => p_type === PT_NOTE);
  if (notes.length === 0) return 'there is no PT_NOTE';
  return notes.length === 1
    ? 'the PT_NOTE has no PHYS32_ENTRY owned by Xen with namesz 4'
    : `the last of ${notes.length} PT_NOTEs decides, and it has no PHYS32_ENTRY owned by Xen`;
}

/** What loads, and by accident or not as it should. */
export const REMARKS: readonly Rule<LinuxLoaderView>[] = [
  {
    name: 'clear-of-low-memory',
    source: 'firecracker src/vmm/src/arch/x86_64/layout.rs; cloud-hypervisor arch/src/x86_64/layout.rs',
    because: 'start info, memory map and command line are written below 1 MiB after the kernel is in place',
    run({ image: { segments } }) {
      const low = segments.findIndex((s) => s.p_type === PT_LOAD && s.p_filesz > 0n && s.p_paddr < LOW_STRUCTURES_END);
      return low < 0 ? undefined : warn(`PT_LOAD ${low} lies where the monitor writes its own structures`);
    },
  },
  {
    name: 'entry-in-a-segment',
    source: SOURCE,
    because: 'the loader does not check where the entry lies',
    run({ image: { segments }, entry: { value } }) {
      const inside = segments.some((s) => s.p_type === PT_LOAD && hasPhysical(s, value));
      return inside ? undefined : entryOutside(value);
    },
  },
  {
    name: 'memory-behind-the-file',
    source: SOURCE,
    because:
      'no check covers the part by which p_memsz exceeds p_filesz, and the kernel clears it itself or not at all',
    run({ image: { segments }, guest: { map, memory } }) {
      const index = segments.findIndex((s) => s.p_type === PT_LOAD && !isMemory(map, memory, s.p_paddr, s.p_memsz));
      const s = segments[index];
      if (s === undefined) return undefined;
      const end = hex(s.p_paddr + s.p_memsz);
      return warn(`PT_LOAD ${index} ends at ${end} in memory, of which a guest with ${mebibytes(memory)} has less`);
    },
  },
  {
    name: 'note-alignment',
    source: NOTE,
    because: 'since 0.9 records are padded by 4; before, by p_align, with a wrong entry as the result',
    run({ image: { segments } }) {
      const index = segments.findIndex((s) => s.p_type === PT_NOTE && s.p_filesz > 0n && s.p_align !== 4n);
      const align = segments[index]?.p_align;
      return index < 0 ? undefined : warn(`PT_NOTE ${index} has p_align ${align}: before 0.9 the loader stepped by it`);
    },
  },
];

/** Offsets from here on are negative to the system call that moves in a file. */
const SEEK_LIMIT = 1n << 63n;

/** In table order, each program header wholly before the next; a PT_LOAD without bytes is passed over. */
function segmentsAndNotes(view: LinuxLoaderView): Remark | undefined {
  const { image, source, entry, guest } = view;
  const { segments } = image;
  const fault = entry.fault?.index ?? Number.POSITIVE_INFINITY;
  for (const [index, s] of segments.entries()) {
    if (index >= fault) break;
    if (s.p_type !== PT_LOAD || s.p_filesz === 0n) continue;
    const name = `PT_LOAD ${index}`;
    if (s.p_offset >= SEEK_LIMIT)
      return refuse('Unable to seek to kernel start', { reason: `${name} has p_offset ${hex(s.p_offset)}` });
    if (!fits(s.p_offset, s.p_filesz, source.size)) {
      return refuse('Unable to read kernel image', { reason: `${name} reaches behind the end of the file` });
    }
    if (!isMemory(guest.map, guest.memory, s.p_paddr, s.p_filesz)) {
      const reason = `${name} goes to p_paddr ${hex(s.p_paddr)}, where a guest with ${mebibytes(guest.memory)} of memory has none`;
      return refuse('Unable to read kernel image', { reason, needs: view.needsMemory() });
    }
    if (s.p_paddr + s.p_memsz >= 1n << 64n) {
      return refuse('memory to load kernel image is not enough', { reason: `p_paddr + p_memsz of ${name} wraps` });
    }
  }
  if (entry.problem === undefined) return undefined;
  return refuse(entry.fault?.says ?? LACKS_PVH, { reason: entry.problem, cure: editFix(preset('pvh')) });
}
