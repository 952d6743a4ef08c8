/**
 * rust-vmm/linux-loader since 0.9 (src/loader/elf/mod.rs) as Firecracker, Cloud Hypervisor and libkrun call it. They share
 * the reader and differ in what they do when it finds no PVH entry.
 */
import { type ByteSource, fits } from '../base/bytes/source.js';
import { hex } from '../base/errors/hex.js';
import { hasLinuxMagic } from '../formats/elf/linux-magic.js';
import { EI_CLASS, EI_DATA, ELFCLASS32, ELFDATA2LSB, PT_LOAD, PT_NOTE } from '../formats/elf/names.js';
import { editFix, preset } from '../formats/note/fix.js';
import { hasElfMagic, type LaxImage, laxIdent, lenientElf } from './read/lenient-elf.js';
import { type PhysEntry, physEntryAsLinuxLoader } from './read/phys-entry.js';
import {
  DEFAULT_MEMORY,
  type Loader,
  loader,
  type ProgramVerdict,
  type Remark,
  type Rule,
  refuse,
  warn,
} from './rule.js';

const SOURCE = 'rust-vmm/linux-loader src/loader/elf/mod.rs, Elf::load';
const NOTE = 'rust-vmm/linux-loader src/loader/elf/mod.rs, parse_elf_note';

const LACKS_PVH = 'Kernel lacks PVH header';
const MIB = 0x100000n;
/** The last that one of the callers writes below 1 MiB: Cloud Hypervisor's RSDP page. */
const LOW_STRUCTURES_END = 0xa1000n;

class LinuxLoaderView {
  readonly source: ByteSource;
  /** Always read as ELF64: the class is never looked at. */
  readonly image: LaxImage;
  /** Bytes of memory that the guest has. */
  readonly memory: bigint;
  #entry: PhysEntry | undefined;

  constructor(source: ByteSource, memory: bigint) {
    this.source = source;
    this.memory = memory;
    const encoding = { bits: 64, endian: 'little' } as const;
    this.image = lenientElf(source, encoding, { stride: 'own-size', sections: false });
  }

  get entry(): PhysEntry {
    this.#entry ??= physEntryAsLinuxLoader(this.image);
    return this.#entry;
  }
}

const RULES: readonly Rule<LinuxLoaderView>[] = [
  {
    name: 'header',
    source: SOURCE,
    because: 'an ELF64 header is read whatever the file is',
    run: ({ source }) => (source.size < 64n ? refuse('Unable to read elf header') : undefined),
  },
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
  {
    name: 'entry-in-high-memory',
    source: SOURCE,
    because: 'e_entry has to be at 1 MiB or above, even where the PVH entry will be used',
    run({ image: { header } }) {
      if (header.e_entry >= MIB) return undefined;
      return refuse('Invalid entry address', { reason: `e_entry is ${hex(header.e_entry)}` });
    },
  },
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
  {
    name: 'pvh-entry',
    source: `${NOTE}; cloud-hypervisor vmm/src/vm.rs`,
    because: 'every PT_NOTE overwrites the answer, so the last one decides; without an entry each caller does its own',
    run({ entry, image }) {
      if (entry.found) return undefined;
      const notes = image.segments.filter(({ p_type }) => p_type === PT_NOTE);
      const reason =
        notes.length === 0
          ? 'there is no PT_NOTE'
          : notes.length === 1
            ? 'the PT_NOTE has no PHYS32_ENTRY owned by Xen with namesz 4'
            : `the last of ${notes.length} PT_NOTEs decides, and it has no PHYS32_ENTRY owned by Xen`;
      return refuse(LACKS_PVH, { reason, cure: editFix(preset('pvh')) });
    },
  },
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
    because: 'nobody checks where the entry lies',
    run({ image: { segments }, entry: { value } }) {
      const inside = segments.some((s) => s.p_type === PT_LOAD && value >= s.p_paddr && value - s.p_paddr < s.p_filesz);
      return inside ? undefined : warn(`the entry ${hex(value)} is not in the file bytes of any PT_LOAD`);
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
function segmentsAndNotes({ image: { segments }, source, entry, memory }: LinuxLoaderView): Remark | undefined {
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
    if (!inMemory(s.p_paddr, s.p_filesz, memory)) {
      const reason = `${name} goes to p_paddr ${hex(s.p_paddr)}, where a guest with ${hex(memory)} bytes of memory has none`;
      return refuse('Unable to read kernel image', { reason });
    }
    if (s.p_paddr + s.p_memsz >= 1n << 64n) {
      return refuse('memory to load kernel image is not enough', { reason: `p_paddr + p_memsz of ${name} wraps` });
    }
  }
  if (entry.problem === undefined) return undefined;
  return refuse(entry.fault?.says ?? LACKS_PVH, { reason: entry.problem, cure: editFix(preset('pvh')) });
}

/** Memory has a hole for devices below 4 GiB; what does not fit in front of it stands behind. */
const HOLE_START = 0xd000_0000n;
const HOLE_END = 0x1_0000_0000n;

function inMemory(start: bigint, size: bigint, memory: bigint): boolean {
  const low = memory < HOLE_START ? memory : HOLE_START;
  const high = memory > HOLE_START ? HOLE_END + memory - HOLE_START : HOLE_END;
  return start + size <= low || (start >= HOLE_END && start + size <= high);
}

function programs({ image: { header }, source }: LinuxLoaderView, ended: Remark | undefined): ProgramVerdict[] {
  const names = ['Firecracker', 'Cloud Hypervisor', 'libkrun'] as const;
  if (ended === undefined) {
    return names.map((program) => ({ program, outcome: 'accepted', text: 'enters the PVH entry in 32-bit mode' }));
  }
  const entry = hex(header.e_entry);
  if (ended.message === LACKS_PVH) {
    return [
      {
        program: 'Firecracker',
        outcome: 'other-path',
        text: `starts e_entry ${entry} in 64-bit mode with a Linux zero page, without a message`,
      },
      { program: 'Cloud Hypervisor', outcome: 'refused', text: LACKS_PVH },
      { program: 'libkrun', outcome: 'other-path', text: `starts e_entry ${entry} as a 64-bit Linux` },
    ];
  }
  if (hasLinuxMagic(source)) {
    return names.map((program) =>
      program === 'Cloud Hypervisor'
        ? { program, outcome: 'other-path', text: "starts it as a bzImage (since v39), by Linux's own start-up code" }
        : { program, outcome: 'refused', text: ended.message },
    );
  }
  return names.map((program) => ({
    program,
    outcome: 'refused',
    text:
      program === 'Cloud Hypervisor'
        ? `tries the file as a bzImage next and complains about that; the reason was: ${ended.message}`
        : ended.message,
  }));
}

/** rust-vmm/linux-loader, by which Firecracker and Cloud Hypervisor load a PVH kernel. */
export const linuxLoader: Loader = loader<LinuxLoaderView>({
  name: 'linux-loader',
  open: (source, { memory = DEFAULT_MEMORY }) => new LinuxLoaderView(source, memory),
  rules: RULES,
  values: ({ entry }) => ({ entry: entry.value, mode: '32-bit, paging off' }),
  programs,
});
