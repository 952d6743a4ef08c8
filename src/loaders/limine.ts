/**
 * Limine on x86-64 (common/lib/elf.c; common/protos/multiboot1.c, multiboot2.c; as of October 2024). Its configuration names the
 * protocol; here a kernel with a Multiboot header goes by that, version 2 before 1, any other by Limine's own. No note is
 * read. Each refusal is a panic of the boot loader.
 */

import { hex } from '../base/errors/hex.js';
import { Phdr } from '../formats/elf/headers.js';
import {
  EI_CLASS,
  EI_DATA,
  ELFCLASS32,
  ELFCLASS64,
  ELFDATA2LSB,
  EM_386,
  EM_X86_64,
  PT_LOAD,
} from '../formats/elf/names.js';
import {
  isKnownTag,
  TAG_ADDRESS,
  TAG_CONSOLE_FLAGS,
  TAG_END,
  TAG_ENTRY,
  TAG_ENTRY_EFI32,
  TAG_ENTRY_EFI64,
} from '../formats/multiboot/tags.js';
import { MultibootView } from './grub-multiboot-view.js';
import { hasPhysical, hasVirtual } from './read/file-bytes.js';
import { hasElfMagic, type LaxImage } from './read/lenient-elf.js';
import { entryOutside, type Loader, loader, lost, type Rule, refuse, warn } from './rule.js';
import { firstOverlap } from './segment-overlap.js';

const ELF = 'limine common/lib/elf.c, elf64_load';
const ELSEWHERE = 'limine common/lib/elf.c, elf32_load_elsewhere and elf64_load_elsewhere';
const MB1 = 'limine common/protos/multiboot1.c, multiboot1_load';
const MB2 = 'limine common/protos/multiboot2.c, multiboot2_load';

/** Where the kernels of its own protocol are (FIXED_HIGHER_HALF_OFFSET_64). */
const HIGHER_HALF = 0xffff_ffff_8000_0000n;
const PAGE = 0x1000n;
const GIB4 = 0x1_0000_0000n;
/** Tags of a Multiboot2 header that it has no word for. */
const UNKNOWN_TAGS: ReadonlySet<number> = new Set([TAG_CONSOLE_FLAGS, TAG_ENTRY_EFI32, TAG_ENTRY_EFI64]);

/** By its header, or by the protocol of Limine's own. */
class LimineView {
  readonly multiboot: MultibootView | undefined;
  readonly image: LaxImage;

  constructor(source: ConstructorParameters<typeof MultibootView>[0]) {
    const [first, second] = [new MultibootView(source, 1), new MultibootView(source, 2)];
    this.multiboot = second.offset !== undefined ? second : first.offset !== undefined ? first : undefined;
    this.image = first.image;
  }

  /** The PT_LOADs that its own protocol takes: those in the higher half. */
  get high() {
    return this.image.segments.filter((s) => s.p_type === PT_LOAD && s.p_vaddr >= HIGHER_HALF);
  }

  get protocol(): string {
    return this.multiboot === undefined ? 'limine' : `multiboot${this.multiboot.version}`;
  }

  /** Is the file loaded as ELF? */
  get isElf(): boolean {
    return this.multiboot?.isElf !== false;
  }
}

type R = Rule<LimineView>;

/** Rules for Limine's own protocol alone. */
const own = (rule: R): R => ({ ...rule, run: (view) => (view.multiboot === undefined ? rule.run(view) : undefined) });

const TAGS: R = {
  name: 'tags',
  source: MB2,
  because: 'tags are walked to the end tag or header_length; one that it does not know ends the load, optional or not',
  run({ multiboot }) {
    if (multiboot?.header2 === undefined) return undefined;
    const { tags, header2 } = multiboot;
    const end = tags.findIndex(({ type, at }) => type === TAG_END || at >= header2.header_length);
    const seen = end < 0 ? tags : tags.slice(0, end);
    const unknown = seen.find(({ type }) => !isKnownTag(type) || UNKNOWN_TAGS.has(type));
    if (unknown !== undefined) return refuse('multiboot2: Unknown header tag type', { reason: `type ${unknown.type}` });
    const has = (wanted: number) => seen.some(({ type }) => type === wanted);
    if (!has(TAG_ADDRESS) || has(TAG_ENTRY)) return undefined;
    return refuse('multiboot2: Using address tag but entry address tag missing');
  },
};

const FIELDS: R = {
  name: 'address-fields',
  source: `${MB1}; ${MB2}`,
  because: 'with addresses the file is copied as one piece; two of them are compared',
  run({ multiboot }) {
    const { fields, version } = multiboot ?? {};
    if (fields === undefined) return undefined;
    const { header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr } = fields;
    if (load_addr > header_addr) return refuse(`multiboot${version}: Illegal load address`);
    const end = load_end_addr === 0n ? load_addr + (multiboot?.source.size ?? 0n) : load_end_addr;
    if (bss_end_addr !== 0n && bss_end_addr < end) return refuse(`multiboot${version}: Illegal bss end address`);
    if (entry_addr >= load_addr && entry_addr < end) return undefined;
    return lost(
      `the entry ${hex(entry_addr)} is outside of ${hex(load_addr)} to ${hex(end)}, where the file is loaded`,
    );
  },
};

const ELF_HEADER: R = {
  name: 'elf-header',
  source: `${ELF}; elf32_load_elsewhere`,
  because: 'little-endian; its own protocol takes ELF64 with EM_X86_64, Multiboot ELF32 with EM_386 as well',
  run({ multiboot, image: { source, ident, header, encoding }, isElf, protocol }) {
    if (!isElf) return undefined;
    if (!hasElfMagic(source)) return refuse('elf: Not a valid ELF file.');
    const known = ident[EI_CLASS] === ELFCLASS32 || ident[EI_CLASS] === ELFCLASS64;
    if (!known || (multiboot === undefined && encoding.bits === 32)) {
      return refuse(`${protocol}: Invalid ELF file bitness`, { reason: `EI_CLASS ${ident[EI_CLASS]}` });
    }
    if (ident[EI_DATA] !== ELFDATA2LSB) return refuse('elf: Not a Little-endian ELF file.');
    const wide = encoding.bits === 64;
    if (header.e_machine !== (wide ? EM_X86_64 : EM_386)) {
      return refuse(wide ? 'elf: Not an x86-64 ELF file.' : 'elf: Not an x86_32 ELF file.');
    }
    return header.e_phentsize < Phdr.size(encoding) ? refuse('elf: phdr_size < sizeof(struct elf64_phdr)') : undefined;
  },
};

const OWN_RULES: readonly R[] = [
  {
    name: 'higher-half',
    source: ELF,
    because: 'a kernel of its own protocol runs at 0xffffffff80000000 and above; a PT_LOAD below is left out',
    run({ high, image: { segments } }) {
      const all = segments.filter(({ p_type }) => p_type === PT_LOAD).length;
      if (all === 0) return refuse('elf: Executable has no loadable segments');
      if (high.length === 0) return refuse('elf: No higher half PHDRs exist');
      return high.length < all ? warn(`${all - high.length} PT_LOAD(s) below the higher half are left out`) : undefined;
    },
  },
  {
    name: 'no-overlap',
    source: ELF,
    because: 'segments do not meet, nor share a page with other rights',
    run({ high }) {
      const placed = (unit: bigint) =>
        high.map((s, index) => ({
          index,
          start: s.p_vaddr - (s.p_vaddr % unit),
          end: s.p_vaddr + s.p_memsz + ((unit - ((s.p_vaddr + s.p_memsz) % unit)) % unit),
        }));
      if (firstOverlap(placed(1n)) !== undefined)
        return refuse('elf: Attempted to load ELF file with overlapping PHDRs');
      const shared = firstOverlap(placed(PAGE));
      if (shared === undefined) return undefined;
      const rights = shared.map(({ index }) => (high[index]?.p_flags ?? 0) & 7);
      return rights[0] === rights[1]
        ? undefined
        : refuse('elf: Attempted to load ELF file with PHDRs with different permissions sharing the same memory page.');
    },
  },
  {
    name: 'entry-in-a-segment',
    source: ELF,
    because: 'Limine does not check where the entry is',
    run({ high, image: { header } }) {
      const inside = high.some((s) => hasVirtual(s, header.e_entry));
      return inside ? undefined : entryOutside(header.e_entry);
    },
  },
];

const SIZES: R = {
  name: 'file-size-in-memory-size',
  source: `${ELF}; ${ELSEWHERE}`,
  because: 'more in the file than in memory is a panic',
  run({ isElf, image: { segments } }) {
    const bad = isElf && segments.some((s) => s.p_type === PT_LOAD && s.p_filesz > s.p_memsz);
    return bad ? refuse('elf: p_filesz > p_memsz') : undefined;
  },
};

const MULTIBOOT_ENTRY: R = {
  name: 'multiboot-entry',
  source: ELSEWHERE,
  because: 'the kernel is entered in 32-bit mode, at e_entry by the first PT_LOAD around it',
  run({ multiboot, isElf, image: { header, segments } }) {
    if (multiboot === undefined || !isElf) return undefined;
    const entry = multiboot.values?.entry ?? physical(segments, header.e_entry);
    const inside = segments.some((s) => s.p_type === PT_LOAD && hasPhysical(s, entry));
    return inside && entry < GIB4
      ? undefined
      : lost(`the entry ${hex(entry)} is not in the file bytes of any PT_LOAD below 4 GiB`);
  },
};

/** Where an address is in memory, by the first PT_LOAD around it; itself where none is. */
function physical(segments: LaxImage['segments'], address: bigint): bigint {
  const home = segments.find((s) => s.p_type === PT_LOAD && address >= s.p_vaddr && address < s.p_vaddr + s.p_memsz);
  return home === undefined ? address : address - home.p_vaddr + home.p_paddr;
}

/** Limine, by its own protocol or by a Multiboot header. */
export const limine: Loader = loader<LimineView>({
  name: 'limine',
  open: (source) => new LimineView(source),
  rules: [TAGS, FIELDS, ELF_HEADER, ...OWN_RULES.map(own), SIZES, MULTIBOOT_ENTRY],
  values: ({ multiboot, image: { header, segments }, protocol }) => ({
    entry:
      multiboot?.fields?.entry_addr ??
      (multiboot === undefined ? header.e_entry : (multiboot.values?.entry ?? physical(segments, header.e_entry))),
    mode: multiboot === undefined ? '64-bit, paging on' : '32-bit, paging off',
    protocol,
  }),
});
